"""Train what is not frozen; the frozen part is computed once."""

from .fitting import (
    check,
    fit,
    n_parts,
    n_steps,
    stretch,
    unwatched,
)

__all__ = [
    "check",
    "fit",
    "n_parts",
    "n_steps",
    "stretch",
    "unwatched",
]
