"""What every run is called, and how its numbers are put."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pages.ui.words.numbers import percent
from pages.ui.words.text import _, plain, shown, titled
from tlcore import datasets
from tlcore.errors import LabError
from tlcore.evaluation import balance
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
    return titled(datasets.info(data.target).title)


def per_class(data: DataSpec) -> str:
    """Return how many training images a run has."""
    images = _("all images") if data.per_class is None else _("{n} per class").format(n=data.per_class)
    images = _("{images} and own drawings").format(images=images) if data.own else images
    return ", ".join([images, *map(shown, datasets.spoiled(data))])


def interval(test: Evaluation) -> str:
    """Return the interval of a test's headline as a sentence."""
    return _("Measured on {n:,} test images never trained on; 95 % interval {low} to {high}.").format(
        n=test.n, low=percent(test.interval[0]), high=percent(test.interval[1])
    )


def measure(test: Evaluation | None, class_names: Sequence[str]) -> str:
    """Return why a balanced accuracy stands for a test, with what guessing would reach; "" where none does."""
    return plain(shown(balance.measured(test, class_names))) if test and test.balanced else ""


def accuracy_name(balanced: object) -> str:
    """Return what a test's headline is called."""
    return _("Balanced accuracy") if balanced else _("Test accuracy")


def balanced(accuracy: str, is_balanced: object) -> str:
    """Return an accuracy in a list, which says so where it is a balanced one."""
    return _("{accuracy} balanced").format(accuracy=accuracy) if is_balanced else accuracy


def beside(test: Evaluation) -> dict[str, Any]:
    """Return the keywords that put what guessing would reach beside a balanced accuracy in a metric."""
    if test.balanced is None:
        return {}
    words = _("always guessing: {chance}").format(chance=percent(test.balanced.chance))
    return {"delta": words, "delta_color": "off", "delta_arrow": "off"}


def when(seconds: float | None) -> str:
    """Return a time in the server's zone, to the minute."""
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M") if seconds else "–"
