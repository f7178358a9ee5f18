"""Text in the language of the person who reads, numbers and names."""
