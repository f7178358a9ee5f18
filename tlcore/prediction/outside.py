"""Whether an item is like what a model was made for: deep nearest neighbours, calibrated on validation items.

A softmax is sure of one of its classes whatever it is shown; a scribble too. So it is also asked how far the features
of an item are from those of items of the model's own task. They are those of the shipped network that learned the most
classes of such items, whatever the model: a network that itself learned from five images of a class sees too little.
Where no such network ships, they are those of the model's own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcore import datasets, features, inputs, sources, teaching
from tlcore.errors import DataError
from tlcore.spec import PIXELS, DataSpec, InputForm

from . import collected, own_heads, signs, taught
from .names import ModelName
from .predictors import Predictor, form_of, load_model, run_in
from .vectors import once_each, vectors

if TYPE_CHECKING:
    import keras

N_KNOWN = 1000  # validation items that an item is compared with; fewer where MOST_NUMBERS would not hold them
N_CALIBRATION = 1000  # other validation items, which set the limit
N_TESTED = 1000  # test items on which the false alarms are counted, of large items fewer: MOST_TESTED
MOST_TESTED = 5_000_000  # numbers of those items: 180 photographs, which a network takes seconds for
MOST_NUMBERS = 2_000_000  # of the kept features: 8 MB a model
FALSE_ALARMS = 0.035  # of the validation items; of the test items it shall be 0.05 at most
SEED = 0
BATCH = 256
TINY = 1e-9


@dataclass(frozen=True)
class Outside:
    """What is told of one item.

    ``distance`` is in units of the limit: above 1 the item is outside. ``false_alarms`` is the share of the task's own
    test items that are called outside too.
    """

    distance: float
    false_alarms: float

    @property
    def is_outside(self) -> bool:
        return self.distance > 1


def read(answer: Any) -> Outside | None:
    """Return what a detector answered, as it comes from ``Serving.predict``; None for a sentence, or no answer."""
    return Outside(*answer) if isinstance(answer, list) and len(answer) == 2 else None


class Neighbours:
    """How far items are from the nearest of some known ones: by their features' direction and by their raw numbers.

    The larger of the two counts. Directions find foreign shapes; raw numbers find too much ink, which a network whose
    filters have learned little does not tell from some.

    Parameters
    ----------
    features, raw : float32 arrays, shapes (n, d) and (n, e): rows of the same known items
    calibration : the same two arrays of other items, of which a share ``FALSE_ALARMS`` comes out above 1

    References
    ----------
    Sun, Ming, Zhu and Li (2022), "Out-of-distribution detection with deep nearest neighbors".
    """

    def __init__(self, features: np.ndarray, raw: np.ndarray, calibration: tuple[np.ndarray, np.ndarray]):
        self._units, self._raw, self._squares = _units(features), raw, (raw**2).sum(axis=1)
        both = self._both(*calibration)
        self._limits = np.maximum(np.quantile(both, 1 - FALSE_ALARMS / 2, axis=0), TINY)
        self._limit = max(float(np.quantile((both / self._limits).max(axis=1), 1 - FALSE_ALARMS)), TINY)

    def __call__(self, features: np.ndarray, raw: np.ndarray) -> np.ndarray:
        """Return the distance of each item in units of the limit: float64 (n,)."""
        return (self._both(features, raw) / self._limits).max(axis=1) / self._limit

    def _both(self, features: np.ndarray, raw: np.ndarray) -> np.ndarray:
        turned = 1 - (_units(features) @ self._units.T).max(axis=1)
        squares = (self._squares - 2 * (raw @ self._raw.T)).min(axis=1) + (raw**2).sum(axis=1)
        return np.stack([turned, np.sqrt(np.maximum(squares, 0))], axis=1).astype(np.float64)


def _units(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), TINY)


See = Callable[[np.ndarray], np.ndarray]
Reader = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
Tell = Callable[[np.ndarray], np.ndarray]


def detector(name: str, folder: Path) -> Predictor:
    """Return what tells whether items are outside what a model was made for, calibrated; takes about a second.

    Parameters
    ----------
    name : of the model, as in ``predictor``

    Returns
    -------
    Predictor
        Its ``predict_proba`` gives float64 (n, 2): the fields of ``Outside``.

    Raises
    ------
    SpecError, DataError
        As ``predictor``; or it is not known what the model was made for, or that data set is not at hand.
    """
    asked = ModelName.parse(name)
    if asked.kind == "collected":  # what it is like changes with every example
        tell, form = collected.strangers(asked), collected.form_of(asked)
        return Predictor(str(ModelName.outside(name)), ("distance", "false_alarms"), form, tell)
    form, task, own = _made_for(asked, folder)
    network = judge(form, task.target)
    # Items that the judging network has not learned from, whatever a run has: runs of all seeds share one calibration.
    judged = DataSpec(task.target, task.split)
    tell = own() if network is None else _of_source(form, judged, network, 0, True)
    return Predictor(str(ModelName.outside(name)), ("distance", "false_alarms"), form, tell)


def judge(form: InputForm, target: str) -> str | None:
    """Return the shipped network that learned the most classes of images that a task has too; None where none did.

    Examples
    --------
    >>> from tlcore.datasets.mnist import FORM
    >>> judge(FORM, "mnist_5_9"), judge(FORM, "fashion_mnist"), judge(FORM, "digits_8x8")
    ('digits', 'fashion', None)
    """
    tasks = datasets.sharing(target)
    cards = [card for card in sources.catalogue() if card.trained and card.form == form and card.task in tasks]
    best = max(cards, key=lambda card: len(card.class_names), default=None)
    return best.name if best else None


def _made_for(asked: ModelName, folder: Path) -> tuple[InputForm, DataSpec, Callable[[], Tell]]:
    """Return what a model reads, the task it was made for, and what calibrates on its own network's features."""
    if asked.kind == "source":
        card = sources.info(asked.id)
        if not card.task or not card.trained:
            raise DataError("It is not known which images this model was trained on, so none can be compared.")
        return _with_source(card.form, DataSpec(card.task), asked.id, 0, True)
    if asked.kind == "taught":
        home = taught.card()
        task = DataSpec(home.target)
        return home.form, task, lambda: calibrated(home.form, task, taught.load(asked.id))
    if asked.kind == "own":
        head = own_heads.info(asked.id)
        origin = head.origin
        return _with_source(origin.form, _unseen(origin.data), head.source, origin.seed, origin.scale)
    if asked.kind == "signs":
        return _with_source(signs.form(), DataSpec(signs.TARGET), teaching.kind("photo").source, 0, True)
    run = run_in(folder, asked.id)
    spec, form = run.spec, form_of(run)
    task = _unseen(spec.data)
    if asked.kind == "run":
        return form, task, lambda: calibrated(form, task, load_model(run, folder))
    row = next((row for row in run.result.heads if row.file == f"heads/{asked.file}"), None)
    if row is None or row.input == PIXELS:
        return _with_source(form, task, "", 0, True)
    return _with_source(form, task, spec.source, spec.seed, spec.data.scale)


def _unseen(data: DataSpec) -> DataSpec:
    return DataSpec(data.target, data.split, seed=data.seed)


def _with_source(
    form: InputForm, task: DataSpec, source: str, seed: int, scale: bool
) -> tuple[InputForm, DataSpec, Callable[[], Tell]]:
    return form, task, lambda: _of_source(form, task, source, seed, scale)


@lru_cache(maxsize=8)  # heads of one run, and of runs alike, see the same
def _of_source(form: InputForm, task: DataSpec, source: str, seed: int, scale: bool) -> Tell:
    if not source:
        return calibrated(form, task, None)
    return _compared(form, task, vectors(source, features.first_vector(sources.info(source).layers), seed, scale))


def calibrated(form: InputForm, task: DataSpec, network: "keras.Model | None") -> Tell:
    """Compare with what a network sees of unseen items of its task; without one with the items themselves."""
    if network is None:
        return _compared(form, task, inputs.modality(form.modality).flat)
    layer = features.first_vector(sources.describe(network))
    return _compared(form, task, features.compiled(features.submodel(network, layer)))


def _compared(form: InputForm, task: DataSpec, see: See) -> Tell:
    held_out, test = datasets.unseen(task)
    order, read_items = np.random.default_rng(SEED).permutation(len(held_out)), _both(form, see)
    n_calibration = min(N_CALIBRATION, len(order) // 2)
    calibration = read_items(held_out[order[:n_calibration]])
    n_known = min(N_KNOWN, MOST_NUMBERS // max(rows.shape[1] for rows in calibration))
    distance = Neighbours(*read_items(held_out[order[n_calibration:][: max(n_known, 1)]]), calibration)
    n_tested = min(N_TESTED, max(1, MOST_TESTED // prod(form.shape)))
    tested = np.random.default_rng(SEED).permutation(len(test))[:n_tested]
    false_alarms = float((distance(*read_items(test[tested])) > 1).mean())

    def tell(items: np.ndarray) -> np.ndarray:
        return np.stack([distance(*read_items(items)), np.full(len(items), false_alarms)], axis=1)

    return once_each(tell)


def _both(form: InputForm, see: See) -> Reader:
    """Return a function of stored items, shape (n, *form.shape): features (n, d), and raw numbers (n, e)."""
    flat = inputs.modality(form.modality).flat

    def read_items(items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        few = len(items) <= BATCH  # then these very ones, which others ask about too
        parts = [see(items)] if few else [see(items[at : at + BATCH]) for at in range(0, len(items), BATCH)]
        return np.concatenate(parts).reshape(len(items), -1), flat(items)

    return read_items
