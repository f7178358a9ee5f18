"""Choosing a source model, a model of one's own, and moving the boundary."""
