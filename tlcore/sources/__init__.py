"""Source networks: their cards, how they are loaded, made, and taken from a person's own file."""

from .cards import (
    FOLDER,
    NAMES,
    RANDOM,
    catalogue,
    check_shipped,
    info,
    is_uploaded,
    load,
    network,
    uploaded,
)
from .layers import PREPARING, describe, front, is_random, tensors

__all__ = [
    "FOLDER",
    "NAMES",
    "PREPARING",
    "RANDOM",
    "catalogue",
    "check_shipped",
    "describe",
    "front",
    "info",
    "is_random",
    "is_uploaded",
    "load",
    "network",
    "tensors",
    "uploaded",
]
