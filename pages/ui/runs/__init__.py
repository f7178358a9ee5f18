"""A run as the pages show it: a view for each kind."""
