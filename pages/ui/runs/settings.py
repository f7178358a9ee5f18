"""The fields of what every way to train has in common, and what they say of a choice that would hardly train."""

import streamlit as st

from pages.ui.session import state
from pages.ui.words.text import _
from tlcore import datasets, training
from tlcore.errors import LabError
from tlcore.spec import RANGES, SPLITS

ENOUGH_STEPS = 60  # at 5 labels a class, 20 steps reach 77 % and 60 steps 84 %


def number(key: str, label: str, words: str, **options: object) -> None:
    """Show a number field with its range and one line of help."""
    low, high, default = RANGES[key]
    high = options.pop("most", high)
    st.number_input(
        label,
        min_value=low,
        max_value=high,  # type: ignore[arg-type]
        help=_("{words} From {low:,} to {high:,}; usually {default}.").format(
            words=words,
            low=low,
            high=high,
            default=min(default, high),  # type: ignore[type-var]
        ),
        **options,  # type: ignore[arg-type]
        **state.keyed(key),
    )


def shared() -> None:
    """Show what both ways have in common: target, split, labels, seed."""
    titles = {card.name: card.title for card in datasets.catalogue()}
    a, b, c, d = st.columns([2, 2, 2, 1])
    with a:
        st.selectbox(
            _("Target task"),
            list(titles),
            format_func=titles.__getitem__,
            help=_("The new task. Its test images are never trained on."),
            **state.keyed("target"),
        )
    with b:
        st.selectbox(
            _("Split"),
            SPLITS,
            format_func={split: split_words(split) for split in SPLITS}.__getitem__,
            help=_(
                "Images for training / validation / test. The published test images always test. With a number of "
                "labels per class at most {n:,} images validate."
            ).format(n=datasets.MOST_VALIDATION),
            **state.keyed("split"),
        )
    with c:
        most = most_per_class()
        asked = int(state.get("per_class"))
        if most and asked > most:
            state.put(per_class=most)
        number(
            "per_class",
            _("Labels per class"),
            _("Fewer labels make the source's head start show."),
            disabled=state.get("all_images"),
            **({"most": most} if most else {}),
        )
        if most and asked > most:
            words = _("{target} has {most:,} images of every class to train on, so {asked:,} became {most:,}.")
            st.caption(words.format(target=titles[state.get("target")], most=most, asked=asked))
        st.toggle(_("All training images"), help=_("The full run: better, and slower."), **state.keyed("all_images"))
    with d:
        number(
            "seed",
            _("Seed"),
            _(
                "Picks the images and the first weights. The same seed gives the same result on the same kind of "
                "processor: one that has bfloat16 computes frozen layers in it when there are many images."
            ),
        )
    card = datasets.info(state.get("target"))
    if not card.offline:
        st.info(
            _(
                "{title} is not shipped: it is fetched once when the network allows. If it cannot be, the run says so."
            ).format(title=card.title)
        )


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
        _("{n} images in batches of {size} make {steps} steps: a fresh head hardly learns in so few.").format(
            n=n, size=spec.batch_size, steps=steps
        )
    )
    st.button(_("Take {n} epochs").format(n=enough), key="enough_epochs", on_click=state.put, kwargs={"epochs": enough})
