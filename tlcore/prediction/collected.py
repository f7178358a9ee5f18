"""A head that follows what a person shows: asked again, it has learned from every example there is by then."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tlcore import sources, teaching
from tlcore.errors import DataError, SpecError
from tlcore.spec import InputForm
from tlcore.teaching import Example, Examples, Kind, LinearHead, Score

from .names import ModelName
from .vectors import vectors

ProbaOf = Callable[[np.ndarray], np.ndarray]
FEWEST = 3  # examples of each class, before anything is called outside
WITHIN = 0.95  # of the distances between examples of one class
KINDS = ("collected", "score", "features")  # of names
Predict = Callable[[np.ndarray, Sequence[str], float], Mapping[str, Sequence[float] | str]]


def name_of(owner: str, kind: str) -> str:
    """Return the name under which a person's classes answer.

    Examples
    --------
    >>> name_of("0123abcd", "photo")
    'collected:photo-0123abcd'
    """
    return str(ModelName.collected(f"{kind}-{owner}"))


def features_of(kind: str) -> str:
    """Return the name that is asked for an item's features in place of probabilities."""
    return str(ModelName.features(kind))


def examples_of(id: str) -> Examples:
    """Return the examples that a model of that id learns from; raises as ``teaching.of``."""
    kind, _, owner = id.partition("-")
    return teaching.of(owner, kind)


def extractor(kind: Kind) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function of items, (n, *form.shape), to features, float32 (n, d)."""
    if kind.layer not in sources.info(kind.source).cut_names:
        raise SpecError("The network {name} has no layer {layer}.", name=kind.source, layer=kind.layer)
    return vectors(kind.source, kind.layer, 0, True)


class Follower:
    """Answers by the examples that there are when it is asked; learns again where these have changed.

    Parameters
    ----------
    extract : as ``extractor`` gives it
    """

    def __init__(self, examples: Examples, extract: Callable[[np.ndarray], np.ndarray]):
        self._examples, self._extract = examples, extract
        self._head: LinearHead | None = None
        self._state = ""

    def __call__(self, items: np.ndarray) -> np.ndarray:
        """Return probabilities, float32 (n, n_classes), in the order of the classes.

        Raises
        ------
        DataError
            There are no two classes with an example each.
        """
        if (state := self._examples.state()) != self._state:
            x, y = self._examples.learned()
            n = len(self._examples.classes())
            self._head = teaching.fit(x, y, n) if len(np.unique(y)) > 1 else None
            self._state = state
        if self._head is None:
            raise too_few()
        return self._head.predict_proba(self._extract(items))


class Strangers:
    """Tells of items whether they are like anything that a person has shown, by the direction of their features.

    An item is outside where the nearest example is farther away than examples of one class are from each other, and
    farther than half the way from one class to another: a few pictures in a row are hardly different.
    """

    def __init__(self, examples: Examples, extract: Callable[[np.ndarray], np.ndarray]):
        self._examples, self._extract = examples, extract
        self._known = np.zeros((0, 1))
        self._limit, self._state = np.inf, ""

    def __call__(self, items: np.ndarray) -> np.ndarray:
        """Return for each item its distance in units of the limit, and 0: float64 (n, 2), as ``outside.detector``."""
        if (state := self._examples.state()) != self._state:
            x, y = self._examples.learned()
            self._known, self._state = teaching.units(x), state
            self._limit = limit(self._known, y)
        distances = np.zeros(len(items))
        if np.isfinite(self._limit):
            distances = (1 - teaching.units(self._extract(items)) @ self._known.T).min(axis=1) / self._limit
        return np.stack([distances, np.zeros(len(items))], axis=1).astype(np.float64)


def limit(units: np.ndarray, y: np.ndarray) -> float:
    """Return how far an item may be from the nearest example; infinity where there are too few to say.

    Parameters
    ----------
    units : float array, shape (n, d), rows of length 1
    y : int array, shape (n,)

    Examples
    --------
    >>> limit(np.eye(4), np.array([0, 0, 1, 1])), limit(np.eye(2), np.array([0, 1]))
    (inf, inf)
    """
    labels, counts = np.unique(y, return_counts=True)
    if len(labels) < 2 or counts.min() < FEWEST:
        return float("inf")
    distances, alike = 1 - units @ units.T, y[:, None] == y[None]
    within = distances[alike & ~np.eye(len(y), dtype=bool)]
    return float(max(np.quantile(within, WITHIN), np.median(distances[~alike]) / 2, 1e-9))


def keep(examples: Examples, label: int, item: np.ndarray, predict: Predict, timeout_s: float) -> Example:
    """Keep an item as an example of a class, with its features, computed once.

    Parameters
    ----------
    predict : of the process that answers, ``Serving.predict``

    Raises
    ------
    SpecError
        There is no such class.
    DataError
        The process does not answer just now, or the item cannot be kept.
    StoreError
        The disk takes no more.
    """
    return examples.add(label, item, _features(item, examples.kind.name, predict, timeout_s))


def _features(item: np.ndarray, kind: str, predict: Predict, timeout_s: float) -> np.ndarray:
    name = features_of(kind)
    answer = predict(item, [name], timeout_s)[name]
    if isinstance(answer, str):
        raise DataError("The example could not be kept: {reason}", reason=answer)
    return np.array(answer, np.float32)


def warm(predict: Predict, kind: str, owner: str) -> None:
    """Have the process that answers load what a person will ask for, hardly waiting for it."""
    form = teaching.kind(kind).form
    predict(np.zeros(form.shape, form.dtype), [features_of(kind), name_of(owner, kind)], 0.1)


def fill(examples: Examples, predict: Predict, timeout_s: float) -> None:
    """Begin with examples of a set that ships, in place of the classes there are; raises as ``keep``."""
    kind = examples.kind.name
    items = list(teaching.ready_made.items(kind))
    features = [_features(item, kind, predict, timeout_s) for _name, item in items]  # before anything is changed
    ids = examples.begin(teaching.ready_made.class_names(kind))
    for (name, item), row in zip(items, features, strict=True):
        examples.add(ids[name], item, row)


def score_of(examples: Examples, owner: str, predict: Predict, timeout_s: float) -> Score:
    """Return how well a person's examples are told apart, computed in the process that answers.

    Raises
    ------
    DataError
        There are no two classes with an example each, or it takes longer.
    """
    name = str(ModelName.score(f"{examples.kind.name}-{owner}"))
    form = examples.kind.form
    answer = predict(np.zeros(form.shape, form.dtype), [name], timeout_s)[name]
    if isinstance(answer, str):
        raise DataError("The accuracy cannot be told just now: {reason}", reason=answer)
    return teaching.of_numbers(answer)


def strangers(asked: ModelName) -> ProbaOf:
    """Return what tells of items whether they are like anything that a person has shown."""
    examples = examples_of(asked.id)
    return Strangers(examples, extractor(examples.kind))


def too_few() -> DataError:
    """Return what is said where no two classes have an example each."""
    return DataError("Two classes with an example each are needed. Add some.")


def _score(examples: Examples) -> ProbaOf:
    x, y = examples.learned()
    score = teaching.score(x, y, len(examples.classes()))
    if score is None:
        raise too_few()
    numbers = teaching.as_numbers(score)
    return lambda items: np.repeat(numbers[None], len(items), axis=0)


def form_of(asked: ModelName) -> InputForm:
    """Return the form of what is read under one of the kinds of name."""
    return (teaching.kind(asked.id) if asked.kind == "features" else examples_of(asked.id).kind).form


def proba_of(asked: ModelName) -> ProbaOf:
    """Return what answers under one of the kinds of name, its network loaded where it needs one."""
    if asked.kind == "features":
        return extractor(teaching.kind(asked.id))
    examples = examples_of(asked.id)
    if asked.kind == "score":
        return _score(examples)
    teaching.regression()  # imports scikit-learn, before anybody waits for it
    return Follower(examples, extractor(examples.kind))
