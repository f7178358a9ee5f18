"""The network as a diagram: what is frozen, what each cut reaches, what a layer sees; then sources and table."""

from collections.abc import Sequence

import streamlit as st

from pages.ui import frame
from pages.ui.closer.inside import layer_inside
from pages.ui.components.layer_picker import blocks, check_value, layer_picker, looked
from pages.ui.session import state
from pages.ui.sources import cards, own_model, reached
from pages.ui.words.numbers import percent
from pages.ui.words.text import PERCENT, _, titled
from tlcore import datasets, sources
from tlcore.features import freezing
from tlcore.features.freezing import Freezing
from tlcore.spec import FineTuneSpec, LayerInfo

PRESETS = {
    "nothing": _("Freeze nothing"),
    "article": _("First layer only (as in the article)"),
    "convolutions": _("All convolutions"),
    "all_but_last_block": _("All but the last block"),
    "last_two_stages": _("Train from {block} on"),
    "last_stage": _("Train from {block} on"),
    "all_but_head": _("All but the head"),
}
STAGES = {"last_two_stages": -2, "last_stage": -1}  # and which of the blocks that make the image smaller is named


def presets(frozen: Freezing) -> None:
    """Show a button for each named choice; the one that holds is marked."""
    choices, stages = freezing.presets(frozen.layers), freezing.stages(frozen.layers)
    with st.container(horizontal=True, key="presets"):
        for name, words in PRESETS.items():
            if name in ("all_but_last_block", *STAGES) and not choices[name]:
                continue
            if name == "convolutions" and stages and choices[name] == choices["all_but_head"]:
                continue
            st.button(
                words.format(block=stages[STAGES[name]]) if name in STAGES else words,
                key=f"preset_{name}",
                on_click=choose,
                args=(choices[name],),
                type="primary" if choices[name] == frozen.names else "secondary",
            )


def sentence(frozen: Freezing, draft: FineTuneSpec) -> None:
    """Say how many weights train, and what that saves in a step and in a whole training."""
    cost = frozen.cost
    if not cost.n_trainable:
        st.warning(_("Every layer with weights is frozen, so nothing would train. Unfreeze at least one layer."))
        return
    words = _("**{n:,} of {total:,} weights will train ({share}). Each step needs about {saved} less compute.**")
    if cost.share == 1:
        words = _("**{n:,} of {total:,} weights will train ({share}). No compute is saved.**")
    elif frozen.boundary is not None and not draft.augment:
        words = _(
            "**{n:,} of {total:,} weights will train ({share}). Each step needs about {saved} less compute, {epochs} "
            "epochs {times:.1f} times less.**"
        )
    whole = _(
        "Over a whole training the frozen part runs only once, not in every epoch. The claims on the Evidence page "
        "count it the same way."
    )
    if draft.augment:
        whole = _("Augmentation changes the images each epoch, so the frozen part runs in every epoch.")
    st.markdown(
        words.format(
            n=cost.n_trainable,
            total=cost.n_weights,
            share=percent(cost.n_trainable / cost.n_weights),
            saved=percent(1 - cost.share, 0),
            times=Freezing(frozen.layers).training(draft.epochs) / max(frozen.training(draft.epochs), 1),
            epochs=draft.epochs,
        ),
        help=_("Counted as the multiplications for one training image, forward and backward.") + " " + whole,
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
        _("{total:,} weights in all: {trainable:,} train and {frozen:,} are frozen.").format(
            total=cost.n_weights, trainable=cost.n_trainable, frozen=cost.n_weights - cost.n_trainable
        )
        + " "
        + _("{layer} is new: it has an output for each of the {n} classes of {target}.").format(
            layer=frozen.layers[-1].name, n=frozen.layers[-1].output_shape[-1], target=titled(target.title)
        )
    )
    if any(layer.type == "BatchNormalization" for layer in frozen.layers):
        st.caption(
            _(
                "A frozen BatchNormalization runs in inference mode: it uses its stored averages and does not update "
                "them."
            )
        )


def state_words(layer: LayerInfo, frozen: Sequence[str]) -> str:
    if not layer.can_freeze:
        return _("– nothing to freeze")
    if layer.type == "BatchNormalization" and layer.name in frozen:
        return _("frozen (runs in inference mode)")
    return _("frozen") if layer.name in frozen else _("trainable")


def choose(frozen: tuple[str, ...]) -> None:
    """Take a preset: the picker follows because its revision grows."""
    state.put(frozen=frozen, picker_rev=state.get("picker_rev", 0) + 1)


def picked() -> None:
    """Take what the picker says."""
    rev = state.get("picker_rev", 0)
    value = state.get("picker", {}).get("choice")
    chosen = check_value(value, source.layers, frozen=state.frozen().names, rev=rev)
    state.put(frozen=chosen)


def look() -> None:
    """Look inside the block that was clicked; a second click puts it away."""
    block = looked(state.get("picker", {}), source.layers)
    state.put(inside="" if block == state.get("inside") else block)


target = datasets.info(state.get("target"))
on_offer = state.sources_on_offer()
if state.get("source") not in [card.name for card in on_offer]:  # removed meanwhile, perhaps in another window
    state.use_source(state.DEFAULTS["source"])
source = sources.info(state.get("source"))
frozen = state.frozen()
inside = state.get("inside", "")
asked = reached.ask_every_cut(source)
tail = reached.from_here(source, frozen)

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="layers_title"):
    st.title(_("Layers"), anchor=False, width="content")
    reached.provenance(asked)
reached.show_headline(asked)
presets(frozen)
with st.container(key=f"network_{len(blocks(frozen.layers))}"):  # so that room is kept for the one that ships
    layer_picker(
        frozen.layers,
        frozen.names,
        key="picker",
        rev=state.get("picker_rev", 0),
        scores=reached.accuracies(asked),
        opened=inside,
        on_change=picked,
        on_look=look,
    )
with st.container(key="will_train"):
    sentence(frozen, state.draft())
retrained = reached.room(tail, source)
if inside in [block["name"] for block in blocks(source.layers)]:
    layer_inside(source, inside, lambda: state.put(inside=""))
st.subheader(_("Where it starts from"), anchor=False)
cards.choose(on_offer)
cards.size(source)
cards.details(source)
own_model.removal(source)
if not frozen.names and source.name == source.untrained:
    st.caption(_("Random weights with nothing frozen: this is training from scratch."))
own_model.own_model()
cards.absent()
with st.expander(_("All layers as a table"), icon=":material/table_rows:"):
    table(frozen)
    if asked.scores:
        st.caption(reached.about(asked.scores))
frame.next_page("train.py", _("Next: train"))
reached.finish(asked, tail, retrained)
