"""What a program may ask of a model: which ones somebody may use, what it may send, and the answer in plain words.

And the program itself, as it is shown to people: ``snippets``.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np

from tlcore import inputs, sources, teaching
from tlcore.errors import DataError, RightsError, SpecError
from tlcore.people import Person
from tlcore.sentences import Sentence
from tlcore.spec import InputForm
from tlcore.store import Store

from . import collected, own_heads
from .names import ModelName
from .predictors import PredictorInfo, available, of_home, of_own, of_run

TOKEN = "YOUR_TOKEN"  # what stands in a snippet where the token goes


def model_for(person: Person, name: str, store: Store) -> PredictorInfo:
    """Return the card of a model that a person may ask: what ships, what nobody owns, and their own.

    What they taught is called alike by everybody, ``taught_name``; the card has the name under which theirs answers.

    Raises
    ------
    SpecError
        There is no such model.
    RightsError
        It is somebody else's.
    DataError
        They have taught too little for any answer.
    """
    if name in TAUGHT:
        return taught_by(person, TAUGHT[name])
    try:
        owner, infos = _owned(ModelName.parse(name), store)
    except SpecError as error:
        raise _no_model(name) from error
    info = next((info for info in infos if info.name == name), None)
    if info is None:
        raise _no_model(name)
    if owner not in ("", person.id) and not person.host:
        raise RightsError(
            "The model {name} belongs to somebody else. Ask one of your own, or one that ships.", name=name
        )
    return info


def taught_name(kind: str) -> str:
    """Return the name by which anybody asks what they taught themselves with one kind of item.

    Examples
    --------
    >>> taught_name("photo")
    'collected:photo'
    """
    return str(ModelName.collected(kind))


TAUGHT = {taught_name(kind): kind for kind in teaching.KINDS}  # a name that is asked: the kind of item


def taught_by(person: Person, kind: str) -> PredictorInfo:
    """Return the card of what a person taught, with the classes of this moment; a DataError where none can answer."""
    examples = teaching.of(person.id, kind)
    classes = examples.classes()
    if sum(bool(one.examples) for one in classes) < 2:
        raise collected.too_few()
    names = tuple(one.name for one in classes)
    return PredictorInfo(
        collected.name_of(person.id, kind), Sentence("What you taught"), names, "taught", examples.kind.form
    )


def _owned(asked: ModelName, store: Store) -> tuple[str, Sequence[PredictorInfo]]:
    """Return whose a model is, and the cards of what came with it; no cards where it answers nobody."""
    if asked.kind == "source":
        card = sources.info(asked.id)
        return card.owner, () if card.removed else available((), [card])
    if asked.kind == "own":
        head = own_heads.info(asked.id)
        return head.owner, () if head.removed else of_own([head])
    if asked.kind in ("run", "head"):
        run = store.get(asked.id)
        return run.owner, () if run.deleted or not run.final else of_run(run)
    return "", of_home() if asked.kind == "taught" else ()


def _no_model(name: str) -> SpecError:
    return SpecError(
        "There is no model {name!r} to ask. Try and Teach give the names, under Use from a program.", name=name[:80]
    )


def item_of(sent: Any, form: InputForm, whole: bool = False) -> np.ndarray:
    """Return what a program sent as an item of ``form``.

    Parameters
    ----------
    sent : untrusted: the bytes of a picture file, or pixels in nested lists of the form's shape, as they are stored;
        of one channel the innermost lists may be left out
    whole : whether the model takes a picture as it is, not as ink (``prediction.reads_whole``)

    Raises
    ------
    DataError
        It cannot be read as one, or is blank.
    """
    if not isinstance(sent, bytes):
        return _pixels(sent, form)
    item = inputs.modality(form.modality).accept(sent, form, **({"whole": True} if whole else {}))
    if item is None:
        raise DataError("This picture is blank: there is nothing to read. Send one with something on it.")
    return item


def _pixels(sent: Any, form: InputForm) -> np.ndarray:
    try:
        values = np.asarray(sent)
    except ValueError:  # lists of several lengths
        values = np.empty(0)
    if form.shape[-1] == 1 and values.shape == form.shape[:-1]:
        values = values[..., None]
    if values.shape != form.shape or values.dtype.kind not in "iuf":
        raise DataError(
            'This model reads {form} numbers, and "pixels" are not those. Send them as lists of that shape.', form=form
        )
    dtype = np.dtype(form.dtype)
    if dtype.kind in "iu":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        if not ((values >= low) & (values <= high) & (values == np.floor(values))).all():
            raise DataError('"pixels" must be whole numbers from {low} to {high}.', low=low, high=high)
    elif not np.isfinite(values).all():
        raise DataError('"pixels" must be numbers that are finite.')
    return values.astype(dtype)


def as_words(class_names: Sequence[str], answer: Sequence[float] | np.ndarray) -> dict[str, object]:
    """Return the label, its probability, and every class with its own.

    Examples
    --------
    >>> as_words(["0", "1"], [0.25, 0.75])
    {'label': '1', 'probability': 0.75, 'probabilities': {'0': 0.25, '1': 0.75}}
    """
    probabilities = {name: round(float(p), 6) for name, p in zip(class_names, answer, strict=True)}
    label = class_names[int(np.argmax(answer))]
    return {"label": label, "probability": probabilities[label], "probabilities": probabilities}


class Snippet(NamedTuple):
    """A program that asks a model; ``language`` is what highlights its code."""

    title: str
    language: str
    code: str


def snippets(url: str, model: str) -> tuple[Snippet, ...]:
    """Return programs that send a picture to ``url`` for a model, with ``TOKEN`` where the token goes.

    Examples
    --------
    >>> print(snippets("https://lab.example/api/predict", "source:digits")[-1].code)
    curl -H "Authorization: Bearer YOUR_TOKEN" -F picture=@picture.png \\
      "https://lab.example/api/predict?model=source:digits"
    """
    address = f"{url}?model={quote(model, safe=':/')}"
    return tuple(
        Snippet(title, language, code.replace("ADDRESS", address).replace("TOKEN_HERE", TOKEN))
        for title, language, code in (
            ("Python", "python", PYTHON),
            ("JavaScript", "javascript", JS),
            ("curl", "bash", CURL),
        )
    )


PYTHON = """\
import json
import urllib.request

TOKEN = "TOKEN_HERE"

with open("picture.png", "rb") as file:
    request = urllib.request.Request(
        "ADDRESS",
        data=file.read(),
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/octet-stream"},
    )
with urllib.request.urlopen(request) as answer:
    print(json.load(answer)["label"])"""

JS = """\
const TOKEN = "TOKEN_HERE";

const picture = document.querySelector("input[type=file]").files[0];
const answer = await fetch("ADDRESS", {
  method: "POST",
  headers: { Authorization: `Bearer ${TOKEN}` },
  body: picture,
});
console.log((await answer.json()).label);"""

CURL = """\
curl -H "Authorization: Bearer TOKEN_HERE" -F picture=@picture.png \\
  "ADDRESS\""""
