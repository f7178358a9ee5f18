"""A run that comes in as a file: looked through, taken over, trained again to see whether the result is the same."""

from .reading import Archived, look_at
from .repeating import Again, Reached, compare, of_archive, of_store
from .taking import take

__all__ = ["Again", "Archived", "Reached", "compare", "look_at", "of_archive", "of_store", "take"]
