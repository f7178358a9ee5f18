"""Source networks: their cards, how they are loaded, made, and taken from a person's own file."""

from .cards import (
    FOLDER,
    NAMES,
    RANDOM,
    catalogue,
    check_reads,
    check_shipped,
    info,
    is_uploaded,
    load,
    uploaded,
)
from .layers import calls, describe, front, is_random, tensors
from .network import network
from .preprocessing import UNIT, proper, reads, scaled

__all__ = [
    "FOLDER",
    "NAMES",
    "RANDOM",
    "UNIT",
    "calls",
    "catalogue",
    "check_reads",
    "check_shipped",
    "describe",
    "front",
    "info",
    "is_random",
    "is_uploaded",
    "load",
    "network",
    "proper",
    "reads",
    "scaled",
    "tensors",
    "uploaded",
]
