"""Heads compared: means over seeds, and which of them are not clearly worse than the best."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tlcore.spec import Evaluation, HeadMean, HeadRow

from . import ranking
from .scores import t_95, wilson


def compare(rows: Sequence[HeadRow], right: Mapping[str, np.ndarray] | None = None) -> tuple[HeadMean, ...]:
    """Return one line per head and input: means over seeds, best mean first.

    ``best`` marks the best and every line that is not clearly worse: by the seeds where there are
    ``ranking.FEWEST_SEEDS``, else by the single answers. Only seeds that every head was fitted with are compared.

    Parameters
    ----------
    right : by "head-input", whether each test image was answered rightly with the first seed; needed for fewer seeds

    Examples
    --------
    >>> rows = [HeadRow(head="knn", input="pixels", seed=seed, accuracy=a, n=100) for seed, a in enumerate((0.5, 0.7))]
    >>> [(round(line.mean, 2), round(line.sd, 3), line.n_seeds) for line in compare(rows)]
    [(0.6, 0.141, 2)]
    """
    if not rows:
        return ()
    groups: dict[str, list[HeadRow]] = {}
    for row in _comparable(rows):
        groups.setdefault(f"{row.head}-{row.input}", []).append(row)
    means = {name: _mean(group) for name, group in groups.items()}
    n = rows[0].n
    ranked = ranking.rank(
        {name: {row.seed: row.accuracy for row in group} for name, group in groups.items()},
        {name: answers for name, answers in (right or {}).items() if name in groups},
        {name: Evaluation(line.mean, *line.interval, n) for name, line in means.items()},
    )
    lines = sorted(means.items(), key=lambda named: -named[1].mean)
    return tuple(replace(line, best=name in ranked.ties) for name, line in lines)


def seeds_interval(accuracies: Sequence[float] | np.ndarray, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a mean over seeds: by Student's t over the seeds, the test's own noise included.

    Parameters
    ----------
    accuracies : one for each seed
    n : test images, the same ones for all seeds; 0 where that is not known, which leaves out their noise

    Examples
    --------
    >>> [round(bound, 3) for bound in seeds_interval([0.9], 1000)], seeds_interval([0.5, 0.5], 0)
    ([0.88, 0.917], (0.5, 0.5))
    """
    values = np.asarray(accuracies, float)
    mean, n_seeds = float(values.mean()), len(values)
    low, high = wilson(round(mean * n), n) if n else (mean, mean)
    over_seeds = t_95(n_seeds - 1) * float(values.std(ddof=1)) / n_seeds**0.5 if n_seeds > 1 else 0.0
    return (
        max(0.0, mean - float(np.hypot(mean - low, over_seeds))),
        min(1.0, mean + float(np.hypot(high - mean, over_seeds))),
    )


def _comparable(rows: Sequence[HeadRow]) -> Sequence[HeadRow]:
    """Return the rows of the seeds that are complete; all rows where none is."""
    cells = {(row.head, row.input) for row in rows}
    counts = Counter(row.seed for row in rows)
    return [row for row in rows if counts[row.seed] >= len(cells)] or rows


def _mean(group: Sequence[HeadRow]) -> HeadMean:
    accuracies, first = np.array([row.accuracy for row in group]), group[0]
    mean, n_seeds = float(accuracies.mean()), len(accuracies)
    sd = float(accuracies.std(ddof=1)) if n_seeds > 1 else None
    # The test's own noise does not shrink with seeds: all are tested on the same images.
    binomial = float(np.sqrt(mean * (1 - mean) / first.n))
    low, high = seeds_interval(accuracies, first.n)
    return HeadMean(
        head=first.head,
        input=first.input,
        n_seeds=n_seeds,
        mean=mean,
        sd=sd,
        error=float(np.hypot((sd or 0.0) / n_seeds**0.5, binomial)),
        fit_s=float(np.median([row.fit_s for row in group])),
        ms_per_image=float(np.median([row.ms_per_image for row in group])),
        mb=next((row.mb for row in group if row.mb is not None), None),
        n_features=first.n_features,
        low=low,
        high=high,
    )
