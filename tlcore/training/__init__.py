"""Train what is not frozen; the frozen part is computed once."""

from .fitting import check, fit, n_steps
from .loop import Loop, n_parts

__all__ = [
    "Loop",
    "check",
    "fit",
    "n_parts",
    "n_steps",
]
