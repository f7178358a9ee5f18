"""Runs to processes: who comes next, what a process died of, how long a wait takes."""

from .local import (
    Engine,
)

__all__ = [
    "Engine",
]
