"""How well hands before a camera are read on other grounds than the photographs': what Try shows beside the camera.

``python -m tlcore.evidence.camera_hands`` cuts the test photographs' hands out of their walls, turns them by up to 15°,
moves them off the centre, and lays them on plain, busy, dark and skin-coloured grounds. Each becomes a JPEG as the
camera sends it and is read as the route reads it. The models are those that a person makes here: a head on features,
and the network with its last stage thawed.
"""

import argparse
import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tlcore import datasets, features, heads, sources
from tlcore.datasets import Data, read_card
from tlcore.errors import LabError
from tlcore.evaluation import wilson
from tlcore.inputs import frames
from tlcore.prediction import outside
from tlcore.spec import DataSpec
from tlcore.spec.codec import decode
from tlcore.store import versions

from .recorded import FOLDER, damaged, origin
from .shown_hands import specs
from .teaching import Say, seeded, teach

FILE = FOLDER / "camera.json"
COMMAND = "python -m tlcore.evidence.camera_hands"
SOURCE, TARGET, PER_CLASS, SEEDS = "mobilenet_v2", "hands", 20, (0, 1, 2)
ENOUGH = 0.7  # below it a page asks for a plain background
MANY = 0.1  # called outside: a page says what to make of it
TURN, SHIFT = 15.0, 0.12  # most degrees, and most of the picture's side, to either way
QUALITY = 85  # of the JPEG
PLAIN = "plain"


@dataclass(frozen=True)
class Row:
    """How many of ``n`` hands on one ground were read correctly, with each seed, and how many were called outside."""

    ground: str  # a name of ``GROUNDS``
    way: str  # "head" or "network"
    n_right: tuple[int, ...]
    n: int
    n_outside: tuple[int, ...] = ()

    @property
    def share(self) -> float:
        return sum(self.n_right) / (self.n * len(self.n_right))

    @property
    def outside(self) -> float | None:
        """The share of which Try says that they look like nothing the model was trained on; None: not counted."""
        return sum(self.n_outside) / (self.n * len(self.n_outside)) if self.n_outside else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share: of one seed's test, which more seeds on the same hands do not narrow."""
        return wilson(round(self.share * self.n), self.n)


@dataclass(frozen=True)
class CameraHands:
    """What was measured, and by what."""

    rows: tuple[Row, ...]
    per_class: int
    seeds: tuple[int, ...]
    class_names: tuple[str, ...]
    date: str
    machine: str
    command: str

    def best(self, ground: str) -> Row:
        """Return the row of the better way on a ground."""
        return max((row for row in self.rows if row.ground == ground), key=lambda row: row.share)

    @property
    def asks_for_plain(self) -> bool:
        """Whether some other ground than a plain one is read too badly."""
        return any(self.best(row.ground).share < ENOUGH for row in self.rows if row.ground != PLAIN)

    @property
    def often_outside(self) -> bool:
        """Whether hands on some ground are often said to look like nothing the model was trained on."""
        return any((self.best(row.ground).outside or 0.0) > MANY for row in self.rows)


def is_recorded() -> bool:
    return FILE.exists()


@lru_cache(maxsize=2)
def load(path: Path = FILE) -> CameraHands:
    """Return what ships; a DataError when it is missing or damaged."""
    try:
        return decode(CameraHands, read_card(path), strict=False)
    except (TypeError, KeyError, ValueError) as error:
        raise damaged(path) from error


# ------------------------------------------------------------------ hands and grounds


def mask(item: np.ndarray) -> np.ndarray:
    """Return where a hand is on a photograph of it before a grey wall: bool, shape (h, w).

    Skin is warmer than the wall in light and in shade, so what counts is red against blue, parted by Otsu's threshold.

    References
    ----------
    Otsu (1979), "A threshold selection method from gray-level histograms".
    """
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(item.astype(float), (0.7, 0.7, 0))
    warmth = (smooth[..., 0] - smooth[..., 2]) / np.maximum(smooth.mean(axis=2), 1)
    found, _n = ndimage.label(warmth > _otsu(warmth.ravel()))
    sizes = np.bincount(found.ravel())[1:]
    hand = found == 1 + int(np.argmax(sizes)) if len(sizes) else np.zeros(found.shape, bool)
    hand = ndimage.binary_closing(hand)
    holes, n_holes = ndimage.label(ndimage.binary_fill_holes(hand) & ~hand)
    small = 1 + np.flatnonzero(np.bincount(holes.ravel(), minlength=n_holes + 1)[1:] < hand.size // 400)
    return hand | np.isin(holes, small)  # a large hole is that of a sign, as of 0


def _otsu(values: np.ndarray) -> float:
    counts, edges = np.histogram(values, 128)
    middles = (edges[1:] + edges[:-1]) / 2
    below, sums = np.cumsum(counts), np.cumsum(counts * middles)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return float(edges[1:][int(np.nanargmax(between))])


def plain(side: int, skin: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A wall in another grey, lit from a side."""
    return _lit(np.full((side, side, 3), rng.uniform(150, 230)), rng)


def dark(side: int, skin: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A dark room."""
    return _lit(np.full((side, side, 3), rng.uniform(10, 45)), rng)


def skin_coloured(side: int, skin: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A face, an arm or a wooden board: about as bright and warm as the hand."""
    return _lit(np.broadcast_to(skin * rng.uniform(0.8, 1.2), (side, side, 3)), rng)


def busy(side: int, skin: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A room full of things: forty rectangles and discs in any colours."""
    ground = np.broadcast_to(rng.uniform(0, 255, 3), (side, side, 3)).copy()
    down, across = np.mgrid[:side, :side]
    for _ in range(40):
        y, x = rng.uniform(0, side, 2)
        height, width = rng.uniform(0.03, 0.3, 2) * side
        square = (np.abs(down - y) < height / 2) & (np.abs(across - x) < width / 2)
        disc = ((down - y) / height) ** 2 + ((across - x) / width) ** 2 < 0.25
        ground[square if rng.random() < 0.5 else disc] = rng.uniform(0, 255, 3)
    return ground


def _lit(ground: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a ground with light that falls off to one side, and a camera's noise."""
    side = len(ground)
    angle = rng.uniform(0, 2 * np.pi)
    down, across = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    light = 1 + 0.15 * (np.cos(angle) * across + np.sin(angle) * down)
    return ground * light[..., None] + rng.normal(0, 3, ground.shape)


Ground = Callable[[int, np.ndarray, np.random.Generator], np.ndarray]
GROUNDS: dict[str, Ground] = {PLAIN: plain, "busy": busy, "dark": dark, "skin": skin_coloured}


def composed(item: np.ndarray, ground: str, seed: int) -> np.ndarray:
    """Return a hand on another ground, turned and off the centre: uint8, shape (SIDE, SIDE, 3) of ``inputs.frames``.

    Parameters
    ----------
    item : uint8 photograph of a hand before a wall, shape (h, h, 3)
    seed : of the ground, the turn and the shift
    """
    rng = np.random.default_rng(seed)
    hand, side = mask(item), frames.SIDE
    skin = item[hand].mean(axis=0) if hand.any() else np.full(3, 128.0)
    turn, shift = rng.uniform(-TURN, TURN), rng.uniform(-SHIFT, SHIFT, 2) * side
    layers = [Image.fromarray(item), Image.fromarray((255 * hand).astype(np.uint8))]
    pixels, alpha = (
        np.asarray(
            layer.resize((side, side), Image.Resampling.BICUBIC).rotate(
                turn,
                Image.Resampling.BILINEAR,
                translate=(float(shift[0]), float(shift[1])),  # type: ignore[arg-type]  # it takes fractions
            ),
            float,
        )
        for layer in layers
    )
    share = np.clip((alpha / 255 - 0.3) / 0.5, 0, 1)[..., None]  # the wall shines through at the hand's very edge
    mixed = share * pixels + (1 - share) * GROUNDS[ground](side, skin, rng)
    return np.clip(np.round(mixed), 0, 255).astype(np.uint8)


def as_sent(picture: np.ndarray) -> bytes:
    """Return a picture as the page's camera sends it."""
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "JPEG", quality=QUALITY)
    return content.getvalue()


def pictures(data: Data, ground: str) -> np.ndarray:
    """Return the test photographs' hands on a ground, as a model reads what the camera sent: uint8, as stored."""
    made = (composed(item, ground, seed) for seed, item in enumerate(data.x_test))
    return np.stack([frames.read(as_sent(picture), data.form) for picture in made])


# ------------------------------------------------------------------ the measurement


def measure(say: Say = print, seeds: Sequence[int] = SEEDS, n: int | None = None) -> tuple[Row, ...]:
    """Train both ways with every seed and read the hands on every ground; ``n`` of them, None: all."""
    data = {seed: datasets.load(DataSpec(TARGET, per_class=PER_CLASS, seed=seed)) for seed in seeds}
    first = data[seeds[0]]
    shown = {ground: pictures(first, ground)[:n] for ground in GROUNDS}
    counts: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for seed, each in data.items():
        for way, (answer, tell) in _ways(each, seed).items():
            said = f"{way}, seed {seed}"
            say(f"{said}: {tell(first.x_test[:1])[0, 1]:.3f} of the photographs themselves called outside")
            for ground, items in shown.items():
                right = int((answer(items) == first.y_test[: len(items)]).sum())
                strange = int((tell(items)[:, 0] > 1).sum())
                counts.setdefault((ground, way), []).append((right, strange))
                share = [number / len(items) for number in (right, strange)]
                say(f"{said}, {ground}: {share[0]:.3f} right, {share[1]:.3f} called outside")
    return tuple(
        Row(ground, way, tuple(right for right, _ in each), len(shown[ground]), tuple(other for _, other in each))
        for (ground, way), each in counts.items()
    )


Read = Callable[[np.ndarray], np.ndarray]


def _ways(data: Data, seed: int) -> Mapping[str, tuple[Read, Read]]:
    """Return of either way what it answers, the classes of items as stored, and what tells whether they are outside."""
    source, task = sources.load(SOURCE), DataSpec(TARGET, seed=seed)
    read = lambda items: features.extract(source, items, "average", data.form)  # noqa: E731
    head, _seconds = heads.fit("logistic_regression", read(data.x_train), data.y_train, None, seed=seed)
    network = teach(seeded(next(iter(specs().values())), seed), data)
    return {
        "head": (lambda items: head.predict(read(items)), outside.calibrated(data.form, task, source)),
        "network": (
            lambda items: features.activations(network, items).argmax(axis=1),
            outside.calibrated(data.form, task, network),
        ),
    }


def record(rows: Sequence[Row], seeds: Sequence[int], path: Path = FILE) -> CameraHands:
    """Write what was measured as the file that ships; return it."""
    card: dict[str, Any] = {
        **origin(f"{COMMAND} --seeds {','.join(map(str, seeds))}", versions()),
        "rows": [asdict(row) for row in rows],
        "per_class": PER_CLASS,
        "seeds": tuple(seeds),
        "class_names": datasets.info(TARGET).class_names,
    }
    path.write_text(json.dumps(card, ensure_ascii=False) + "\n", encoding="utf-8")
    load.cache_clear()
    return load(path)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Measure how well hands before a camera are read.")
    parser.add_argument("--file", type=Path, default=FILE, help="where it is written")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)), metavar="N,N", help="repetitions")
    options = parser.parse_args(arguments)
    try:
        seeds = tuple(map(int, options.seeds.split(",")))
        record(measure(lambda text: print(text, flush=True), seeds), seeds, options.file)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
