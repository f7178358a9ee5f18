"""What a sweep can measure, an object each: a head on features, a network, or a score that needs no training."""

import time
from collections.abc import Iterator
from dataclasses import replace
from math import ceil

import numpy as np

from tlcore import features, heads, inputs, sources, training
from tlcore.features import freezing
from tlcore.heads import HEADS
from tlcore.recipes import of_photographs
from tlcore.sentences import Sentence, verbatim
from tlcore.sources import RANDOM
from tlcore.spec import FINE_TUNE, PIXELS, SCRATCH, Cell, DataSpec, FineTuneSpec, Hooks, MetricPoint, Phase, SweepSpec

from .bench import Bench
from .transferability import SCORES, Score

EPOCHS = (10, 100)  # least and most of a network
ROWS = 1000  # test images that are answered at a time


class Method:
    """One way from labelled images to a number.

    Attributes
    ----------
    reads_features : whether it takes the activations at the cut, as a table; else it trains a network from the images
    is_score : whether its number is a score of the features and no accuracy
    """

    reads_features = True
    is_score = False

    def __init__(self, name: str, title: Sentence):
        self.name, self.title = name, title

    def planned(self, cell: Cell, last: str) -> Cell | None:
        """Return an experiment under its one name, or None for one that says nothing; ``last`` is its last layer."""
        return replace(cell, source=RANDOM) if cell.cut == PIXELS else cell  # no source sees raw pixels

    def measure(self, cell: Cell, bench: Bench) -> Cell | None:
        """Return the finished experiment; None when it was stopped half-way."""
        raise NotImplementedError

    def line(self, source: str, cut: str) -> Sentence:
        """Return what its results at one cut of one source are called, for people."""
        if cut == PIXELS:
            return Sentence("{method} on raw pixels", method=self.title)
        return Sentence("{method} on {cut}, {source}", method=self.title, cut=cut, source=_title(source))

    def words(self, cell: Cell) -> Sentence | str:
        """Return what it does in an experiment, by the names of the catalogues."""
        if cell.cut == PIXELS:
            return Sentence("{method} on pixels", method=self.name)
        return Sentence("{method} on {cut} of {source}", method=self.name, cut=cell.cut, source=cell.source)


class HeadMethod(Method):
    """A head fitted on the activations at the cut."""

    def measure(self, cell: Cell, bench: Bench) -> Cell:
        x, y, x_test = bench.table(cell)
        head, fit_s = heads.fit(self.name, x, y, None, seed=cell.seed)
        parts = (slice(first, first + ROWS) for first in range(0, len(x_test), ROWS))
        answers = np.concatenate([head.predict(x_test[part]) for part in parts])
        return replace(
            cell,
            score=bench.score(answers),
            train_score=float((head.predict(x) == y).mean()),
            n_test=len(x_test),
            n_features=x.shape[1],
            fit_s=fit_s,
        )


class ScoreMethod(Method):
    """A transferability score of the activations at the cut, or of the source's own answers."""

    is_score = True

    def __init__(self, score: Score):
        super().__init__(score.name, score.title)
        self.score = score

    def planned(self, cell: Cell, last: str) -> Cell | None:
        if cell.per_class < 2:
            return None
        if self.score.of_answers and (cell.cut != last or cell.source == sources.untrained(cell.source)):
            return None
        return super().planned(cell, last)

    def measure(self, cell: Cell, bench: Bench) -> Cell:
        began = time.perf_counter()
        x, y, _x_test = bench.table(cell)
        value = self.score.measure(x if self.score.of_answers else bench.compacted(cell), y, cell.seed)
        return replace(cell, score=value, n_features=x.shape[1], fit_s=time.perf_counter() - began)


class FineTuning(Method):
    """A network of which what comes after the cut is trained."""

    reads_features = False

    def planned(self, cell: Cell, last: str) -> Cell | None:
        if cell.cut == PIXELS and cell.source == sources.untrained(cell.source):
            return FromScratch().planned(cell, last)
        return None if cell.cut == last else cell  # else nothing would train

    def line(self, source: str, cut: str) -> Sentence:
        if cut == PIXELS:
            return Sentence("Fine-tuning everything, {source}", source=_title(source))
        return Sentence("{method} after {cut}, {source}", method=self.title, cut=cut, source=_title(source))

    def measure(self, cell: Cell, bench: Bench) -> Cell | None:
        pool, data = bench.pool, bench.images(cell)
        spec = tuning_of(cell, bench.spec, len(data.x_train))
        model = sources.load(cell.source, n_classes=len(pool.class_names), seed=cell.seed)
        points: list[MetricPoint] = []
        listener = Hooks(on_metric=points.append, should_stop=bench.listener.should_stop)
        fitted = training.fit(model, data, spec, listener)
        if fitted.stopped:
            return None
        answer = features.compiled(model)
        answers = np.concatenate([answer(part).argmax(axis=1) for part in _parts(pool.x_test)])
        trained, n = sources.describe(model), len(data.x_train)  # with the head of this target
        costs = (
            training_cost(freezing.Freezing(trained, phase.frozen), n, phase.epochs, fitted.cached)
            for phase in spec.phases
        )
        return replace(
            cell,
            score=bench.score(answers),
            train_score=next((point.accuracy for point in reversed(points) if point.part == "train"), None),
            n_test=len(pool.y_test),
            fit_s=fitted.fit_s,
            multiply_adds=sum(costs),
        )


class FromScratch(FineTuning):
    """The whole network from random weights, once whatever the cut and the source."""

    def __init__(self) -> None:
        super().__init__(SCRATCH, Sentence("From scratch"))

    def planned(self, cell: Cell, last: str) -> Cell:
        return replace(cell, method=SCRATCH, source=sources.untrained(cell.source), cut=PIXELS)

    def line(self, source: str, cut: str) -> Sentence:
        return Sentence("From scratch")

    def words(self, cell: Cell) -> str:
        return self.name


def methods() -> dict[str, Method]:
    """Return what a sweep can measure, by name: heads, networks, and scores that need no training."""
    networks = (FineTuning(FINE_TUNE, Sentence("Fine-tuning")), FromScratch())
    found: tuple[Method, ...] = (
        *(HeadMethod(head.name, head.title) for head in HEADS.values()),
        *networks,
        *map(ScoreMethod, SCORES.values()),
    )
    return {method.name: method for method in found}


def method_of(name: str) -> Method:
    """Return one of them; of an extension that is gone one that still has its name."""
    return methods().get(name) or HeadMethod(name, verbatim(name))


def tuning_of(cell: Cell, sweep: SweepSpec, n: int) -> FineTuneSpec:
    """Return the training of an experiment's network on ``n`` images."""
    source = sources.info(cell.source)
    frozen = freezing.up_to(source.layers, None if cell.cut == PIXELS else cell.cut)
    spec = FineTuneSpec(
        source=cell.source,
        data=DataSpec(cell.target, sweep.split, cell.per_class, cell.seed),
        phases=(Phase(n_epochs(sweep, n), frozen.names),),
        seed=cell.seed,
    )
    if inputs.modality(source.form.modality).placed:
        return spec
    return of_photographs(spec, source.layers, n, sweep.n_steps)


def n_epochs(spec: SweepSpec, n: int) -> int:
    """Return how many epochs a network gets on ``n`` images: at least ``n_steps`` steps, within ``EPOCHS``.

    With few labels an epoch is one or two steps; by epochs alone a network would lose for want of steps.
    """
    steps = ceil(n / FineTuneSpec.batch_size)
    return min(EPOCHS[1], max(EPOCHS[0], ceil(spec.n_steps / steps)))


def training_cost(frozen: freezing.Freezing, n: int, epochs: int, cached: bool) -> float:
    """Return the multiply-adds of a whole training; a cached prefix runs once for every image."""
    return float(n * frozen.training(epochs, cached))


def _parts(items: np.ndarray) -> Iterator[np.ndarray]:
    return (items[first : first + ROWS] for first in range(0, len(items), ROWS))


def _title(source: str) -> str:
    return sources.info(source).title
