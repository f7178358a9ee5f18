"""Pictures that people bring: looked at, mended, kept as target tasks of their own."""

from .bounds import FOLDER, INCOMING, Limits, folder, limits
from .card import Card, is_own
from .draft import discard
from .kept import (
    add,
    card,
    check_room,
    find,
    find_source,
    kept,
    plan,
    remove,
    rename,
    sweep,
    used_mb,
    write_zip,
)
from .looking import look, report, thumbnails
from .many import Batch, batch, look_at_many
from .nouns import FORMS, Choices, ClassCount, Finding, Given, Plan, Report, Sizes, Stopped
from .revising import card_of, revise

__all__ = [
    "FOLDER",
    "FORMS",
    "INCOMING",
    "Batch",
    "Card",
    "Choices",
    "ClassCount",
    "Finding",
    "Given",
    "Limits",
    "Plan",
    "Report",
    "Sizes",
    "Stopped",
    "add",
    "batch",
    "card",
    "card_of",
    "check_room",
    "discard",
    "find",
    "find_source",
    "folder",
    "is_own",
    "kept",
    "limits",
    "look",
    "look_at_many",
    "plan",
    "remove",
    "rename",
    "report",
    "revise",
    "sweep",
    "thumbnails",
    "used_mb",
    "write_zip",
]
