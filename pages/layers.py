"""Source model, layer table, what to freeze; edits the draft."""

from collections.abc import Sequence

import streamlit as st

from pages.ui import frame
from pages.ui.closer import inside
from pages.ui.components.layer_picker import check_value, layer_picker
from pages.ui.session import state
from pages.ui.sources import own_model
from pages.ui.words.text import PERCENT, _
from tlcore import datasets, sources
from tlcore.features import freezing
from tlcore.features.freezing import Freezing
from tlcore.sentences import percent
from tlcore.spec import LayerInfo, SourceInfo

PRESETS = {
    "nothing": _("Freeze nothing"),
    "article": _("The article's layers 0 and 1"),
    "convolutions": _("All convolutions"),
    "all_but_last_block": _("All but the last block"),
    "all_but_head": _("All but the head"),
}

frame.heading(
    _("Layers"),
    _("Choose a source model and which of its layers stay frozen. The rest goes on training on the new task."),
)


def card(source: SourceInfo) -> None:
    """Show where a source model comes from."""
    if source.accuracy is None:
        st.caption(source.note or _("Random weights: the control that has learned nothing yet."))
        own_model.findings(source)
        return
    st.caption(
        _("Trained on {dataset}: {n:,} images, seed {seed}; {accuracy} on its own {n_test:,} test images.").format(
            dataset=source.dataset,
            n=source.n_train,
            seed=source.seed,
            accuracy=percent(source.accuracy),
            n_test=source.n_test,
        )
        + (f" {source.note}" if source.note else "")
    )
    with st.popover(_("How it was made")):
        st.write(_("This command trains it again:"))
        st.code(source.rebuild, language="bash")
        st.caption(f"sha256 {source.sha256}")
        if source.measures:
            st.dataframe(
                [{_("measured on"): name, _("accuracy"): 100 * value} for name, value in source.measures.items()],
                column_config={_("accuracy"): st.column_config.NumberColumn(format=PERCENT)},
                hide_index=True,
            )


def table(frozen: Freezing) -> None:
    """Show every layer; the sums are the network's own."""
    cost = frozen.cost
    rows = [
        {
            "#": layer.index,
            _("layer"): layer.name,
            _("type"): layer.type,
            _("output"): " × ".join(map(str, layer.output_shape)),
            _("weights"): layer.n_weights,
            _("share"): 100 * layer.n_weights / cost.n_weights,
            _("state"): state_words(layer, frozen.names),
        }
        for layer in frozen.layers
    ]
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            _("share"): st.column_config.ProgressColumn(format=PERCENT, min_value=0, max_value=100),
            _("weights"): st.column_config.NumberColumn(format="localized"),
        },
        key="layer_table",
        alt=_("Layers with their weights and state"),
    )
    st.caption(
        _("Sum: {total:,} weights, of which {trainable:,} train and {frozen:,} are frozen.").format(
            total=cost.n_weights, trainable=cost.n_trainable, frozen=cost.n_weights - cost.n_trainable
        )
        + " "
        + _("{layer} is new: it has an output for each of the {n} classes of {target}.").format(
            layer=frozen.layers[-1].name, n=frozen.layers[-1].output_shape[-1], target=target.title
        )
    )


def state_words(layer: LayerInfo, frozen: Sequence[str]) -> str:
    if not layer.can_freeze:
        return _("– nothing to freeze")
    if layer.type == "BatchNormalization" and layer.name in frozen:
        return _("frozen (runs in inference mode)")
    return _("frozen") if layer.name in frozen else _("trainable")


def compute_words(frozen: Freezing, n_epochs: int) -> str:
    """Return what the saving counts, and what it is over a whole training, as the claims count it."""
    words = _("Compute is counted in multiplications of one training image, forward and backward.")
    if frozen.boundary is None:
        return words
    whole = Freezing(frozen.layers).training(n_epochs) / frozen.training(n_epochs)
    more = _(
        "Over {n} epochs it is **{times:.1f} times** less than training everything, where the frozen part runs once "
        "and not in every epoch; the claims on Evidence count it so."
    )
    return words + " " + more.format(n=n_epochs, times=whole)


def choose(frozen: tuple[str, ...]) -> None:
    """Take a preset: the picker follows because its revision grows."""
    state.put(frozen=frozen, picker_rev=state.get("picker_rev", 0) + 1)


def picked() -> None:
    """Take what the picker says."""
    rev = state.get("picker_rev", 0)
    value = state.get("picker", {}).get("choice")
    chosen = check_value(value, source.layers, frozen=state.frozen().names, rev=rev)
    state.put(frozen=chosen)


target = datasets.info(state.get("target"))
names = {source.name: source.title for source in state.sources_on_offer()}
if state.get("source") not in names:  # removed meanwhile, perhaps in another window
    state.use_source(state.DEFAULTS["source"])
left, right = st.columns([1, 2], gap="large")
with left:
    st.selectbox(
        _("Source model"),
        list(names),
        format_func=names.__getitem__,
        on_change=state.fit_to_source,
        **state.keyed("source"),
    )
    source = sources.info(state.get("source"))
    card(source)
    own_model.removal(source)
    own_model.own_model()
with right:
    presets, frozen = freezing.presets(source.layers), state.frozen()
    with st.container(horizontal=True):
        for name, words in PRESETS.items():
            if name == "all_but_last_block" and not presets[name]:
                continue
            chosen = presets[name] == frozen.names
            st.button(
                words,
                key=f"preset_{name}",
                on_click=choose,
                args=(presets[name],),
                type="primary" if chosen else "secondary",
            )
    cost = frozen.cost
    if cost.n_trainable:
        sentence = _("**{n:,} of {total:,} weights will train ({share}), about {saved} less compute a step.**")
        if cost.share == 1:
            sentence = _("**{n:,} of {total:,} weights will train ({share}): nothing is saved.**")
        st.container(key="will_train").markdown(
            sentence.format(
                n=cost.n_trainable,
                total=cost.n_weights,
                share=percent(cost.n_trainable / cost.n_weights),
                saved=percent(1 - cost.share, 0),
            )
        )
        st.caption(compute_words(frozen, state.draft().epochs))
    else:
        st.warning(_("Every layer with weights is frozen, so nothing would train. Unfreeze at least one layer."))

layer_picker(
    source.layers,
    frozen.names,
    key="picker",
    rev=state.get("picker_rev", 0),
    on_change=picked,
)
if not frozen.names and source.name == source.untrained:
    st.caption(_("Random weights with nothing frozen: this is training from scratch."))
table(frozen)
if any(layer.type == "BatchNormalization" for layer in source.layers):
    st.caption(
        _("A frozen BatchNormalization runs in inference mode: it uses its stored averages and does not update them.")
    )
inside.look_inside()
frame.next_page("train.py", _("Next: train"))
