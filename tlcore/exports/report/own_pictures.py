"""What a person's own pictures are: how many of each class, what was seen in them and mended, and a few of them."""

from collections.abc import Iterator
from html import escape

import numpy as np

from tlcore import datasets, inputs
from tlcore.datasets import own_sets
from tlcore.datasets.own_sets import Card
from tlcore.errors import LabError
from tlcore.inputs.embedded import thumbnail
from tlcore.sentences import Sentence, percent
from tlcore.store import Run, Store

from .asked import when
from .writer import Words, Writer

N_PICTURES = 3  # of each class
MOST_CLASSES = 30  # whose pictures are shown


def own_pictures(writer: Writer, run: Run, store: Store) -> str:
    """Return the report on the set that a run learned from; "" of a set that ships, or is not here any more."""
    name = run.spec.data.target
    if not own_sets.is_own(name):
        return ""
    try:
        card = own_sets.card(name)
    except LabError:
        return ""
    return (
        writer.heading(Sentence("The pictures"))
        + writer.facts(_facts(card))
        + _classes(writer, card)
        + _pictures(writer, card)
        + _seen(writer, card)
    )


def _facts(card: Card) -> Iterator[tuple[Words, Words]]:
    yield Sentence("Name of the set"), card.title
    yield Sentence("Read from"), ", ".join(card.files)
    yield Sentence("Added"), when(card.created)
    yield Sentence("Kept as"), f"{card.form}"
    drawn = Sentence(
        "{share} of each class, drawn with the seed {seed}", share=percent(card.test_share), seed=card.seed
    )
    yield Sentence("Test part"), Sentence("as the files bring it") if card.split else drawn
    yield Sentence("Pictures (SHA-256)"), card.hash


def _classes(writer: Writer, card: Card) -> str:
    top = [Sentence("class"), Sentence("to train and validate"), Sentence("test images"), Sentence("together")]
    counts = zip(card.class_names, card.sizes, card.test_sizes, strict=True)
    return writer.table(top, ((name, n, n_test, n + n_test) for name, n, n_test in counts))


def _pictures(writer: Writer, card: Card) -> str:
    """Return a few training pictures of each class; "" where they cannot be read."""
    k = len(card.class_names)
    if k > MOST_CLASSES:
        return ""
    try:
        items, labels = datasets.samples(card.name, N_PICTURES * k, 0, "train")
    except LabError:
        return ""
    previews = inputs.modality(card.form.modality).previews(items)
    blocks = []
    for label, name in enumerate(card.class_names):
        shown = (f'<img alt="" src="{thumbnail(np.asarray(previews[i]))}">' for i in np.flatnonzero(labels == label))
        blocks.append(f'<div class="pair">{"".join(shown)}<small>{escape(name)}</small></div>')
    caption = Sentence("Some of the pictures of each class, as the model gets them.")
    return writer.figure(f'<div class="classes">{"".join(blocks)}</div>', caption)


def _seen(writer: Writer, card: Card) -> str:
    heading = writer.under(Sentence("What was seen in the files"))
    if not card.notes:
        return heading + writer.paragraph(Sentence("Nothing that had to be mended."))
    return heading + writer.items(card.notes)
