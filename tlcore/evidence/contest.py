"""Which of several trained models is better, in one sentence; every page and command says it through here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tlcore import prediction
from tlcore.errors import LabError
from tlcore.evaluation import balance, outputs, ranking
from tlcore.evaluation.ranking import Ranking, Rival
from tlcore.sentences import NOTHING, Sentence, join, percent
from tlcore.spec import Evaluation, Spec
from tlcore.store import Run

MODEL = "model"  # the network of a run
FEW_LABELS = 50  # a class; with fewer, another draw of the images often turns the order round
SEEDS = 5  # that a repetition has
FAR = 0.05  # apart: whom so much divides are not called a tie because there were too few images or seeds to tell
MORE_SEEDS = Sentence("Only more seeds can tell which method is better.")


@dataclass(frozen=True)
class Entrant:
    """One model of a run, and what it is called beside the others."""

    label: str
    run: Run
    model: str = MODEL

    @property
    def n_labels(self) -> int | None:
        return self.run.spec.data.per_class

    @property
    def score(self) -> Evaluation | None:
        """How it did on the test images with its run's seed; None where it was not tested."""
        return self.run.result.tests(self.model, self.run.seed).get(self.run.seed)


@dataclass(frozen=True)
class Contest:
    """What was found, and what may be said of it."""

    ranking: Ranking
    few: bool  # labels: a single draw decides nothing
    n_trained: int | None  # images, where all learned from as many
    measure: Sentence = NOTHING  # why it is balanced accuracies that are compared; empty where it is plain ones
    apart: bool = False  # they were tested on different images

    @property
    def by_seeds(self) -> bool:
        return self.ranking.tested == "seeds"

    @property
    def clear(self) -> bool:
        """Whether the best is better than the next, and may be called so."""
        return self.ranking.rivals[0].clear and (self.by_seeds or not self.few)

    @property
    def offer(self) -> bool:
        """Whether a repetition with more seeds would tell more."""
        return self.few and not (self.by_seeds and self.ranking.n >= SEEDS)

    @property
    def too_few(self) -> bool:
        """Whether the best is far ahead, and yet there are too few test images, or seeds, to call it better."""
        rival = self.ranking.rivals[0]
        return not rival.clear and rival.lead >= FAR

    @property
    def verdict(self) -> Sentence:
        """Return which is better, or that it is a tie; of balanced accuracies with what they are."""
        return join([self._verdict, self.measure]) if self.measure else self._verdict

    @property
    def _verdict(self) -> Sentence:
        rival = self.ranking.rivals[0]
        values = {**self._pair(rival), "how": self._how(rival)}
        if self.too_few:
            return Sentence("{these} are too few to tell: {first} {a}, {second} {b} ({how}).", these=self._n, **values)
        if self.few and not self.by_seeds:
            return Sentence("{these} {what}", these=self.these, what=self._on_one_draw(rival, values))
        if rival.clear:
            return Sentence("{first} is better than {second}: {a} against {b} ({how}).", **values)
        if len(self.ranking.ties) > 2:
            return Sentence(
                "A tie of {n}: {first} leads {second} with {a} against {b} ({how}).",
                n=len(self.ranking.ties),
                **values,
            )
        return Sentence("A tie: {first} {a}, {second} {b} ({how}).", **values)

    @property
    def headline(self) -> Sentence:
        """Return the verdict in a line, without how it was tested; ``tested`` says that."""
        rival = self.ranking.rivals[0]
        values = self._pair(rival)
        if self.measure:
            return self._of_balanced(rival, values)
        if self.too_few:
            return Sentence("{these} are too few to tell: {first} {a}, {second} {b}", these=self._n, **values)
        if not rival.clear:
            return Sentence("A tie: {first} {a}, {second} {b}", **values)
        if self.few and not self.by_seeds:
            these = self.these
            return Sentence("{these} {first} got more right than {second}: {a} against {b}", these=these, **values)
        return Sentence("{first} is better than {second}: {a} against {b}", **values)

    def _of_balanced(self, rival: Rival, values: Mapping[str, object]) -> Sentence:
        if self.too_few:
            return Sentence(
                "{these} are too few to tell: {first} {a}, {second} {b} (balanced accuracy)", these=self._n, **values
            )
        if not rival.clear:
            return Sentence("A tie in balanced accuracy: {first} {a}, {second} {b}", **values)
        if self.few and not self.by_seeds:
            these = self.these
            return Sentence(
                "{these} {first} leads {second} in balanced accuracy: {a} against {b}", these=these, **values
            )
        return Sentence("{first} is better than {second}: {a} against {b} in balanced accuracy", **values)

    @property
    def tested(self) -> Sentence:
        """Return how the headline was tested, and what it may not say."""
        how = Sentence("Tested: {how}.", how=self._how(self.ranking.rivals[0]))
        if self.few and not self.by_seeds:
            return join([how, MORE_SEEDS])
        return how

    @property
    def scope(self) -> Sentence:
        """Return what the test covers and what it does not."""
        if self.by_seeds:
            covers = Sentence(
                "Each seed draws other training images and other first weights; all are tested on the same images."
            )
        else:
            covers = Sentence(
                "This is about these networks on these test images. Other training images may give a different order."
            )
        n = len(self.ranking.rivals)
        if n < 2:
            return covers
        holm = Sentence(
            "The best was tested against each of the {n} others, and the probabilities were corrected for {n} tests "
            "(Holm).",
            n=n,
        )
        return join([covers, holm])

    @property
    def _n(self) -> Sentence:
        """Return how many there were of what decided."""
        n = self.ranking.n
        return Sentence("{n} seeds", n=n) if self.by_seeds else Sentence("{n:,} test images", n=n)

    def _pair(self, rival: Rival) -> dict[str, Any]:
        """Return the names and accuracies of the best and of a rival, for a sentence."""
        best, reached = self.ranking.best, self.ranking.accuracies
        return {"first": best, "second": rival.name, "a": percent(reached[best]), "b": percent(reached[rival.name])}

    def _how(self, rival: Rival) -> Sentence:
        if self.by_seeds:
            return Sentence(
                "over {n} seeds; the lead's 95 % interval is {low:+.1f} to {high:+.1f} points",
                n=self.ranking.n,
                low=100 * (rival.low or 0.0),
                high=100 * (rival.high or 0.0),
            )
        if self.ranking.tested == "images" and self.measure:
            return Sentence(
                "randomisation test on {n:,} test images, each class counting alike, p = {p:.2g}",
                n=self.ranking.n,
                p=rival.p,
            )
        if self.ranking.tested == "images":
            return Sentence("McNemar's exact test on {n:,} test images, p = {p:.2g}", n=self.ranking.n, p=rival.p)
        if self.apart:
            return Sentence("by their 95 % intervals; they were tested on different images")
        return Sentence("by their 95 % intervals; their answers to the same images were not kept")

    @property
    def these(self) -> Sentence:
        """Return what a sentence begins with that holds for this draw of the training images alone."""
        if self.n_trained is None:
            return Sentence("With these few training images")
        return Sentence("With these {n:,} images", n=self.n_trained)

    def _on_one_draw(self, rival: Rival, values: Mapping[str, object]) -> Sentence:
        if rival.clear:
            found = Sentence("{first} got more right than {second}: {a} against {b} ({how}).", **values)
        else:
            found = Sentence("it is a tie: {first} {a}, {second} {b} ({how}).", **values)
        return join([found, MORE_SEEDS])


def contest(entrants: Sequence[Entrant], folder: Path, runs: Sequence[Run] = ()) -> Contest | None:
    """Hold the best of several trained models against each of the others; None where fewer than two were tested.

    With three seeds or more that all share, the seeds decide; else McNemar's test on the single answers. Below
    ``FEW_LABELS`` labels a class only the seeds may call a method better.

    Parameters
    ----------
    entrants : with labels that differ
    folder : the data folder
    runs : further runs, which may be repetitions of these with other seeds
    """
    tested = {e.label: (e, score) for e in entrants if (score := e.score)}
    if len(tested) < 2:
        return None
    entrants = [entrant for entrant, _tested in tested.values()]
    few = any(e.n_labels is not None and e.n_labels < FEW_LABELS for e in entrants)
    labels = {len(e.run.result.class_names) * (e.n_labels or 0) for e in entrants}
    if any(e.run.spec.data.imbalance > 1 for e in entrants):
        labels = set()  # the sentence counts as many images of each class
    n_trained = labels.pop() if len(labels) == 1 else None
    right, labels, apart = _right(entrants, folder)
    scores = {label: score for label, (_entrant, score) in tested.items()}
    lopsided = all(score.balanced for score in scores.values())
    seeds = {entrant.label: _of_seeds(entrant, runs if few else ()) for entrant in entrants}
    ranked = ranking.rank(seeds, right, scores, labels if lopsided else None)
    names = entrants[0].run.result.class_names
    measure = balance.measured(next(iter(scores.values())), names) if lopsided else NOTHING
    return Contest(ranked, few, n_trained, measure, apart)


def repetitions(entrants: Sequence[Entrant], runs: Sequence[Run] = (), n_seeds: int = SEEDS) -> list[Spec]:
    """Return what is still to be started until every entrant has ``n_seeds`` seeds, from its own seed on."""
    missing: list[Spec] = []
    for entrant in entrants:
        first = entrant.run.seed
        there = _of_seeds(entrant, runs, planned=True)
        wanted = tuple(seed for seed in range(first, first + n_seeds) if seed not in there)
        missing += [spec for spec in _repeated(entrant.run.spec, entrant.model, wanted) if spec not in missing]
    return missing


def under_way(entrants: Sequence[Entrant], runs: Sequence[Run]) -> list[Run]:
    """Return the repetitions that have been started and have not ended."""
    return [run for run in runs if not run.final and any(_is_same(e.run.spec, run.spec, e.model) for e in entrants)]


def _of_seeds(entrant: Entrant, runs: Sequence[Run], planned: bool = False) -> dict[int, float]:
    """Return the accuracy of a model for every seed it was trained with; ``planned``: and for those still to come."""
    run, model = entrant.run, entrant.model
    own = {seed: test.headline for seed, test in run.result.tests(model, run.seed).items()}
    if run.state != "done":
        return own
    for other in runs:
        if other.id == run.id or not _is_same(run.spec, other.spec, model):
            continue
        if other.state == "done":
            tests = other.result.tests(model, other.seed)
            own = {seed: test.headline for seed, test in tests.items()} | own
        elif planned and not other.final:
            own = dict.fromkeys(getattr(other.spec, "seeds", (other.seed,)), 0.0) | own
    return own


def _repeated(spec: Spec, model: str, seeds: Sequence[int]) -> tuple[Spec, ...]:
    """Return the specs that train one model of ``spec`` alone; none where its kind knows no repetition."""
    repeated = getattr(spec, "repeated", None)
    return repeated(model, seeds) if repeated else ()


def _is_same(spec: Spec, other: Spec, model: str) -> bool:
    return spec.kind == other.kind and _repeated(spec, model, (0,)) == _repeated(other, model, (0,)) != ()


def _right(entrants: Sequence[Entrant], folder: Path) -> tuple[dict[str, np.ndarray], np.ndarray | None, bool]:
    """Return whether each answer was right, and the labels, where all answered the same images; else nothing.

    And whether that is so because their images differ, not because answers are missing.
    """
    right: dict[str, np.ndarray] = {}
    labels: np.ndarray | None = None
    images = set()
    for entrant in entrants:
        if outputs.FILE not in entrant.run.result.files:
            return {}, None, False
        try:
            answers = outputs.load(prediction.checked_file(entrant.run, outputs.FILE, folder), entrant.model)
        except LabError:  # the closer look says what is wrong with it
            return {}, None, False
        images.add(answers.images)
        labels = answers.labels
        right[entrant.label] = answers.predicted == answers.labels
    return (right, labels, False) if len(images) == 1 else ({}, None, True)
