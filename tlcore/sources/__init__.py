"""Source networks: their cards, how they are loaded, made, and taken from a person's own file."""

from .applications import BACKBONES, Application, UntrainedApplication, fetch, sizes
from .layers import calls, describe, front, is_random, tensors
from .loading import (
    absent,
    catalogue,
    check_reads,
    check_shipped,
    get,
    info,
    lineage,
    load,
    offered,
    source_for,
    target_for,
    untrained,
)
from .network import network, with_new_head
from .preprocessing import UNIT, proper, reads, scaled
from .shipped import FOLDER, Saved, Untrained
from .source import RANDOM, SOURCES, Source, names, register
from .uploaded import is_uploaded, uploaded

_backbones = [make(backbone) for backbone in BACKBONES.values() for make in (Application, UntrainedApplication)]
for _source in (Saved("digits_0_4"), Saved("digits"), Saved("fashion"), Untrained(), *_backbones):
    register(_source)

__all__ = [
    "BACKBONES",
    "FOLDER",
    "RANDOM",
    "SOURCES",
    "Source",
    "UNIT",
    "absent",
    "calls",
    "catalogue",
    "check_reads",
    "check_shipped",
    "describe",
    "fetch",
    "front",
    "get",
    "info",
    "is_random",
    "is_uploaded",
    "lineage",
    "load",
    "names",
    "network",
    "offered",
    "proper",
    "reads",
    "register",
    "scaled",
    "sizes",
    "source_for",
    "target_for",
    "tensors",
    "untrained",
    "uploaded",
    "with_new_head",
]
