"""A race of the default lanes as it was measured once, for who has not run one yet: curves, films and how it ended."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from tlcore.datasets import read_card
from tlcore.errors import SpecError
from tlcore.recipes import race
from tlcore.sentences import Sentence, decode, encode
from tlcore.spec import FineTuneSpec, MetricPoint, from_json, to_json
from tlcore.spec.curves import of_series, series
from tlcore.store import Run, Store
from tlcore.training import film, watched
from tlcore.training.film import Answer, Cast, Frame
from tlcore.training.watched import Chosen, Watched

from . import contest, finish
from .contest import Entrant
from .recorded import FOLDER, damaged, origin, short, write_card

FILE = FOLDER / "race.json"
COMMAND = "python -m tlcore race --record"


@dataclass(frozen=True)
class RecordedLane:
    """One lane: what it ran, its test accuracy with the ends of its 95 % interval, its points and its film.

    ``elapsed_s`` of its points counts from the first one, on the machine of then. ``learn_s`` is what learning
    alone took there.
    """

    name: str  # of ``recipes.race.LANES``
    spec: FineTuneSpec
    test: tuple[float, float, float]
    learn_s: float
    points: tuple[MetricPoint, ...]
    frames: tuple[Frame, ...]
    source_task: str
    n_source: int
    watched: Watched


@dataclass(frozen=True)
class RecordedRace:
    headline: Sentence
    details: Sentence
    tested: Sentence
    lanes: tuple[RecordedLane, ...]
    class_names: tuple[str, ...]
    chosen: Chosen
    date: str
    machine: str
    command: str

    def cast(self, lane: RecordedLane) -> Cast:
        """Return what stays the same through a lane's film; it has no map."""
        return Cast(self.class_names, (), lane.watched.images, lane.source_task, lane.n_source)


def write(runs: Mapping[str, Run], store: Store, path: Path = FILE) -> Path:
    """Write a race that has ended as the file that ships; return its path.

    Parameters
    ----------
    runs : by the name of their lane

    Raises
    ------
    SpecError
        A lane has not come to its end, or was not filmed.
    """
    folders = [store.run_folder(run.id) for run in runs.values()]
    titled = {str(race.TITLES[name]): run for name, run in runs.items()}
    found = contest.contest([Entrant(title, run) for title, run in titled.items()], store.folder)
    chosen = watched.disputed(folders)
    if found is None or chosen is None or any(run.state != "done" for run in runs.values()):
        raise SpecError("Only a race whose lanes have all ended can be recorded. Run it to its end.")
    first, ends = next(iter(runs.values())), finish.finishes(titled, store)
    seen = watched.watched(folders[0], chosen.places)
    assert seen is not None
    card = {
        **origin(COMMAND, first.versions),
        "headline": encode(finish.headline(found, ends)),
        "details": encode(finish.details(found, ends)),
        "tested": encode(found.tested),
        "class_names": list(first.result.class_names),
        "chosen": asdict(chosen),
        "images": base64.b64encode(np.ascontiguousarray(seen.images).tobytes()).decode(),
        "shape": list(seen.images.shape),
        "labels": list(seen.labels),
        "lanes": [_lane(name, run, store, chosen.places) for name, run in runs.items()],
    }
    write_card(path, card)
    load.cache_clear()
    return path


def _lane(name: str, run: Run, store: Store, places: Sequence[int]) -> dict[str, Any]:
    folder, test = store.run_folder(run.id), run.result.test
    cast, seen, points = (
        film.cast(folder),
        watched.watched(folder, places),
        [point for _, point in store.points(run.id)],
    )
    assert cast and seen and test
    began = points[0].elapsed_s
    return {
        "name": name,
        "spec": json.loads(to_json(run.spec)),
        "test": [round(value, 6) for value in (test.accuracy, test.low, test.high)],
        "learn_s": round(finish.seconds(run), 3),
        "points": [
            [series(point), point.x, short(point.loss), short(point.accuracy), round(point.elapsed_s - began, 3)]
            for point in points
        ],
        "source_task": cast.source_task,
        "n_source": cast.n_source,
        "frames": [
            [
                frame.epoch,
                {layer: short(moved) for layer, moved in frame.drift.items()},
                short(frame.source),
                short(frame.target),
                [[said.label, round(said.sure, 3), round(said.right, 3)] for said in seen.answers[frame.epoch]],
            ]
            for frame in film.frames(folder)
        ],
    }


@lru_cache
def load(path: Path = FILE) -> RecordedRace:
    """Return the race that ships.

    Raises
    ------
    DataError
        Its file is missing or damaged.
    """
    card = read_card(path)
    try:
        images = np.frombuffer(base64.b64decode(card["images"]), np.uint8).reshape(card["shape"])
        chosen = {**card["chosen"], "places": tuple(card["chosen"]["places"])}
        return RecordedRace(
            decode(card["headline"]),
            decode(card["details"]),
            decode(card["tested"]),
            tuple(_read_lane(lane, images, tuple(card["labels"])) for lane in card["lanes"]),
            tuple(card["class_names"]),
            Chosen(**chosen),
            **{name: card[name] for name in ("date", "machine", "command")},
        )
    except (KeyError, TypeError, ValueError, SpecError) as error:
        raise damaged(path) from error


def _read_lane(lane: Mapping[str, Any], images: np.ndarray, labels: tuple[int, ...]) -> RecordedLane:
    spec = from_json(json.dumps(lane["spec"]))
    if not isinstance(spec, FineTuneSpec):
        raise TypeError(spec.kind)
    frames = tuple(_frame(*row) for row in lane["frames"])
    accuracy, low, high = lane["test"]
    return RecordedLane(
        lane["name"],
        spec,
        (accuracy, low, high),
        lane["learn_s"],
        tuple(_point(*row) for row in lane["points"]),
        frames,
        lane["source_task"],
        lane["n_source"],
        Watched(images, labels, {frame.epoch: frame.answers for frame in frames}),
    )


def _frame(
    epoch: int, drift: Mapping[str, float | None], source: float | None, target: float | None, answers: Sequence[Any]
) -> Frame:
    return Frame(epoch, drift, source, target, tuple(Answer(*said) for said in answers))


def _point(name: str, x: float, loss: float | None, accuracy: float | None, elapsed_s: float) -> MetricPoint:
    return MetricPoint(**of_series(name), x=x, loss=loss, accuracy=accuracy, elapsed_s=elapsed_s)  # type: ignore[arg-type]
