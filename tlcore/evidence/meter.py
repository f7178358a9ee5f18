"""The best-cut meter against the truth: does a score of the features pick the best cut? Pure functions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tlcore import sources
from tlcore.datasets import info
from tlcore.evaluation import mean_interval
from tlcore.features import first_vector
from tlcore.spec import Cell

from . import savings
from .once import once
from .transferability import SCORES

TRUTH = "linear_svm"
RULE = "last_convolution"  # what a person would do without any meter
COMPARED = ("logme",)  # shown beside the meter's own scores: where d > n it is known to go wrong
CUT_SCORES = tuple(name for name, card in SCORES.items() if card.ranks == "cuts")
SOURCE_SCORE = next(name for name, card in SCORES.items() if card.ranks == "sources")

Setting = tuple[str, str, int]  # target, source, labels per class


@dataclass(frozen=True)
class Trial:
    """One score in one setting: what it gave each cut, and how good each cut turned out to be.

    ``lost`` is the accuracy given up by taking the cut it picked; ``spearman`` is None where nothing varies.
    """

    setting: Setting
    truth: Mapping[str, float]
    scores: Mapping[str, float]
    spearman: float | None
    wide: bool  # at some cut the features outnumber the labelled images

    @property
    def best(self) -> str:
        return max(self.truth, key=self.truth.__getitem__)

    @property
    def picked(self) -> str:
        return max(self.scores, key=self.scores.__getitem__)

    @property
    def hit(self) -> bool:
        return self.picked == self.best

    @property
    def lost(self) -> float:
        return self.truth[self.best] - self.truth[self.picked]


@dataclass(frozen=True)
class Standing:
    """How one score did over all settings."""

    name: str
    n: int
    hits: int
    spearman: tuple[float, float, float] | None  # mean over settings with its 95 % interval
    lost: float  # mean accuracy given up
    n_wide: int


@once
def trials(cells: Iterable[Cell], score: str) -> list[Trial]:
    """Return how one score did in each setting where at least two cuts have both the score and the truth."""
    values: dict[tuple[Setting, str], dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    wide: set[Setting] = set()
    for cell in cells:
        setting = cell.target, cell.source, cell.per_class
        if cell.score is not None and cell.method in (TRUTH, score):
            values[setting, cell.method][cell.cut][cell.seed] = cell.score
            if cell.method == score and cell.n_features > cell.per_class * len(info(cell.target).class_names):
                wide.add(setting)
    found = []
    for setting in dict.fromkeys(setting for setting, _ in values):
        truth, scores = values[setting, TRUTH], values[setting, score]
        if score == RULE:
            picked = first_vector(sources.info(setting[1]).layers)  # what the convolutions make, as a row of numbers
            scores = {cut: {0: float(cut == picked)} for cut in truth} if picked in truth else {}
        cuts = [cut for cut in truth if cut in scores]
        if len(cuts) > 1:
            a, b = ({cut: float(np.mean(list(one[cut].values()))) for cut in cuts} for one in (truth, scores))
            rank = None if score == RULE else spearman(list(a.values()), list(b.values()))
            found.append(Trial(setting, a, b, rank, setting in wide))
    return found


def standing(name: str, tried: Sequence[Trial]) -> Standing:
    ranks = [trial.spearman for trial in tried if trial.spearman is not None]
    return Standing(
        name=name,
        n=len(tried),
        hits=sum(trial.hit for trial in tried),
        spearman=mean_interval(ranks) if ranks else None,
        lost=float(np.mean([trial.lost for trial in tried])) if tried else 0.0,
        n_wide=sum(trial.wide for trial in tried),
    )


@once
def standings(cells: Sequence[Cell]) -> list[Standing]:
    """Return how every score of cuts did, and the rule that needs none, least accuracy lost first."""
    found = [standing(name, trials(cells, name)) for name in (*CUT_SCORES, RULE)]
    return sorted((one for one in found if one.n), key=lambda one: one.lost)


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return Spearman's rank correlation, equal values at their mean rank; None where one does not vary.

    Examples
    --------
    >>> spearman([1, 2, 3], [10, 30, 20]), spearman([1, 2], [5, 5])
    (0.5, None)
    """
    first, second = (_ranks(np.asarray(values, float)) for values in (a, b))
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return round(float(np.corrcoef(first, second)[0, 1]), 12)


def _ranks(values: np.ndarray) -> np.ndarray:
    return (values[:, None] > values).sum(axis=1) + ((values[:, None] == values).sum(axis=1) - 1) / 2


@once
def source_ranking(cells: Sequence[Cell]) -> tuple[int, int]:
    """Return in how many settings LEEP puts the better of two sources first, and in how many it was tried."""
    leep: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    best: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for source in dict.fromkeys(cell.source for cell in cells if cell.method == SOURCE_SCORE):
        own = [cell for cell in cells if cell.source == source]
        for target in dict.fromkeys(cell.target for cell in own):
            here = [cell for cell in own if cell.target == target]
            for n, value in savings.means(savings.curve(here, SOURCE_SCORE)).items():
                leep[target, n][source] = value
            for cut in dict.fromkeys(cell.cut for cell in here):
                for n, value in savings.means(savings.curve(here, TRUTH, cut=cut)).items():
                    best[target, n][source] = max(value, best[target, n].get(source, 0.0))
    right = tried = 0
    for setting, values in leep.items():
        if len(values) > 1 and set(values) <= set(best[setting]):
            tried += 1
            right += max(values, key=values.__getitem__) == max(values, key=best[setting].__getitem__)
    return right, tried
