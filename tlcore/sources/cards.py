"""Source models, shipped and uploaded: the list, their cards, loading, describing and making them again.

The network everywhere is the 32-64-64 one: two 3×3 convolutions, each with 2×2 pooling, a dense layer of 64 and the
softmax; 121,930 weights at ten classes. Keras is imported inside functions, so that a page can show the cards.
"""

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlcore.datasets import ASSETS, read_asset, read_card
from tlcore.errors import DataError, SpecError
from tlcore.spec import LayerInfo, OwnModel, SourceInfo, check_choice, check_number
from tlcore.store import home

if TYPE_CHECKING:
    import keras

FOLDER = ASSETS / "sources"
NAMES = ("digits_0_4", "digits", "fashion", "random")
RANDOM = "random"
UPLOADS = "sources"  # the folder of uploaded models inside the data folder
UPLOAD, UPLOAD_DIGITS = "upload-", 12  # an uploaded model's name: this, and so many hex digits of its hash
FOR_REBUILDERS = ("epochs", "weights_sha256")  # in a card's file, not in SourceInfo
HEAD = "dense_2"  # the layer that a new target replaces
MOST_CLASSES = 1000


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
        own = OwnModel(**_tuples(card["own"])) if card.get("own") else None
        return SourceInfo(**{**shown, "class_names": tuple(card["class_names"]), "layers": layers, "own": own})
    except (TypeError, KeyError) as error:
        raise DataError(
            "The card {file} that ships with the app is damaged. Install the app again.", file=path.name
        ) from error


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


def load(name: str, n_classes: int | None = None, seed: int = 0, new_head: bool | None = None) -> "keras.Model":
    """Return a source model, not compiled, every layer trainable.

    ``load(name)`` is the model as shipped. With ``n_classes`` its last layer is replaced by a fresh softmax layer,
    initialised from ``seed``; ``new_head=False`` keeps the shipped one. "random" is a fresh network from ``seed``.

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
        _check_n_classes(n_classes)
    if name == RANDOM:
        return network(n_classes or len(card.class_names), seed)
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
    return with_new_head(model, n_classes, seed) if new_head else model


def with_new_head(model: "keras.Model", n_classes: int, seed: int) -> "keras.Model":
    """Return ``model`` with a fresh softmax layer, named as the last one was, in the place of its last layer.

    The other layers are the same objects: their weights are shared, not copied.
    """
    import keras

    last = model.layers[-1]
    start = keras.initializers.GlorotUniform(seed=seed)
    head = keras.layers.Dense(n_classes, activation="softmax", kernel_initializer=start, name=last.name)
    return keras.Model(model.inputs, head(last.input), name=model.name)


def network(n_classes: int, seed: int) -> "keras.Model":
    """Return the untrained 32-64-64 network: 121,930 weights at ten classes, its initial weights fixed by ``seed``.

    References
    ----------
    The layer sizes of "Deep Learning with Python" (Chollet), section 5.1, which the article took up.
    """
    import keras
    from keras import layers

    _check_n_classes(n_classes)

    def start(place: int) -> keras.Initializer:  # one generator a layer: equal seeds would give equal numbers
        return keras.initializers.GlorotUniform(seed=seed * 4 + place)

    image = keras.Input((28, 28, 1), name="image")
    x = layers.Conv2D(32, 3, activation="relu", kernel_initializer=start(0), name="conv_1")(image)  # (26, 26, 32)
    x = layers.MaxPooling2D(2, name="pool_1")(x)  # (13, 13, 32)
    x = layers.Conv2D(64, 3, activation="relu", kernel_initializer=start(1), name="conv_2")(x)  # (11, 11, 64)
    x = layers.MaxPooling2D(2, name="pool_2")(x)  # (5, 5, 64)
    x = layers.Flatten(name="flatten")(x)  # (1600,)
    x = layers.Dense(64, activation="relu", kernel_initializer=start(2), name="dense_1")(x)
    x = layers.Dense(n_classes, activation="softmax", kernel_initializer=start(3), name=HEAD)(x)
    return keras.Model(image, x, name="cnn")


def _check_n_classes(n_classes: Any) -> None:
    whole = isinstance(n_classes, int) and not isinstance(n_classes, bool)
    if not whole or not 2 <= n_classes <= MOST_CLASSES:
        raise SpecError(
            "A network needs from 2 to {most:,} classes. Received: {value!r}.", most=MOST_CLASSES, value=n_classes
        )


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
