"""The article's mathematics with numbers from a real run: the loss, one step, freezing, the features, the SVM's dual.

Everything that computes needs Keras and scikit-learn and is asked for in a child process; reading needs neither.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcore import datasets, features, prediction, sources, training
from tlcore.datasets import ASSETS, Data, read_card
from tlcore.errors import DataError, SpecError
from tlcore.features.freezing import Freezing
from tlcore.spec import FineTuneSpec, from_json, to_json
from tlcore.spec.jobs import SPECS
from tlcore.store import Run, Store, versions
from tlcore.training import augmentation

from .svm import TOLERANCE, Dual
from .svm import dual as dual_of

if TYPE_CHECKING:
    import keras

RECORDED = ASSETS / "lesson.json"
COMMAND = "python -m tlcore.inspection.lesson"
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
C = 1.0
STEPPED = {"source", "data", "phases", "batch_size", "seed"}  # what of a spec the first step is taken again from
MOST_OF_PAIR = 200  # images of two classes that the SVM is fitted to


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
    """A linear support vector machine between the first two classes, and its dual problem at the solution."""

    pair: tuple[str, str]
    n: int
    n_support: int
    C: float
    dual: Dual


@dataclass(frozen=True)
class Lesson:
    """The numbers of one run. The batch is the first that the run trained on, the weights those before it.

    ``shares`` is what the network gives to each image's true class; ``losses[r]`` is the batch's loss after one step
    at ``RATES[r]``, ``trained_loss`` that after the whole run; ``matrix`` is M × D. The features are the activations of
    ``layer``.
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
    made: str = ""  # when a recorded one was
    command: str = ""
    versions: tuple[tuple[str, str], ...] = ()

    @property
    def settings(self) -> FineTuneSpec:
        return from_json(self.spec)  # type: ignore[return-value]

    def expected_fall(self, rate: float) -> float:
        """Return how much the loss falls in a step so small that it is straight: η times ‖∂J/∂w‖² of what trains."""
        return rate * sum(step.gradient**2 for step in self.layers if not step.frozen)


# ------------------------------------------------------------------ the formulas


def cross_entropy(shares: np.ndarray) -> float:
    """Return J = −(1/B) Σ log p(yᵢ | xᵢ), the objective of every fine-tuning here.

    Parameters
    ----------
    shares : float array, shape (B,): the probability given to each image's true class

    Examples
    --------
    >>> round(cross_entropy(np.array([0.5, 0.5])), 4)
    0.6931
    """
    return float(np.mean([cost(float(share)) for share in shares]))


def cost(share: float) -> float:
    """Return −log p, what one image adds to the sum; Keras clips p at 1e-7 too."""
    return -log(min(max(share, 1e-7), 1.0))


def gradients(model: "keras.Model", x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the shares of the true classes, and ∂J/∂w of every weight array in the model's order, frozen ones too.

    In inference mode: dropout is off, and a BatchNormalization uses its stored averages. No gradient moves those, so
    theirs is 0.
    """
    import keras
    import tensorflow as tf

    Freezing(sources.describe(model)).apply(model)
    weights = {variable.path: variable.value for variable in model.trainable_weights}
    with tf.GradientTape() as tape:
        tape.watch(list(weights.values()))
        answers = model(x, training=False)
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, answers))
    found = tape.gradient(loss, weights)
    gradients = [
        np.asarray(found.get(variable.path, np.zeros(variable.shape, np.float32))) for variable in model.weights
    ]
    return answers.numpy()[np.arange(len(y)), y], gradients


def descend(
    model: "keras.Model", start: Sequence[np.ndarray], gradient: Sequence[np.ndarray], rate: float, frozen: set[str]
) -> None:
    """Set w ← w₀ − η m ∂J/∂w, where m is 0 for the weights of frozen layers and 1 for the rest."""
    still = [layer.name in frozen for layer in model.layers for _ in layer.weights]
    model.set_weights(
        [w if keep else w - np.float32(rate) * g for w, g, keep in zip(start, gradient, still, strict=True)]
    )


def svm_dual(x: np.ndarray, y: np.ndarray) -> tuple[Dual, int]:
    """Fit scikit-learn's linear SVC; return its dual problem term by term, and how many support vectors it has.

    Parameters
    ----------
    x : float array, shape (n, d)
    y : array of +1 and −1, shape (n,)
    """
    from sklearn.svm import SVC

    machine = SVC(kernel="linear", C=C, tol=TOLERANCE).fit(x, y)
    alpha = np.zeros(len(y))
    alpha[machine.support_] = np.abs(machine.dual_coef_[0])
    return dual_of(alpha, y, x @ x.T, C), len(machine.support_)


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
        raise SpecError("Run {run_id} is no finished fine-tuning. Pick one that is.", run_id=run_id)
    return compute(run.spec, prediction.load_model(run, Path(folder)))  # type: ignore[arg-type]


def kinds() -> tuple[str, ...]:
    """Return the kinds of run that a lesson can be made of: those that take gradient steps, phase by phase."""
    return tuple(kind for kind, spec in SPECS.items() if {field.name for field in fields(spec)} >= STEPPED)


def teaches(run: Run) -> bool:
    """Return whether a lesson can be made of a run: it took gradient steps and left its model."""
    return run.kind in kinds() and bool(run.result.network)


def compute(spec: FineTuneSpec, trained: "keras.Model") -> Lesson:
    """Take the first step of ``spec`` again, at every rate of ``RATES``; ``trained`` is what the run ended with."""
    data = datasets.load(spec.data)
    rows = np.random.default_rng((spec.seed, 0)).permutation(len(data.x_train))[: spec.batch_size]  # as training does
    first = augmentation.images(data, spec, epoch=0) if spec.augment else data.x_train
    assert first is not None  # nobody asks it to stop
    x, y = first[rows], data.y_train[rows]
    model = sources.load(spec.source, n_classes=len(data.class_names), seed=spec.seed, scale=spec.data.scale)
    shares, gradient = gradients(model, x, y)
    start, frozen = model.get_weights(), set(spec.phases[0].frozen)
    losses, moved = [], []
    for rate in RATES:
        descend(model, start, gradient, rate, frozen)
        losses.append(_loss(model, x, y))
        moved.append(_norms(model, [a - b for a, b in zip(model.get_weights(), start, strict=True)]))
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
    )


def _svm(matrix: np.ndarray, data: Data) -> SVM:
    rows = np.flatnonzero(data.y_train < 2)[:MOST_OF_PAIR]
    x = matrix[rows].astype(float) / np.linalg.norm(matrix[rows], axis=1).mean()  # one factor, as for the linear head
    dual, n_support = svm_dual(x, np.where(data.y_train[rows] == 0, 1, -1))
    return SVM((data.class_names[0], data.class_names[1]), len(rows), n_support, C, dual)


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
        return Lesson(**fields, layers=layers, svm=SVM(**{**svm, "dual": Dual(**svm["dual"])}))
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
