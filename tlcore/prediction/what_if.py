"""Move the boundary and see the answer: retrain what comes after it on 1,000 images, in a process that stays warm.

Everything that does not depend on the move is computed once and kept: the images, the source model, the activations
at each cut, and for the linear head the inner products between them.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from tlcore import datasets, extensions, features, sources, training
from tlcore.datasets import Data
from tlcore.errors import LabError, SpecError, TrainingError
from tlcore.evaluation import evaluate
from tlcore.features import freezing
from tlcore.features.freezing import Freezing
from tlcore.machine import processes, scratch
from tlcore.sentences import NOTHING, Sentence
from tlcore.spec import PIXELS, DataSpec, Evaluation, FineTuneSpec, Phase, ProofRow, check_choice, check_number

log = logging.getLogger(__name__)
T = TypeVar("T")

N_IMAGES = 1000
N_TEST = 2000
MOST_WAITING = 20
TAILS = ("linear", "dense")


@dataclass(frozen=True)
class Move:
    """Freeze ``source`` up to and including the layer ``cut``, and train what comes after on the target.

    ``cut`` is None to freeze nothing: what comes after are then the pixels. ``tail`` is a linear SVM on the
    activations at the cut, or the network's own remaining layers.
    """

    source: str = "digits_0_4"
    target: str = "mnist_5_9"
    cut: str | None = "flatten"
    tail: str = "linear"
    seed: int = 0


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


def check(move: Move) -> None:
    """Raise a SpecError in one sentence when a move names what is not there. Needs no Keras."""
    cuts = cuts_of(move.source, move.tail)
    sources.check_reads(sources.info(move.source), move.target)
    check_choice("tail", move.tail, TAILS)
    check_number("seed", move.seed)
    if move.cut is not None and move.cut not in cuts:
        raise SpecError(
            "The boundary can stand before the first layer, or after one of {cuts}. Received: {cut!r}. Move it there.",
            cuts=", ".join(cuts),
            cut=move.cut,
        )


def cuts_of(source: str, tail: str) -> tuple[str, ...]:
    """Return the layers after which the boundary can stand; the network's own tail needs one layer that is left."""
    cuts = sources.info(source).cut_names
    return cuts[:-1] if tail == "dense" else cuts


def retrain(move: Move, folder: str) -> Answer:
    """Do a move in this process.

    Raises
    ------
    SpecError, DataError
        The move names what is not there, or data that cannot be had.
    """
    check(move)
    began = time.perf_counter()
    data = _data(move.target, move.seed)
    do = _linear if move.tail == "linear" else _dense
    test, n_trainable, proof, reason = do(move, data, Path(folder))
    return Answer(move, test, len(data.x_train), n_trainable, time.perf_counter() - began, proof, reason)


Outcome = tuple[Evaluation, int, tuple[ProofRow, ...], Sentence]


def _linear(move: Move, data: Data, folder: Path) -> Outcome:
    """A linear SVM, solved on the inner products of the activations: its cost does not grow with their number."""
    from sklearn.svm import SVC

    model = _source(move.source, move.seed)
    before = freezing.hashes(model)
    train, test, d = _products(move.source, move.target, move.seed, move.cut or PIXELS, folder)
    svm = SVC(kernel="precomputed", C=1.0, random_state=move.seed).fit(train, data.y_train)
    n_classes = len(data.class_names)
    score = evaluate(data.y_test, svm.predict(test), n_classes)
    proof = Freezing(sources.describe(model), before).proof(before, freezing.hashes(model))
    return score, n_classes * (n_classes - 1) // 2 * (d + 1), proof, NOTHING


def _dense(move: Move, data: Data, folder: Path) -> Outcome:
    """The network's own remaining layers, trained as a run trains them."""
    frozen = freezing.up_to(sources.info(move.source).layers, move.cut)
    spec = FineTuneSpec(
        source=move.source,
        data=DataSpec(target=move.target, per_class=len(data.x_train) // len(data.class_names), seed=move.seed),
        phases=(Phase(epochs=10, frozen=frozen.names),),
        batch_size=64,
        seed=move.seed,
    )
    model = sources.load(move.source, n_classes=len(data.class_names), seed=move.seed)
    alone = replace(data, x_validation=data.x_validation[:0], y_validation=data.y_validation[:0])  # nobody sees a curve
    fitted = training.fit(model, alone, spec)
    answers = features.activations(model, data.x_test)
    score = evaluate(data.y_test, answers.argmax(axis=1), len(data.class_names), answers)
    n_trainable = Freezing(sources.describe(model), frozen.names).cost.n_trainable
    return score, n_trainable, fitted.proof, fitted.reason


@lru_cache(maxsize=4)
def _data(target: str, seed: int) -> Data:
    n_classes = len(datasets.info(target).class_names)
    most = datasets.max_per_class(target, "standard")
    data = datasets.load(DataSpec(target=target, per_class=min(most, N_IMAGES // n_classes), seed=seed))
    # A draw, the same for all: MNIST's first test images are harder than its last.
    drawn = np.random.default_rng(0).permutation(len(data.x_test))[:N_TEST]
    return replace(data, x_test=data.x_test[drawn], y_test=data.y_test[drawn])


@lru_cache(maxsize=4)
def _source(name: str, seed: int) -> Any:
    return sources.load(name, seed=seed)


@lru_cache(maxsize=64)
def _products(source: str, target: str, seed: int, layer: str, folder: Path) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the inner products of the training images' activations, (n, n), of test with training, and their length.

    Scaled by one factor so that the mean squared length is 1, as the linear head's features are.
    """
    data, model = _data(target, seed), _source(source, seed)
    x = features.extract(model, data.x_train, layer, data.form)
    t = features.extract(model, data.x_test, layer, data.form)
    scale = 1.0 / float((x * x).sum(axis=1).mean())
    return (x @ x.T) * scale, (t @ x.T) * scale, x.shape[1]


def warm(folder: str) -> None:
    """Compute what the default moves need."""
    processes.begin_child()
    scratch.enter(Path(folder))
    extensions.load()
    processes.import_keras()
    try:
        for move in (Move(tail="dense"), *(Move(cut=cut) for cut in (None, *cuts_of(Move.source, "linear")))):
            retrain(move, folder)
    except LabError:  # a damaged asset: the move itself will say so
        log.exception("the first moves could not be prepared")


class WhatIf:
    """The warm process and its client; moves of all people wait in one line. Starts at the first move or ``start``."""

    def __init__(self, folder: Path):
        self._folder = str(folder)
        self._context = processes.LeanContext()
        self._pool: ProcessPoolExecutor | None = None
        # One thread that lives as long as this object: the child ends with the thread that started it.
        self._line = ThreadPoolExecutor(1, thread_name_prefix="what-if")
        self._waiting = 0
        self.ready = False  # whether a move was answered yet
        self._closing = False

    def start(self) -> None:
        """Start the process, without waiting for it; after ``close`` nothing starts."""
        with suppress(RuntimeError):
            self._line.submit(self._ask, retrain, Move(), self._folder)

    def answer(self, move: Move, timeout_s: float = 60.0) -> Answer:
        """Return what a move leads to; raises as ``ask`` and, for a move that names what is not there, a SpecError."""
        check(move)
        return self.ask(retrain, move, self._folder, timeout_s=timeout_s)

    def ask(self, function: Callable[..., T], *arguments: Any, timeout_s: float = 60.0) -> T:
        """Return ``function(*arguments)``, computed in the process; what it raises is raised here.

        Parameters
        ----------
        function : of a module; it and what it takes and returns cross the process border

        Raises
        ------
        TrainingError
            Too many are waiting, it took too long, or the process died twice.
        """
        if self._waiting >= MOST_WAITING:
            raise TrainingError("{n} questions are waiting already. Try again in a few seconds.", n=self._waiting)
        self._waiting += 1
        future = self._line.submit(self._ask, function, *arguments)
        try:
            return future.result(timeout_s)
        except TimeoutError as error:
            future.cancel()
            raise TrainingError("This took longer than {s:.0f} s. Try again in a moment.", s=timeout_s) from error
        finally:
            self._waiting -= 1

    def _ask(self, function: Callable[..., T], *arguments: Any) -> T:
        for _attempt in range(2):
            if self._closing:
                raise TrainingError("The server is stopping. Try again when it is back.")
            if self._pool is None:
                self._pool = ProcessPoolExecutor(1, self._context, initializer=warm, initargs=(self._folder,))
            try:
                answer = self._pool.submit(function, *arguments).result()
                self.ready = True
                return answer
            except BrokenProcessPool:
                self._pool = None
                if not self._closing:  # else it was killed on purpose
                    log.exception("the what-if process died")
        raise TrainingError("The process that computes this died twice. Try other settings, or start a run instead.")

    def close(self) -> None:
        """End the process at once."""
        self._closing = True
        self._context.kill()
        self._line.shutdown(wait=True, cancel_futures=True)
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._context.end()
        scratch.sweep(Path(self._folder) / scratch.FOLDER)
