"""Grids of experiments and what they prove."""

from .contest import Contest, Entrant
from .method import Method, method_of, methods
from .recorded import STUDIES, Recorded
from .savings import Band

__all__ = ["Band", "Contest", "Entrant", "Method", "Recorded", "STUDIES", "method_of", "methods"]
