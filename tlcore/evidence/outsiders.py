"""How often models call outside what they should, and what they should not: what the Try page shows as recorded.

``python -m tlcore.evidence.outsiders --home FOLDER --characters FILE.npz`` measures the shipped models and every
finished run of a data folder on the test digits, on digits that they never learned, on scribbles, and on
Kuzushiji-MNIST's characters (``kmnist-test-imgs.npz`` of Clanuwat et al. 2018, which does not ship).
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from tlcore import datasets, inputs, prediction
from tlcore.datasets import read_card
from tlcore.datasets.mnist import FORM
from tlcore.errors import DataError, LabError
from tlcore.inputs import digits
from tlcore.prediction import outside
from tlcore.spec.codec import decode
from tlcore.store import Store

from .recorded import FOLDER, machine

FILE = FOLDER / "outside.json"
COMMAND = "python -m tlcore.evidence.outsiders"
MOST_RUNS = 1000
N_SCRIBBLES = 100
N_CHARACTERS = 1000
KNOTS = (5, 10)  # places that a stroke of a scribble goes through
PARTS = 16  # of a curve between two of them


@dataclass(frozen=True)
class Row:
    """What one model called outside, each a share of what it was shown; None: not shown.

    ``characters`` are Kuzushiji images as they are, ``centred`` the same scaled and centred as a drawing is.
    """

    model: str
    title: str
    test: float
    unlearned: float | None
    scribbles: float
    characters: float | None
    centred: float | None


@dataclass(frozen=True)
class Record:
    """All models, with how many items each was shown."""

    rows: tuple[Row, ...]
    n_scribbles: int
    n_characters: int
    date: str
    machine: str
    command: str = COMMAND


def scribble(seed: int) -> list[dict[str, Any]]:
    """Return the strokes of a hand that means nothing: one to three smooth lines through random places of the pad.

    Examples
    --------
    >>> strokes = scribble(0)
    >>> 1 <= len(strokes) <= 3 and scribble(0) == strokes != scribble(1)
    True
    """
    rng = np.random.default_rng(seed)
    knots = [rng.uniform(0.12, 0.88, (rng.integers(*KNOTS), 2)) for _ in range(rng.integers(1, 4))]
    return [{"width": 0.085, "points": _curve(places)} for places in knots]


def _curve(knots: np.ndarray) -> list[list[float]]:
    """Return points of a Catmull-Rom curve through the knots, shape (n, 2)."""
    all_knots = np.concatenate([knots[:1], knots, knots[-1:]])
    t = np.linspace(0, 1, PARTS, endpoint=False)[:, None]
    parts = [
        (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3) / 2
        for a, b, c, d in zip(all_knots, all_knots[1:], all_knots[2:], all_knots[3:], strict=False)
    ]
    return np.clip(np.concatenate([*parts, knots[-1:]]), 0, 1).round(3).tolist()


def scribbles(n: int = N_SCRIBBLES) -> np.ndarray:
    """Return the first ``n`` scribbles as models see them: uint8 (n, 28, 28, 1)."""
    image = inputs.modality(FORM.modality)
    drawn = [image.accept(scribble(seed), FORM) for seed in range(n)]
    return np.stack([item for item in drawn if item is not None])


def measure(name: str, title: str, home: Path, characters: np.ndarray | None) -> Row:
    """Return what one model, as in ``prediction.predictor``, calls outside.

    Parameters
    ----------
    characters : uint8 (n, 28, 28), or None
    """
    detector = outside.detector(name, home)
    known = prediction.predictor(name, home).class_names
    whole = datasets.get("mnist").read()
    names = datasets.info("mnist").class_names
    learned = np.isin(whole.y_test, [i for i, label in enumerate(names) if label in known])

    def share(items: np.ndarray) -> float:
        return float((detector.predict_proba(items)[:, 0] > 1).mean())

    return Row(
        name,
        title,
        test=share(whole.x_test[learned]),
        unlearned=None if learned.all() else share(whole.x_test[~learned]),
        scribbles=share(scribbles()),
        characters=None if characters is None else share(characters[..., None]),
        centred=None if characters is None else share(np.stack([_centred(image) for image in characters])),
    )


def _centred(image: np.ndarray) -> np.ndarray:
    return np.round(255 * digits.normalise(image / np.float32(255), len(image))).astype(np.uint8)[..., None]


def record(home: Path, characters: Path | None = None) -> Record:
    """Measure every model of digits of a data folder; raises as ``outside.detector``."""
    images = None
    if characters is not None:
        with np.load(characters) as file:
            images = file["arr_0"]
        images = images[np.random.default_rng(0).permutation(len(images))[:N_CHARACTERS]]
    runs = Store(home).list(states=("done", "stopped"), limit=MOST_RUNS)
    infos = (*prediction.available(), *prediction.of_home(), *prediction.available(runs, ()))
    digits_only = [info for info in infos if set(info.class_names) <= set("0123456789") and not info.broken]
    rows = []
    for info in digits_only:
        title = f"{info.title} ({info.class_names[0]}–{info.class_names[-1]})"
        rows.append(measure(info.name, title, home, images))
        print(rows[-1], file=sys.stderr, flush=True)
    return Record(tuple(rows), N_SCRIBBLES, 0 if images is None else len(images), f"{date.today()}", machine())


def recorded(path: Path = FILE) -> Record:
    """Return what ships; a DataError when it is missing or damaged."""
    try:
        return decode(Record, read_card(path))
    except (TypeError, KeyError, ValueError) as error:
        raise DataError(
            "The card {file} that ships with the app is damaged. Install the app again.", file=path.name
        ) from error


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Measure how well models tell what is outside.")
    parser.add_argument("--home", type=Path, required=True, help="the data folder whose runs are measured too")
    parser.add_argument("--characters", type=Path, help="Kuzushiji-MNIST's test images (.npz)")
    options = parser.parse_args(arguments)
    try:
        measured = record(options.home, options.characters)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    FILE.write_text(json.dumps(asdict(measured), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
