"""Start and stop the draft; live loss and accuracy of fine-tuning beside feature extraction."""

import streamlit as st

from pages.ui import frame
from pages.ui.components import live_chart
from pages.ui.runs import lanes, settings
from pages.ui.runs import run as run_view
from pages.ui.session import state
from pages.ui.sources.what_if import what_if
from pages.ui.words import names
from pages.ui.words.text import _, shown, tell
from tlcore import sources
from tlcore.errors import LabError
from tlcore.heads import CURVES, HEADS, LOSSES
from tlcore.recipes import comparison, is_control, scratch_control
from tlcore.sentences import percent
from tlcore.spec import OPTIMIZERS, Spec

RECIPES = {
    "default": _("One phase"),
    "two_phase": _("Two phases: the head first, then the rest"),
    "article": _("The article's own recipe"),
}

frame.heading(
    _("Train"),
    _("Ways to use what the source model knows, on the same images. Compare them in one go, or start one alone."),
)


def start(spec: Spec, slot: str) -> None:
    """Start a run and watch it in this slot."""
    try:
        run = state.start(spec)
    except LabError as error:
        state.put(start_error=tell(error))
        return
    state.watch(slot, run.id)


def comparing() -> None:
    """Choice and start of several ways at once."""
    st.subheader(_("Compare the ways"), anchor=False)
    frozen = state.frozen()
    st.markdown(
        _(
            "The same images, the same seed, one way after the other. Fine-tuning keeps **{frozen}** frozen; heads "
            "learn from the activations of **{layer}**."
        ).format(frozen=frozen.words or _("nothing"), layer=state.get("layer"))
    )
    st.pills(
        _("Ways to learn"),
        comparison.ways(),
        format_func=names.methods().__getitem__,
        selection_mode="multi",
        wrap=True,
        **state.keyed("ways"),
    )
    too_few = len(state.get("ways")) < comparison.FEWEST
    st.button(
        _("Run the comparison"),
        key="start_ways",
        type="primary",
        icon=":material/compare_arrows:",
        disabled=too_few,
        help=_("Pick two ways or more.") if too_few else None,
        on_click=lambda: start(state.comparison_draft(), "ways"),
    )


def fine_tuning() -> None:
    """Settings and start of the left way."""
    st.subheader(_("Fine-tuning"), anchor=False)
    frozen = state.frozen()
    cost = frozen.cost
    st.selectbox(_("Recipe"), list(RECIPES), format_func=RECIPES.__getitem__, **state.keyed("recipe"))
    if state.get("recipe") == "article":
        st.markdown(
            _(
                "The article trains a fresh 32-64-64-10 network for 5 epochs with rmsprop at batch 64 on 55,000 "
                "digits, freezes layers 0 and 1, and trains 5 epochs more. Good to know: layer 1 only pools, so this "
                "freezes 320 of 121,930 weights; its printed code pairs integer labels with categorical cross-entropy, "
                "which needs the sparse form; and source and target are one task, so nothing is transferred. "
                "Of the settings above only the seed applies."
            )
        )
        st.caption(
            _(
                "This full run takes a few minutes; of the 15,000 held-out images 5,000 draw the curve and "
                "10,000 are the test."
            )
        )
    else:
        st.markdown(
            ":material/ac_unit: "
            + _("Frozen: **{frozen}**. {n:,} of {total:,} weights train, about {share} less compute a step.").format(
                frozen=frozen.words or _("nothing"),
                n=cost.n_trainable,
                total=cost.n_weights,
                share=percent(1 - cost.share, 0),
            )
        )
        st.page_link("layers.py", label=_("Change the frozen layers"), icon=":material/layers:")
        settings.number("epochs", _("Epochs"), _("How often every training image is seen."))
        settings.few_steps()
        with st.expander(_("Advanced")):
            settings.number("batch_size", _("Batch size"), _("Images per step; smaller means more steps."))
            st.selectbox(
                _("Optimizer"),
                OPTIMIZERS,
                help=_("How a gradient becomes a step; adam is the safe choice."),
                **state.keyed("optimizer"),
            )
            settings.number(
                "learning_rate", _("Learning rate"), _("Too high diverges, too low crawls."), format="%.6f", step=0.0005
            )
            words = _("Keeps what each epoch moved, learned and forgot, to scrub afterwards.")
            st.toggle(_("Film the epochs"), help=words, **state.keyed("film"))
    with st.container(horizontal=True):
        st.button(
            _("Start training"),
            key="start_ft",
            type="primary",
            icon=":material/play_arrow:",
            shortcut="Alt+T",
            on_click=start_beside,
            args=("ft",),
        )
        if state.get("recipe") != "article":  # that one starts from random weights itself
            st.button(
                _("From scratch, same settings"),
                key="start_scratch",
                help=_("The control: random weights, nothing frozen, same images, seed and epochs. Drawn over it."),
                on_click=start_beside,
                args=("scratch",),
            )


def start_beside(slot: str) -> None:
    """Start the draft ("ft") or its control ("scratch"); what is beside it gives way unless they are a pair."""
    draft = state.draft()
    control = scratch_control(draft)
    other = state.watched("ft" if slot == "scratch" else "scratch")
    if other and not (is_control(control, other.spec) if slot == "scratch" else is_control(other.spec, draft)):
        state.watch("ft" if slot == "scratch" else "scratch", None)
    start(control if slot == "scratch" else draft, slot)


def feature_extraction() -> None:
    """Settings and start of the right way."""
    st.subheader(_("Feature extraction"), anchor=False)
    source = sources.info(state.get("source"))
    shapes = {layer.name: " × ".join(map(str, layer.output_shape)) for layer in source.layers if layer.cut}
    st.markdown(
        ":material/ac_unit: "
        + _("The whole backbone is frozen. Its activations become a table of numbers, and a head learns from that.")
    )
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
        type="primary",
        icon=":material/play_arrow:",
        disabled=not state.get("heads"),
        on_click=lambda: start(state.head_draft(), "fx"),
    )


def watch(slot: str, empty: str) -> None:
    """Show this slot's run, or what will appear here."""
    try:
        run = state.watched(slot)
    except LabError as error:
        st.warning(tell(error))
        return
    if run is None:
        st.info(empty)
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
        found = {slot: state.watched(slot) for slot in ("ft", "scratch")}
    except LabError as error:
        st.warning(tell(error))
        return
    labels = {"ft": _("Fine-tuning"), "scratch": _("From scratch")}
    runs = [lanes.Lane(labels[slot], run) for slot, run in found.items() if run]
    if len(runs) < 2:
        slot = "scratch" if found["scratch"] else "ft"
        watch(slot, _("The live curves of fine-tuning appear here. The default takes a few seconds."))
        return
    lanes.show(runs, "ft", _("Fine-tuning and the from-scratch control"))
    lanes.results(runs)
    if runs[0].run.final:
        run_view.show_result(runs[0].run)


settings.shared()
if message := state.take("start_error"):
    st.error(message)
with st.container(border=True, key="comparison"):
    comparing()
    watch("ways", _("One chart of all ways and the verdict appear here. The default takes about ten seconds."))
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
    watch("fx", _("The live curves of the head appear here: its loss as it sees more images, trees or epochs."))
with st.container(border=True, key="way_what_if"):
    what_if()
live_chart.prepare()
frame.next_page("heads.py", _("Next: compare heads"))
