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
from .layers import describe, is_random, tensors

__all__ = [
    "FOLDER",
    "NAMES",
    "RANDOM",
    "catalogue",
    "check_shipped",
    "describe",
    "info",
    "is_random",
    "is_uploaded",
    "load",
    "network",
    "tensors",
    "uploaded",
]
