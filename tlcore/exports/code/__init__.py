"""A run as code that trains it again: with this project, and without it."""

from .exporters import Code, Notebook, texts
from .variants import Variant

__all__ = ["Code", "Notebook", "Variant", "texts"]
