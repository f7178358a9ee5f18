"""What a person taught by a few examples, as a file of its own: the network below and the head on it in one."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tlcore import features, sources, teaching
from tlcore.prediction import Pieces, collected
from tlcore.sentences import Sentence
from tlcore.teaching import Examples, Kind, LinearHead

from ..exporter import Part
from . import making
from .making import Form, Made

TITLE = Sentence("What you taught")
FORMS: dict[Form, tuple[str, Sentence]] = {  # the ending of the file, and what it is called
    "html": (".html", Sentence("One web page that runs by itself")),
    "onnx": (".onnx", Sentence("ONNX")),
    "tflite": (".tflite", Sentence("TFLite")),
    "tflite_int8": ("-int8.tflite", Sentence("TFLite, 8-bit integers")),
}


def of_examples(examples: Examples) -> tuple[Part, ...]:
    """Return the files that can be made of what was taught; none where no two classes have an example each."""
    if sum(bool(one.examples) for one in examples.classes()) < 2:
        return ()
    return tuple(_part(examples, form, *named) for form, named in FORMS.items())


def _part(examples: Examples, form: Form, ending: str, title: Sentence) -> Part:
    def make() -> tuple[bytes, Sentence]:
        made = making.in_turn(_made, (str(examples.folder), examples.kind.name, form))
        return made.content, told(made)

    return Part(ending, title, read=lambda: make()[0], make=make)


def _made(folder: str, kind: str, form: Form) -> Made:
    """First thing and last in the process that makes the file."""
    examples = Examples(Path(folder), teaching.kind(kind))
    classes = examples.classes()
    x, y = examples.learned()
    items = [examples.item(example.name) for one in classes for example in one.examples]
    if len(np.unique(y)) < 2:
        raise collected.too_few()
    return made_of(examples.kind, np.stack(items), x, y, [one.name for one in classes], form)


def made_of(kind: Kind, items: np.ndarray, x: np.ndarray, y: np.ndarray, names: list[str], form: Form) -> Made:
    """Return what examples teach as a file of that form, tried on these examples.

    Parameters
    ----------
    items : of the kind's form, (n, ...)
    x : float32 (n, d), the items' features
    y : int (n,), positions in ``names``; of classes without an example the file knows nothing

    Raises
    ------
    DataError
        The file does not answer as the head does.
    """
    known, labels = np.unique(y, return_inverse=True)
    names = [names[k] for k in known]
    head = teaching.fit(x, labels, len(names))
    pieces = Pieces(network(kind, head), None, kind.form, tuple(names))
    card = {
        "title": str(TITLE),
        "classes": json.dumps(names, ensure_ascii=False),
        "input": f"{' x '.join(map(str, kind.form.shape))}, {kind.form.dtype} as stored; preprocessing is inside",
        "trained on": f"{len(items)} examples of one person; features of {kind.source}, {kind.layer}",
        "made with": making.versions(),
    }
    return making.tried(pieces, card, form, items, head.predict_proba(x), labels, TITLE, items[: making.N_CALIBRATION])


def network(kind: Kind, head: LinearHead) -> Any:
    """Return the head and the network below it as one Keras network: items as stored to probabilities."""
    import keras

    below = features.submodel(sources.load(kind.source), kind.layer)
    rows = keras.layers.Flatten(name="taught_rows")(below.output)  # the network has layers of the usual names
    rows = keras.layers.UnitNormalization(name="taught_units")(rows)
    answer = keras.layers.Dense(len(head.bias), activation="softmax", name="taught")
    model = keras.Model(below.input, answer(rows))
    answer.set_weights([head.weights, head.bias])
    return model


def told(made: Made) -> Sentence:
    """Return what trying a file gave: on the examples that it learned from, for there are no others."""
    values = {"mb": f"{len(made.content) / 1e6:.2f}", "n": made.n}
    if made.off > making.MOST_OFF:
        return Sentence(
            "{mb} MB. On {k} of the {n} examples it learned from it answers as the model here does.",
            k=made.n_same,
            **values,
        )
    return Sentence(
        "{mb} MB. On the {n} examples it learned from it answers as the model here does; the largest difference of a "
        "probability is {off}.",
        off=f"{made.off:.1g}",
        **values,
    )
