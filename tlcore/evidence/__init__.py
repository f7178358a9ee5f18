"""Grids of experiments and what they prove."""
