"""Train the shipped source models and write their cards: what ``python -m tlcore.sources NAME`` does.

Never sees the published test images before the last line, where the finished model is measured on them.
"""

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tlcore import datasets
from tlcore.datasets.idx import read_idx
from tlcore.datasets.keras_sets import FASHION_MD5
from tlcore.errors import DataError
from tlcore.inputs.digits import normalise
from tlcore.spec import DataSpec, check_choice, check_number

from . import applications, strokes
from .augment import Distortion, affine, blur, distort, stroke_weight, warp
from .layers import describe
from .network import FORM, network
from .preprocessing import proper
from .shipped import EXAMPLES, FOLDER, keep_examples

if TYPE_CHECKING:
    import keras

N_THREADS = 2


@dataclass(frozen=True)
class Recipe:
    """How one source model is trained. ``distortion`` changes the training images anew in every epoch."""

    title: str
    dataset: str
    target: str
    note: str
    epochs: int = 0
    distortion: Distortion = Distortion()
    n_drawn: int = 0  # pen strokes (tlcore.sources.strokes) added to the training images
    plain_share: float = 0.0  # part of the training images of an epoch that stay as they are
    batch_size: int = 128
    learning_rate: float = 2e-3  # at the start; falls to nothing along a cosine
    seed: int = 0
    md5: Mapping[str, str] | None = None  # of the published files, where a folder of them can be given
    normalised: bool = True  # whether it reads digits, which people write in any size and place

    @property
    def trains(self) -> bool:
        return self.epochs > 0


RECIPES = {
    "digits_0_4": Recipe(
        title="Digits 0-4",
        dataset="MNIST training images of the digits 0 to 4",
        target="mnist_0_4",
        note="Has never seen a 5, 6, 7, 8 or 9, so those are something new to teach it.",
        epochs=12,
        distortion=Distortion(
            shift=1.5, scale=(0.9, 1.1), aspect=0.1, rotation=8, slant=0.15, elastic=0.6, weight=(-0.3, 0.5)
        ),
        plain_share=0.3,
    ),
    "digits": Recipe(
        title="All ten digits",
        dataset="MNIST training images and 6,000 drawn by pen strokes, all shifted, scaled, slanted, turned, bent, "
        "made thinner and fatter",
        target="mnist",
        note="Trained to read people's own strokes too, not only MNIST's.",
        epochs=30,
        distortion=Distortion(
            shift=5, scale=(0.5, 1.3), aspect=0.25, rotation=15, slant=0.4, elastic=1.0, weight=(-0.8, 1.6),
            contrast=0.3,
        ),
        n_drawn=6000,
        plain_share=0.25,
    ),
    "fashion": Recipe(
        title="Garments",
        dataset="Fashion-MNIST training images",
        target="fashion_mnist",
        note="It has never seen a digit, and with few labels it hardly helps: our counter-example.",
        epochs=20,
        distortion=Distortion(shift=1.0, scale=(0.95, 1.05), rotation=3, elastic=0.3, flip=True),
        plain_share=0.5,
        md5=FASHION_MD5,
        normalised=False,
    ),
    "random": Recipe(
        title="Random init",
        dataset="",
        target="mnist",
        note="An untrained network: the control. Its initial weights follow from the run's seed.",
    ),
}  # fmt: skip


REBUILT = (*RECIPES, *applications.BACKBONES)  # what the command makes again


def write(name: str, folder: Path, data: Path | None = None, epochs: int | None = None) -> None:
    """Train ``name`` by its recipe and write the model and its card into ``folder``."""
    recipe = RECIPES[name]
    folder.mkdir(parents=True, exist_ok=True)
    class_names = datasets.info(recipe.target).class_names
    card = {
        "name": name,
        "title": recipe.title,
        "dataset": recipe.dataset,
        "class_names": class_names,
        "seed": recipe.seed,
        "accuracy": None,
        "n_train": 0,
        "n_test": 0,
        "epochs": 0,
        "rebuild": f"python -m tlcore.sources {name}" + (" --data FOLDER" if recipe.md5 else ""),
        "note": recipe.note,
    }
    if not recipe.trains:
        model = network(len(class_names), recipe.seed)
    else:
        epochs = recipe.epochs if epochs is None else int(check_number("epochs", epochs))
        x_train, y_train, x_test, y_test = _images(recipe, data)
        model = train(recipe, x_train, y_train, len(class_names), epochs)
        content = _save(model, folder / f"{name}.keras")
        if not datasets.info(recipe.target).offline:
            keep_examples(x_train, y_train, folder / f"{name}{EXAMPLES}")
        measures = measure(model, x_test, y_test, normalised=recipe.normalised)
        card |= {
            "n_train": len(x_train),
            "n_test": len(x_test),
            "epochs": epochs,
            "accuracy": measures.pop("unchanged"),
            "measures": measures,
            "sha256": hashlib.sha256(content).hexdigest(),
            "weights_sha256": weights_hash(model),
        }
    card["task"] = recipe.target
    card["form"] = asdict(FORM)
    card["layers"] = [asdict(layer) for layer in describe(model)]
    text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    (folder / f"{name}.json").write_text(text, encoding="utf-8")


def train(recipe: Recipe, images: np.ndarray, labels: np.ndarray, n_classes: int, epochs: int) -> "keras.Model":
    """Return the trained network.

    Deterministic by the recipe's seed on one machine with one version of TensorFlow (its deterministic kernels are
    switched on); another processor may round differently, and the weights then drift apart a little.

    Parameters
    ----------
    images : float32 array, shape (n, *FORM.shape), values in [0, 1]
    labels : int64 array, shape (n,)
    """
    import keras
    import tensorflow as tf

    with contextlib.suppress(RuntimeError):  # too late when this process has computed before; it then uses its own
        tf.config.threading.set_intra_op_parallelism_threads(N_THREADS)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    whole = network(n_classes, recipe.seed)
    model = proper(whole)  # changed images are not rounded to 0..255
    n_steps = epochs * -(-len(images) // recipe.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, n_steps)
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=16,
    )
    for epoch in range(epochs):
        begun = time.perf_counter()
        order = rng.permutation(len(images))
        x, y = images[order], labels[order]
        n_changed = round(len(x) * (1 - recipe.plain_share))
        changed = distort(x[:n_changed, ..., 0], recipe.distortion, rng)[..., None]
        mixed = rng.permutation(len(x))
        x, y = np.concatenate([changed, x[n_changed:]])[mixed], y[mixed]
        scores = model.fit(x, y, batch_size=recipe.batch_size, shuffle=False, verbose=0).history
        print(
            f"epoch {epoch + 1} of {epochs}: loss {scores['loss'][0]:.4f}, accuracy {scores['accuracy'][0]:.4f}, "
            f"{time.perf_counter() - begun:.0f} s",
            flush=True,
        )
    return whole


def measure(model: "keras.Model", images: np.ndarray, labels: np.ndarray, normalised: bool) -> dict[str, float]:
    """Return the accuracy on test images as they are and under each change of ``CHANGES``.

    With ``normalised`` also when the changed image passes through ``digits.normalise``, as a person's drawing does.
    """
    found = {}
    for name, change in CHANGES.items():
        changed = change(images[..., 0], np.random.default_rng(0))
        found[name] = _accuracy(model, changed, labels)
        if normalised:
            centred = np.stack([normalise(image, len(image)) for image in changed])
            found[f"{name}, normalised"] = _accuracy(model, centred, labels)
    return found


def _accuracy(model: "keras.Model", images: np.ndarray, labels: np.ndarray) -> float:
    guessed = proper(model).predict(images[..., None], batch_size=1000, verbose=0).argmax(axis=1)
    return round(float((guessed == labels).mean()), 4)


def _shifted(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Move by five pixels along both axes, towards one of the four corners."""
    shift = 5.0 * rng.choice([-1, 1], (len(images), 2))
    return warp(images, np.broadcast_to(np.eye(2), (len(images), 2, 2)), shift)


def _scaled(factor: float) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    def change(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        every = np.full(len(images), factor)
        smooth = blur(images, np.clip(1 / every - 1, 0, 1))
        return warp(smooth, affine(every, every, 0 * every, 0 * every), np.zeros((len(images), 2)))

    return change


def _slanted(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Slant by 0.4 (22 degrees) to one side or the other."""
    slant = 0.4 * rng.choice([-1, 1], len(images))
    return warp(images, affine(slant**0, slant**0, 0 * slant, slant), np.zeros((len(images), 2)))


CHANGES: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "unchanged": lambda images, rng: images,
    "shift 5 px": _shifted,
    "scale 0.5": _scaled(0.5),
    "scale 1.3": _scaled(1.3),
    "thin": lambda images, rng: stroke_weight(images, np.full(len(images), -0.7)),
    "fat": lambda images, rng: stroke_weight(images, np.full(len(images), 1.0)),
    "slant": _slanted,
}


def weights_hash(model: "keras.Model") -> str:
    """Return the SHA-256 (hex) of all weights: equal after an exact rebuild, where the file's differs by its date."""
    digest = hashlib.sha256()
    for array in model.get_weights():
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _images(recipe: Recipe, data: Path | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return training images and labels, test images and labels; all training images, none kept for validation."""
    if recipe.md5 and data is not None:
        arrays = read_idx(data, recipe.md5)
        x_train, x_test = (_unit(arrays[x][..., None]) for x in ("x_train", "x_test"))
        return x_train, arrays["y_train"].astype(np.int64), x_test, arrays["y_test"].astype(np.int64)
    part = datasets.load(DataSpec(target=recipe.target, per_class=None))
    x_train, y_train = [_unit(part.x_train), _unit(part.x_validation)], [part.y_train, part.y_validation]
    if recipe.n_drawn:
        x_drawn, y_drawn = strokes.draw(recipe.n_drawn, recipe.seed)
        x_train.append(x_drawn)
        y_train.append(y_drawn)
    return np.concatenate(x_train), np.concatenate(y_train), _unit(part.x_test), part.y_test


def _unit(pixels: np.ndarray) -> np.ndarray:
    return np.divide(pixels, 255, dtype=np.float32)


def _save(model: "keras.Model", path: Path) -> bytes:
    """Write the model without its optimizer, which would triple the file."""
    import keras

    bare = keras.Model.from_config(model.get_config())
    bare.set_weights(model.get_weights())
    try:
        bare.save(path)
    except OSError as error:
        raise DataError("The model cannot be written to {path} ({reason}).", path=path, reason=error) from error
    return path.read_bytes()


def rebuild(name: str, folder: Path = FOLDER, data: Path | None = None, epochs: int | None = None) -> None:
    """Train one source model anew and write ``NAME.keras`` and its card into ``folder``; of a backbone, its weights.

    Parameters
    ----------
    data : folder of the four Fashion-MNIST files; without it "fashion" is trained on what ``keras.datasets`` gives. Of
        a backbone, the file of the published weights
    epochs : in place of the recipe's own number
    """
    check_choice("source model", name, REBUILT)
    if name not in applications.BACKBONES:
        return write(name, folder, data, epochs)
    applications.keep(name, folder, data)
