"""Benchmarks: each runs the plain way and ours in turn. ``python -m bench`` runs all and writes the table."""
