"""Full control of a fine-tuning for who wants more: when layers thaw, how the rate moves, when it ends by itself."""

import streamlit as st

from pages.ui.charts import plots
from pages.ui.charts.figure import show_figure
from pages.ui.inputs.answers import gallery
from pages.ui.session import state
from pages.ui.words.text import _, plain, shown, tell
from tlcore import datasets, inputs, sources
from tlcore.errors import LabError
from tlcore.features import freezing, prefix
from tlcore.features.blocks import blocks
from tlcore.spec import SCHEDULES, Phase

from .numbers import number

MOST_STEPS = 8  # of a schedule made by hand
N_COPIES = 4  # of an image, shown where augmentation is chosen


def rates() -> None:
    """Show how the learning rate moves and differs by block, and early stopping."""
    titles = schedules()
    st.selectbox(
        _("Schedule of the rate"),
        SCHEDULES,
        format_func=titles.__getitem__,
        help=_("Over the steps of each phase. A warm-up begins at a tenth of the rate; a cosine ends at 0."),
        **state.keyed("schedule"),
    )
    words = _(
        "Each block's learning rate is this number times that of the block after it. With 1, all blocks have the same "
        "rate."
    )
    number("rate_factor", _("Rate factor per block"), words, step=0.05)
    words = _("End after this many epochs without a lower validation loss, and keep the best epoch. 0: never.")
    number("patience", _("Early stopping after"), words)


def augmentation() -> None:
    """Offer augmentation where the items of the chosen source have one, with what it makes of an image."""
    changes = state.augments()
    if not changes:
        return
    words = _(
        "Each epoch trains on slightly changed copies of the images: {changes}. Only for networks; heads learn from "
        "the images as they are."
    )
    st.toggle(_("Augment the images"), help=words.format(changes=shown(changes)), **state.keyed("augment"))
    if not state.get("augment"):
        return
    target = state.get("target")
    items = state.augmented(target, N_COPIES, int(state.get("seed")))
    if len(items):
        pictures = inputs.modality(datasets.info(target).form.modality).previews(items)
        captions = [_("original"), *(_("epoch {n}").format(n=n) for n in range(1, N_COPIES + 1))]
        st.html(gallery(pictures, captions))
    if state.frozen().boundary:
        st.caption(shown(prefix.CHANGED))


def finder() -> None:
    """Try rising learning rates on the draft, show the loss, and offer the rate at which it falls fastest."""
    draft = state.draft()
    if st.button(
        _("Find a learning rate"),
        key="find_rate",
        icon=":material/search:",
        help=_("Trains 80 steps, each at a higher rate, and shows where the loss falls fastest. Takes a few seconds."),
    ):
        state.put(rate_tested=draft)
    if state.get("rate_tested") != draft:
        return
    try:
        with st.spinner(_("Trying rates")):
            test = state.rate_test(draft)
    except LabError as error:
        st.warning(tell(error))
        return
    show_figure(
        plots.range_test(test.rates, test.losses, test.best),
        key="rate_test",
        alt=_("Training loss against rising learning rates"),
    )
    if test.best is None:
        st.caption(_("No rate made the loss fall. Unfreeze more layers, or use more labels."))
        return
    st.caption(
        _("The loss falls fastest at a rate of {rate:g} (the range test of Smith, 2017).").format(rate=test.best)
    )
    words = _("Use {rate:g}").format(rate=test.best)
    st.button(words, key="use_rate", on_click=state.put, kwargs={"learning_rate": test.best})


def schedules() -> dict[str, str]:
    """Return what the schedules of the learning rate are called."""
    return {
        "constant": _("Constant"),
        "warm_up": _("Warm-up, then constant"),
        "cosine": _("Cosine"),
        "warm_up_cosine": _("Warm-up, then cosine"),
    }


def thawing() -> None:
    """Show the schedule of thawing where the recipe has one, and what trains when."""
    recipe = state.get("recipe")
    if recipe == "gradual":
        words = _("Each time this many epochs have passed, one more block starts training, beginning with the last.")
        number("thaw_every", _("Epochs between two thaws"), words)
    elif recipe == "own":
        _editor()
    else:
        return
    st.markdown("\n".join(f"- {plain(line)}" for line in plan()))
    st.caption(_("The frozen layers chosen on the Layers page do not count here."))


def plan() -> list[str]:
    """Return a line for each phase of the draft: its epochs, and what is frozen in them."""
    draft, lines, first = state.draft(), [], 1
    for phase in draft.phases:
        frozen = freezing.words(draft.source, phase.frozen) or _("nothing")
        lines.append(_epochs(first, phase).format(first=first, last=first + phase.epochs - 1, frozen=frozen))
        first += phase.epochs
    return lines


def _epochs(first: int, phase: Phase) -> str:
    if phase.epochs == 1:
        return _("Epoch {first}: frozen {frozen}")
    return _("Epochs {first} to {last}: frozen {frozen}")


def _editor() -> None:
    """Show a row for each step: after which epoch, frozen up to which layer."""
    thaws = state.get("thaws")
    cuts = ["", *(names[-1] for names in blocks(sources.info(state.get("source")).layers)[:-1])]
    for i, (after, cut) in enumerate(thaws):
        state.put(**{f"thaw_after_{i}": after, f"thaw_cut_{i}": cut if cut in cuts else ""})
        left, right = st.columns(2)
        left.number_input(
            _("After epoch"), 0, 99, key=f"thaw_after_{i}", disabled=i == 0, on_change=_edited, args=(len(thaws),)
        )
        right.selectbox(
            _("Frozen through"),
            cuts,
            format_func=lambda name: name or _("nothing"),
            key=f"thaw_cut_{i}",
            on_change=_edited,
            args=(len(thaws),),
        )
    with st.container(horizontal=True):
        more = (*thaws, (min(thaws[-1][0] + 5, 99), ""))
        st.button(_("Add a step"), key="thaw_more", disabled=len(thaws) >= MOST_STEPS, on_click=_take, args=(more,))
        st.button(_("Remove the last"), key="thaw_less", disabled=len(thaws) < 2, on_click=_take, args=(thaws[:-1],))
    epochs = int(state.get("epochs"))
    if late := sum(after >= epochs for after, _cut in thaws):
        st.caption(_("{n} of the steps would begin after the last epoch and are left out.").format(n=late))


def _edited(n: int) -> None:
    _take(tuple((int(state.get(f"thaw_after_{i}")), state.get(f"thaw_cut_{i}") or "") for i in range(n)))


def _take(thaws: tuple[tuple[int, str], ...]) -> None:
    state.put(thaws=thaws)
