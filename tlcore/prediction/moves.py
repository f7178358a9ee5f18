"""What a moved boundary leads to: what comes after it is trained again, on at most 1,000 images.

Everything that does not depend on the move is computed once and kept: the images, the source model, the activations
at each cut, and for the linear head the inner products between them.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from tlcore import datasets, features, inputs, sources, training
from tlcore.datasets import Data
from tlcore.errors import SpecError
from tlcore.evaluation import evaluate
from tlcore.features import freezing
from tlcore.features.freezing import Freezing
from tlcore.sentences import NOTHING, Sentence
from tlcore.spec import PIXELS, DataSpec, Evaluation, FineTuneSpec, Phase, ProofRow, check_choice, check_number

N_IMAGES = 1000
N_TEST = 2000
FEW = 320  # training images; fewer go in batches of 16 for 30 epochs, as a training does by default
TOGETHER_BYTES = 256 * 2**20  # of the training images' activations that are in memory side by side
TAILS = ("linear", "dense")


@dataclass(frozen=True)
class Move:
    """Freeze ``source`` up to and including the layer ``cut``, and train what comes after on the target.

    ``cut`` is None to freeze nothing: what comes after are then the pixels. ``tail`` is a linear SVM on the
    activations at the cut, or the network's own remaining layers. ``per_class`` training images of each class, at most
    1,000 in all; None: 1,000.
    """

    source: str = "digits_0_4"
    target: str = "mnist_5_9"
    cut: str | None = "flatten"
    tail: str = "linear"
    seed: int = 0
    per_class: int | None = None


@dataclass(frozen=True)
class Answer:
    """What a move leads to. ``proof`` has a row for every layer with weights, as after a run."""

    move: Move
    test: Evaluation
    n_images: int
    n_trainable: int  # numbers that were fitted; for the linear head its weights and intercepts
    seconds: float
    proof: tuple[ProofRow, ...]
    reason: Sentence  # why the frozen layers ran once, or did not; nothing for the linear head


@dataclass(frozen=True)
class Cuts:
    """The question what a linear SVM reaches at every cut of ``source``; fields as in ``Move``."""

    source: str = "digits_0_4"
    target: str = "mnist_5_9"
    seed: int = 0
    per_class: int | None = None


@dataclass(frozen=True)
class CutScores:
    """The accuracy at every cut, on the same images. ``tests`` has a pair for each: its layer, or "" for the pixels."""

    cuts: Cuts
    tests: tuple[tuple[str, Evaluation], ...]
    n_images: int
    seconds: float

    @property
    def by_cut(self) -> dict[str, Evaluation]:
        return dict(self.tests)


def check(move: Move) -> None:
    """Raise a SpecError in one sentence when a move names what is not there. Needs no Keras."""
    cuts = cuts_of(move.source, move.tail)
    sources.check_reads(sources.info(move.source), move.target)
    check_choice("tail", move.tail, TAILS)
    check_number("seed", move.seed)
    if move.per_class is not None:
        check_number("per_class", move.per_class)
    if move.cut is not None and move.cut not in cuts:
        raise SpecError(
            "The boundary can stand before the first layer, or after one of {cuts}. Received: {cut!r}. Move it there.",
            cuts=", ".join(cuts),
            cut=move.cut,
        )


def cuts_of(source: str, tail: str) -> tuple[str, ...]:
    """Return the layers after which the boundary can stand; the network's own tail needs one layer that is left.

    The last layer of a network that names nothing is a fresh one: its output says nothing either.
    """
    card = sources.info(source)
    return card.cut_names[:-1] if tail == "dense" or not card.class_names else card.cut_names


def is_averaged(source: str) -> bool:
    """Whether a linear head sees the features of a source averaged over places: what it reads may stand anywhere."""
    return not inputs.modality(sources.info(source).form.modality).placed


def retrain(move: Move) -> Answer:
    """Do a move in this process.

    Raises
    ------
    SpecError, DataError
        The move names what is not there, or data that cannot be had.
    """
    check(move)
    began = time.perf_counter()
    data = _data(move.target, move.seed, move.per_class)
    do = _linear if move.tail == "linear" else _dense
    test, n_trainable, proof, reason = do(move, data)
    return Answer(move, test, len(data.x_train), n_trainable, time.perf_counter() - began, proof, reason)


Outcome = tuple[Evaluation, int, tuple[ProofRow, ...], Sentence]


def _linear(move: Move, data: Data) -> Outcome:
    """A linear SVM, solved on the inner products of the activations: its cost does not grow with their number.

    Of a source of photographs they are averaged over places.
    """
    model = _source(move.source, move.seed)
    before = freezing.hashes(model)
    train, test, d = _products(move.source, move.target, move.seed, move.per_class, move.cut or PIXELS)
    score, n_classes = _svm(train, test, data, move.seed), len(data.class_names)
    proof = Freezing(sources.describe(model), before).proof(before, freezing.hashes(model))
    return score, n_classes * (n_classes - 1) // 2 * (d + 1), proof, NOTHING


def _svm(train: np.ndarray, test: np.ndarray, data: Data, seed: int) -> Evaluation:
    """Return how a linear SVM does, given the inner products of training images, (n, n), and of test with them."""
    from sklearn.svm import SVC

    svm = SVC(kernel="precomputed", C=1.0, random_state=seed).fit(train, data.y_train)
    return evaluate(data.y_test, svm.predict(test), len(data.class_names))


def every_cut(cuts: Cuts) -> CutScores:
    """Answer for every cut at once: the images go through the network one time, and a linear SVM is fitted at each.

    Raises
    ------
    SpecError, DataError
        What it names is not there, or data cannot be had.
    """
    check(Move(cuts.source, cuts.target, None, "linear", cuts.seed, cuts.per_class))
    began = time.perf_counter()
    data, model = _data(cuts.target, cuts.seed, cuts.per_class), _source(cuts.source, cuts.seed)
    train, test, _d = _products(cuts.source, cuts.target, cuts.seed, cuts.per_class, PIXELS)
    tests = {"": _svm(train, test, data, cuts.seed)}
    for names in _together(cuts.source, len(data.x_train)):
        for name, (train, test) in _products_of_several(model, data, names, is_averaged(cuts.source)):
            tests[name] = _svm(train, test, data, cuts.seed)
    return CutScores(cuts, tuple(tests.items()), len(data.x_train), time.perf_counter() - began)


def _together(source: str, n: int) -> Iterator[list[str]]:
    """Yield the cuts in groups whose activations of ``n`` images are in memory side by side."""
    group, size, cuts = [], 0, cuts_of(source, "linear")
    for layer in (layer for layer in sources.info(source).layers if layer.name in cuts):
        bytes_ = 4 * n * (layer.output_shape[-1] if is_averaged(source) else prod(layer.output_shape))
        if group and size + bytes_ > TOGETHER_BYTES:
            yield group
            group, size = [], 0
        group.append(layer.name)
        size += bytes_
    if group:
        yield group


def _products_of_several(
    model: Any, data: Data, names: Sequence[str], averaged: bool
) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """Yield (layer, (training products, test products)), scaled as ``_products`` scales them."""
    parts = list(features.extract_several(model, data.x_train, names, averaged))
    train = [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
    means = [x.mean(axis=0) if averaged else np.float32(0) for x in train]
    train = [x - mean for x, mean in zip(train, means, strict=True)]
    parts = features.extract_several(model, data.x_test, names, averaged)
    parts = ([t - mean for t, mean in zip(arrays, means, strict=True)] for arrays in parts)
    products = ([t @ x.T for t, x in zip(arrays, train, strict=True)] for arrays in parts)
    test = [np.concatenate(arrays) for arrays in zip(*products, strict=True)]
    for name, x, t in zip(names, train, test, strict=True):
        scale = _scale(x)
        yield name, ((x @ x.T) * scale, t * scale)


def _dense(move: Move, data: Data) -> Outcome:
    """The network's own remaining layers, trained as a run trains them."""
    frozen, few = freezing.up_to(sources.info(move.source).layers, move.cut), len(data.x_train) < FEW
    spec = FineTuneSpec(
        source=move.source,
        data=DataSpec(target=move.target, per_class=len(data.x_train) // len(data.class_names), seed=move.seed),
        phases=(Phase(epochs=30 if few else 10, frozen=frozen.names),),
        batch_size=16 if few else 64,
        seed=move.seed,
    )
    model = _fresh(move.source, len(data.class_names), move.seed)
    alone = replace(data, x_validation=data.x_validation[:0], y_validation=data.y_validation[:0])  # nobody sees a curve
    fitted = training.fit(model, alone, spec)
    answers = features.activations(model, data.x_test)
    score = evaluate(data.y_test, answers.argmax(axis=1), len(data.class_names), answers)
    n_trainable = Freezing(sources.describe(model), frozen.names).cost.n_trainable
    return score, n_trainable, fitted.proof, fitted.reason


def n_per_class(target: str, per_class: int | None) -> int:
    """Return how many images of a class a move trains on, of ``per_class`` that are wished for."""
    most = min(datasets.max_per_class(target, "standard"), max(1, N_IMAGES // len(datasets.info(target).class_names)))
    return most if per_class is None else min(most, per_class)


@lru_cache(maxsize=8)
def _data(target: str, seed: int, per_class: int | None) -> Data:
    data = datasets.load(DataSpec(target=target, per_class=n_per_class(target, per_class), seed=seed))
    # A draw, the same for all: MNIST's first test images are harder than its last.
    drawn = np.random.default_rng(0).permutation(len(data.x_test))[:N_TEST]
    return replace(data, x_test=data.x_test[drawn], y_test=data.y_test[drawn])


@lru_cache(maxsize=4)
def _source(name: str, seed: int) -> Any:
    return sources.load(name, seed=seed)


def _fresh(name: str, n_classes: int, seed: int) -> Any:
    """Return a network with a fresh head, as ``sources.load`` gives it; read from its file once."""
    model, values = _as_loaded(name, n_classes, seed, sources.info(name).sha256)
    for variable, value in zip(model.variables, values, strict=True):
        variable.assign(value)
    return model


@lru_cache(maxsize=4)
def _as_loaded(name: str, n_classes: int, seed: int, _sha256: str) -> tuple[Any, list[np.ndarray]]:
    model = sources.load(name, n_classes=n_classes, seed=seed)
    return model, [variable.numpy() for variable in model.variables]


@lru_cache(maxsize=64)
def _products(
    source: str, target: str, seed: int, per_class: int | None, layer: str
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the inner products of the training images' activations, (n, n), of test with training, and their length.

    Scaled by one factor so that the mean squared length is 1, as the linear head's features are. Of photographs, which
    have most of that length in common, the training images' mean is taken off first.
    """
    data, model = _data(target, seed, per_class), _source(source, seed)
    if layer != PIXELS and is_averaged(source):
        x, t = (_averaged(model, images, layer) for images in (data.x_train, data.x_test))
    else:
        x, t = (features.extract(model, images, layer, data.form) for images in (data.x_train, data.x_test))
    if is_averaged(source):
        x, t = x - x.mean(axis=0), t - x.mean(axis=0)
    scale = _scale(x)
    return (x @ x.T) * scale, (t @ x.T) * scale, x.shape[1]


def _averaged(model: Any, images: np.ndarray, layer: str) -> np.ndarray:
    return np.concatenate([rows for (rows,) in features.extract_several(model, images, [layer], averaged=True)])


def _scale(x: np.ndarray) -> float:
    """Return the factor of inner products for which the mean squared length of the rows is 1."""
    return 1.0 / max(float((x * x).sum(axis=1).mean()), 1e-12)  # nothing but zeros: a network that is broken
