"""The run store: every run, its points, its files, and how they survive."""

from .runs import (
    NumberedPoints,
    Run,
    Store,
    home,
    versions,
)

__all__ = [
    "NumberedPoints",
    "Run",
    "Store",
    "home",
    "versions",
]
