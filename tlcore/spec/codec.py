"""Frozen dataclasses from JSON values, by their type hints: nested ones, tuples and mappings of them, Sentences."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from tlcore import sentences
from tlcore.sentences import Sentence


def decode(hint: Any, value: Any, strict: bool = True) -> Any:
    """Return a JSON value as what its type hint says; ``dataclasses.asdict`` is the way back.

    Only the shape is looked at: numbers and texts are taken as they are.

    Parameters
    ----------
    strict : False passes over fields that a dataclass does not have

    Raises
    ------
    TypeError, KeyError
        The value has another shape, or a field that the dataclass does not have.

    Examples
    --------
    >>> decode(tuple[int, ...], [1, 2]), decode(float | None, None)
    ((1, 2), None)
    """
    read = _reader(hint, strict)
    return read(value) if read else value


@cache  # a run's result may have hundreds of rows: the hints are looked at once
def _reader(hint: Any, strict: bool) -> Callable[[Any], Any] | None:
    """Return what reads values of a hint; None where they are taken as they are."""
    if hint is Sentence:
        return sentences.decode
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        kinds = [each for each in inner if each is not NoneType]
        read = _reader(kinds[0], strict) if len(kinds) == 1 else None
        return read and (lambda value: None if value is None else read(value))
    if origin is tuple:
        read = _reader(inner[0], strict)
        return lambda value: tuple(map(read, _list(value)) if read else _list(value))
    if origin is Mapping:
        read = _reader(inner[1], strict)
        return read and (lambda value: {name: read(each) for name, each in _object(value).items()})
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        return _dataclass_reader(hint, {each.name: _reader(hints[each.name], strict) for each in fields(hint)}, strict)
    return None


def _dataclass_reader(
    kind: type, readers: Mapping[str, Callable[[Any], Any] | None], strict: bool
) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        known = {}
        for name, each in _object(value).items():
            if strict or name in readers:
                reader = readers[name]
                known[name] = reader(each) if reader else each
        return kind(**known)

    return read


def _list(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise TypeError(f"{value!r} stands where there must be a list")
    return value


def _object(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise TypeError(f"{value!r} stands where there must be an object")
    return value
