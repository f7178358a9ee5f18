"""Runs to processes: who comes next, what a process died of, how long a wait takes."""

from .dask import DaskEngine
from .engine import Engine, Status, Worker
from .local import LocalEngine

__all__ = ["DaskEngine", "Engine", "LocalEngine", "Status", "Worker"]
