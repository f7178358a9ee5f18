"""What Home says of a hand: recorded answers of one network, with transfer and from scratch, to each test photograph.

``python -m tlcore.evidence.shown_hands`` trains both ways as Train's comparison does, on the same photographs and over
several seeds, and writes the answers of the median seed. They are kept, not the networks: a page shows them at once.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from tlcore import datasets, features, sources, training
from tlcore.datasets import Data, read_card
from tlcore.errors import LabError
from tlcore.evaluation import mean_interval, wilson
from tlcore.features import freezing
from tlcore.prediction.taught import FOLDER, SCRATCH, TRANSFER, WAYS, Share
from tlcore.recipes import scratch_control, two_phases
from tlcore.spec import DataSpec, FineTuneSpec, Phase
from tlcore.store import versions

from .recorded import damaged, origin
from .teaching import Say, median_seed, seeded, teach

FILE = FOLDER / "hands.json"
COMMAND = "python -m tlcore.evidence.shown_hands"
SOURCE, TARGET = "mobilenet_v2", "hands"
PER_CLASS, EPOCHS, RATE, SEEDS = 20, 30, 2e-3, (0, 1, 2, 3, 4)


@dataclass(frozen=True)
class Said:
    """What one network answered to one photograph: a class by its number, and how sure it was, in [0, 1]."""

    label: int
    sure: float


@dataclass(frozen=True)
class ShownHands:
    """The answers to every test photograph, in the order of the data set.

    ``answers`` maps a way to its answers with the seed that is shown, ``n_right`` to how many were right for each seed.
    """

    class_names: tuple[str, ...]
    per_class: int
    n_steps: int
    seeds: tuple[int, ...]
    seed: int
    truth: tuple[int, ...]
    answers: Mapping[str, tuple[Said, ...]]
    n_right: Mapping[str, tuple[int, ...]]
    thawed: str  # the first block that trains
    date: str
    machine: str
    command: str

    @property
    def n_test(self) -> int:
        return len(self.truth)

    def share(self, way: str) -> Share:
        """Return what the seed that is shown read correctly."""
        n = self.n_right[way][self.seeds.index(self.seed)]
        return Share(n / self.n_test, *wilson(n, self.n_test))

    def over_seeds(self, way: str) -> Share:
        """Return the mean over all seeds with the 95 % interval of that mean."""
        return Share(*mean_interval([n / self.n_test for n in self.n_right[way]]))

    def share_of(self, transfer: bool, scratch: bool) -> float:
        """Return of how many test photographs the two are right, or not, in this way."""
        pairs = [tuple(self.answers[way][i].label == label for way in WAYS) for i, label in enumerate(self.truth)]
        return pairs.count((transfer, scratch)) / self.n_test


def is_recorded() -> bool:
    """Return whether the answers were recorded: without them Home has one door less."""
    return FILE.exists()


def load(path: Path | None = None) -> ShownHands:
    """Return what ships. Loads no Keras.

    Raises
    ------
    DataError
        The file is missing or damaged.
    """
    return _read(path or FILE)


@lru_cache(maxsize=2)
def _read(path: Path) -> ShownHands:
    try:
        return of_card(read_card(path))
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path) from error


def of_card(card: Mapping[str, Any]) -> ShownHands:
    """Return the answers of a recording; raises KeyError, TypeError or ValueError for what is none."""
    answers = {way: tuple(Said(int(label), float(sure)) for label, sure in card["answers"][way]) for way in WAYS}
    n_right = {way: tuple(card["n_right"][way]) for way in WAYS}
    names = ("class_names", "seeds", "truth")
    plain = {name: card[name] for name in ("per_class", "n_steps", "seed", "thawed", "date", "machine", "command")}
    shown = ShownHands(**{name: tuple(card[name]) for name in names}, answers=answers, n_right=n_right, **plain)
    if any(len(each) != shown.n_test for each in answers.values()) or shown.seed not in shown.seeds:
        raise ValueError("the answers do not fit the photographs")
    return shown


def specs() -> dict[str, FineTuneSpec]:
    """Return how either way trains: the head first and then the last stage, or the same network from scratch."""
    named = freezing.presets(sources.info(SOURCE).layers)
    plain = FineTuneSpec(
        SOURCE, DataSpec(TARGET, per_class=PER_CLASS), (Phase(EPOCHS, named["last_stage"], RATE),), batch_size=16
    )
    tuned = two_phases(plain, named["all_but_head"])
    return {TRANSFER: tuned, SCRATCH: scratch_control(tuned)}


def write(path: Path = FILE, say: Say = print, seeds: Sequence[int] = SEEDS) -> ShownHands:
    """Train both ways with every seed and write the answers of the median seed; return them."""
    data = {seed: datasets.load(DataSpec(TARGET, per_class=PER_CLASS, seed=seed)) for seed in seeds}
    test, ways = data[seeds[0]], specs()
    answers: dict[str, dict[int, np.ndarray]] = {way: {} for way in WAYS}
    for seed, one in data.items():
        for way, spec in ways.items():
            model = teach(seeded(spec, seed), one)
            answers[way][seed] = features.activations(model, test.x_test)
            say(f"{way}, seed {seed}: {_n_right(answers[way][seed], test.y_test) / len(test.y_test):.4f}")
    return record(answers, test, path)


def record(answers: Mapping[str, Mapping[int, np.ndarray]], test: Data, path: Path = FILE) -> ShownHands:
    """Write the answers of the median seed; return them.

    Parameters
    ----------
    answers : for each way and seed the probabilities, float32, shape (n_test, n_classes)
    """
    seeds = list(answers[TRANSFER])
    n_right = {way: [_n_right(each, test.y_test) for each in by_seed.values()] for way, by_seed in answers.items()}
    seed = median_seed(seeds, list(n_right.values()))
    card: dict[str, Any] = {
        **origin(f"{COMMAND} --seeds {','.join(map(str, seeds))}", versions()),
        "class_names": test.class_names,
        "per_class": PER_CLASS,
        "n_steps": training.n_steps(specs()[TRANSFER], len(test.x_train)),
        "seeds": seeds,
        "seed": seed,
        "thawed": freezing.stages(sources.info(SOURCE).layers)[-1],
        "n_right": n_right,
        "truth": test.y_test.tolist(),
        "answers": {
            way: [[int(row.argmax()), round(float(row.max()), 3)] for row in by_seed[seed]]
            for way, by_seed in answers.items()
        },
    }
    path.write_text(json.dumps(card, ensure_ascii=False) + "\n", encoding="utf-8")
    _read.cache_clear()
    return load(path)


def _n_right(answers: np.ndarray, labels: np.ndarray) -> int:
    return int((answers.argmax(axis=1) == labels).sum())


def _seeds(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Train what Home says of hands again, and measure it.")
    parser.add_argument("--file", type=Path, default=FILE, help="where the answers are written")
    parser.add_argument("--seeds", type=_seeds, default=SEEDS, metavar="N,N", help="repetitions with other images")
    options = parser.parse_args(arguments)
    try:
        shown = write(options.file, seeds=options.seeds)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"seed {shown.seed} is the median of {len(shown.seeds)}: {options.file}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
