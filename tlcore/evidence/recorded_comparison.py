"""A comparison of the default ways as it was measured once, for who has not run one yet: its curves and its verdict."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tlcore import datasets, inputs
from tlcore.datasets import read_card
from tlcore.errors import SpecError
from tlcore.sentences import Sentence, decode, encode
from tlcore.spec import ComparisonResult, ComparisonSpec, MetricPoint, from_json, to_json
from tlcore.spec.curves import of_series, series
from tlcore.store import Run, Store

from . import contest, ways
from .recorded import FOLDER, damaged, origin, short, write_card

FILE = FOLDER / "comparison.json"
COMMAND = "python -m tlcore compare --record"
PHOTOGRAPHS = FOLDER / "comparison_hands.json"
PHOTOGRAPHS_COMMAND = (
    "python -m tlcore compare --target hands --per-class 20 --recipe two-phase --learning-rate 0.002 --record"
)


@dataclass(frozen=True)
class RecordedComparison:
    """What was compared, which way was better, every way's test, and the points of the chart.

    ``tests`` maps a way to its accuracy and the ends of its 95 % interval, all in [0, 1]. Seconds are left out:
    they are those of another machine.
    """

    spec: ComparisonSpec
    headline: Sentence
    tests: dict[str, tuple[float, float, float]]
    points: tuple[MetricPoint, ...]
    date: str
    machine: str
    command: str


def file_for(target: str, new: bool = False) -> Path:
    """Return the file of the comparison that is shown to who has that target.

    Of photographs it is one of its own, where that ships or is ``new``.
    """
    of_photographs = not inputs.modality(datasets.info(target).form.modality).placed
    return PHOTOGRAPHS if of_photographs and (new or PHOTOGRAPHS.exists()) else FILE


def write(run: Run, store: Store, path: Path | None = None) -> Path:
    """Write a whole comparison as the file that ships for its kind of input; return its path.

    Raises
    ------
    SpecError
        It is not whole, or fewer than two of its ways were tested.
    """
    result = run.result
    trained = ways.trained(result, store) if isinstance(result, ComparisonResult) and result.complete else []
    entrants = [each.entrant(str(ways.title(each.way.name))) for each in trained]
    found = contest.contest(entrants, store.folder)
    if found is None:
        raise SpecError("Only a whole comparison can be recorded. Run it to its end.")
    scores = [(each.way.name, entrant.score) for each, entrant in zip(trained, entrants, strict=True)]
    path = path or file_for(run.spec.data.target, new=True)
    card = {
        **origin(COMMAND if path.name == FILE.name else PHOTOGRAPHS_COMMAND, run.versions),
        "spec": json.loads(to_json(run.spec)),
        "headline": encode(found.headline),
        "tests": {name: [round(value, 6) for value in (s.accuracy, s.low, s.high)] for name, s in scores if s},
        "points": [
            [series(point), point.x, short(point.loss), short(point.accuracy)] for _, point in store.points(run.id)
        ],
    }
    write_card(path, card)
    load.cache_clear()
    return path


@lru_cache
def load(path: Path = FILE) -> RecordedComparison:
    """Return the comparison that ships.

    Raises
    ------
    DataError
        Its file is missing or damaged.
    """
    card = read_card(path)
    try:
        spec = from_json(json.dumps(card["spec"]))
        points = tuple(_point(*row) for row in card["points"])
        tests = {name: (accuracy, low, high) for name, (accuracy, low, high) in card["tests"].items()}
        told = {name: card[name] for name in ("date", "machine", "command")}
        if not isinstance(spec, ComparisonSpec):
            raise TypeError(spec.kind)
        return RecordedComparison(spec, decode(card["headline"]), tests, points, **told)
    except (KeyError, TypeError, ValueError, SpecError) as error:
        raise damaged(path) from error


def _point(name: str, x: float, loss: float | None, accuracy: float | None) -> MetricPoint:
    return MetricPoint(**of_series(name), x=x, loss=loss, accuracy=accuracy)  # type: ignore[arg-type]
