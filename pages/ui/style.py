"""The style sheets of all pages, which the server puts into the head of the page it sends first."""

from pathlib import Path

_NAMES = (
    "frame.css",
    "answers.css",
    "home.css",
    "train.css",
    "evidence.css",
    "tables.css",
    "layers.css",
    "sets.css",
    "presenting.css",
)
SHEETS = tuple(Path(__file__).with_name(name) for name in _NAMES)
