"""A set that a model did not learn from: whether it has the model's classes, and which of its items are new to it."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tlcore import datasets
from tlcore.datasets import DatasetInfo
from tlcore.errors import DataError, LabError
from tlcore.sentences import NOTHING, Sentence, verbatim
from tlcore.spec import DataSpec, InputForm, Part

MOST_NAMES = 8  # classes that a sentence lists


@dataclass(frozen=True, eq=False)
class NewItems:
    """Items as stored, shape (n, *form.shape), with labels int64 (n,) in the order of the model's classes.

    ``n_learned`` are left out because the model had learned from them. ``checked`` is False where what it learned
    from is not at hand.
    """

    items: np.ndarray
    labels: np.ndarray
    n_learned: int
    checked: bool


def misfit(class_names: Sequence[str], form: InputForm, entry: DatasetInfo) -> Sentence:
    """Return why a model with these classes cannot be tested on a set, in one sentence; NOTHING where it can.

    The order of the classes may differ.

    Examples
    --------
    >>> digits = datasets.info("mnist_5_9")
    >>> str(misfit(("9", "8", "7", "6", "5"), digits.form, digits))
    ''
    >>> str(misfit(("5", "6"), digits.form, digits))
    'The model tells 2 classes apart (5, 6), but MNIST digits 5-9 has 5 (5, 6, 7, 8, 9). Choose a set with its classes.'
    """
    if form != entry.form:
        return Sentence(
            "The model reads {reads}, but {title} has {has}. Choose a set of the same form.",
            reads=form,
            title=entry.title,
            has=entry.form,
        )
    if sorted(class_names) == sorted(entry.class_names):
        return NOTHING
    values = {"title": entry.title, "ours": _listed(class_names), "theirs": _listed(entry.class_names)}
    if len(class_names) != len(entry.class_names):
        return Sentence(
            "The model tells {n} classes apart ({ours}), but {title} has {m} ({theirs}). Choose a set with "
            "its classes.",
            n=len(class_names),
            m=len(entry.class_names),
            **values,
        )
    return Sentence(
        "The model's classes are {ours}, but those of {title} are {theirs}. Rename the classes, or choose another set.",
        **values,
    )


def _listed(names: Sequence[str]) -> Sentence:
    shown = ", ".join(names[:MOST_NAMES])
    return Sentence("{names} …", names=shown) if len(names) > MOST_NAMES else verbatim(shown)


def new_items(target: str, part: Part, class_names: Sequence[str], learned: DataSpec | None) -> NewItems:
    """Return the items of a set that a model is tested on: not those that it learned from, or chose its settings by.

    Parameters
    ----------
    part : "test", or "all" for its training items too
    class_names : in the model's order; those of the set in any order
    learned : what the model was trained on; None where that is not known

    Raises
    ------
    SpecError
        There is no such set.
    DataError
        It cannot be read, or the model learned from all of it.
    """
    raw, entry = datasets.get(target).read(), datasets.info(target)
    items, labels = raw.x_test, raw.y_test
    if part == "all":
        items, labels = np.concatenate([raw.x_train, items]), np.concatenate([raw.y_train, labels])
    seen = _seen(learned)
    new = np.array([digest not in (seen or ()) for digest in _digests(items)], bool)
    if not new.any():
        raise DataError("The model has learned from every picture of {title}. Choose another set.", title=entry.title)
    order = np.array([list(class_names).index(name) for name in entry.class_names], np.int64)
    return NewItems(items[new], order[labels[new]], int((~new).sum()), seen is not None)


def _seen(learned: DataSpec | None) -> set[bytes] | None:
    """Return what stands for each item of the training and validation parts; None where they are not at hand."""
    try:
        data = datasets.load(learned) if learned else None
    except LabError:  # a set that was removed since
        return None
    return {*_digests(data.x_train), *_digests(data.x_validation)} if data else None


def _digests(items: np.ndarray) -> Iterable[bytes]:
    return (hashlib.blake2b(np.ascontiguousarray(item).data, digest_size=16).digest() for item in items)
