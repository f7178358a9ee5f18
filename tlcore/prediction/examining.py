"""An uploaded head is read and asked here, in a process of its own that may do little else."""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np

from tlcore import datasets, extensions, heads, inputs, sources
from tlcore.errors import DataError, LabError
from tlcore.features import freezing
from tlcore.heads import FittedHead, checking, saving
from tlcore.sentences import Sentence
from tlcore.sources.foreign import rebuild
from tlcore.spec import PIXELS, HeadRow, Origin
from tlcore.store import Run

MOST_IMAGES = 10**9  # of a training set
MOST_CLASSES, LONGEST = 1000, 200  # characters of a name


def refuse(template: str, **values: object) -> DataError:
    """Return the refusal: what is wrong, then what to do. No full stop at the end."""
    return because(Sentence(template, **values))


def because(reason: Sentence) -> DataError:
    """Return the refusal for a reason."""
    return DataError("This head cannot be used: {reason}.", reason=reason)


def origin_of(run: Run, row: HeadRow) -> Origin:
    """Return what a run of this lab knows of a head whose file does not say it: an older version saved that."""
    spec, pixels = run.spec, row.input == PIXELS
    return Origin(
        source=spec.source,
        title=spec.source,
        seed=spec.seed,
        scale=spec.data.scale,
        layer=PIXELS if pixels else run.result.layer,
        weights="",
        input="pixels" if pixels else "features",
        class_names=run.result.class_names,
        form=run.result.form or datasets.catalogue()[0].form,
        data=replace(spec.data, seed=spec.seed),
    )


def begin() -> None:
    """First thing in the process: import what reading a head takes, and then give away what it does not."""
    extensions.load()
    x = np.random.default_rng(0).random((8, 4), np.float32)
    for name in ("knn", "random_forest"):  # scikit-learn looks at its threads with the first of these
        heads.answer_alone(heads.fit(name, x, np.arange(8) % 2, None, seed=0)[0]).predict_proba(x)
    import skops.io  # noqa: F401

    rebuild.begin()


def examine(path: str, known: Origin | None, offered: Sequence[str]) -> tuple[str, str, Origin]:
    """Return which head a file holds, the network here that it stands on ("" for none), and where it comes from.

    Parameters
    ----------
    known : what a run of this lab says of the file; None where none does
    offered : names of the networks that its features may come from

    Raises
    ------
    DataError
        It is no head, its network is not here, or it cannot answer.
    """
    head = _read(Path(path).read_bytes())
    origin = head.origin or known
    if origin is None:
        raise refuse(
            "it does not say which network its features come from, and no run here saved it. Train it again, and "
            "download it then"
        )
    _check(origin)
    source = "" if origin.input == PIXELS else _source(origin, offered)
    try:
        heads.check_by_hand((head.name,), origin.by_hand, MOST_IMAGES)
        checking.check(heads.answer_alone(head), _n_features(origin, source), len(origin.class_names))
    except Exception as error:  # whatever an array of a wrong kind leads to
        raise refuse(
            "what is in it is not a {head} for these features and classes. Download the head again",
            head=heads.title(head.name),
        ) from error
    return head.name, source, origin


def _read(content: bytes) -> FittedHead:
    try:
        return saving.read(content)
    except MemoryError:
        raise
    except Exception as error:
        if type(error).__name__ == "UntrustedTypesFoundException":
            raise refuse(
                "it contains types that no head of this lab has, and these are never loaded. Add a head that was "
                "downloaded here"
            ) from error
        raise refuse("it is damaged, or not a head of this lab. Download the head again") from error


def _check(origin: Origin) -> None:
    """Raise a DataError where what a file says of its head cannot be: a stranger may have written it."""
    texts = (origin.source, origin.title, origin.layer, origin.weights, *origin.class_names)
    good = all(isinstance(text, str) and len(text) <= LONGEST and text.isprintable() for text in texts)
    names = origin.class_names
    good = good and 2 <= len(names) <= MOST_CLASSES and len(set(names)) == len(names)
    if not good or origin.input not in ("features", "pixels") or not isinstance(origin.seed, int):
        raise refuse("its description is not valid. Download the head again")
    try:
        form = datasets.info(origin.data.target).form
        datasets.check_per_class(origin.data)
    except (LabError, TypeError) as error:
        raise refuse(
            "it was trained on {target!r}, which this lab does not have. Add the extension that brings it",
            target=str(origin.data.target)[:LONGEST],
        ) from error
    if form != origin.form:
        raise refuse("it reads {form}, but its task has other images here", form=str(origin.form))


def _source(origin: Origin, offered: Sequence[str]) -> str:
    """Return the network whose weights up to the layer are those that the head was trained on."""
    for name in sorted(offered, key=lambda name: name != origin.source):
        card = sources.info(name)
        if card.form != origin.form or origin.layer not in card.cut_names:
            continue
        if not origin.weights:
            if name == origin.source:
                return name
        elif freezing.fingerprint(sources.load(name, seed=origin.seed, scale=origin.scale), origin.layer) == (
            origin.weights
        ):
            return name
    raise refuse(
        "its features come from the network {title} up to {layer}, which is not here. Add that network on the Layers "
        "page first",
        title=origin.title,
        layer=origin.layer,
    )


def _n_features(origin: Origin, source: str) -> int:
    if not source:
        return inputs.modality(origin.form.modality).flat(np.zeros((1, *origin.form.shape), origin.form.dtype)).shape[1]
    return prod(next(layer.output_shape for layer in sources.info(source).layers if layer.name == origin.layer))
