"""A person's own pictures: on their way, looked at, chosen from, and kept as sets."""
