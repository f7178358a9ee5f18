"""Pictures without labels: read in a process under limits, as the items that a model takes."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tlcore import inputs, sentences
from tlcore.errors import DataError
from tlcore.inputs import pictures
from tlcore.inputs.decoding import DAMAGED, LONGEST, TOO_LARGE
from tlcore.sentences import Sentence
from tlcore.spec import InputForm

from .bounds import MB, Limits, limits
from .decoding import is_picture
from .draft import ITEMS, read, read_rows
from .folders import MOST_ENTRIES, in_zip, is_hidden, is_zip, loose, opened, path_of
from .looking import in_turn
from .nouns import Given, listed, short
from .reading import Tell, confined
from .stack import Damaged, Stack

MANY = "many.json"
NO_CLASS = "?"


@dataclass(frozen=True)
class Batch:
    """Pictures that were read, in a folder that is deleted like a draft.

    Attributes
    ----------
    names : of the pictures that could be read, in the order of ``items``
    refused : the others, each with its reason
    """

    id: str
    place: Path
    form: InputForm
    names: tuple[str, ...]
    refused: tuple[tuple[str, Sentence], ...]

    def items(self, rows: Sequence[int]) -> np.ndarray:
        """Return some items as stored, uint8, shape (len(rows), *form.shape)."""
        return read_rows(self.place / ITEMS, self.form.shape, rows)


def look_at_many(
    files: Sequence[Given],
    form: InputForm,
    owner: str = "",
    progress: Callable[[int, int], object] = lambda done, total: None,
    stopped: Callable[[], bool] = lambda: False,
    centred: bool = True,
    most: Limits | None = None,
    whole: bool = False,
) -> Batch:
    """Read pictures without labels: a ZIP, or pictures one by one. Takes up to some minutes; the files stay.

    Call it from a thread that lives until it returns; raises what ``own_sets.look`` does.

    Parameters
    ----------
    form : of the items; each picture is taken as when it is given alone
    centred, whole : as ``Images.accept`` takes them
    """
    most = most or limits()
    place = in_turn(in_child, files, owner, (form, centred, whole, most), MANY, progress, stopped, most)
    return batch(place.name, owner)


def batch(id: str, owner: str = "") -> Batch:
    """Return what was read of a person's pictures.

    Raises
    ------
    DataError
        There is none of that id, or it is somebody else's.
    """

    def made(place: Path, kept: dict[str, Any]) -> Batch:
        refused = tuple((name, sentences.loads(reason)) for name, reason in kept["refused"])
        return Batch(id, place, InputForm(kept["modality"], tuple(kept["shape"])), tuple(kept["names"]), refused)

    found = read(id, owner, MANY, made)
    if found is None:
        raise DataError("These pictures are gone: they are deleted after an hour. Give the files again.")
    return found


def in_child(place: Path, givens: Sequence[Given], form: InputForm, centred: bool, whole: bool, most: Limits) -> None:
    """Do all of it, as the function of a process: ``many.json`` lies in ``place`` afterwards, or ``refused.json``."""
    confined(place, most, lambda tell: read_many(place, givens, form, centred, most, tell, whole))


def read_many(
    place: Path,
    givens: Sequence[Given],
    form: InputForm,
    centred: bool,
    most: Limits,
    tell: Tell = lambda done, total: None,
    whole: bool = False,
) -> None:
    """Read pictures into a folder.

    Raises
    ------
    DataError
        There are none, too many, or none of them can be read.
    """
    how = {"centred": centred, **({"whole": True} if whole else {})}
    accept = partial(inputs.modality(form.modality).accept, form=form, **how)
    stack = unlabelled(givens, most, 2 * form.shape[0] if form.shape[-1] == 3 else LONGEST)
    if len(stack) > most.pictures:
        raise DataError(
            "These are {n:,} pictures; the limit is {most:,}. Give fewer at once.", n=len(stack), most=most.pictures
        )
    names, refused = [], []
    with open(place / ITEMS, "wb") as file:
        for row, picture in enumerate(stack.pixels(range(len(stack)))):
            found = _item(picture, accept)
            if isinstance(found, Sentence):
                refused.append((short(stack.names[row]), sentences.dumps(found)))
            else:
                names.append(short(stack.names[row]))
                file.write(np.ascontiguousarray(found).tobytes())
            tell(row + 1, len(stack))
    if not names:
        name, reason = refused[0]
        raise DataError(
            "None of the {n:,} pictures can be read. The first, {name}: {reason}",
            n=len(refused),
            name=name,
            reason=sentences.loads(reason),
        )
    kept = {"modality": form.modality, "shape": form.shape, "names": names, "refused": refused}
    part = place / f"{MANY}.part"
    part.write_text(json.dumps(kept), encoding="utf-8")
    os.replace(part, place / MANY)


def _item(picture: Any, accept: Callable[..., np.ndarray | None]) -> np.ndarray | Sentence:
    """Return a picture as an item, or why it is none."""
    if isinstance(picture, Damaged):
        return pictures.REFUSALS[TOO_LARGE if picture.huge else DAMAGED]
    image = Image.fromarray(picture.pixels)
    image.thumbnail((LONGEST, LONGEST))
    try:
        item = accept(image)
    except DataError as error:
        return error.sentence
    return Sentence("This picture is blank: there is nothing to read.") if item is None else item


def unlabelled(givens: Sequence[Given], most: Limits, enough: int) -> Stack:
    """Return the pictures of a ZIP, or those given one by one, all of one class.

    Raises
    ------
    DataError
        There are no pictures, or several ZIPs, or a ZIP and pictures.
    """
    givens = [given for given in givens if not is_hidden(path_of(given.name))]
    zips = [given for given in givens if is_zip(given.path)]
    loose_ones = [given for given in givens if given not in zips and is_picture(given.name)]
    if len(zips) > 1 or zips and loose_ones:
        raise DataError(
            "These files do not belong together: {names}. Give one ZIP, or pictures alone.",
            names=listed([given.name for given in givens]),
        )
    if zips:
        with opened(zips[0]) as archive:
            named = dict.fromkeys(("/".join(path_of(name).parts) for name in archive.namelist()), NO_CLASS)
        return in_zip(zips[0], opened(zips[0]), most.mb * MB, named, enough)
    if not loose_ones:
        raise DataError(
            "There are no pictures among these files: {names}. Give a ZIP of pictures, or pictures.",
            names=listed([given.name for given in givens]) or "-",
        )
    if len(loose_ones) > MOST_ENTRIES:
        raise DataError("These are {n:,} files. Give them as one ZIP.", n=len(loose_ones))
    named = dict.fromkeys(("/".join(path_of(given.name).parts) for given in loose_ones), NO_CLASS)
    return loose(loose_ones, named, enough)
