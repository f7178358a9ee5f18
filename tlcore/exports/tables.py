"""The numbers of a run as tables that other programs read."""

import csv
from collections.abc import Iterable
from dataclasses import astuple, fields
from io import StringIO

from tlcore import heads
from tlcore.sentences import Sentence
from tlcore.spec import Cell, MetricPoint
from tlcore.store import Run, Store

from .exporter import Exporter, Part

ALL = 1_000_000  # points of one run: every one there is


class Metrics(Exporter):
    """The points of a run's curves."""

    name = "metrics"

    def parts(self, run: Run, store: Store) -> tuple[Part, ...]:
        if not store.points(run.id, limit=1):
            return ()
        title = Sentence("Metrics (CSV)")
        return (Part("-metrics.csv", title, lambda: metrics_csv(store.points(run.id, limit=ALL)).encode(), "text/csv"),)


class Experiments(Exporter):
    """The experiments of a sweep."""

    name = "experiments"

    def parts(self, run: Run, store: Store) -> tuple[Part, ...]:
        cells = store.cells(run.id)
        if not cells:
            return ()
        return (Part("-experiments.csv", Sentence("Experiments (CSV)"), lambda: cells_csv(cells).encode(), "text/csv"),)


def metrics_csv(points: Iterable[tuple[int, MetricPoint]]) -> str:
    """Return the curve points as CSV with a header line; a missing number is an empty cell.

    Examples
    --------
    >>> print(metrics_csv([(1, MetricPoint("train", 1.0, 0.5))]), end="")
    seq,series,x,loss,accuracy,elapsed_s
    1,train,1.0,0.5,,0.0
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["seq", "series", "x", "loss", "accuracy", "elapsed_s"])
    for seq, point in points:
        writer.writerow([seq, _series(point), point.x, point.loss, point.accuracy, point.elapsed_s])
    return text.getvalue()


def _series(point: MetricPoint) -> str:
    return " · ".join(filter(None, (str(heads.title(point.head)), point.input, point.part)))


def cells_csv(cells: Iterable[Cell]) -> str:
    """Return the experiments of sweeps as CSV with a header line; a missing number is an empty cell.

    Examples
    --------
    >>> print(cells_csv([Cell("mnist_5_9", "random", "pixels", "scratch", 5, 0, score=0.75)]).splitlines()[1])
    mnist_5_9,random,pixels,scratch,5,0,0.75,,0,0,0.0,0.0,,
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Cell)])
    writer.writerows(astuple(cell) for cell in cells)
    return text.getvalue()
