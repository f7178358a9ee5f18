"""Studies: grids with a name, whose results ship so that the Evidence page is full before anybody measured anything."""

import json
import os
import platform
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from tlcore.datasets import ASSETS, read_card
from tlcore.errors import DataError
from tlcore.sentences import Sentence, encode
from tlcore.spec import FINE_TUNE, PIXELS, SCRATCH, Cell, ExampleResult, SweepSpec, check_choice
from tlcore.spec.codec import decode
from tlcore.store import Run

from .once import shipping

FOLDER = ASSETS / "recorded"
LABELS = (1, 2, 5, 10, 20, 50, 100, 500)
CUTS = ("pool_1", "conv_2", "flatten", "dense_1", "dense_2")
FIVE = (0, 1, 2, 3, 4)
SOURCE_NAMES = ("digits_0_4", "fashion", "random")
PHOTOGRAPHS = "mobilenet_v2"
HANDS_LABELS, HANDS_STEPS = (1, 5, 20, 100), 200  # what every network takes, at each size


def _best_cut(target: str) -> SweepSpec:
    methods = ("linear_svm", "loo_1nn", "svm_cv", "h_score", "logme", "leep")
    return SweepSpec(SOURCE_NAMES, target, cuts=CUTS, methods=methods, per_class=(5, 20, 100), seeds=FIVE)


def _of_hands(cuts: tuple[str, ...], methods: tuple[str, ...], seeds: tuple[int, ...], **more: Any) -> SweepSpec:
    return SweepSpec(
        (PHOTOGRAPHS,), "hands", cuts=cuts, methods=methods, per_class=HANDS_LABELS, seeds=seeds, n_test=None, **more
    )


# name -> grids, which are run one after the other
STUDIES: dict[str, tuple[SweepSpec, ...]] = {
    "label_savings": (
        SweepSpec(methods=("linear_svm", FINE_TUNE, SCRATCH), per_class=LABELS, seeds=tuple(range(10)), n_test=None),
    ),
    "claims": (  # with those of the label savings
        SweepSpec(
            SOURCE_NAMES,
            cuts=("flatten", "dense_1"),
            methods=("linear_svm",),
            per_class=(5, 50, 500),
            seeds=FIVE,
            n_test=None,
        ),
        SweepSpec(
            ("digits_0_4", "fashion"),
            cuts=("pixels",),
            methods=(FINE_TUNE,),
            per_class=(5, 50, 500),
            seeds=FIVE,
            n_test=None,
        ),
    ),
    "hands": (
        _of_hands(("average",), ("linear_svm", "random_forest"), FIVE),
        _of_hands((PIXELS,), ("linear_svm",), FIVE),
    ),
    "hands_networks": (  # beside those; they take a hundred times longer
        _of_hands(("block_12_add", "block_5_add"), (FINE_TUNE, SCRATCH), FIVE[:3], n_steps=HANDS_STEPS),
    ),
    "best_cut": (_best_cut("mnist_5_9"), _best_cut("digits_8x8")),
}


@dataclass(frozen=True)
class Recorded:
    """The experiments of a study as they were measured, and where, when and with what."""

    study: str
    cells: tuple[Cell, ...]
    date: str
    machine: str
    seconds: float
    versions: dict[str, str]
    command: str

    @property
    def n_seeds(self) -> int:
        return len({cell.seed for cell in self.cells})


def command(study: str) -> str:
    """Return the line that measures a study again and writes its file."""
    return f"python -m tlcore sweep --study {study} --record"


def all_cells() -> list[Cell]:
    """Return what all studies recorded, for how long experiments take; a damaged file is left out."""
    found: list[Cell] = []
    for study in STUDIES:
        with suppress(DataError):
            found += load(study).cells
    return found


def is_recorded(study: str) -> bool:
    """Return whether the result of a study ships."""
    return (FOLDER / f"{study}.json").exists()


@lru_cache
def load(study: str) -> Recorded:
    """Return the result of a study that ships.

    Raises
    ------
    SpecError
        There is no such study.
    DataError
        Its file is missing or damaged.
    """
    check_choice("study", study, tuple(STUDIES))
    path = FOLDER / f"{study}.json"
    card = read_card(path)
    try:
        names = card["columns"]
        cells = shipping(tuple(decode(Cell, dict(zip(names, row, strict=True))) for row in card["cells"]))
        return Recorded(study, cells, card["date"], card["machine"], card["seconds"], card["versions"], card["command"])
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path) from error


def write(study: str, runs: Sequence[tuple[Run, Sequence[Cell]]], folder: Path = FOLDER) -> Path:
    """Write the finished runs of a study as the file that ships; return its path.

    Parameters
    ----------
    runs : one run for each grid of the study, in order, each with its experiments
    """
    names = [field.name for field in fields(Cell)]
    rows = [[_short(value) for value in astuple(cell)] for _, cells in runs for cell in cells]
    card = {
        "study": study,
        "command": command(study),
        "date": date.today().isoformat(),
        "machine": machine(),
        "seconds": round(sum(cell.seconds for _, cells in runs for cell in cells), 1),
        "versions": runs[0][0].versions,
        "columns": names,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{study}.json"
    head = json.dumps(card, indent=1, ensure_ascii=False)[:-2]
    lines = ",\n".join("  " + json.dumps(row) for row in rows)  # a row a line: a change of one is one line
    path.write_text(f'{head},\n "cells": [\n{lines}\n ]\n}}\n', encoding="utf-8")
    return path


EXAMPLE = FOLDER / "keras_example.json"


@dataclass(frozen=True)
class RecordedExample:
    """What Keras' own example reached here, and where, when and with what."""

    result: ExampleResult
    seed: int
    date: str
    machine: str
    command: str


def example() -> RecordedExample:
    """Return the result of the example that ships.

    Raises
    ------
    DataError
        The file is missing or damaged.
    """
    card = read_card(EXAMPLE)
    try:
        result = decode(ExampleResult, card, strict=False)
        return RecordedExample(result, card["seed"], card["date"], card["machine"], card["command"])
    except (KeyError, TypeError) as error:
        raise damaged(EXAMPLE) from error


def write_example(run: Run, path: Path = EXAMPLE) -> Path:
    """Write a finished run of the example as the file that ships; return its path."""
    values = run.stored
    tests = {name: {k: v for k, v in values[name].items() if k != "confusion"} for name in ("source_test", "test")}
    card = {
        **origin("python -m tlcore claims --example --record", run.versions),
        "seed": run.seed,
        **tests,
        **{name: round(values[name], 1) for name in ("source_test_s", "test_s")},
        **{name: values[name] for name in ("n_weights", "n_trainable")},
    }
    path.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def damaged(path: Path) -> DataError:
    """Return what is said of a shipped file that cannot be read."""
    return DataError("The file {file} that ships with the app is damaged. Install the app again.", file=path.name)


def _short(value: object) -> object:
    if isinstance(value, Sentence):
        return encode(value) if value else ""
    return round(value, 6) if isinstance(value, float) else value


def origin(command: str, versions: dict[str, str]) -> dict[str, Any]:
    """Return what a recording says of where it comes from: the command, the date, the machine, the versions."""
    return {"command": command, "date": date.today().isoformat(), "machine": machine(), "versions": versions}


def short(value: float | None) -> float | None:
    """Return a measured number as a recording keeps it."""
    return None if value is None else round(value, 5)


def write_card(path: Path, card: dict[str, Any]) -> None:
    """Write a recording as the file that ships."""
    path.write_text(json.dumps(card, ensure_ascii=False) + "\n", encoding="utf-8")


def machine() -> str:
    """Return what kind of machine this is: its cores, processor family and system."""
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
