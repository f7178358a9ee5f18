"""A few small pictures in class folders, as a person would zip them, and the set that comes of them."""

import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from tlcore.datasets import own_sets
from tlcore.datasets.own_sets import Card, Given, Report

CLASSES = {"disc": 6, "square": 6}


def picture(name: str, at: int, side: int = 64) -> bytes:
    """Return a PNG: a light disc or square on dark ground, each time elsewhere; the same for the same numbers."""
    random = np.random.default_rng([at, len(name)])
    y, x = np.mgrid[:side, :side]
    at_y, at_x = random.integers(14, side - 14, 2)
    shape = np.hypot(y - at_y, x - at_x) < 9 if name == "disc" else np.maximum(abs(y - at_y), abs(x - at_x)) < 8
    grey = np.where(shape, 230, 20) + random.integers(0, 20, (side, side))
    colours = np.stack([grey, grey * 0.9, grey * 0.6], axis=-1).astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(colours).save(content, "PNG")
    return content.getvalue()


def zipped(classes: Mapping[str, int] = CLASSES) -> bytes:
    """Return a ZIP of class folders with so many pictures each."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, n in classes.items():
            for at in range(n):
                archive.writestr(f"{name}/{at}.png", picture(name, at))
    return content.getvalue()


def looked_at(owner: str, classes: Mapping[str, int] = CLASSES) -> Report:
    """Return the draft of such a ZIP."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "0"
        path.write_bytes(zipped(classes))
        return own_sets.look([Given(path, "shapes.zip")], owner)


def set_of_own(owner: str, title: str = "Shapes", classes: Mapping[str, int] = CLASSES) -> Card:
    """Return a kept set of such pictures."""
    return own_sets.add(looked_at(owner, classes=classes).id, title, owner=owner)
