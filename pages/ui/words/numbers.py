"""Shares as a page writes them: as ``tlcore.sentences`` does, with a space before the sign at which no line ends."""

from pages.ui.words.text import unbroken
from tlcore import sentences


def percent(share: float, digits: int = 1) -> str:
    """Return a share of one as a percentage.

    Examples
    --------
    >>> percent(0.982)
    '98.2\\xa0%'
    """
    return unbroken(sentences.percent(share, digits))


def spread(mean: float, width: float | None) -> str:
    """Return the mean of shares with what is to either side of it, where that is known."""
    return unbroken(sentences.spread(mean, width))


def between(low: float, high: float) -> str:
    """Return the interval of a share."""
    return unbroken(sentences.between(low, high))
