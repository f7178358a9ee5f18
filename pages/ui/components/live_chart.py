"""Loss and accuracy of runs that are still going: one Plotly graph kept alive in the browser, fed by polling."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import plotly
from streamlit.components.v2 import component

from pages.ui.charts import saving
from pages.ui.charts.palette import COLOURS
from pages.ui.words import names
from pages.ui.words.text import _, language
from server.address import base_path
from tlcore.spec import FINAL_STATES

_HERE = Path(__file__)
SCRIPT = "/assets/plotly.min.js"  # which server/assets.py serves

UNITS = ("", "own", "epoch", "step", "seconds")  # of the x axis
MOST_SMOOTH = 0.99
MOST_HIDDEN = 20  # names of lanes that are kept

_chart = component(
    "transfer_lab_live_chart",
    css=saving.with_style(_HERE.with_suffix(".css")),
    js=saving.with_script(_HERE.with_suffix(".js")),
    isolate_styles=False,  # Plotly puts its own styles into the document's head
)


@dataclass(frozen=True)
class LiveRun:
    """One run on the chart.

    ``url`` is a path of this server (``/api/runs/<id>/metrics``), without the base path the server may live under.
    ``state`` is what the page knows already: a run that the page knows to be over does not end again.
    ``recorded`` are the points of a run that was recorded (as ``server.live`` answers them): nothing is asked then.
    ``learn_s`` is how long learning alone took, by which several are replayed; 0 where that is not known.
    ``told`` says that the page says beside the chart that it was recorded.
    ``steps`` is how many gradient steps one unit of ``x`` has; 0 where it counts something else.
    """

    id: str
    url: str
    label: str = ""
    colour: str = ""
    state: str = "queued"
    steps: float = 0.0
    recorded: Sequence[Mapping[str, Any]] = ()
    learn_s: float = 0.0
    told: bool = False


@dataclass(frozen=True)
class ChartView:
    """How a person looks at charts: unit of the x axis ("" for the points' own), scale, smoothing, hidden lanes."""

    x: str = ""
    log: bool = False
    smooth: float = 0.0
    hidden: tuple[str, ...] = ()


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
    measure: str = "both",
    height: int = 480,
    at_a_time: int = 0,
    colours: Mapping[str, str] = MappingProxyType({}),
    view: ChartView = ChartView(),
    on_view: Callable[[], None] | None = None,
    reveal: str = "",
    together: bool = False,
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
    measure : "both" loss and accuracy, or the "error" alone, which methods of any kind share
    height : of the plots one above the other, in pixels; side by side they need less
    at_a_time : how many runs the server has go on at once, which a waiting run says; 0: unknown
    colours : head -> colour, for heads that have one of their own
    view : how the chart is looked at when it appears; from then on the browser knows
    together : a race: what begins about together is drawn from one moment on, seconds count from each run's first
        point, and when all have ended Replay shows them again from a common start
    on_view : called when a person changed that; what it is then stands under "view" in this widget's state
    reveal : names what was just started: the chart scrolls into view once for each name

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
            "x_unit": "own" if x_title else "epoch",
            "measure": measure,
            "palette": COLOURS,
            "colours": dict(colours),
            "view": asdict(view),
            "reveal": reveal,
            "together": together,
            "at_a_time": at_a_time,
            "rules": [asdict(rule) for rule in rules],
            "height": height,
            "language": language(),
            "name": key,
            "save": saving.words(label or _("Loss and accuracy"), table=False),
            "words": _words(at_a_time) | _titles(label, x_title, loss_title, accuracy_title),
        },
        on_finished_change=on_finished or _nothing,
        on_view_change=on_view or _nothing,
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


def check_view(value: object) -> ChartView:
    """Return how a chart is looked at by what a browser sent; what is not of its kind gives way to the default.

    Examples
    --------
    >>> check_view({"x": "seconds", "log": True, "smooth": 0.6, "hidden": ["scratch"]})
    ChartView(x='seconds', log=True, smooth=0.6, hidden=('scratch',))
    >>> check_view({"x": "<b>", "log": 1, "smooth": 7, "hidden": [3, "a" * 1000]}) == check_view(None) == ChartView()
    True
    """
    if not isinstance(value, Mapping):
        return ChartView()
    x, log, smooth, hidden = (value.get(name) for name in ("x", "log", "smooth", "hidden"))
    is_smooth = isinstance(smooth, int | float) and not isinstance(smooth, bool) and 0 <= smooth <= MOST_SMOOTH
    names = hidden if isinstance(hidden, list | tuple) else ()
    return ChartView(
        x if isinstance(x, str) and x in UNITS else "",
        log is True,
        round(float(smooth), 2) if is_smooth else 0.0,  # type: ignore[arg-type]
        tuple(name for name in names if isinstance(name, str) and 0 < len(name) <= 100)[:MOST_HIDDEN],
    )


def _titles(label: str, x_title: str, loss_title: str, accuracy_title: str) -> dict[str, str]:
    return {
        "label": label or _("Loss and accuracy"),
        "x": x_title or _("Epoch"),
        "loss": loss_title or _("Loss"),
        "accuracy": accuracy_title or _("Accuracy"),
    }


def _words(at_a_time: int) -> dict[str, Any]:
    at_once = _("This server runs {n} at a time").format(n=at_a_time)
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
        "recorded": _("Recorded"),
        "replay": _("Replay"),
        "log": _("Log scale"),
        "error": _("Error"),
        "error_short": _("Error (◆ test)"),
        "error_title": _("Error on validation images (◆ on test images)"),
        "x_axis": _("X axis"),
        "unit_step": _("Step"),
        "unit_seconds": _("Seconds"),
        "smoothing": _("Smoothing"),
        "smoothed": _("smoothed {n}"),
        "off": _("off"),
        "hide": _("Hide or show its curves"),
        "fit": _("Zoom to the curves"),
        "plotly": {  # by what its own buttons are called in English
            "Zoom": _("Zoom"),
            "Pan": _("Pan"),
            "Zoom in": _("Zoom in"),
            "Zoom out": _("Zoom out"),
            "Reset axes": _("Reset axes"),
        },
        "log_axis": _("log axis"),
        "axis": _("axis {low} to {high}"),
        "table": _("Data table"),
        "curve": _("curve"),
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
