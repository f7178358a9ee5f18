"""From what a person gives to what a model reads."""
