"""Grids, label savings, claims and the best-cut meter."""
