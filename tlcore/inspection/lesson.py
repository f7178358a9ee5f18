"""The article's mathematics with numbers from a real run: the loss, one step, freezing, the features, the SVM's dual.

Everything that computes needs Keras and scikit-learn and is asked for in a child process; reading needs neither.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcore import datasets, features, prediction, sources, training
from tlcore.datasets import ASSETS, Data, read_card
from tlcore.errors import DataError, SpecError
from tlcore.spec import FineTuneSpec, from_json, to_json
from tlcore.spec.jobs import SPECS
from tlcore.store import Run, Store, versions
from tlcore.training import augmentation

from .formulas import C, Slopes, cost, cross_entropy, descend, gradients, of_batch, svm_dual
from .svm import Dual
from .walk import Step, Walk, walk

if TYPE_CHECKING:
    import keras

__all__ = ["C", "Lesson", "compute", "cost", "cross_entropy", "descend", "gradients", "kinds", "of_run", "svm_dual"]

RECORDED = ASSETS / "lesson.json"
COMMAND = "python -m tlcore.inspection.lesson"
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
STEPPED = {"source", "data", "phases", "batch_size", "seed"}  # what of a spec the first step is taken again from
MOST_OF_PAIR = 200  # images of two classes that the SVM is fitted to
N_ROWS, N_COLUMNS = 10, 40  # of the matrix, to be looked at


@dataclass(frozen=True)
class LayerStep:
    """One layer in one step of plain gradient descent: ``moved[r]`` is ‖Δw‖ at ``RATES[r]``, ``gradient`` ‖∂J/∂w‖."""

    layer: str
    n_weights: int
    frozen: bool
    gradient: float
    moved: tuple[float, ...]


@dataclass(frozen=True)
class SVM:
    """A linear support vector machine between the first two classes, and its dual problem at the solution.

    Of each image, in the order of the rows: ``sides`` is y, ``decisions`` is w·φ(x) + b, ``alphas`` its α.
    """

    pair: tuple[str, str]
    n: int
    n_support: int
    C: float
    dual: Dual
    sides: tuple[int, ...] = ()
    decisions: tuple[float, ...] = ()
    alphas: tuple[float, ...] = ()


@dataclass(frozen=True)
class Lesson:
    """The numbers of one run. The batch is the first that the run trained on, the weights those before it.

    ``shares`` is what the network gives to each image's true class; ``losses[r]`` is the batch's loss after one step
    at ``RATES[r]``, ``trained_loss`` that after the whole run; ``matrix`` is M × D, ``rows`` its first rows, cut to
    columns that are not all 0, and ``row_labels`` their classes. The features are the activations of ``layer``.
    ``walk`` is that loss along the line on which it falls fastest at the start, with gradient descent on that line: its
    first steps are those of ``losses``.
    """

    spec: str  # as JSON
    class_names: tuple[str, ...]
    labels: tuple[int, ...]
    shares: tuple[float, ...]
    loss: float
    losses: tuple[float, ...]
    trained_loss: float
    layers: tuple[LayerStep, ...]
    matrix: tuple[int, int]
    svm: SVM
    layer: str = "flatten"
    rows: tuple[tuple[float, ...], ...] = ()
    row_labels: tuple[int, ...] = ()
    walk: Walk | None = None
    made: str = ""  # when a recorded one was
    command: str = ""
    versions: tuple[tuple[str, str], ...] = ()

    @property
    def settings(self) -> FineTuneSpec:
        return from_json(self.spec)  # type: ignore[return-value]

    def expected_fall(self, rate: float) -> float:
        """Return how much the loss falls in a step so small that it is straight: η times ‖∂J/∂w‖² of what trains."""
        return rate * sum(step.gradient**2 for step in self.layers if not step.frozen)


# ------------------------------------------------------------------ of a run


def of_run(run_id: str, folder: str) -> Lesson:
    """Compute the lesson of a finished fine-tuning. For a child process.

    Raises
    ------
    SpecError
        There is no such run, or it is no fine-tuning.
    DataError
        Its model or its data cannot be read.
    """
    run = Store(Path(folder)).get(run_id)
    if not teaches(run):
        raise SpecError(
            "Run {run_id} is not a finished fine-tuning without class weights. Pick one that is.", run_id=run_id
        )
    return compute(run.spec, prediction.load_model(run, Path(folder)))  # type: ignore[arg-type]


def kinds() -> tuple[str, ...]:
    """Return the kinds of run that a lesson can be made of: those that take gradient steps, phase by phase."""
    return tuple(kind for kind, spec in SPECS.items() if {field.name for field in fields(spec)} >= STEPPED)


def teaches(run: Run) -> bool:
    """Return whether a lesson can be made of a run: it took gradient steps without class weights and left its model."""
    return run.kind in kinds() and bool(run.result.network) and not getattr(run.spec, "class_weight", None)


def compute(spec: FineTuneSpec, trained: "keras.Model") -> Lesson:
    """Take the first step of ``spec`` again, at every rate of ``RATES``; ``trained`` is what the run ended with."""
    data = datasets.load(spec.data)
    rows = np.random.default_rng((spec.seed, 0)).permutation(len(data.x_train))[: spec.batch_size]  # as training does
    first = augmentation.images(data, spec, epoch=0) if spec.augment else data.x_train
    assert first is not None  # nobody asks it to stop
    x, y = first[rows], data.y_train[rows]
    model = sources.load(spec.source, n_classes=len(data.class_names), seed=spec.seed, scale=spec.data.scale)
    here = of_batch(model, x, y)
    shares, gradient = here()
    start, frozen = model.get_weights(), set(spec.phases[0].frozen)
    losses, moved = [], []
    for rate in RATES:
        descend(model, start, gradient, rate, frozen)
        losses.append(cross_entropy(here()[0]))
        moved.append(_norms(model, [a - b for a, b in zip(model.get_weights(), start, strict=True)]))
    line = _walk(model, here, start, gradient, frozen)
    model.set_weights(start)
    norms = _norms(model, gradient)
    steps = tuple(
        LayerStep(name, n, name in frozen, norms[name], tuple(one[name] for one in moved))
        for name, n in ((layer.name, layer.count_params()) for layer in model.layers if layer.weights)
    )
    layer = features.first_vector(sources.describe(model))
    matrix = features.extract(model, data.x_train, layer)
    return Lesson(
        to_json(spec),
        data.class_names,
        tuple(int(label) for label in y),
        tuple(float(share) for share in shares),
        cross_entropy(shares),
        tuple(losses),
        _loss(trained, x, y),
        steps,
        (matrix.shape[0], matrix.shape[1]),
        _svm(matrix, data),
        layer,
        *_excerpt(matrix, data.y_train),
        line,
    )


def _walk(
    model: "keras.Model",
    here: Callable[[], Slopes],
    start: Sequence[np.ndarray],
    gradient: Sequence[np.ndarray],
    frozen: set[str],
) -> Walk | None:
    """Walk along the line on which the loss of the batch falls fastest, ``at`` being how far all weights have moved."""
    moves = [layer.name not in frozen for layer in model.layers for _ in layer.weights]
    along = [g.astype(float) for g, move in zip(gradient, moves, strict=True) if move]
    length = sum(float((g**2).sum()) for g in along) ** 0.5
    if not length:
        return None

    @cache
    def both(at: float) -> tuple[float, float]:
        descend(model, start, gradient, at / length, frozen)
        shares, slopes = here()
        down = [g for g, move in zip(slopes, moves, strict=True) if move]
        return cross_entropy(shares), -sum(float((a * b).sum()) for a, b in zip(down, along, strict=True)) / length

    return walk(lambda at: both(at)[0], lambda at: both(at)[1], RATES)


def _excerpt(matrix: np.ndarray, labels: np.ndarray) -> tuple[tuple[tuple[float, ...], ...], tuple[int, ...]]:
    """Return the first rows of the matrix, cut to its first columns that are not all 0, and the rows' classes."""
    rows = matrix[:N_ROWS]
    shown = rows[:, np.flatnonzero(rows.any(axis=0))[:N_COLUMNS]]
    values = tuple(tuple(round(float(value), 3) for value in row) for row in shown)
    return values, tuple(int(label) for label in labels[:N_ROWS])


def _svm(matrix: np.ndarray, data: Data) -> SVM:
    rows = np.flatnonzero(data.y_train < 2)[:MOST_OF_PAIR]
    x = matrix[rows].astype(float) / np.linalg.norm(matrix[rows], axis=1).mean()  # one factor, as for the linear head
    sides = np.where(data.y_train[rows] == 0, 1, -1)
    dual, alphas, decisions = svm_dual(x, sides)
    each = (tuple(sides.tolist()), tuple(np.round(decisions, 4).tolist()), tuple(np.round(alphas, 4).tolist()))
    return SVM((data.class_names[0], data.class_names[1]), len(rows), int((alphas > 0).sum()), C, dual, *each)


def _loss(model: "keras.Model", x: np.ndarray, y: np.ndarray) -> float:
    return cross_entropy(np.asarray(model(x, training=False))[np.arange(len(y)), y])


def _norms(model: "keras.Model", arrays: Sequence[np.ndarray]) -> dict[str, float]:
    """Return the length of each layer's part of ``arrays``, which are in the order of the model's weights."""
    names = [layer.name for layer in model.layers for _ in layer.weights]
    squares = dict.fromkeys(names, 0.0)
    for name, array in zip(names, arrays, strict=True):
        squares[name] += float((array.astype(float) ** 2).sum())
    return {name: square**0.5 for name, square in squares.items()}


# ------------------------------------------------------------------ the recorded one


def recorded() -> Lesson:
    """Return the lesson that ships, with when and by what it was made.

    Raises
    ------
    DataError
        The file is missing or damaged.
    """
    try:
        fields = _tuples(read_card(RECORDED))
        svm = dict(fields.pop("svm"))
        layers = tuple(LayerStep(**step) for step in fields.pop("layers"))
        line = fields.pop("walk")
        steps = tuple(tuple(Step(**step) for step in each) for each in line["steps"])
        known = Walk(**{**line, "steps": steps})
        return Lesson(**fields, layers=layers, walk=known, svm=SVM(**{**svm, "dual": Dual(**svm["dual"])}))
    except (TypeError, KeyError) as error:
        raise DataError("The file {file} is damaged. Install the app again.", file=RECORDED.name) from error


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _tuples(one) for name, one in value.items()}
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def record() -> Lesson:
    """Train the default fine-tuning and return its lesson, with its provenance."""
    spec = FineTuneSpec()
    data = datasets.load(spec.data)
    model = sources.load(spec.source, n_classes=len(data.class_names), seed=spec.seed)
    training.fit(model, data, spec)
    made = {"made": date.today().isoformat(), "command": COMMAND, "versions": tuple(versions().items())}
    return replace(compute(spec, model), **made)


def main() -> int:
    RECORDED.write_text(json.dumps(asdict(record()), indent=1) + "\n", encoding="utf-8")
    print(RECORDED)
    return 0


if __name__ == "__main__":
    sys.exit(main())
