"""What is frozen: the choice of layers, their activations, and the cache that shares them."""

from .extraction import (
    Interrupted,
    NoRoom,
    activations,
    cached_activations,
    cached_extract,
    compiled,
    extract,
    in_bfloat16,
    submodel,
    tensor,
)

__all__ = [
    "Interrupted",
    "NoRoom",
    "activations",
    "cached_activations",
    "cached_extract",
    "compiled",
    "extract",
    "in_bfloat16",
    "submodel",
    "tensor",
]
