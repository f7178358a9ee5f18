"""What is worked out of experiments that ship is worked out once: they never change, and every visitor asks for it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from tlcore.spec import Cell

Worked = TypeVar("Worked", bound=Callable[..., Any])

_shipped: dict[int, tuple[Cell, ...]] = {}  # by identity: thousands of experiments take as long to hash as to judge
_joined: dict[tuple[int, ...], tuple[Cell, ...]] = {}


def shipping(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Return experiments, and remember these very ones as some that ship."""
    return _shipped.setdefault(id(cells), cells)


def together(*parts: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Return the experiments of several studies as one; where all ship, the same tuple every time."""
    key = tuple(map(id, parts))
    if key in _joined:
        return _joined[key]
    joined = tuple(cell for part in parts for cell in part)
    if all(_shipped.get(id(part)) is part for part in parts):
        _joined[key] = shipping(joined)
    return joined


def once(function: Worked) -> Worked:
    """Keep what a function of experiments returns for those that ship; nobody may change it.

    Of others, such as a person's own, nothing is kept.
    """
    kept: dict[tuple, Any] = {}

    @wraps(function)
    def call(cells: Any, *more: Any, **named: Any) -> Any:
        if _shipped.get(id(cells)) is not cells:
            return function(cells, *more, **named)
        key = (id(cells), more, *named.items())
        if key not in kept:
            kept[key] = function(cells, *more, **named)
        return kept[key]

    return call  # type: ignore[return-value]
