"""One click compares the ways to learn a task, on one chart and with one verdict; below, each of them alone."""

import streamlit as st

from pages.ui import frame
from pages.ui.components import live_chart
from pages.ui.runs import comparison as comparison_view
from pages.ui.runs import lanes, settings
from pages.ui.runs import recorded as recorded_view
from pages.ui.runs import run as run_view
from pages.ui.runs.words import title
from pages.ui.session import state
from pages.ui.words import names
from pages.ui.words.numbers import percent
from pages.ui.words.text import _, plain, shown, tell
from tlcore import sources
from tlcore.errors import LabError
from tlcore.heads import CURVES, HEADS, LOSSES
from tlcore.recipes import comparison, is_control, scratch_control
from tlcore.spec import ComparisonSpec, Spec
from tlcore.store import Run

frame.heading(_("Train"), _("Train in several ways on the same images and see which works best."))


def start(spec: Spec, slot: str) -> None:
    """Start a run and watch it in this slot."""
    try:
        run = state.start(spec)
    except LabError as error:
        state.put(start_error=tell(error))
        return
    state.watch(slot, run.id)


def comparing() -> None:
    """Choose how many labels and which ways, and start them all."""
    settings.labels()
    frozen()
    st.pills(
        _("Ways to learn"),
        comparison_view.usual_ways(),
        format_func=comparison_view.choice,
        selection_mode="multi",
        wrap=True,
        **state.keyed("ways"),
    )
    too_few = len((*state.get("ways"), *state.get("more_ways"))) < comparison.FEWEST
    st.button(
        _("Run the comparison"),
        key="start_ways",
        type="primary",
        icon=":material/compare_arrows:",
        width="stretch",
        disabled=too_few,
        help=_("Pick two ways or more.") if too_few else None,
        on_click=lambda: start(state.comparison_draft(), "ways"),
    )
    if not too_few:
        settings.expected(state.comparison_draft())
    settings.few_steps()


def frozen() -> None:
    """Say what stays frozen and what that saves, with the way to change it."""
    chosen = state.frozen()
    cost = chosen.cost
    with st.container(key="frozen", gap="xsmall"):
        st.markdown(":material/ac_unit: " + _("Frozen: **{frozen}**.").format(frozen=chosen.words or _("nothing")))
        st.caption(
            _("{n:,} of {total:,} weights train, so each step needs about {share} less compute.").format(
                n=cost.n_trainable, total=cost.n_weights, share=percent(1 - cost.share, 0)
            )
        )
        st.page_link("layers.py", label=_("Change the frozen layers"), icon=":material/layers:")


def watched_comparison() -> Run | None:
    """Return the comparison that this page shows; None where there is none."""
    try:
        return state.watched("ways", ComparisonSpec.kind)
    except LabError as error:
        st.warning(tell(error))
        return None


def compared(run: Run | None) -> None:
    """Show the verdict and the chart of a comparison, or the recorded one where there is none."""
    if run is None:
        recorded_view.show()
        return
    with st.container(key="verdict"):
        found = comparison_view.verdict(run, run.result) if run.final else None  # type: ignore[arg-type]
        if found is None:
            st.caption(waiting_words(run))
    run_view.show(run, "ways", heading=False)
    if run.spec != state.comparison_draft():
        st.caption(
            _("This comparison was made with other settings than those chosen now: {title}.").format(
                title=plain(title(run))
            )
        )


def waiting_words(run: Run) -> str:
    """Return what stands in the verdict's place while there is none."""
    if run.final:
        return _("There is no verdict: not every way was tested.")
    return _("The verdict will appear here once every way has been tested.")


def fine_tuning() -> None:
    """Start of fine-tuning alone, and of its control."""
    st.subheader(_("Fine-tuning"), anchor=False)
    article = state.get("recipe") == "article"
    st.markdown(
        settings.recipes()["article"]
        if article
        else _("Trains everything that is not frozen, for {n} epochs.").format(n=state.draft().epochs)
    )
    with st.container(horizontal=True):
        st.button(
            _("Start training"),
            key="start_ft",
            icon=":material/play_arrow:",
            shortcut="Alt+T",
            on_click=start_beside,
            args=("ft",),
        )
        if not article:  # that one starts from random weights itself
            st.button(
                _("From scratch, same settings"),
                key="start_scratch",
                help=_(
                    "The control: random weights, nothing frozen, same images, seed and epochs. Shown on the "
                    "same chart."
                ),
                on_click=start_beside,
                args=("scratch",),
            )
    settings.expected(state.draft())


def start_beside(slot: str) -> None:
    """Start the draft ("ft") or its control ("scratch"); what is beside it gives way unless they are a pair."""
    draft = state.draft()
    control = scratch_control(draft)
    other = state.watched("ft" if slot == "scratch" else "scratch")
    if other and not (is_control(control, other.spec) if slot == "scratch" else is_control(other.spec, draft)):
        state.watch("ft" if slot == "scratch" else "scratch", None)
    start(control if slot == "scratch" else draft, slot)


def feature_extraction() -> None:
    """Settings and start of feature extraction alone."""
    st.subheader(_("Feature extraction"), anchor=False)
    source = sources.info(state.get("source"))
    shapes = {layer.name: " × ".join(map(str, layer.output_shape)) for layer in source.layers if layer.cut}
    st.markdown(_("The whole backbone is frozen. A head learns from its activations."))
    st.selectbox(
        _("Layer whose activations are the features"),
        list(shapes),
        format_func=lambda name: f"{name} ({shapes[name]})",
        help=_("Early layers are general and large, late ones small and specialised."),
        **state.keyed("layer"),
    )
    st.pills(
        _("Head"),
        list(HEADS),
        format_func=names.heads().__getitem__,
        selection_mode="multi",
        help=_("The classifier trained on the features; several share one extraction."),
        wrap=True,
        **state.keyed("heads"),
    )
    for name in state.get("heads"):
        card = HEADS[name]
        st.caption(
            _("**{title}**: {note} Curve: {loss} against {unit}.").format(
                title=shown(card.title),
                note=shown(card.note),
                loss=shown(LOSSES[card.loss]),
                unit=shown(CURVES[card.curve]),
            )
        )
    st.button(
        _("Start extraction"),
        key="start_fx",
        icon=":material/play_arrow:",
        disabled=not state.get("heads"),
        on_click=lambda: start(state.head_draft(), "fx"),
    )


def watch(slot: str) -> None:
    """Show this slot's run, where there is one."""
    try:
        run = state.watched(slot)
    except LabError as error:
        st.warning(tell(error))
        return
    if run is None:
        return
    run_view.show(run, slot)
    if run.final:
        run_view.show_result(run)
        if run.accuracy is not None and st.button(
            _("Look closer at every answer"), key=f"closer_{slot}", icon=":material/troubleshoot:"
        ):
            run_view.open_run(run)


def watch_tuning() -> None:
    """Show the fine-tuning, and over it its control once that was started."""
    try:
        watched = {slot: state.watched(slot) for slot in ("ft", "scratch")}
    except LabError as error:
        st.warning(tell(error))
        return
    labels = {"ft": _("Fine-tuning"), "scratch": _("From scratch")}
    runs = [lanes.Lane(labels[slot], run) for slot, run in watched.items() if run]
    if len(runs) < 2:
        watch("scratch" if watched["scratch"] else "ft")
        return
    lanes.show(runs, "ft", _("Fine-tuning and the from-scratch control"))
    lanes.results(runs)
    if runs[0].run.final:
        run_view.show_result(runs[0].run)


settings.not_shipped()
if message := state.take("start_error"):
    st.error(message)
run = watched_comparison()
left, right = st.columns([1, 2.4], gap="medium")
with left, st.container(key="comparison"):
    comparing()
    if run:
        with st.container(horizontal=True):
            run_view.controls(run, "ways")
            recorded_view.instead([run], ["ways"])
            if run.final:
                comparison_view.race_button(run)
with right:
    compared(run)
if run and run.final:
    comparison_view.reached(run, run.result)  # type: ignore[arg-type]
with st.expander(_("Settings"), icon=":material/tune:"):
    settings.folded()
st.subheader(_("One way alone"), anchor=False)
left, right = st.columns(2, gap="medium")
with left, st.container(border=True, key="way_ft"):
    fine_tuning()
with right, st.container(border=True, key="way_fx"):
    feature_extraction()
left, right = st.columns(2, gap="medium")
with left:
    watch_tuning()
with right:
    watch("fx")
live_chart.prepare()
frame.next_page("heads.py", _("Next: compare heads"))
