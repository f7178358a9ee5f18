"""Frozen dataclasses from JSON values, by their type hints: nested ones, tuples and mappings of them."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


def decode(hint: Any, value: Any) -> Any:
    """Return a JSON value as what its type hint says; ``dataclasses.asdict`` is the way back.

    Only the shape is looked at: numbers and texts are taken as they are.

    Raises
    ------
    TypeError, KeyError
        The value has another shape, or a field that the dataclass does not have.

    Examples
    --------
    >>> decode(tuple[int, ...], [1, 2]), decode(float | None, None)
    ((1, 2), None)
    """
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        rest = [each for each in get_args(hint) if each is not NoneType]
        return value if value is None or len(rest) > 1 else decode(rest[0], value)
    if origin is tuple:
        item = get_args(hint)[0]
        return tuple(decode(item, each) for each in _shaped(value, list | tuple))
    if isinstance(hint, type) and is_dataclass(hint):
        hints = _hints(hint)
        return hint(**{name: decode(hints[name], each) for name, each in _shaped(value, Mapping).items()})
    if origin is Mapping:
        item = get_args(hint)[1]
        return {name: decode(item, each) for name, each in _shaped(value, Mapping).items()}
    return value


def _shaped(value: Any, shape: Any) -> Any:
    if not isinstance(value, shape):
        raise TypeError(f"{value!r} stands where there must be a list or an object")
    return value


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind)
