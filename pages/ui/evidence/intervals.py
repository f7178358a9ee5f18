"""Intervals as a table that draws itself: a row for each thing said, its values on one axis with a line to pass."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from pages.ui.words.text import _


@dataclass(frozen=True)
class Mark:
    """One value with its interval; ``good`` is None where the interval holds the line.

    ``low`` is ``high`` where the value was counted; ``value`` is infinite where there is no end to it.
    """

    label: str
    value: float
    low: float
    high: float
    words: str
    good: bool | None


@dataclass(frozen=True)
class Row:
    title: str
    word: str  # what was found of it, in a word
    kind: str  # how that word is coloured: good, bad, or open
    line: float  # the value to pass
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Axis:
    """Where values stand: ``place`` maps a value to [0, 1]; what is beyond is drawn at the end, as an arrow."""

    ticks: Sequence[tuple[float, str]]
    place: Callable[[float], float]

    def at(self, value: float) -> float:
        """Return the per cent from the left, kept within the axis."""
        return 100 * min(max(self.place(value), 0.0), 1.0)


def table(caption: str, found: str, axis: Axis, rows: Sequence[Row]) -> str:
    """Return the rows as an HTML table; ``found`` heads the column that is drawn."""
    ticks = "".join(f'<span style="left:{axis.at(value):.1f}%">{escape(words)}</span>' for value, words in axis.ticks)
    head = f'<th scope="col">{escape(found)}<span class="ticks" aria-hidden="true">{ticks}</span></th>'
    columns = "".join(f'<th scope="col">{escape(words)}</th>' for words in (_("Claim"), _("Verdict")))
    return (
        f'<table class="intervals"><caption>{escape(caption)}</caption><thead><tr>{columns}{head}</tr></thead>'
        f"<tbody>{''.join(_row(row, axis) for row in rows)}</tbody></table>"
    )


def _row(row: Row, axis: Axis) -> str:
    title, verdict = escape(row.title), f'<b class="{row.kind}">{escape(row.word)}</b>'
    lines = "".join(_mark(mark, axis) for mark in row.marks)
    line = f"--line:{axis.at(row.line):.1f}%"
    return f'<tr style="{line}"><th scope="row">{title}</th><td>{verdict}</td><td>{lines}</td></tr>'


def _mark(mark: Mark, axis: Axis) -> str:
    kind = {True: "good", False: "bad", None: "open"}[mark.good]
    low, high = axis.at(mark.low), axis.at(mark.high)
    bar = f'<i class="bar" style="left:{low:.1f}%;width:{max(high - low, 0):.1f}%"></i>'
    dot = "arrow" if axis.place(mark.value) > 1 else "dot"
    point = f'<i class="{dot}" style="left:{axis.at(mark.value):.1f}%"></i>'
    words = f"<span>{escape(mark.label)}</span><span>{escape(mark.words)}</span>"
    return f'<div class="mark {kind}">{words}<span class="track" aria-hidden="true">{bar}{point}</span></div>'
