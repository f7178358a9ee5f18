"""Source models, shipped and uploaded: the list, their cards, loading, describing and making them again.

Keras is imported inside functions, so that a page can show the cards.
"""

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlcore import datasets
from tlcore.datasets import ASSETS, read_asset, read_card
from tlcore.errors import DataError, SpecError
from tlcore.spec import InputForm, LayerInfo, OwnModel, SourceInfo, check_choice, check_number
from tlcore.store import home

from .layers import numbered
from .network import FORM, check_n_classes, network, with_new_head
from .preprocessing import UNIT, reads, scaled

if TYPE_CHECKING:
    import keras

FOLDER = ASSETS / "sources"
NAMES = ("digits_0_4", "digits", "fashion", "random")
RANDOM = "random"
UPLOADS = "sources"  # the folder of uploaded models inside the data folder
UPLOAD, UPLOAD_DIGITS = "upload-", 12  # an uploaded model's name: this, and so many hex digits of its hash
FOR_REBUILDERS = ("epochs", "weights_sha256")  # in a card's file, not in SourceInfo


def catalogue() -> tuple[SourceInfo, ...]:
    """Return the card of every shipped source model. Loads no Keras.

    Raises
    ------
    DataError
        A card is missing or damaged.
    """
    return tuple(info(name) for name in NAMES)


def uploaded(owner: str | None = None, removed: bool = False) -> tuple[SourceInfo, ...]:
    """Return the cards of the uploaded models: of one person or of all, those on offer or those removed.

    A card that cannot be read is left out.
    """
    found = []
    for path in sorted((home() / UPLOADS).glob(f"{UPLOAD}*.json")):
        with suppress(DataError, SpecError):
            card = info(path.stem)
            if card.removed == removed and owner in (None, card.owner):
                found.append(card)
    return tuple(found)


def is_uploaded(name: object) -> bool:
    """Return whether ``name`` has the form of an uploaded model's."""
    digits = name.removeprefix(UPLOAD) if isinstance(name, str) and name.startswith(UPLOAD) else ""
    return len(digits) == UPLOAD_DIGITS and set(digits) <= set("0123456789abcdef")


def check_shipped() -> None:
    """Raise a DataError when a shipped source model or its card is missing or damaged."""
    for card in catalogue():
        if card.sha256:
            read_asset(FOLDER / f"{card.name}.keras", card.sha256)


def info(name: str) -> SourceInfo:
    """Return the card of one source model, also of an uploaded one that was removed.

    Raises
    ------
    SpecError
        There is no such source; the message lists the names.
    DataError
        The card is missing or damaged.
    """
    path = (home() / UPLOADS if is_uploaded(name) else FOLDER) / f"{name}.json"
    if not is_uploaded(name) or not path.exists():
        check_choice("source model", name, NAMES)
    card = read_card(path)
    try:
        layers = tuple(LayerInfo(**{**row, "output_shape": tuple(row["output_shape"])}) for row in card.pop("layers"))
        shown = {key: value for key, value in card.items() if key not in FOR_REBUILDERS}
        shown["own"] = OwnModel(**_tuples(card["own"])) if card.get("own") else None
        shown["form"] = InputForm(**card["form"]) if "form" in card else FORM  # a card of before there were others
        return SourceInfo(**{**shown, "class_names": tuple(card["class_names"]), "layers": numbered(layers)})
    except (TypeError, KeyError) as error:
        raise DataError(
            "The card {file} that ships with the app is damaged. Install the app again.", file=path.name
        ) from error


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


def check_reads(source: SourceInfo, target: str) -> None:
    """Raise a SpecError when there is no such data set, or a network does not read its items."""
    data = datasets.info(target)
    if data.form != source.form:
        raise SpecError(
            "{source} reads {reads} ({kind}), and {target} has {has} ({other}). Pick two that fit.",
            source=source.title,
            reads=source.form,
            kind=source.form.modality,
            target=data.title,
            has=data.form,
            other=data.form.modality,
        )


def load(
    name: str, n_classes: int | None = None, seed: int = 0, new_head: bool | None = None, scale: bool = True
) -> "keras.Model":
    """Return a source model, not compiled, every layer trainable; it reads items as stored.

    ``load(name)`` is the model as shipped. With ``n_classes`` its last layer is replaced by a fresh softmax layer,
    initialised from ``seed``; ``new_head=False`` keeps the shipped one. "random" is a fresh network from ``seed``.
    Without ``scale`` the network proper is given the numbers as they are stored.

    Raises
    ------
    SpecError
        Unknown source, a class count outside 2..1000, or a shipped last layer asked for with another class count.
    DataError
        The model file is missing or damaged.
    """
    card = info(name)
    check_number("seed", seed)
    if n_classes is not None:
        check_n_classes(n_classes)
    if name == RANDOM:
        model = network(n_classes or len(card.class_names), seed)
        return model if scale else scaled(model, card.form, 1.0)
    new_head = n_classes is not None if new_head is None else new_head
    n_classes = n_classes or len(card.class_names)
    if not new_head and n_classes != len(card.class_names):
        raise SpecError(
            "{title} tells {n_shipped} classes apart, the target has {n_classes}. Ask for a new last layer.",
            title=card.title,
            n_shipped=len(card.class_names),
            n_classes=n_classes,
        )
    model = _read(name, card.sha256)
    if not reads(model, card.form) or not scale:
        model = scaled(model, card.form, UNIT if scale else 1.0)
    return with_new_head(model, n_classes, seed) if new_head else model


def _read(name: str, sha256: str) -> "keras.Model":
    path = (home() / UPLOADS if is_uploaded(name) else FOLDER) / f"{name}.keras"
    if is_uploaded(name):
        _check_upload(path, sha256)
    else:
        read_asset(path, sha256)
    import keras

    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, OSError, KeyError) as error:
        raise DataError(
            "The model file {file} cannot be loaded by this version of Keras. Install the app again.", file=path.name
        ) from error


def _check_upload(path: Path, sha256: str) -> None:
    """Raise a DataError when the file is gone, or is not what the upload left."""
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
            return
    except OSError:
        pass
    raise DataError("The uploaded model {name} was removed or is damaged. Upload it again.", name=path.stem)
