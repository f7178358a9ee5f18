"""The style sheets of all pages, which the server puts into the head of the page it sends first."""

from pathlib import Path

from pages.ui.charts import palette

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
    "forced.css",
)
SHEETS = tuple(Path(__file__).with_name(name) for name in _NAMES)


def style() -> bytes:
    """Return all of them as one, the colours first."""
    return palette.sheet().encode() + b"".join(sheet.read_bytes() for sheet in SHEETS)
