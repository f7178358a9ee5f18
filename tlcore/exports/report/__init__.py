"""A run as one HTML page to read and to print."""

from .exporter import Report

__all__ = ["Report"]
