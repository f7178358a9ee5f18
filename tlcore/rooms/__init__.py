"""Rooms: many phones, one wall."""

from .activity import DIGITS, KINDS, Activity, of_class, to_teach
from .rooms import NoRoom, Rooms, TooFast, as_code, as_name

__all__ = ["DIGITS", "KINDS", "Activity", "NoRoom", "Rooms", "TooFast", "as_code", "as_name", "of_class", "to_teach"]
