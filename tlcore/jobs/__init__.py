"""Execute a claimed run."""
