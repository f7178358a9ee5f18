"""Plots from plain numbers, one theme."""
