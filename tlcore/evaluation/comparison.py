"""Heads compared: means over seeds, and which of them are within the noise of the best."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tlcore.spec import HeadMean, HeadRow

from .scores import Z_95


def compare(rows: Sequence[HeadRow]) -> tuple[HeadMean, ...]:
    """Return one line per head and input: means over seeds, best mean first.

    ``best`` marks every line whose distance from the best mean is within the 95 % interval of their difference, so
    that a tie marks both. Only seeds that every head was fitted with are compared.

    Examples
    --------
    >>> rows = [HeadRow(head="knn", input="pixels", seed=seed, accuracy=a, n=100) for seed, a in enumerate((0.5, 0.7))]
    >>> [(round(line.mean, 2), round(line.sd, 3), line.n_seeds) for line in compare(rows)]
    [(0.6, 0.141, 2)]
    """
    groups: dict[tuple[str, str], list[HeadRow]] = {}
    for row in _comparable(rows):
        groups.setdefault((row.head, row.input), []).append(row)
    lines = sorted((_mean(*key, group) for key, group in groups.items()), key=lambda line: -line.mean)
    return tuple(
        replace(line, best=bool(lines[0].mean - line.mean <= Z_95 * np.hypot(lines[0].error, line.error)))
        for line in lines
    )


def _comparable(rows: Sequence[HeadRow]) -> Sequence[HeadRow]:
    """Return the rows of the seeds that are complete; all rows where none is."""
    cells = {(row.head, row.input) for row in rows}
    counts = Counter(row.seed for row in rows)
    return [row for row in rows if counts[row.seed] >= len(cells)] or rows


def _mean(head: str, name: str, group: Sequence[HeadRow]) -> HeadMean:
    accuracies = np.array([row.accuracy for row in group])
    sd = float(accuracies.std(ddof=1)) if len(accuracies) > 1 else None
    # The test's own noise does not shrink with seeds: all are tested on the same images.
    binomial = float(np.sqrt(accuracies.mean() * (1 - accuracies.mean()) / group[0].n))
    return HeadMean(
        head=head,
        input=name,
        n_seeds=len(accuracies),
        mean=float(accuracies.mean()),
        sd=sd,
        error=float(np.hypot((sd or 0.0) / len(accuracies) ** 0.5, binomial)),
        fit_s=float(np.median([row.fit_s for row in group])),
        ms_per_image=float(np.median([row.ms_per_image for row in group])),
        mb=next((row.mb for row in group if row.mb is not None), None),
        n_features=group[0].n_features,
    )
