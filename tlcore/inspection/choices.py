"""A finished run's head with its data, and the test images that it can be asked about."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tlcore import datasets, features, heads, inputs, prediction, sources
from tlcore.datasets import Data
from tlcore.errors import SpecError
from tlcore.spec import PIXELS
from tlcore.store import Run, Store

if TYPE_CHECKING:
    import keras

N_CHOICES = 12  # test images to pick from, half of them the hardest of the first thousand


@dataclass(frozen=True, eq=False)
class Choices:
    """Pictures of test images to look at, their classes, and what the head says: its value or certainty."""

    images: np.ndarray
    labels: np.ndarray
    values: np.ndarray


def read(run_id: str, file: str, opens: str, folder: str) -> tuple[Run, heads.FittedHead, Data]:
    run = Store(Path(folder)).get(run_id)
    row = next((row for row in run.result.heads if row.file == file), None)
    if row is None or heads.info(row.head).opens != opens:
        raise SpecError("Run {run_id} has no head {file!r} to open. Pick one from the list.", run_id=run_id, file=file)
    head = heads.answer_alone(heads.load(prediction.checked_file(run, file, Path(folder))))
    return run, head, datasets.load(replace(run.spec.data, seed=run.spec.seed))


def feature_rows(run: Run, file: str, images: np.ndarray) -> np.ndarray:
    row = next(row for row in run.result.heads if row.file == file)
    layer = run.result.layer if row.input == "features" else PIXELS
    source = sources.info(run.spec.source)
    model = _network(source.name, source.sha256, run.spec.seed, run.spec.data.scale)
    return features.extract(model, images, layer, prediction.form_of(run))


@lru_cache(maxsize=2)  # one image asks for it several times
def _network(source: str, _sha256: str, seed: int, scale: bool) -> "keras.Model":
    """Load a network once; its file's sum tells it from another that takes its place."""
    return sources.load(source, seed=seed, scale=scale)


def pictures(data: Data, items: np.ndarray) -> np.ndarray:
    return inputs.modality(data.form.modality).previews(items)


def chosen(difficulty: np.ndarray) -> np.ndarray:
    """Return positions: the first few, then those with the least of ``difficulty``, none twice."""
    first = np.arange(min(N_CHOICES // 2, len(difficulty)))
    hardest = [i for i in np.argsort(difficulty, kind="stable") if i not in first][: N_CHOICES - len(first)]
    return np.concatenate([first, np.array(hardest, int)])


def check_choice(choice: int, n: int) -> None:
    if not 0 <= choice < n:
        raise SpecError("There are {n} images to pick from. Received: number {choice}. Pick one.", n=n, choice=choice)
