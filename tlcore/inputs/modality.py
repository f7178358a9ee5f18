"""What a kind of input can do: taken from a person, shown, made up at random, laid flat. And the list of all kinds."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from tlcore.errors import DataError, SpecError
from tlcore.sentences import NOTHING, Sentence
from tlcore.spec import InputForm, check_choice

WAYS = ("draw", "upload", "sample", "grid", "camera", "type")  # in which a person may give one item


class Modality:
    """One kind of input. A subclass names it and its ways, and says how an item is taken and shown.

    An *item* is what data sets store and models read: an array of ``form.shape`` and ``form.dtype``.
    """

    name: ClassVar[str]
    title: ClassVar[Sentence] = NOTHING  # what a person calls such items; nothing: by their name
    ways: ClassVar[tuple[str, ...]] = ("sample",)
    uploads: ClassVar[Sentence] = NOTHING  # which files may be uploaded, where that is one of the ways
    noises: ClassVar[tuple[Sentence, Sentence]] = (  # what ``noise`` is, and items whose numbers are shuffled
        Sentence("**Random numbers**: each anywhere in the range of the inputs"),
        Sentence(
            "**Shuffled items**: the numbers of test items in random order: the values are right, their order is not"
        ),
    )
    augments: ClassVar[Sentence] = NOTHING  # what ``augment`` changes, where this kind has that
    centres: ClassVar[bool] = False  # whether ``accept`` can bring an item into the form of the data, ``centred``
    placed: ClassVar[bool] = True  # each number means its place; else a quick question averages features over places

    def accept(self, raw: Any, form: InputForm, **options: Any) -> np.ndarray | None:
        """Return what a person gave as one item; None while nothing is drawn or typed.

        Parameters
        ----------
        raw : untrusted: an item as an array, or what one of ``ways`` brings
        options : of the kind's own

        Raises
        ------
        DataError
            It cannot be read as an item of that form.
        """
        return check_item(raw, form)

    def preview(self, item: np.ndarray) -> np.ndarray:
        """Return a picture of an item: uint8, shape (h, w) or (h, w, 3)."""
        raise NotImplementedError

    def previews(self, items: np.ndarray) -> np.ndarray:
        """Return a picture of each item: uint8, shape (n, h, w) or (n, h, w, 3)."""
        return np.stack([self.preview(item) for item in items]) if len(items) else np.zeros((0, 1, 1), np.uint8)

    def noise(self, form: InputForm, n: int, seed: "int | np.random.Generator" = 0) -> np.ndarray:
        """Return ``n`` items that show nothing, shape (n, *form.shape): every number anything that it can be."""
        rng = np.random.default_rng(seed)
        low, high = np.float32(smallest(form)), np.float32(largest(form))
        values = low + rng.random((n, *form.shape), np.float32) * (high - low)
        return values.astype(form.dtype) if np.dtype(form.dtype).kind == "f" else np.round(values).astype(form.dtype)

    def flat(self, items: np.ndarray) -> np.ndarray:
        """Return the items as a table of raw numbers, which needs no network: float32, shape (n, d), in [0, 1]."""
        rows = items.reshape(len(items), -1)
        return rows.astype(np.float32) if rows.dtype.kind == "f" else rows / np.float32(np.iinfo(rows.dtype).max)

    def augment(self, items: np.ndarray, seed: "int | Sequence[int]") -> np.ndarray:
        """Return slightly changed copies that are still what they were, each changed in its own way, drawn by ``seed``.

        Parameters
        ----------
        items : as stored, shape (n, *form.shape); so are the copies

        Raises
        ------
        SpecError
            This kind has no augmentation.
        """
        raise SpecError(
            "Inputs of the kind {kind!r} cannot be augmented: no change is known that keeps their meaning. Turn "
            "augmentation off.",
            kind=self.name,
        )


MODALITIES: dict[str, Modality] = {}


def register(modality: Modality) -> None:
    """Put a kind of input on the list.

    Raises
    ------
    SpecError
        The name is taken.
    """
    if modality.name in MODALITIES:
        raise SpecError("Two kinds of input are called {name!r}. Rename one.", name=modality.name)
    MODALITIES[modality.name] = modality


def modality(name: str) -> Modality:
    """Return the kind of input of that name; a SpecError lists the names when there is none."""
    check_choice("kind of input", name, tuple(MODALITIES))
    return MODALITIES[name]


def smallest(form: InputForm) -> float:
    """Return the smallest number that an item of that form holds."""
    return 0.0 if np.dtype(form.dtype).kind == "f" else float(np.iinfo(form.dtype).min)


def largest(form: InputForm) -> float:
    """Return the largest number that an item of that form holds.

    >>> largest(InputForm("image", (28, 28, 1)))
    255.0
    """
    return 1.0 if np.dtype(form.dtype).kind == "f" else float(np.iinfo(form.dtype).max)


def check_item(item: Any, form: InputForm) -> np.ndarray:
    """Return ``item`` when it is an array of that form.

    Raises
    ------
    DataError
        It has another shape or other numbers.
    """
    found = np.asarray(item) if isinstance(item, np.ndarray) else np.empty(0)
    if found.shape != form.shape or found.dtype != form.dtype:
        raise DataError(
            "This needs {form} numbers ({dtype}). Received: shape {shape}, {got}.",
            form=str(form),
            dtype=form.dtype,
            shape=found.shape,
            got=str(found.dtype),
        )
    return found
