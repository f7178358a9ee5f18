"""The fields of what every way to train has in common, and what they say of a choice that would hardly train."""

from collections.abc import Sequence

import streamlit as st

from pages.ui.components.copy_link import copy_link
from pages.ui.session import state
from pages.ui.words import names
from pages.ui.words.text import _, ngettext, plain, titled
from tlcore import datasets, training
from tlcore.errors import LabError
from tlcore.heads import HEADS
from tlcore.recipes import comparison
from tlcore.spec import OPTIMIZERS, RANGES, SPLITS, Spec

from . import advanced, spoiling
from .comparison import choice, usual_ways
from .numbers import number

SLIDER_END = 500  # labels per class; the number beside the slider goes on
ENOUGH_STEPS = 60  # at 5 labels a class, 20 steps reach 77 % and 60 steps 84 %


def labels() -> None:
    """Show how many labels of each class there are to learn from: a slider for most of it, a number for the rest."""
    state.keep("per_class", "all_images")
    most, asked = most_per_class(), int(state.get("per_class"))
    if most and asked > most:
        state.put(per_class=most)
    now, end = min(asked, most or asked), min(SLIDER_END, most or SLIDER_END)
    everything = bool(state.get("all_images"))
    state.put(labels=min(now, end))
    st.slider(
        _("Labels per class"),
        1,
        end,
        key="labels",
        disabled=everything,
        on_change=_slid,
        help=_("The fewer examples, the more transfer helps."),
    )
    with st.container(horizontal=True, vertical_alignment="center", key="labels_exact"):
        number(
            "per_class",
            _("Labels per class, as a number"),
            _("The fewer examples, the more transfer helps."),
            disabled=everything,
            label_visibility="collapsed",
            width=150,
            **({"most": most} if most else {}),
        )
        st.toggle(
            _("All"), help=_("All training images: the full run, better and slower."), **state.keyed("all_images")
        )
    if most and asked > most:
        words = _("{target} has only {most:,} training images per class, so {most:,} are used instead of {asked:,}.")
        st.caption(words.format(target=plain(titled(datasets.info(state.get("target")).title)), most=most, asked=asked))


def _slid() -> None:
    state.put(per_class=int(state.get("labels")))


def folded() -> None:
    """Show what one rarely changes: the task, how the networks train, and the address that keeps all of it."""
    a, b, c = st.columns(3)
    with a:
        task()
        spoiling.controls()
        seed()
        own_drawings()
    with b:
        st.selectbox(_("Recipe"), list(recipes()), format_func=recipes().__getitem__, **state.keyed("recipe"))
        if state.get("recipe") == "article":
            the_articles()
        else:
            advanced.thawing()
            number("epochs", _("Epochs"), _("How often every training image is seen."))
            number("batch_size", _("Batch size"), _("Images per step; smaller means more steps."))
            advanced.augmentation()
    with c:
        if state.get("recipe") != "article":
            optimising()
            advanced.rates()
            class_weights([way for way in state.comparison_draft().ways if way in HEADS])
    if state.get("recipe") != "article":
        advanced.finder()
    further = [way for way in comparison.ways() if way not in usual_ways()]
    st.pills(
        _("Further heads in the comparison"),
        further,
        format_func=choice,
        selection_mode="multi",
        wrap=True,
        **state.keyed("more_ways"),
    )
    about = _("Anyone who opens this link gets these settings on every page. It contains none of your runs or data.")
    copy_link(state.link(), key="link_draft", about=about)


def class_weights(heads: Sequence[str]) -> None:
    """Offer that each class counts alike in the loss, and name the heads among these that cannot."""
    words = _(
        "Each class counts alike in the loss, however few images it has: every image is weighted by n / (classes × "
        "images of its class), as scikit-learn does. With the same number of labels for each class this changes "
        "nothing: choose All images, or lopsided classes."
    )
    st.toggle(_("Class weights: balanced"), help=words, **state.keyed("class_weight"))
    if not state.get("class_weight"):
        return
    data = state.data_draft()
    if data.per_class is not None and data.imbalance == 1 and not data.own:
        st.caption(_("Each class has the same number of labels here, so the weights are all 1."))
    if without := [names.heads()[head] for head in heads if not HEADS[head].weighs]:
        st.caption(
            _("Without class weights, because scikit-learn has none for them: {heads}.").format(
                heads=", ".join(without)
            )
        )


def own_drawings() -> None:
    """Offer the labelled drawings that this person has kept on the page Try, where some are of the target's classes."""
    n = sum(drawing.label in state.usable() for drawing in state.own_drawings())
    if n:
        st.toggle(
            ngettext("Use my {n} drawing", "Use my {n} drawings", n).format(n=n),
            help=_(
                "Adds all the drawings you kept on Try to the training images, however many there are of each class."
            ),
            **state.keyed("use_own"),
        )


def recipes() -> dict[str, str]:
    """Return what the ready-made ways to fine-tune are called."""
    return {
        "default": _("One phase"),
        "two_phase": _("Two phases: the head first, then the rest"),
        "gradual": _("Gradual: the head first, then block by block"),
        "own": _("A schedule of my own"),
        "article": _("The article's own recipe"),
    }


def optimising() -> None:
    """Show how gradients become steps."""
    st.selectbox(
        _("Optimizer"),
        OPTIMIZERS,
        help=_("How a gradient becomes a step; adam is the safe choice."),
        **state.keyed("optimizer"),
    )
    number("learning_rate", _("Learning rate"), _("Too high diverges, too low crawls."), format="%.6f", step=0.0005)
    words = _("Records how each epoch changed the layers, and what was learned and forgotten. Play it back afterwards.")
    st.toggle(_("Film the epochs"), help=words, **state.keyed("film"))


def the_articles() -> None:
    """Say what the article's recipe does, and what to know of it."""
    st.markdown(
        _(
            "The article is the tutorial that this lab follows. It trains a fresh 32-64-64-10 network for 5 epochs "
            "with "
            "rmsprop at batch 64 on 55,000 digits, freezes layers 0 and 1, and trains 5 epochs more. Good to know: "
            "layer 1 only pools, so this "
            "freezes 320 of 121,930 weights; its printed code pairs integer labels with categorical cross-entropy, "
            "which needs the sparse form; and source and target are one task, so nothing is transferred. "
            "Of the other settings only the seed applies."
        )
    )
    st.caption(
        _(
            "This full run takes a few minutes; of the 15,000 held-out images 5,000 draw the curve and "
            "10,000 are the test."
        )
    )


def task() -> None:
    """Show the target task and how its images are divided."""
    titles = {card.name: titled(card.title) for card in state.targets_on_offer()}
    st.selectbox(
        _("Target task"),
        list(titles),
        format_func=titles.__getitem__,
        help=_(
            "The new task. Its test images are never used for training. If the chosen source cannot read its images, "
            "one that can is chosen instead."
        ),
        on_change=state.use_target,
        **state.keyed("target"),
    )
    st.page_link("data.py", label=_("Bring your own pictures"), icon=":material/add_photo_alternate:")
    st.selectbox(
        _("Split"),
        SPLITS,
        format_func={split: split_words(split) for split in SPLITS}.__getitem__,
        help=_(
            "Images for training / validation / test. The published test set is always the test set. If you limit "
            "the labels per class, at most {n:,} images are used for validation."
        ).format(n=datasets.MOST_VALIDATION),
        **state.keyed("split"),
    )


def seed() -> None:
    """Show the seed."""
    number(
        "seed",
        _("Seed"),
        _(
            "Picks the images and the first weights. Results repeat exactly only on the same kind of processor: one "
            "that has bfloat16 computes frozen layers in it when there are many images."
        ),
    )


def not_shipped() -> None:
    """Say so where the target has to be fetched first."""
    card = datasets.info(state.get("target"))
    if not card.offline:
        words = _("{title} does not come with the app: it is downloaded once. If the download fails, the run says so.")
        st.info(words.format(title=card.title))


def split_words(split: str) -> str:
    """Return how a split divides the images of the target."""
    train, validation, test = datasets.split_sizes(state.get("target"), split)
    words = _("{train:,} / {validation:,} / {test:,}").format(train=train, validation=validation, test=test)
    return _("{sizes} (the article's)").format(sizes=words) if split == "article" else words


def most_per_class() -> int | None:
    """Return how many labels a class can have, None for a set that is not here yet."""
    try:
        return datasets.max_per_class(state.get("target"), state.get("split"))
    except LabError:
        return None


def expected(spec: Spec) -> None:
    """Say how long a run is likely to take here, where runs like it were finished."""
    seconds = state.takes_s(spec)
    if seconds is None:
        return
    if seconds < 100:
        words = _("Takes about {n:.0f} s on this server.").format(n=max(1.0, seconds))
    else:
        words = _("Takes about {n:.0f} minutes on this server.").format(n=seconds / 60)
    st.caption(words)


def few_steps() -> None:
    """Say so when a fresh head would hardly move, and offer enough epochs."""
    spec = state.draft()
    if spec.data.per_class is None:
        return
    n = spec.data.per_class * len(datasets.info(spec.data.target).class_names)
    steps = training.n_steps(spec, n)
    if steps >= ENOUGH_STEPS:
        return
    enough = min(int(RANGES["epochs"][1]), -(-ENOUGH_STEPS * spec.epochs // steps))
    st.caption(
        _(
            "Too few steps: {n} images in batches of {size} make {steps}; with {epochs} epochs there are {enough}."
        ).format(n=n, size=spec.batch_size, steps=steps, epochs=enough, enough=steps * enough // spec.epochs)
    )
    st.button(_("Use {n} epochs").format(n=enough), key="enough_epochs", on_click=state.put, kwargs={"epochs": enough})
