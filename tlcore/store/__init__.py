"""The run store: every run, its points, its files, and how they survive."""

from .attempts import Attempt, versions
from .listing import Entry
from .runs import NumberedPoints, Run, Store, home

__all__ = ["Attempt", "Entry", "NumberedPoints", "Run", "Store", "home", "versions"]
