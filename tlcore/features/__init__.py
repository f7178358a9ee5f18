"""What is frozen: the choice of layers, their activations, and the cache that shares them."""

from .cuts import CutPoint, cut_points, feature_cut, first_vector, last_hidden, split, submodel
from .extraction import (
    Interrupted,
    NoRoom,
    activations,
    cached_activations,
    cached_extract,
    check_size,
    compiled,
    extract,
    extract_several,
    in_bfloat16,
    tensor,
)

__all__ = [
    "CutPoint",
    "Interrupted",
    "NoRoom",
    "activations",
    "cached_activations",
    "cached_extract",
    "check_size",
    "compiled",
    "cut_points",
    "extract",
    "extract_several",
    "in_bfloat16",
    "feature_cut",
    "first_vector",
    "last_hidden",
    "split",
    "submodel",
    "tensor",
]
