"""What a watched run shows of every epoch: how far each layer moved, what it forgot, what it answers, what it sees.

A watched run keeps a small file an epoch in its folder, whole or not there, so a page reads a run that still goes on
as it reads a finished one. Measuring starts where the frozen layers end: what comes before never changes.
"""

import base64
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcore import datasets, features, inputs, sources
from tlcore.datasets.mnist import FORM
from tlcore.features.freezing import Freezing
from tlcore.spec import FineTuneSpec, LayerInfo, Listener

from . import forgetting

if TYPE_CHECKING:
    import keras

FOLDER = "film"  # inside the run's own folder
N_SOURCE = forgetting.N_IMAGES  # test images of the source task
N_MAP = 300  # test images of the target on the feature map
N_WATCHED = 12  # of these, whose answers are shown one by one; the first, where nobody chooses
PICTURES, SHARES = "pictures.npy", "shares-"  # of the images on the map, in the film's folder


@dataclass(frozen=True)
class Answer:
    """What the network says of one watched image: ``label``, ``sure`` of it; ``right`` is the true class's share."""

    label: int
    sure: float
    right: float


@dataclass(frozen=True)
class Frame:
    """One epoch of a watched run; epoch 0 is before the first batch.

    ``drift`` is the relative change ‖w − w₀‖ / ‖w₀‖ of every layer with weights, kernel and bias taken together, w₀
    being the weights at epoch 0; exactly 0 while a layer was never trained; None where weights are no numbers.
    ``source`` is the accuracy on the source's own test images under the source's own head, ``target`` that on the
    target's validation images; both in [0, 1], None where not known.
    """

    epoch: int
    drift: Mapping[str, float | None]
    source: float | None
    target: float | None
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Cast:
    """What stays the same through a film. ``labels`` are the true classes of the images on the map."""

    class_names: tuple[str, ...]
    labels: tuple[int, ...]
    images: np.ndarray  # pictures of the N_WATCHED: uint8, shape (n, h, w) or (n, h, w, 3)
    source_task: str  # title of the source's own task; "" where its test images are not at hand
    n_source: int


class Monitor(Listener):
    """Watches a model through its training, epoch by epoch.

    Parameters
    ----------
    model : as it will be trained, its weights those of epoch 0
    folder : the run's own; the film goes into a folder inside
    """

    def __init__(self, model: "keras.Model", spec: FineTuneSpec, class_names: Sequence[str], folder: Path):
        self.model, self.folder = model, folder / FOLDER
        self.start = _weights(model)
        images, labels = datasets.samples(spec.data.target, N_MAP)
        self.pictures = inputs.modality(datasets.info(spec.data.target).form.modality).previews(images)
        card = sources.info(spec.source)
        task = "" if forgetting.why_not(card) else card.task
        x_source, self.y_source = datasets.own_test(task, N_SOURCE) if task else (images[:0], labels[:0])
        self.head = forgetting.head(model)
        self.old_head = forgetting.head(sources.load(spec.source)) if task else None
        cut = _never_trained(sources.describe(model), spec)
        tail = features.split(model, cut)[1] if cut else sources.proper(model)
        scaling = model if spec.data.scale else sources.scaled(model, card.form)
        kept = [(scaling, x_source), (model, images)]  # the source's own images are scaled as when it learned them
        self.x = np.concatenate([_prepared(one, items, cut) for one, items in kept])
        self.labels = labels
        self.cast = Cast(
            tuple(class_names),
            tuple(int(label) for label in labels),
            self.pictures[:N_WATCHED],
            datasets.info(task).title if task else "",
            len(x_source),
        )
        self._hidden = _compiled(tail, self.x)

    def on_epoch(self, epoch: int, accuracy: float | None) -> None:
        """Measure the model as it is now and keep the frame of ``epoch``; epoch 0 begins the film anew."""
        if epoch == 0:
            self.folder.mkdir(parents=True, exist_ok=True)
            for old in self.folder.iterdir():
                old.unlink()
            _write_array(self.folder / PICTURES, self.pictures)
            _write(self.folder / "cast.json", json.dumps(_cast_fields(self.cast)).encode())
        hidden = self._hidden()
        n = self.cast.n_source
        shares = np.nan_to_num(np.asarray(self.head(hidden[n:])))  # (N_MAP, k)
        answers = answered(shares[:N_WATCHED], self.labels)
        frame = Frame(epoch, self.drift(), self._source_accuracy(hidden[:n]), accuracy, answers)
        _write_array(self.folder / f"{epoch:04}.npy", hidden[n:].reshape(len(hidden) - n, -1))
        _write_array(self.folder / f"{SHARES}{epoch:04}.npy", shares.astype(np.float16))
        _write(self.folder / f"{epoch:04}.json", json.dumps(asdict(frame)).encode())  # last: it says the rest is there

    def drift(self) -> dict[str, float | None]:
        """Return how far every layer has moved from its start."""
        now = _weights(self.model)
        return {name: relative_change(self.start[name], now[name]) for name in now}

    def _source_accuracy(self, hidden: np.ndarray) -> float | None:
        if self.old_head is None:
            return None
        return float((np.asarray(self.old_head(hidden)).argmax(axis=1) == self.y_source).mean())


def answered(shares: np.ndarray, labels: Sequence[int] | np.ndarray) -> tuple[Answer, ...]:
    """Return what the rows of ``shares`` say of images whose true classes are ``labels``."""
    return tuple(
        Answer(int(row.argmax()), float(row.max()), float(row[label]))
        for row, label in zip(shares, labels, strict=False)
    )


def _prepared(model: "keras.Model", items: np.ndarray, cut: str | None) -> np.ndarray:
    """Return what comes out of the part that no epoch changes: up to ``cut``, or what only prepares the items."""
    last = cut or next(reversed(sources.front(model)), None)
    return items if last is None else features.activations(features.submodel(model, last), items)


def _never_trained(layers: Sequence[LayerInfo], spec: FineTuneSpec) -> str | None:
    """Return the last layer of the part that no phase trains; None where there is no such part."""
    cuts = [Freezing(layers, phase.frozen, spec.source).boundary for phase in spec.phases]
    known = [cut for cut in cuts if cut is not None]
    return min(known, key=lambda cut: cut.position).layer if len(known) == len(cuts) else None


def _compiled(tail: "keras.Model", x: np.ndarray) -> Callable[[], np.ndarray]:
    """Return a function that gives the last hidden layer's values of ``x``: float32, (n, ...)."""
    import tensorflow as tf

    layers, values = sources.describe(tail), tf.constant(x)
    if len(features.cut_points(layers)) < 2:  # only the head trains
        return lambda: x
    part = features.submodel(tail, features.last_hidden(layers).layer)
    hidden = tf.function(lambda: part(values, training=False), autograph=False)
    return lambda: hidden().numpy()


def relative_change(before: np.ndarray, after: np.ndarray) -> float | None:
    """Return ‖after − before‖ / ‖before‖; None when it is no number.

    Examples
    --------
    >>> relative_change(np.array([3.0, 4.0]), np.array([3.0, 4.5]))
    0.1
    """
    moved = float(np.linalg.norm(after - before))
    if moved == 0.0:
        return 0.0
    length = float(np.linalg.norm(before))
    share = moved / length if length else float("inf")
    return share if isfinite(share) else None


def _weights(model: "keras.Model") -> dict[str, np.ndarray]:
    """Return every layer's weights as one float64 vector, by layer name."""
    found = {layer.name: layer.get_weights() for layer in model.layers}
    return {
        name: np.concatenate([array.ravel().astype(np.float64) for array in arrays])
        for name, arrays in found.items()
        if arrays
    }


def _write_array(path: Path, array: np.ndarray) -> None:
    content = io.BytesIO()
    np.save(content, array)
    _write(path, content.getvalue())


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"part-{path.name}")
    temporary.write_bytes(content)
    os.replace(temporary, path)


def _cast_fields(cast: Cast) -> dict[str, Any]:
    pixels = base64.b64encode(cast.images.tobytes()).decode()
    return asdict(cast) | {"images": pixels, "shape": cast.images.shape}


# ------------------------------------------------------------------ reading


def cast(folder: Path) -> Cast | None:
    """Return what stays the same through the film in a run's ``folder``; None when there is none."""
    try:
        fields = json.loads((folder / FOLDER / "cast.json").read_text())
        pixels = np.frombuffer(base64.b64decode(fields["images"]), np.uint8)
        images = pixels.reshape(fields.pop("shape", (-1, *FORM.shape[:2])))  # MNIST's, before there were others
        lists: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
        }
        return Cast(**{**lists, "images": images})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def frames(folder: Path) -> tuple[Frame, ...]:
    """Return the frames there are, in the order of their epochs; a damaged one is left out."""
    found = []
    for path in sorted((folder / FOLDER).glob("[0-9]*.json")):
        try:
            fields = json.loads(path.read_text())
            answers = tuple(Answer(**answer) for answer in fields.pop("answers"))
            found.append(Frame(**fields, answers=answers))
        except (OSError, ValueError, TypeError, KeyError):
            continue
    return tuple(found)


def feature_maps(folder: Path) -> dict[int, np.ndarray]:
    """Return where every image of the map lies in each epoch: epoch -> float array, shape (N_MAP, 2).

    The last hidden layer's values go through one PCA, fitted on the last epoch, so that all epochs share their axes.
    """
    found = {}
    for path in sorted((folder / FOLDER).glob("[0-9]*.npy")):
        try:
            values = np.load(path, allow_pickle=False).astype(np.float64)
        except (OSError, ValueError, EOFError):
            continue
        if np.isfinite(values).all():
            found[int(path.stem)] = values
    if not found:
        return {}
    last = found[max(found)]
    centre = last.mean(axis=0)
    axes = np.linalg.svd(last - centre, full_matrices=False)[2][:2]
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]  # SVD leaves the signs open
    return {epoch: (values - centre) @ axes.T for epoch, values in found.items()}
