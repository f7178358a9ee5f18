"""SVM, random forest and the rest on one layer's features, with raw pixels as the control."""

from collections.abc import Sequence

import streamlit as st

from pages.ui import frame
from pages.ui.runs import compare_heads, recorded, settings, view_of
from pages.ui.runs import run as run_view
from pages.ui.runs.by_hand import by_hand
from pages.ui.session import state
from pages.ui.words import names
from pages.ui.words.text import _, shown, tell, titled
from tlcore import datasets, sources
from tlcore.errors import LabError
from tlcore.heads import HEADS
from tlcore.spec import ByHand, HeadSpec, Input

frame.heading(
    _("Compare heads"),
    _("Which classifier makes the most of the same features? Every head is fitted on the same images, seed by seed."),
)
INPUTS: dict[Input, str] = {"features": _("Features of the layer"), "pixels": _("Raw pixels (control)")}


def chosen() -> HeadSpec:
    """Show what is compared; return it."""
    source = sources.info(state.get("source"))
    shapes = {layer.name: " × ".join(map(str, layer.output_shape)) for layer in source.layers if layer.cut}
    st.selectbox(
        _("Layer whose activations are the features"),
        list(shapes),
        format_func=lambda name: f"{name} ({shapes[name]})",
        help=_("Early layers are general and large, late ones small and specialised."),
        **state.keyed("layer"),
    )
    inputs = st.pills(
        _("Fitted on"),
        list(INPUTS),
        format_func=INPUTS.__getitem__,
        selection_mode="multi",
        help=_("Raw pixels show what the source's features add."),
        wrap=True,
        **state.keyed("inputs"),
    )
    compared = st.pills(
        _("Heads"),
        list(HEADS),
        format_func=names.heads().__getitem__,
        selection_mode="multi",
        default=list(HEADS),
        help=_("The classifiers to compare."),
        key="compared",
        persist_state="session",
        wrap=True,
    )
    button = st.empty()
    with st.expander(_("Settings"), icon=":material/tune:"):
        n_seeds, tune, hand = folded(compared)
        settings.class_weights(compared)
    first = int(state.get("seed"))
    spec = HeadSpec(
        source=source.name,
        layer=state.get("layer"),
        heads=tuple(compared),
        inputs=tuple(name for name in INPUTS if name in inputs),
        data=state.data_draft(),
        seeds=tuple(range(first, first + n_seeds)),
        curves=False,
        tune=tune,
        by_hand=hand,
        class_weight=state.class_weight(),
    )
    button.button(
        _("Compare heads"),
        key="start_cmp",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=not (spec.heads and spec.inputs),
        on_click=start,
        args=(spec,),
    )
    return spec


def folded(compared: Sequence[str]) -> tuple[int, bool, tuple[ByHand, ...]]:
    """Show what one rarely changes: seeds, tuning, hyperparameters by hand; return them."""
    n_seeds = st.number_input(
        _("Seeds"),
        1,
        10,
        help=_("Repetitions with other training images; their spread is the ±."),
        **state.keyed("n_seeds"),
    )
    tune = st.toggle(
        _("Tune each head first (slower, fairer)"),
        help=_(
            "Tries some values of C, k, depth or units for each head. Only the chosen value is used on the test images."
        ),
        **state.keyed("tune"),
    )
    return int(n_seeds), bool(tune), by_hand(compared)


def start(spec: HeadSpec) -> None:
    try:
        state.watch("cmp", state.start(spec).id)
    except LabError as error:
        state.put(start_error=tell(error))


def scaling_table() -> None:
    with st.expander(_("How each head's input is scaled, and why it matters")):
        st.write(
            _(
                "With few labels, an RBF SVM on standardised features does worse than a linear SVM: scaling every "
                "feature to the same spread amplifies the noise."
            )
        )
        st.dataframe(
            [
                {_("head"): shown(card.title), _("scaling"): shown(card.scaling), _("what it is"): shown(card.note)}
                for card in HEADS.values()
            ],
            hide_index=True,
        )


try:
    run = state.watched("cmp")
except LabError as error:
    st.warning(tell(error))
    run = None
left, right = st.columns([1, 2.4], gap="medium")
with left:
    spec = chosen()
    if message := state.take("start_error"):
        st.error(message)
    st.caption(
        _("{source} → {target}, {n} labels per class. Change these on the Layers and Train pages.").format(
            source=titled(sources.info(spec.source).title),
            target=titled(datasets.info(spec.data.target).title),
            n=spec.data.per_class or _("all"),
        )
    )
with right:
    if run is None:
        compare_heads.recorded()
    else:
        recorded.instead([run], ["cmp"])
        run_view.show(run, "cmp")
        if run.final and isinstance(run.spec, HeadSpec):
            compare_heads.finding(run, run.spec, run.result)  # type: ignore[arg-type]
if run and run.final and run.stored:
    view_of(run.spec).closer(run, run.result)
scaling_table()
frame.next_page("draw.py", _("Next: try it"))
