"""The live chart of runs; how a person looks at charts stays over updates and pages, and in the address."""

from collections.abc import Sequence
from dataclasses import replace

from pages.ui.components.live_chart import ChartView, LiveRun, check_view, live_chart
from pages.ui.session import state
from tlcore import jobs
from tlcore.errors import LabError
from tlcore.evidence import finish
from tlcore.spec import Spec
from tlcore.store import Run

from .view import Chart


def chart(slot: str, runs: Sequence[LiveRun], label: str, about: Chart) -> None:
    """Show runs while they go on and after; what was just started scrolls into view.

    Parameters
    ----------
    slot : the graph lives as long as the page shows this slot
    """
    key, started = f"chart_{slot}", state.get("reveal")
    revealed = state.take("reveal") if any(run.id == started for run in runs) else ""
    going = any(run.state in ("queued", "running") for run in runs)
    axes = dict(vars(about))
    steps = axes.pop("steps")
    live_chart(
        key,
        runs=[replace(run, steps=steps) for run in runs],
        label=label,
        at_a_time=state.lab().engine.status().n_workers if going else 0,
        view=ChartView(*(state.get(f"chart_{name}") for name in ("x", "log", "smooth", "hidden"))),
        on_view=lambda: looked(key),
        reveal=revealed,
        **axes,
    )


def live(run: Run, label: str = "", colour: str = "") -> LiveRun:
    """Return a run as the chart follows it."""
    return LiveRun(run.id, f"/api/runs/{run.id}/metrics", label, colour, run.state, learn_s=finish.seconds(run))


def looked(key: str) -> None:
    """Keep how a person has set a chart: the others on any page follow when they appear."""
    view = check_view(state.get(key, {}).get("view"))
    state.put(chart_x=view.x, chart_log=view.log, chart_smooth=view.smooth, chart_hidden=view.hidden)


def steps_per_epoch(spec: Spec) -> float:
    """Return how many gradient steps an epoch of a spec has; 0 where it has no epochs, or its data is not here."""
    try:
        job = jobs.of(spec)
        return job.n_steps(spec) / job.epochs(spec) if job.epochs(spec) else 0.0
    except LabError:
        return 0.0
