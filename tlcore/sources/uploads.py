"""A person's own model as a source: looked at here without Keras, rebuilt in a process of its own, kept by content."""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tlcore.errors import SpecError, StoreError
from tlcore.sentences import Sentence
from tlcore.spec import LayerInfo, OwnModel, SourceInfo
from tlcore.store import shared_home

from .foreign import rebuild as foreign
from .foreign.archive import look_at, unpack_weights
from .foreign.digits import Known, is_poor, known_digits
from .foreign.guarded import guarded
from .foreign.network import RANDOM_OUT, SOFTMAX, UNIT, Network, Pixels
from .foreign.refusals import because
from .loading import info
from .network import FORM
from .uploaded import UPLOAD, UPLOAD_DIGITS, UPLOADS, is_uploaded, uploaded

MOST_MODELS = 50  # of a data folder
MOST_MODELS_PERSON = 10
SECONDS = 60.0  # from the moment the process has Keras
START_S = 60.0  # and until then: 5 on an idle machine
ABANDONED_S = 3600.0
TITLE, CLASS_NAME = 60, 20  # characters


def add(
    content: bytes,
    file_name: str,
    class_names: Sequence[str] = (),
    owner: str = "",
    pixels: Pixels | None = None,
) -> SourceInfo:
    """Check a ``.keras`` file, keep it as a source model of the data folder and return its card. Takes some seconds.

    Where its classes are digits it is tried on some, in the ways in which images may be given to it.

    Parameters
    ----------
    content : the file, which nobody has looked at
    file_name : what the person calls it; its stem becomes the title
    class_names : what the outputs stand for, in order; default: their numbers
    owner : the person whose model it is; "" is everybody's
    pixels : what it was trained to take for a black and for a white pixel; None: what its first layer says, or what
        reads the digits

    Raises
    ------
    DataError
        The file is not a model that this app can use; the sentence says why and what to do.
    SpecError
        The class names do not fit, or there are as many models as there may be.
    StoreError
        The data folder has no room.
    """
    network = look_at(content)
    names = check_class_names(class_names, network.n_classes)
    name = UPLOAD + hashlib.sha256(owner.encode() + b"\n" + content).hexdigest()[:UPLOAD_DIGITS]
    check_room(name, owner)
    card = SourceInfo(
        name=name,
        title=title_of(file_name),
        dataset="",
        class_names=names,
        layers=(),
        form=FORM,
        seed=0,
        accuracy=None,
        n_train=0,
        n_test=0,
        rebuild="",
        note=f"Uploaded on {time.strftime('%Y-%m-%d', time.gmtime())}.",
        owner=owner,
    )
    try:
        return _keep(card, network, content, pixels)
    except OSError as error:
        raise StoreError(
            "The model could not be kept in the data folder ({reason}). Free some space there and try again.",
            reason=error.strerror or "no reason given",
        ) from error


def _keep(card: SourceInfo, network: Network, content: bytes, pixels: Pixels | None) -> SourceInfo:
    """Rebuild the model in a process, and put the file and its card into the data folder: the card comes last."""
    folder = shared_home() / UPLOADS
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="part-", dir=folder) as place:
        unpack_weights(content, Path(place) / foreign.WEIGHTS)
        built = _in_a_process(network, place, known_digits(card.class_names), pixels)
        layers = tuple(LayerInfo(**row) for row in built.pop("layers"))
        model = Path(place) / foreign.MODEL
        sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
        card = replace(card, layers=layers, sha256=sha256, own=OwnModel(**built))
        os.replace(model, folder / f"{card.name}.keras")
    write_card(card)
    return card


def remove(name: str, removed: bool = True) -> None:
    """Take an uploaded model off the list, or with ``removed=False`` put it back.

    The file goes with the next ``sweep``: until then runs that use it go on, and the person may think again.
    """
    card = info(name)
    if not is_uploaded(name):
        raise SpecError("{title} ships with the app and cannot be removed.", title=card.title)
    write_card(replace(card, removed=removed))


def sweep() -> None:
    """Delete the files of removed models and what a cut-off upload left. The cards stay: old runs name them."""
    folder = shared_home() / UPLOADS
    for card in uploaded(removed=True):
        (folder / f"{card.name}.keras").unlink(missing_ok=True)
    for place in folder.glob("part-*"):
        if time.time() - place.stat().st_mtime > ABANDONED_S:  # else another server may be at it
            shutil.rmtree(place, ignore_errors=True)


def write_card(card: SourceInfo) -> None:
    """Write a card, whole or not at all."""
    path = shared_home() / UPLOADS / f"{card.name}.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(card), indent=2) + "\n", encoding="utf-8")
    os.replace(part, path)


def check_room(name: str, owner: str) -> None:
    """Raise a SpecError where a person, or the data folder, has as many models as may be."""
    kept = [card for card in uploaded() if card.name != name]
    own = [card for card in kept if card.owner == owner]
    if len(own) >= MOST_MODELS_PERSON or len(kept) >= MOST_MODELS:
        raise SpecError(
            "There are {n} models of your own, and the limit is {most}. Remove one first.",
            n=len(own) if len(own) >= MOST_MODELS_PERSON else len(kept),
            most=MOST_MODELS_PERSON if len(own) >= MOST_MODELS_PERSON else MOST_MODELS,
        )


# -- what a person calls things --------------------------------------------------------------------------------------


def title_of(file_name: str) -> str:
    """Return a title made from a file's name: its stem, printable, not too long.

    Examples
    --------
    >>> title_of("../../My model\\n.keras"), title_of(".keras")
    ('My model', 'Uploaded model')
    """
    stem = file_name.replace("\\", "/").rpartition("/")[2].removesuffix(".keras")
    words = "".join(c for c in stem if c.isprintable()).strip()
    return words[:TITLE].strip() or "Uploaded model"


def check_class_names(names: Sequence[str], n: int) -> tuple[str, ...]:
    """Return the names of ``n`` classes; their numbers when none are given.

    Raises
    ------
    SpecError
        Another number of names, an empty or too long one, or one that comes twice.
    """
    names = tuple(name.strip() for name in names) or tuple(map(str, range(n)))
    good = all(name and len(name) <= CLASS_NAME and name.isprintable() for name in names)
    if len(names) != n or len(set(names)) != n or not good:
        raise SpecError(
            "This model tells {n} classes apart. Give it {n} different names of at most {most} characters, or none.",
            n=n,
            most=CLASS_NAME,
        )
    return names


# -- what was seen of it ---------------------------------------------------------------------------------------------

CHANGES = {
    SOFTMAX: Sentence("It ended in raw scores, so a softmax was added: the class it answers with is the same."),
    RANDOM_OUT: Sentence("Its layers that vary images at random are left out: they do nothing when it answers."),
}


def is_doubtful(card: SourceInfo) -> bool:
    """Whether an uploaded model reads digits hardly better than guessing, though its classes are digits."""
    own = card.own
    return own is not None and is_poor(own.n_right, own.n_digits, len(card.class_names))


def findings(card: SourceInfo, translate: Callable[[str], str] = str) -> list[str]:
    """Return what was seen when a model was added, sentence by sentence: which digits it reads, given which values.

    Parameters
    ----------
    translate : gives a sentence with its fields in the reader's language
    """
    own = card.own
    if own is None:
        return []
    said = [CHANGES[change].fill(translate) for change in own.changes if change in CHANGES]
    values, expected = way_words(own.pixels, translate), way_words(own.expected, translate)
    counts = {"right": own.n_right, "n": own.n_digits, "before": own.n_right_as_expected}
    counts["guess"] = round(own.n_digits / len(card.class_names))
    if not own.n_digits:
        sentence = translate("Its classes are not digits, so it was not tried on any. It is given {values}.")
    elif is_doubtful(card):
        sentence = translate(
            "It reads only {right} of {n} known digits; guessing reads about {guess}. Likely causes: it was trained on "
            "other pixel values (0 to 1, 0 to 255, −1 to 1 and black on white were tried), or its outputs stand for "
            "other classes. Give its classes in order, and the values it was trained on."
        )
    elif own.pixels != own.expected:
        sentence = translate(
            "Given {expected}, it reads {before} of {n} known digits; given {values}, it reads {right}. So it is given "
            "those."
        )
    elif own.pixels != UNIT:
        sentence = translate("It is given {values}, and reads {right} of {n} known digits.")
    else:
        sentence = translate("It reads {right} of {n} known digits.")
    return [*said, sentence.format(values=values, expected=expected, **counts)]


def way_words(pixels: Pixels, translate: Callable[[str], str] = str) -> str:
    """Return what a network is given for an image, in words.

    Examples
    --------
    >>> way_words((0.0, 255.0)), way_words((1.0, -1.0))
    ('values from 0 to 255', 'black on white, values from -1 to 1')
    """
    black, white = pixels
    words = translate("values from {low:g} to {high:g}")
    if black > white:
        words = translate("black on white, values from {low:g} to {high:g}")
    return words.format(low=min(pixels), high=max(pixels))


# -- the process -----------------------------------------------------------------------------------------------------


def _in_a_process(network: Network, place: str, known: Known, pixels: Pixels | None) -> dict[str, Any]:
    """Let a fresh process rebuild the model; it may take so much memory and time, and is gone afterwards."""
    failed = Sentence(
        "Keras could not build it from its layers and weights. Load it with keras.models.load_model and save it again"
    )
    asked = (network, place, known, pixels)
    return guarded(foreign.rebuild, asked, foreign.begin, because, failed, SECONDS, START_S)
