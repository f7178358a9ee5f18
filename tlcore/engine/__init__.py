"""Runs to processes: who comes next, what a process died of, how long a wait takes."""

from .engine import Engine, Status
from .local import LocalEngine

__all__ = ["Engine", "LocalEngine", "Status"]
