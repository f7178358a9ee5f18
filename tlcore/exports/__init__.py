"""A run as files: each form is an Exporter, which the page and the command line list."""

from .archive import Archive
from .code import Code, Notebook, texts
from .event_files import EventFiles
from .exporter import EXPORTERS, Exporter, Part, offers, register
from .portable import Lite, Onnx, WebPage
from .report import Report
from .saved import Answers, Heads, Network
from .settings import Settings, run_json
from .tables import Experiments, Metrics, cells_csv, metrics_csv
from .writing import write

_PORTABLE = (WebPage(), Onnx(), Lite("tflite"), Lite("tflite_int8"))
_WRITTEN = (Report(), EventFiles(), Code(), Notebook(), Archive())
for _exporter in (Network(), Heads(), Metrics(), Experiments(), Answers(), Settings(), *_PORTABLE, *_WRITTEN):
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
    "texts",
    "write",
]
