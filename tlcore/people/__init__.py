"""Who a person is and what they may do."""

from .people import (
    SECRET,
    Access,
    Keys,
    Limits,
    Person,
    keys,
    limits,
    new_person,
    of_account,
    whole_number,
)

__all__ = [
    "Access",
    "Keys",
    "Limits",
    "Person",
    "SECRET",
    "keys",
    "limits",
    "new_person",
    "of_account",
    "whole_number",
]
