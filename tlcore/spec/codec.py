"""Frozen dataclasses from JSON values, by their type hints: nested ones, tuples and mappings of them, Sentences."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

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


MOST_TEXT, MOST_INTEGER = 10_000, 2**53  # characters of a text, and the size of a number, in a stranger's file


def check(hint: Any, value: Any) -> None:
    """Hold what ``decode`` returned against its type hints, down to every number and text.

    Raises
    ------
    TypeError
        A value is of another kind than its hint says, no finite number, or longer than anything here.

    Examples
    --------
    >>> check(tuple[int, ...], (1, 2))
    >>> check(float | None, "1")
    Traceback (most recent call last):
        ...
    TypeError: '1' stands where there must be a number
    """
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        _check_any(inner, value)
    elif origin is Literal:
        _need(value in inner, value, "one of " + ", ".join(map(str, inner)))
    elif origin is tuple:
        _need(isinstance(value, tuple), value, "a list")
        for each in value:
            check(inner[0], each)
    elif origin is Mapping:
        _need(isinstance(value, Mapping), value, "an object")
        _check_object(inner[1], value)
    elif hint is Any:
        _check_object(Any, value)
    elif isinstance(hint, type) and is_dataclass(hint):
        _need(isinstance(value, hint), value, hint.__name__)
        hints = get_type_hints(hint)
        for each in fields(hint):
            check(hints[each.name], getattr(value, each.name))
    else:
        _need(_is_a(hint, value), value, _KINDS.get(hint, str(hint)))


_KINDS: Mapping[Any, str] = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    NoneType: "nothing",
    Sentence: "a sentence",
}


def _is_a(kind: Any, value: Any) -> bool:
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    if kind in (int, float):
        known = isinstance(value, int if kind is int else int | float)
        return known and abs(value) <= MOST_INTEGER  # nor is NaN
    if kind is str:
        return isinstance(value, str) and len(value) <= MOST_TEXT
    if kind is Sentence:
        return isinstance(value, Sentence) and len(value.template) <= MOST_TEXT
    return kind is NoneType and value is None


def _check_any(hints: tuple[Any, ...], value: Any) -> None:
    for hint in hints[:-1]:
        with suppress(TypeError):
            check(hint, value)
            return
    try:
        check(hints[-1], value)
    except TypeError as error:
        kinds = [_KINDS.get(hint, str(hint)) for hint in hints if hint is not NoneType]
        raise TypeError(f"{value!r} stands where there must be {' or '.join(kinds)}") from error


def _check_object(hint: Any, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, each in value.items():
            _need(_is_a(str, name), name, "a text")
            check(hint, each)
    elif hint is Any and isinstance(value, list | tuple):
        for each in value:
            check(Any, each)
    else:
        _need(hint is Any and any(_is_a(kind, value) for kind in _KINDS), value, "an object")


def _need(good: bool, value: Any, what: str) -> None:
    if not good:
        raise TypeError(f"{value!r} stands where there must be {what}")
