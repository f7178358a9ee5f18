"""What every run is called, and how its numbers are put."""

from datetime import datetime
from typing import Any

from pages.ui.words.numbers import percent
from pages.ui.words.text import _
from tlcore import datasets
from tlcore.errors import LabError
from tlcore.spec import DataSpec, Evaluation, Spec
from tlcore.store import Run

from . import view_of

BADGES: dict[str, Any] = {
    "queued": ("gray", ":material/schedule:"),
    "running": ("violet", ":material/play_arrow:"),
    "done": ("green", ":material/check:"),
    "stopped": ("gray", ":material/stop:"),
    "failed": ("red", ":material/error:"),
}


def title(run: Run) -> str:
    """Return a run's name, or one made from what it does."""
    return run.name or describe(run.spec)


def describe(spec: Spec) -> str:
    """Return what a spec does in a few words; by its names alone where this lab no longer has what they name."""
    try:
        return view_of(spec).title(spec)
    except LabError:
        return f"{spec.source} → {spec.data.target}"


def target(data: DataSpec) -> str:
    """Return the title of the target task."""
    return datasets.info(data.target).title


def per_class(data: DataSpec) -> str:
    """Return how many training images a run has."""
    images = _("all images") if data.per_class is None else _("{n} per class").format(n=data.per_class)
    return _("{images} and own drawings").format(images=images) if data.own else images


def interval(test: Evaluation) -> str:
    """Return an accuracy's interval as a sentence."""
    return _("Measured on {n:,} test images never trained on; 95 % interval {low} to {high}.").format(
        n=test.n, low=percent(test.low), high=percent(test.high)
    )


def when(seconds: float | None) -> str:
    """Return a time in the server's zone, to the minute."""
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M") if seconds else "–"
