"""The files of an archived run are read and tried here, in a process of its own that may do little else."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from tlcore import datasets, heads, inputs, sources
from tlcore.errors import DataError, LabError
from tlcore.evaluation import outputs
from tlcore.heads import checking, saving
from tlcore.prediction import examining
from tlcore.sentences import Sentence
from tlcore.sources.foreign.refilled import refill
from tlcore.spec import NETWORK, PIXELS, DataSpec, InputForm

from .repeating import read_answers

begin = examining.begin  # imports what reading a head takes, then gives away what it does not
MOST_LABELS = 10_000_000


@dataclass(frozen=True)
class Head:
    """One head as its run says it is."""

    file: str  # in the run's folder
    name: str
    input: str


@dataclass(frozen=True)
class Asked:
    """What one run says of its files; these lie in ``place`` under the names that they have in its folder.

    Attributes
    ----------
    folder : the data folder, which test images are kept in
    layer : whose activations its heads were fitted on
    """

    place: str
    folder: str
    files: tuple[str, ...]
    source: str
    seed: int
    layer: str
    data: DataSpec
    data_hash: str
    class_names: tuple[str, ...]
    form: InputForm
    heads: tuple[Head, ...] = ()


@dataclass(frozen=True)
class Taken:
    """What was taken of one run: the sum and size of each file, by its name; and why others were left out."""

    files: dict[str, tuple[str, int]]
    left_out: tuple[Sentence, ...] = ()


def examine(runs: Sequence[Asked]) -> list[Taken]:
    """Return what can be taken of each run; a network is made anew with the numbers of its file.

    Raises
    ------
    DataError
        A file is not what its run says it is.
    """
    return [_examined(asked) for asked in runs]


def refuse(template: str, **values: object) -> DataError:
    """Return the refusal: what is wrong, then what to do. No full stop at the end."""
    return because(Sentence(template, **values))


def because(reason: Sentence) -> DataError:
    """Return the refusal for a reason."""
    return DataError("This archive cannot be used: {reason}.", reason=reason)


def _examined(asked: Asked) -> Taken:
    place = Path(asked.place)
    left_out: list[Sentence] = []
    if NETWORK in asked.files:
        content = (place / NETWORK).read_bytes()
        refill(content, asked.source, len(asked.class_names), asked.seed, asked.data.scale, place)
    kept = [name for name in asked.files if name == NETWORK]
    for head in asked.heads:
        if head.name not in heads.HEADS:
            left_out.append(Sentence("{file} is a head of an extension that is not here.", file=head.file))
            continue
        _check_head((place / head.file).read_bytes(), head, asked)
        kept.append(head.file)
    if outputs.FILE in asked.files:
        reason = _check_answers((place / outputs.FILE).read_bytes(), asked)
        if reason:
            left_out.append(reason)
        else:
            kept.append(outputs.FILE)
    files = {}
    for name in kept:
        content = (place / name).read_bytes()
        files[name] = hashlib.sha256(content).hexdigest(), len(content)
    return Taken(files, tuple(left_out))


def _check_head(content: bytes, asked_head: Head, asked: Asked) -> None:
    """Raise a DataError where a file is not the head that the run says."""
    wrong = refuse("{file} in it is not the head that the run says. Export the run again", file=asked_head.file)
    try:
        head = saving.read(content)
        if head.name != asked_head.name:
            raise wrong
        if asked_head.input == PIXELS:
            item = np.zeros((1, *asked.form.shape), asked.form.dtype)
            n_features = inputs.modality(asked.form.modality).flat(item).shape[1]
        else:
            layers = sources.info(asked.source).layers
            n_features = prod(next(layer.output_shape for layer in layers if layer.name == asked.layer))
        checking.check(heads.answer_alone(head), n_features, len(asked.class_names))
    except (DataError, MemoryError):
        raise
    except Exception as error:  # skops raises many kinds for a damaged file, and wrong arrays lead to any
        raise wrong from error


def _check_answers(content: bytes, asked: Asked) -> Sentence | None:
    """Return why the kept answers are left out, None where they are taken; a DataError where they are none."""
    wrong = refuse("its answers to the test images ({file}) do not fit the run. Export it again", file=outputs.FILE)
    names = {"model", *(head.file.rpartition("/")[2].removesuffix(".skops") for head in asked.heads)}
    answers = read_answers(content)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        labels, images = arrays["labels"], str(arrays["images"])
        noise = {name: arrays[f"{name}/noise"].shape for name in answers}
        known = {"labels", "images", *(f"{name}/{part}" for name in answers for part in ("test", "predicted", "noise"))}
        good = set(arrays.files) == known
    n, k = len(labels), len(asked.class_names)
    good = good and set(answers) <= names and labels.dtype.kind == "i" and 0 < n < MOST_LABELS and k > 1
    for name, each in answers.items():
        good = good and each.probabilities.shape == (n, k) and noise[name] == (2 * outputs.N_NOISE, k)
        good = good and bool((each.predicted >= 0).all() and (each.predicted < k).all())
    if not good or not ((labels >= 0) & (labels < k)).all() or not _is_name(images):
        raise wrong
    return _keep_images(asked, images)


def _is_name(text: str) -> bool:
    return len(text) == 32 and set(text) <= set("0123456789abcdef")


def _keep_images(asked: Asked, images: str) -> Sentence | None:
    """Keep the test images that the answers are to, where they are at hand; return why the answers do not count."""
    if datasets.at_hand(asked.data.target) is None:
        return None  # nothing to hold them against: the figures stand, without pictures
    try:
        data = datasets.load(asked.data)
    except LabError as error:
        return error.sentence
    if data.hash != asked.data_hash or outputs.keep_images(data, Path(asked.folder)) != images:
        return Sentence("The answers are to other test images than this lab has under that name.")
    return None
