"""Sweeps on a page: what they measured as a table and a chart, the way on, and the form that starts one."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui.charts import sweep_charts
from pages.ui.charts.figure import show_figure
from pages.ui.charts.palette import COLOURS
from pages.ui.runs.downloads import download
from pages.ui.session import state
from pages.ui.words import names
from pages.ui.words.numbers import spread
from pages.ui.words.text import _, shown, tell, titled
from tlcore import datasets, exports, sources
from tlcore.errors import LabError
from tlcore.evidence import Recorded, method_of, methods, recorded, savings, sweeps
from tlcore.evidence.once import once
from tlcore.spec import PIXELS, Cell, Spec, SweepResult, SweepSpec
from tlcore.store import Run

LABELS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
BUDGETS = (30, 60, 120, 300, 600, 1800)
MOST_LINES = len(COLOURS)

Line = tuple[str, str, str]  # source, cut, method


def line_title(line: Line) -> str:
    """Return what one line of a chart is, in words."""
    source, cut, method = line
    return shown(method_of(method).line(source, cut))


@once
def lines_of(cells: Sequence[Cell], scores: bool) -> dict[Line, list[savings.Band]]:
    """Return the bands of every source, cut and method: of accuracies, or of transferability scores."""
    chosen = [cell for cell in cells if method_of(cell.method).is_score == scores]
    keys = dict.fromkeys((cell.source, cell.cut, cell.method) for cell in chosen)
    found = {key: savings.bands(savings.curve(chosen, key[2], key[0], key[1])) for key in keys}
    return {key: bands for key, bands in found.items() if bands}


def result(run: Run, spec: SweepSpec, result: SweepResult) -> None:
    """Show what a sweep has measured, whole or not, and offer to go on where it is not."""
    cells = state.lab().store.cells(run.id)
    if not cells:
        st.info(_("Nothing was measured before the end, so there is no result to show."))
        return
    figures(cells, run.id)
    if result.lopsided:
        st.caption(_("The classes of the test images are lopsided, so each accuracy is the mean of the classes'."))
    outcome(run, result)
    with st.container(horizontal=True):
        download(run, "experiments")
        if not result.complete:
            st.button(
                _("Go on"),
                key=f"go_on_{run.id}",
                icon=":material/resume:",
                help=_("Starts a new sweep that keeps everything measured so far."),
                on_click=start,
                args=(sweeps.resumed(spec, run.id), "sweep"),
            )


def for_researchers(part: str, expanded: bool = False) -> DeltaGenerator | None:
    """Show the fold for what few want to see of a part; return it where it is open: its tables take long to make."""
    words, name = _("For researchers"), f"researchers_{part}"
    box = st.expander(words, expanded, key=name, icon=":material/science:", on_change="rerun")
    return box if box.open else None


@st.fragment(run_every=2.0)
def so_far(run_id: str) -> None:
    """Show the means of a sweep that goes on; a table keeps its place when it grows, a chart would blink."""
    cells = state.lab().store.cells(run_id)
    st.dataframe(table(cells), hide_index=True, alt=_("Means over seeds so far"), key=f"so_far_{run_id}")


def figures(cells: Sequence[Cell], key: str) -> None:
    """Show the curves over labels and the table of means with their intervals."""
    lines = lines_of(cells, scores=False)
    first = dict(list(lines.items())[:MOST_LINES])
    if any(len(bands) > 1 for bands in first.values()):
        figure = sweep_charts.label_curves(
            {line_title(line): bands for line, bands in first.items()}, ways=[method for *_of, method in first]
        )
        show_figure(
            figure,
            key=f"sweep_{key}",
            alt=_("Test accuracy against labels per class, with bands"),
        )
    if len(lines) > MOST_LINES:
        st.caption(_("The first {n} of {m} lines; the table has all.").format(n=MOST_LINES, m=len(lines)))
    st.dataframe(table(cells), hide_index=True, alt=_("Means over seeds with the half-width of their interval"))


def table(cells: Sequence[Cell]) -> list[dict[str, str]]:
    """Return a row for every source, cut and method with a column for each number of labels."""
    labels = sorted({cell.per_class for cell in cells})
    rows = []
    for scores in (False, True):
        for line, bands in lines_of(cells, scores).items():
            at = {band.x: _band(band, scores) for band in bands}
            numbers = {_("{n} labels").format(n=n): at.get(n, "–") for n in labels}
            rows.append({_("what"): line_title(line), **numbers})
    return rows


def _band(band: savings.Band, score: bool) -> str:
    width = band.high - band.mean if band.n_seeds > 1 else None
    if score:
        return f"{band.mean:.2f}" + ("" if width is None else f" ± {width:.2f}")
    return spread(band.mean, width)


def outcome(run: Run, result: SweepResult) -> None:
    """Say how many experiments there are, how the sweep ended and what that cost."""
    if not run.stored:
        return
    ended = {
        "complete": _("All {n:,} experiments"),
        "budget": _("{n:,} of {m:,} experiments (time budget used up)"),
        "stopped": _("{n:,} of {m:,} experiments (stopped)"),
    }[result.ended]
    words = _(
        "in {seconds:.0f} s; {before:,} of them were reused. ± is the half-width of the 95 % interval of the "
        "mean over seeds; every accuracy is on the same {n_test:,} test images."
    )
    parts = [ended.format(n=result.n_cells, m=result.n_planned)]
    parts.append(words.format(seconds=result.total_s, before=result.n_before, n_test=result.n_test))
    if result.n_failed:
        parts.append(_("{n:,} failed; the CSV says why.").format(n=result.n_failed))
    st.caption(" ".join(parts))


def csv_button(cells: Sequence[Cell], name: str, key: str) -> None:
    st.download_button(
        _("Experiments (CSV)"),
        lambda: exports.cells_csv(cells),
        file_name=name,
        mime="text/csv",
        key=f"cells_{key}",
        icon=":material/download:",
        on_click="ignore",
    )


def start(spec: Spec, slot: str) -> None:
    """Start a run and watch it in this slot."""
    try:
        state.watch(slot, state.start(spec).id)
    except LabError as error:
        state.put(start_error=tell(error))


def live_button(specs: Sequence[tuple[SweepSpec, str]], key: str, label: str = "") -> None:
    """Show the button that measures a study here, each of its grids in the slot beside it, and how long it takes."""

    def start_all() -> None:
        for spec, slot in specs:
            start(spec, slot)

    grids = [spec for spec, _slot in specs]
    st.button(
        label or _("Measure it live"),
        key=key,
        icon=":material/play_arrow:",
        help=_("The same experiments with {n} seeds, here and now.").format(n=len(grids[0].seeds)),
        on_click=start_all,
    )
    if (seconds := expected(grids)) is not None:
        st.caption(_("About {time} on a machine like the recorded one.").format(time=minutes(seconds)))


def origin(found: Recorded) -> str:
    """Say that a result is recorded, when, on what, and how to measure it again."""
    return _(
        "Recorded {date} on {machine} in {seconds:.0f} s of experiments, {seeds} seeds, TensorFlow {tensorflow}. "
        "To measure it again: `{command}`"
    ).format(
        date=found.date,
        machine=found.machine,
        seconds=found.seconds,
        seeds=found.n_seeds,
        tensorflow=found.versions.get("tensorflow-cpu") or found.versions.get("tensorflow", "–"),
        command=found.command,
    )


def provenance(*studies: Recorded) -> None:
    """Say once that what stands above is recorded; behind the sign, on what and by which command."""
    words = _("Recorded {date}.").format(date=max(found.date for found in studies))
    st.caption(words, help="\n\n".join(map(origin, studies)))


def expected(specs: Sequence[SweepSpec]) -> float | None:
    """Return how many seconds sweeps should take, by what was recorded; None where nothing alike was."""
    return _expected(tuple(specs))


@lru_cache(maxsize=100)
def _expected(specs: tuple[SweepSpec, ...]) -> float | None:
    return sweeps.expected_s([cell for spec in specs for cell in sweeps.plan(spec)], recorded.all_cells())


def minutes(seconds: float) -> str:
    if seconds < 100:
        return _("{n:.0f} s").format(n=seconds)
    return _("{n:.0f} min").format(n=seconds / 60)


# -- the form --------------------------------------------------------------------------------------------------------


def draft() -> SweepSpec:
    """Show the choices of a grid; return it."""
    cards = {card.name: titled(card.title) for card in state.sources_on_offer()}
    state.put(sweep_sources=tuple(name for name in state.get("sweep_sources") if name in cards))
    pills(_("Sources"), cards, "sweep_sources", _("Where the features come from."))
    chosen = tuple(state.get("sweep_sources")) or SweepSpec().sources
    cuts = tuple(dict.fromkeys((PIXELS, *(name for each in chosen for name in sources.info(each).cut_names))))
    if asked := state.get("sweep_cuts"):  # another source has other layers
        kept = tuple(cut for cut in asked if cut in cuts)
        without = [each for each in chosen if not {PIXELS, *sources.info(each).cut_names} & set(kept)]
        state.put(sweep_cuts=(*kept, *sweeps.fitting_cuts(without, SweepSpec().cuts)))
    pills(_("Cuts"), dict.fromkeys(cuts), "sweep_cuts", _("The last frozen layer; pixels freezes none."))
    pills(_("Methods"), names.methods(), "sweep_methods", _("Heads, networks, and scores that need no training."))
    pills(
        _("Labels per class"),
        dict.fromkeys(LABELS),
        "sweep_labels",
        _("Training images of each class; the smaller sets are part of the larger."),
    )
    a, b, c = st.columns([2, 1, 1])
    targets = {card.name: titled(card.title) for card in datasets.catalogue() if card.offline}
    target = a.selectbox(_("Target task"), list(targets), format_func=targets.__getitem__, key="sweep_target", index=2)
    b.number_input(_("Seeds"), 1, 20, help=_("Repetitions with other images."), **state.keyed("sweep_seeds"))
    c.selectbox(
        _("Time budget"),
        BUDGETS,
        format_func=minutes,
        help=_("It stops after this time, keeps what it has measured, and can be continued."),
        **state.keyed("sweep_budget"),
    )
    return SweepSpec(
        sources=tuple(state.get("sweep_sources")),
        target=target,
        cuts=tuple(name for name in cuts if name in state.get("sweep_cuts")),
        methods=tuple(name for name in methods() if name in state.get("sweep_methods")),
        per_class=tuple(sorted(state.get("sweep_labels"))),
        seeds=tuple(range(int(state.get("sweep_seeds")))),
        budget_s=int(state.get("sweep_budget")),
    )


def pills(label: str, options: Mapping[Any, str | None], key: str, words: str) -> None:
    st.pills(
        label,
        list(options),
        format_func=lambda name: options[name] or f"{name}",
        selection_mode="multi",
        help=words,
        wrap=True,
        **state.keyed(key),
    )


def own_sweep() -> None:
    """Show the form, how long it should take, the button, and the sweep that was started last."""
    spec = draft()
    try:
        sweeps.check(spec)
        n = len(sweeps.plan(spec))
        words = _("{n:,} experiments, each tested on {m:,} fixed test images.").format(n=n, m=spec.n_test)
        if (seconds := expected([spec])) is not None:
            words += " " + _("About {time} on a machine like the recorded one.").format(time=minutes(seconds))
        st.caption(words)
        problem = ""
    except LabError as error:
        problem = tell(error)
        st.warning(problem)
    st.button(
        _("Start the sweep"),
        key="start_sweep",
        type="primary",
        icon=":material/play_arrow:",
        disabled=bool(problem),
        on_click=start,
        args=(spec, "sweep"),
    )
