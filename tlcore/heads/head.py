"""What a head is, and the registry of those there are."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from tlcore.errors import SpecError
from tlcore.sentences import NOTHING, Sentence, verbatim
from tlcore.spec import FINE_TUNE, SCRATCH, ByHand, Origin, check_choice

from . import knobs
from .knobs import Knob
from .machine import Machine

Curve = Literal["images", "trees", "epochs"]
Loss = Literal["hinge", "log_loss", "error", "out_of_bag"]

# What the x of a curve counts, and what its loss is.
CURVES: dict[Curve, Sentence] = {
    "images": Sentence("training images"),
    "trees": Sentence("trees"),
    "epochs": Sentence("epochs"),
}
LOSSES: dict[Loss, Sentence] = {
    "hinge": Sentence("hinge loss"),
    "log_loss": Sentence("log-loss"),
    "error": Sentence("error rate"),
    "out_of_bag": Sentence("out-of-bag error"),
}


class Head:
    """One kind of scikit-learn classifier on a feature matrix; ``register`` offers it everywhere.

    A head of one's own needs a ``name``, a ``title`` and ``make``; all else has a default.

    Attributes
    ----------
    curve : what its learning curve counts. "images" fits it on growing parts; "trees" and "epochs" need ``steps``
    loss : which loss the curve draws
    scales : whether its features are multiplied by one factor first, so that their mean length is 1
    has_temperature : whether its estimator gives decision values; a temperature makes probabilities of them, and is
        fitted on validation images
    scaling, note : how its input is scaled and what it is, for people
    grid : settings to try when it is tuned, by scikit-learn's names; the simplest first, for a tie goes to the earlier
    settings : what those names are called
    knobs : hyperparameters that a person may set by hand; a head without any offers none
    trusted : types that its file may hold beyond skops' own defaults
    weighs : the parameter of the estimator for class weights, by scikit-learn's name; "" where it knows none
    shed : attributes of the fitted estimator that answer nothing and stay out of its file
    effort : seconds of one core to fit and test it: whatever the images, and for each number of the training features
        (n × d). Only how heads compare matters: it tells the time left before they were measured
    n_steps : how many steps ``steps`` makes when drawn, where each takes equally long: the first tells the time of all
    """

    name: str
    title: Sentence
    curve: Curve = "images"
    loss: Loss = "error"
    scales: bool = False
    has_temperature: bool = False
    weighs: str = ""
    scaling: Sentence = Sentence("none")
    note: Sentence = NOTHING
    grid: tuple[Mapping[str, Any], ...] = ()
    settings: Mapping[str, Sentence] = {}
    knobs: tuple[Knob, ...] = ()
    trusted: tuple[str, ...] = ()
    shed: tuple[str, ...] = ()
    effort: tuple[float, float] = (0.1, 3e-7)
    n_steps: int = 1

    def make(self, shape: tuple[int, int], n_classes: int, seed: int) -> Any:
        """Return the unfitted estimator, a scikit-learn Pipeline or classifier, for features of that shape (n, d)."""
        raise NotImplementedError

    def fit(self, estimator: Any, x: np.ndarray, y: np.ndarray) -> None:
        """Fit ``estimator`` in place: x is float32, shape (n, d); y holds classes 0..k-1, each of them."""
        estimator.fit(x, y)

    def steps(self, estimator: Any, x: np.ndarray, y: np.ndarray, seed: int, drawn: bool) -> Iterator[float]:
        """Fit ``estimator`` in place, and yield where on its curve it is each time a point of it can be drawn.

        Parameters
        ----------
        drawn : whether anybody draws the curve; if not, the end will do
        """
        self.fit(estimator, x, y)
        yield float(len(x))

    def scores(self, estimator: Any, x: np.ndarray) -> np.ndarray:
        """Return decision values where the estimator has them, else probabilities: shape (n, n_classes)."""
        if not hasattr(estimator, "decision_function"):
            return estimator.predict_proba(x)
        values = estimator.decision_function(x)
        return np.stack([-values, values], axis=1) if values.ndim == 1 else values

    def params(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a person set, by the names of knobs, as what ``fit`` takes: by scikit-learn's names."""
        return {knob.key: values[knob.name] for knob in self.knobs if knob.name in values}

    def can_fit(self, params: Mapping[str, Any], n: int) -> bool:
        """Return whether a setting of the grid can be fitted on ``n`` images."""
        return True

    def machine(self, estimator: Any, scale: float) -> Machine | None:
        """Return the support vector machine it opens up as, None where it is not one."""
        return None

    def trees(self, estimator: Any) -> list[Any]:
        """Return the decision trees it opens up as, none where it has none."""
        return []

    @property
    def opens(self) -> Literal["svm", "forest"] | None:
        """As what it can be opened up: whichever of ``machine`` and ``trees`` it has."""
        if type(self).machine is not Head.machine:
            return "svm"
        return "forest" if type(self).trees is not Head.trees else None


HEADS: dict[str, Head] = {}


def register(head: Head) -> None:
    """Offer a head in comparisons, sweeps, on the pages and the command line.

    Raises
    ------
    SpecError
        The name is taken, or cannot stand in the name of a file.
    """
    if not (head.name.isascii() and head.name.isidentifier()):
        raise SpecError("A head's name is letters, digits and _. Received: {name!r}. Rename it.", name=head.name)
    if head.name in (*HEADS, FINE_TUNE, SCRATCH):  # they stand in one list, as the methods of a sweep
        raise SpecError("The name {name!r} is taken. Give the head another one.", name=head.name)
    HEADS[head.name] = head


def info(name: str) -> Head:
    """Return a head; a SpecError lists the heads when there is none of that name."""
    check_choice("head", name, tuple(HEADS))
    return HEADS[name]


def title(name: str, by_hand: Iterable[ByHand] = ()) -> Sentence:
    """Return what a head is called, with what was set of it; of an extension that is gone its head has only its name.

    Examples
    --------
    >>> str(title("gone", [ByHand("gone", "C", 0.1), ByHand("other", "C", 2.0)]))
    'gone (C = 0.1)'
    """
    head = HEADS[name].title if name in HEADS else verbatim(name)
    values = values_of(name, by_hand)
    if not values:
        return head
    settings = knobs.describe(HEADS[name].knobs if name in HEADS else (), values)
    return Sentence("{head} ({settings})", head=head, settings=settings)


def values_of(name: str, by_hand: Iterable[ByHand]) -> dict[str, Any]:
    """Return what was set of one head, by the names of its knobs."""
    return {each.name: each.value for each in by_hand if each.head == name}


def knob(head: str, name: str) -> Knob | None:
    """Return a head's hyperparameter; None where there is none of that name, or no such head."""
    return next((each for each in HEADS[head].knobs if each.name == name), None) if head in HEADS else None


def not_default(settings: Iterable[ByHand]) -> tuple[ByHand, ...]:
    """Return settings as a spec keeps them: what is at its default is left out."""
    found = ((each, knob(each.head, each.name)) for each in settings)
    return tuple(each for each, known in found if known is None or each.value != known.default)


def check_by_hand(names: Collection[str], settings: Iterable[ByHand], n: int) -> None:
    """Raise a SpecError when something is set that a head does not have, takes or could be fitted with.

    Parameters
    ----------
    names : the heads that are fitted
    n : training images
    """
    settings = tuple(settings)
    for head in dict.fromkeys(each.head for each in settings):
        if head not in names:
            raise SpecError("{head} is set by hand but not chosen. Choose it too, or leave it out.", head=title(head))
        values = values_of(head, settings)
        if len(values) < sum(each.head == head for each in settings):
            raise SpecError("A hyperparameter of {head} is set twice. Set each once.", head=title(head))
        knobs.check(title(head), info(head).knobs, values)
        if not info(head).can_fit(info(head).params(values), n):
            raise SpecError(
                "{head} needs more than these {n:,} training images. Use more labels, or smaller values.",
                head=title(head, settings),
                n=n,
            )


def check(names: tuple[str, ...]) -> None:
    """Raise a SpecError when ``names`` is empty or names an unknown head."""
    if not names:
        raise SpecError("No head was chosen. Pick at least one of: {heads}.", heads=", ".join(HEADS))
    for name in names:
        info(name)


@dataclass
class FittedHead:
    """A fitted estimator with what it needs to answer: ``scale`` multiplies the features first.

    ``temperature`` turns decision values into probabilities; it is fitted on validation images.
    """

    name: str
    estimator: Any
    scale: float = 1.0
    temperature: float = 1.0
    params: Mapping[str, Any] = field(default_factory=dict)  # in place of the head's own settings
    reduce: Any = None  # a fitted PCA that the features go through before anything else
    origin: Origin | None = None  # where its features come from, as its file says
    fit_cpu_s: float = 0.0  # processor seconds of its own fit

    def reduced(self, x: np.ndarray) -> np.ndarray:
        """Return features as the estimator's own preparation takes them: projected where there is a PCA."""
        return x if self.reduce is None else self.reduce.transform(x).astype(np.float32)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the most probable class of every row: int64, shape (n,)."""
        return self.scores(x).argmax(axis=1)

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Return decision values where the estimator has them, else probabilities: shape (n, n_classes)."""
        x = self.reduced(x)
        x = x * np.float32(self.scale) if self.scale != 1.0 else x
        return HEADS[self.name].scores(self.estimator, x)

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Return float32 probabilities, shape (n, n_classes).

        Decision values go through a softmax whose temperature was fitted on validation images (Guo et al. 2017,
        "On calibration of modern neural networks", section 4.2); the answer itself does not change by it.
        """
        scores = self.scores(x)
        if hasattr(self.estimator, "decision_function"):
            scores = softmax(scores / self.temperature)
        return scores.astype(np.float32)


def softmax(values: np.ndarray) -> np.ndarray:
    """Return each row's softmax."""
    shifted = np.exp(values - values.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def answer_alone(head: FittedHead) -> FittedHead:
    """Make ``head`` quick for single images: one thread, since starting more costs more than it gives."""
    if "n_jobs" in head.estimator.get_params():
        head.estimator.set_params(n_jobs=1)
    return head
