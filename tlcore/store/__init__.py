"""The run store: every run, its points, its files, and how they survive."""

from .attempts import Attempt, versions
from .listing import Entry
from .places import home, results_address, shared_home
from .rooms import Item, Member, Room, Standing
from .runs import NumberedPoints, Run, Store
from .tokens import Token

__all__ = [
    "Attempt",
    "Entry",
    "Item",
    "Member",
    "NumberedPoints",
    "Room",
    "Standing",
    "Run",
    "Store",
    "Token",
    "home",
    "results_address",
    "shared_home",
    "versions",
]
