"""The networks that ship: saved ones with their cards, and the one that has learned nothing."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tlcore.datasets import ASSETS, read_asset
from tlcore.errors import DataError
from tlcore.spec import SourceInfo

from . import cards
from .network import network, with_new_head
from .preprocessing import reads, scaled
from .source import RANDOM, Source

if TYPE_CHECKING:
    import keras

FOLDER = ASSETS / "sources"
EXAMPLES = "-examples.png"  # after a network's name: a grey strip of images that it learned from, where its task is far


class Saved(Source):
    """A network in a file: ``NAME.keras`` beside its card ``NAME.json``."""

    def __init__(self, name: str):
        self.name = name

    def folder(self) -> Path:
        return FOLDER

    def card(self) -> SourceInfo:
        return cards.read(self.folder() / f"{self.name}.json")

    def load(self, n_classes: int | None, seed: int) -> "keras.Model":
        import keras

        card, path = self.card(), self.folder() / f"{self.name}.keras"
        self.check_file(path, card)
        try:
            model = keras.models.load_model(path, compile=False, safe_mode=True)
        except (ValueError, TypeError, OSError, KeyError) as error:
            raise DataError(
                "The model file {file} cannot be loaded by this version of Keras. Install the app again.",
                file=path.name,
            ) from error
        if not reads(model, card.form):  # saved without what scales its items
            model = scaled(model, card.form)
        return with_new_head(model, n_classes, seed) if n_classes else model

    def examples(self, n: int) -> np.ndarray:
        path = self.folder() / f"{self.name}{EXAMPLES}"
        if not path.exists():
            return super().examples(n)
        with Image.open(path) as image:
            strip = np.asarray(image)
        side = self.card().form.shape[0]
        items = np.stack(np.split(strip, strip.shape[1] // side, axis=1))[..., None]
        return items[:: max(1, len(items) // n)][:n]

    def check_file(self, path: Path, card: SourceInfo) -> None:
        """Raise a DataError when the file is not the one that the card notes."""
        read_asset(path, card.sha256)

    def check_shipped(self) -> None:
        self.check_file(self.folder() / f"{self.name}.keras", self.card())


class Untrained(Source):
    """The network that ships before it has learned anything: the control."""

    name = RANDOM

    def card(self) -> SourceInfo:
        return cards.read(FOLDER / f"{RANDOM}.json")

    def load(self, n_classes: int | None, seed: int) -> "keras.Model":
        return network(n_classes or len(self.card().class_names), seed)

    def check_shipped(self) -> None:
        self.card()


def keep_examples(images: np.ndarray, labels: np.ndarray, path: Path) -> None:
    """Write the first image of each class side by side, as grey pixels; ``images``: values in [0, 1], (n, h, w, 1)."""
    firsts = [images[np.flatnonzero(labels == label)[0], ..., 0] for label in np.unique(labels)]
    Image.fromarray(np.round(np.concatenate(firsts, axis=1) * 255).astype(np.uint8)).save(path, "PNG", optimize=True)
