"""Transfer learning without a user interface: sources, freezing, training, heads, runs."""

__version__ = "0.1.0"
