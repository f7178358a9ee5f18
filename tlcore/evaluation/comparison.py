"""Heads compared: means over seeds, and which of them are not clearly worse than the best."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tlcore.spec import Evaluation, HeadMean, HeadRow

from . import ranking
from .intervals import Z_95, t_95, wilson


def compare(
    rows: Sequence[HeadRow], right: Mapping[str, np.ndarray] | None = None, labels: np.ndarray | None = None
) -> tuple[HeadMean, ...]:
    """Return one line per head and input: means over seeds, best mean first.

    ``best`` marks the best and every line that is not clearly worse: by the seeds where there are
    ``ranking.FEWEST_SEEDS``, else by the single answers. Only seeds that every head was fitted with are compared.

    Parameters
    ----------
    right : by "head-input", whether each test image was answered rightly with the first seed; needed for fewer seeds
    labels : of these images, int shape (n,); needed where the classes are lopsided

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
        {name: {row.seed: row.headline for row in group} for name, group in groups.items()},
        {name: answers for name, answers in (right or {}).items() if name in groups},
        {name: Evaluation(line.mean, *line.interval, n) for name, line in means.items()},
        labels if rows[0].balanced else None,
    )
    lines = sorted(means.items(), key=lambda named: -named[1].mean)
    return tuple(replace(line, best=name in ranked.ties) for name, line in lines)


def seeds_interval(
    accuracies: Sequence[float] | np.ndarray, n: int, noise: tuple[float, float] | None = None
) -> tuple[float, float]:
    """Return the 95 % interval of a mean over seeds: by Student's t over the seeds, the test's own noise included.

    Parameters
    ----------
    accuracies : one for each seed
    n : test images, the same ones for all seeds; 0 where that is not known, which leaves out their noise
    noise : the test's own, below and above the mean, where these are balanced accuracies

    Examples
    --------
    >>> [round(bound, 3) for bound in seeds_interval([0.9], 1000)], seeds_interval([0.5, 0.5], 0)
    ([0.88, 0.917], (0.5, 0.5))
    """
    values = np.asarray(accuracies, float)
    mean, n_seeds = float(values.mean()), len(values)
    low, high = wilson(round(mean * n), n) if n else (mean, mean)
    if noise:
        low, high = mean - noise[0], mean + noise[1]
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
    accuracies, first = np.array([row.headline for row in group]), group[0]
    mean, n_seeds = float(accuracies.mean()), len(accuracies)
    sd = float(accuracies.std(ddof=1)) if n_seeds > 1 else None
    # The test's own noise does not shrink with seeds: all are tested on the same images.
    noise = _noise(group)
    own = sum(noise) / (2 * Z_95) if noise else float(np.sqrt(mean * (1 - mean) / first.n))
    low, high = seeds_interval(accuracies, first.n, noise)
    return HeadMean(
        head=first.head,
        input=first.input,
        n_seeds=n_seeds,
        mean=mean,
        sd=sd,
        error=float(np.hypot((sd or 0.0) / n_seeds**0.5, own)),
        fit_s=float(np.median([row.fit_s for row in group])),
        ms_per_image=float(np.median([row.ms_per_image for row in group])),
        mb=next((row.mb for row in group if row.mb is not None), None),
        n_features=first.n_features,
        low=low,
        high=high,
        balanced=first.balanced is not None,
    )


def _noise(group: Sequence[HeadRow]) -> tuple[float, float] | None:
    """Return how far the intervals of balanced accuracies reach below and above, as the mean over seeds."""
    balanced = [row.balanced for row in group if row.balanced]
    if not balanced:
        return None
    return (
        float(np.mean([found.accuracy - found.low for found in balanced])),
        float(np.mean([found.high - found.accuracy for found in balanced])),
    )
