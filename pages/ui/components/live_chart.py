"""Loss and accuracy of runs that are still going: one Plotly graph kept alive in the browser, fed by polling."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import plotly
from streamlit.components.v2 import component

from pages.ui.words import names
from pages.ui.words.text import _, language, ngettext
from server.address import base_path
from tlcore.spec import FINAL_STATES

_HERE = Path(__file__)
SCRIPT = "/assets/plotly.min.js"  # which server/assets.py serves

# Okabe and Ito's palette without black and yellow, which one of the two themes would swallow.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

_chart = component(
    "transfer_lab_live_chart",
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,  # Plotly puts its own styles into the document's head
)


@dataclass(frozen=True)
class LiveRun:
    """One run on the chart.

    ``url`` is a path of this server (``/api/runs/<id>/metrics``), without the base path the server may live under.
    ``state`` is what the page knows already: a run that the page knows to be over does not end again.
    """

    id: str
    url: str
    label: str = ""
    colour: str = ""
    state: str = "queued"


@dataclass(frozen=True)
class Rule:
    """A vertical line at ``x`` on both plots, such as the epoch at which layers unfreeze."""

    x: float
    label: str


def live_chart(
    key: str,
    url: str = "",
    *,
    runs: Sequence[LiveRun] = (),
    state: str = "queued",
    label: str = "",
    x_title: str = "",
    x_max: float | None = None,
    loss_title: str = "",
    accuracy_title: str = "",
    rules: Sequence[Rule] = (),
    height: int = 480,
    at_a_time: int = 0,
    on_finished: Callable[[], None] | None = None,
) -> str | None:
    """Show runs while they go on. Return a state once, in the rerun caused by the last of them ending.

    Parameters
    ----------
    key : the widget's key; the graph lives as long as its key is shown, whatever else changes
    url, state : of a single run; ``runs`` instead for several on shared axes
    label : what the chart shows, for screen readers
    x_title : unit of the points' ``x``; epochs when not given
    x_max : last ``x`` to come where it is known, so that the axis stands still
    rules : vertical lines, see `Rule`
    at_a_time : how many runs the server has go on at once, which a waiting run says; 0: unknown
    height : of the two plots one above the other, in pixels; side by side they need less

    Returns
    -------
    str or None
        ``"done"``, ``"stopped"`` or ``"failed"`` (the worst of several runs), else None.
    """
    followed = tuple(runs) or (LiveRun(id=key, url=url, state=state),)
    chart = _chart(
        key=key,
        data={
            "runs": [
                asdict(run) | {"url": base_path() + run.url, "colour": run.colour or COLOURS[index % len(COLOURS)]}
                for index, run in enumerate(followed)
            ],
            "plotly": _script(),
            "x_max": x_max,
            "rules": [asdict(rule) for rule in rules],
            "height": height,
            "language": language(),
            "words": _words(at_a_time) | _titles(label, x_title, loss_title, accuracy_title),
        },
        on_finished_change=on_finished or _nothing,
    )
    return check_state(chart.get("finished"))


def prepare() -> None:
    """Have the browser load Plotly's script while a person still chooses, so that the first curve need not wait."""
    _chart(key="plotly", data={"plotly": _script()})


def _script() -> str:
    return f"{base_path()}{SCRIPT}?v={plotly.__version__}"


def check_state(value: object) -> str | None:
    """Return what a browser sent if it is a final state, else None.

    Examples
    --------
    >>> check_state("done"), check_state("running"), check_state({"done": 1})
    ('done', None, None)
    """
    return value if isinstance(value, str) and value in FINAL_STATES else None


def _titles(label: str, x_title: str, loss_title: str, accuracy_title: str) -> dict[str, str]:
    return {
        "label": label or _("Loss and accuracy"),
        "x": x_title or _("Epoch"),
        "loss": loss_title or _("Loss"),
        "accuracy": accuracy_title or _("Accuracy"),
    }


def _words(at_a_time: int) -> dict[str, Any]:
    at_once = ngettext("{n} run goes on at a time here", "{n} runs go on at a time here", at_a_time).format(n=at_a_time)
    return {
        "states": {
            "queued": _("Waiting"),
            "running": _("Running"),
            "done": _("Done"),
            "stopped": _("Stopped"),
            "failed": _("Failed"),
        },
        "heads": names.methods(),
        "inputs": names.inputs(),
        "train": _("training"),
        "validation": _("validation"),
        "test": _("test"),
        "dashed": _("dashed: training"),
        "solid": _("solid: validation"),
        "diamond": _("diamond: test"),
        "log": _("Log loss"),
        "fit": _("Fit accuracy"),
        "log_axis": _("log axis"),
        "axis": _("axis {low} to {high}"),
        "table": _("Data table"),
        "latest": _("The latest {n} of {total} points"),
        "waiting": _("The first point appears here as soon as it is measured."),
        "none": _("No point was measured."),
        "ahead": _("{n} before this one"),
        "at_a_time": at_once if at_a_time else "",
        "wait": _("starts in about {time}"),
        "step": _("step {n} of {total}"),
        "left": _("{time} left"),
        "speed": _("{n} images/s"),
        "elapsed": _("{time} elapsed"),
        "first": _("first step (compiling) {time}"),
        "seconds": _("{n} s"),
        "minutes": _("{m} min {s} s"),
        "lost": _("Connection lost, trying again."),
        "back": _("Connected again."),
        "gone": _("This run is no longer there."),
        "no_plotly": _("The chart cannot be drawn, trying again. The data table below has the numbers."),
        "percent_done": _("{label}: {share} done"),
        "ended": _("{label}: {state}"),
        "run": _("The run"),
    }


def _nothing() -> None:
    """Streamlit lists a trigger in the result only when it has a callback."""
