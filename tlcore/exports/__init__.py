"""A run as files: each form is an Exporter, which the page and the command line list."""

from .exporter import EXPORTERS, Exporter, Part, offers, register
from .saved import Answers, Heads, Network
from .settings import Settings, run_json
from .tables import Experiments, Metrics, cells_csv, metrics_csv
from .writing import write

for _exporter in (Network(), Heads(), Metrics(), Experiments(), Answers(), Settings()):
    register(_exporter)

__all__ = [
    "EXPORTERS",
    "Exporter",
    "Part",
    "cells_csv",
    "metrics_csv",
    "offers",
    "register",
    "run_json",
    "write",
]
