"""How often a head would be right: each example is asked of a head that learned from all the others."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tlcore.evaluation import wilson

from .head import fit, regression, spanned, units

MOST_LEFT_OUT = 100  # examples; of more, so many drawn ones are left out in turn
NOBODY = -1  # the answer to the only example of its class, which no other head can know
SEED = 0
LEAST_TO_TEST = 5  # examples of each class, from which on the newest of them are a test set
TEST_SHARE = 0.2


@dataclass(frozen=True)
class Score:
    """Of ``n`` examples that were left out in turn ``n_right`` were answered correctly; ``n_examples`` there are.

    ``by_class`` has a pair (right, left out) for each class. ``guess`` is the share of the largest class, which an
    answer without looking gets right. ``test_right`` of ``n_test`` examples of a test set were answered correctly, see
    ``tested``; 0 where there are too few for one.
    """

    n_right: int
    n: int
    n_examples: int
    by_class: tuple[tuple[int, int], ...]
    guess: float
    test_right: int = 0
    n_test: int = 0

    @property
    def share(self) -> float:
        return self.n_right / self.n if self.n else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share."""
        return wilson(self.n_right, self.n)

    @property
    def test_share(self) -> float:
        return self.test_right / self.n_test if self.n_test else 0.0

    @property
    def test_interval(self) -> tuple[float, float]:
        """The 95 % interval of the test set's share."""
        return wilson(self.test_right, self.n_test)


def left_out(x: np.ndarray, y: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Return the class that is answered to each example of ``rows`` (default: all) by a head that never saw it.

    Parameters
    ----------
    x : float32 array, shape (n, d), features of any length
    y : int array, shape (n,); at least two classes

    Returns
    -------
    int array, shape (len(rows),)
        ``NOBODY`` for the only example of its class, and where without it one class would be left.

    Notes
    -----
    The directions are those of all examples: what is left out adds one in which the others have no part, and so no
    weight. Each head begins at the weights of the head on all.
    """
    rows = np.arange(len(y)) if rows is None else rows
    z, _directions, _middle = spanned(units(x))
    counts = Counter(y.tolist())
    model = regression(warm_start=True).fit(z, y)
    start = model.coef_.copy(), model.intercept_.copy()
    answers = np.full(len(rows), NOBODY)
    for i, row in enumerate(rows):
        if counts[int(y[row])] < 2:
            continue
        others = np.arange(len(y)) != row
        model.coef_, model.intercept_ = (array.copy() for array in start)
        answers[i] = model.fit(z[others], y[others]).predict(z[row : row + 1])[0]
    return answers


def score(x: np.ndarray, y: np.ndarray, n_classes: int) -> Score | None:
    """Return how often heads are right about what they have not seen; None while no two classes have examples."""
    counts = np.bincount(y, minlength=n_classes) if len(y) else np.zeros(n_classes, int)
    if (counts > 0).sum() < 2:
        return None
    rows = np.arange(len(y))
    if len(y) > MOST_LEFT_OUT:
        rows = np.sort(np.random.default_rng(SEED).permutation(len(y))[:MOST_LEFT_OUT])
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):  # a hundred small fits: threads only wait for each other
        right = left_out(x, y, rows) == y[rows]
    by_class = tuple((int(right[y[rows] == k].sum()), int((y[rows] == k).sum())) for k in range(n_classes))
    return Score(int(right.sum()), len(rows), len(y), by_class, float(counts.max() / len(y)), *tested(x, y))


def held_out(y: np.ndarray) -> np.ndarray:
    """Return which examples are the test set: bool, shape (n,), the newest ``TEST_SHARE`` of each class.

    None where not every class that has examples has ``LEAST_TO_TEST``: what was shown together stays together, so that
    the test is of what was shown later than all that was learned.

    Parameters
    ----------
    y : int array, shape (n,), of each class the oldest example first

    Examples
    --------
    >>> held_out(np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])).nonzero()[0].tolist()
    [4, 9]
    """
    rows = np.zeros(len(y), bool)
    labels, counts = np.unique(y, return_counts=True)
    if len(labels) < 2 or counts.min() < LEAST_TO_TEST:
        return rows
    for label, n in zip(labels, counts, strict=True):
        rows[np.flatnonzero(y == label)[-max(1, round(TEST_SHARE * n)) :]] = True
    return rows


def tested(x: np.ndarray, y: np.ndarray) -> tuple[int, int]:
    """Return how many examples of the test set a head is right about that learned from the others, and of how many."""
    rows = held_out(y)
    if not rows.any():
        return 0, 0
    answers = fit(x[~rows], y[~rows], int(y.max()) + 1).predict_proba(x[rows]).argmax(axis=1)
    return int((answers == y[rows]).sum()), int(rows.sum())


def as_numbers(score: Score) -> np.ndarray:
    """Return a score as numbers, float64 (6 + 2 n_classes,), which cross the border of a process as any answer does.

    Examples
    --------
    >>> one = Score(2, 3, 3, ((1, 1), (1, 2)), 0.5, 1, 2)
    >>> of_numbers(as_numbers(one).tolist()) == one
    True
    """
    counts = [number for pair in score.by_class for number in pair]
    single = [score.n_right, score.n, score.n_examples, score.guess, score.test_right, score.n_test]
    return np.array([*single, *counts], np.float64)


def of_numbers(numbers: Sequence[float]) -> Score:
    """Return the score that ``as_numbers`` made numbers of."""
    n_right, n, n_examples, guess, test_right, n_test, *counts = numbers
    pairs = zip(counts[::2], counts[1::2], strict=True)
    by_class = tuple((int(a), int(b)) for a, b in pairs)
    return Score(int(n_right), int(n), int(n_examples), by_class, guess, int(test_right), int(n_test))
