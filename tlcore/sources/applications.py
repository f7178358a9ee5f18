"""Backbones of ``keras.applications``: a network that learned photographs, and the same one untrained.

Only the backbone ships: its last layer, which named ImageNet's 1,000 kinds of things, is left out. What is loaded is
the backbone, its features averaged over all places, and a fresh softmax layer.
"""

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tlcore.datasets import read_asset
from tlcore.errors import DataError
from tlcore.spec import InputForm, SourceInfo

from . import cards
from .layers import applied, describe
from .network import check_n_classes
from .shipped import FOLDER
from .source import Source

if TYPE_CHECKING:
    import keras

HEAD, POOLED = "head", "average"  # the two layers after the backbone
N_SHOWN = 10  # classes of the softmax layer where nobody asks for a number: an untrained one
ENDING = ".weights.h5"


@dataclass(frozen=True)
class Backbone:
    """One network of ``keras.applications``. Pixels 0..255 become -1..1 in front of it."""

    name: str
    title: str
    builder: str  # its function in ``keras.applications``
    alpha: float  # its width
    form: InputForm
    sha256: str  # of the published weights
    origin: str
    note: str


MOBILENET = Backbone(
    name="mobilenet_v2",
    title="Photographs",
    builder="MobileNetV2",
    alpha=0.35,
    form=InputForm("photo", (96, 96, 3)),
    sha256="67c0e48867690db783f6eeac50b5f22cebf5d578f8ec07319fd300a6aabd9488",
    origin="ImageNet (ILSVRC 2012)",
    note="Learned from 1.28 million photographs of 1,000 kinds of things (ImageNet). Its own last layer is left out: "
    "it names nothing before it has learned your classes. MobileNetV2 of width 0.35 (Sandler et al. 2018), Google, "
    "Apache-2.0.",
)
BACKBONES = {backbone.name: backbone for backbone in (MOBILENET,)}


class Application(Source):
    """A backbone whose weights ship: ``NAME.weights.h5`` beside its card ``NAME.json``."""

    def __init__(self, backbone: Backbone):
        self.name, self.backbone = backbone.name, backbone

    def card(self) -> SourceInfo:
        return cards.read(FOLDER / f"{self.name}.json")

    def load(self, n_classes: int | None, seed: int) -> "keras.Model":
        self.check_shipped()
        return network(self.backbone, n_classes or N_SHOWN, seed, FOLDER / f"{self.name}{ENDING}")

    def check_shipped(self) -> None:
        read_asset(FOLDER / f"{self.name}{ENDING}", self.card().sha256)


class UntrainedApplication(Source):
    """The same network before it learned anything: the control."""

    def __init__(self, backbone: Backbone):
        self.name, self.backbone = f"{backbone.name}_random", backbone

    def card(self) -> SourceInfo:
        trained = Application(self.backbone).card()
        return replace(
            trained, name=self.name, title=f"{self.backbone.title}, untrained", dataset="", n_train=0, n_test=0,
            rebuild="", sha256="", note="The same network untrained: the control for photographs. Its initial weights "
            "follow from the run's seed.",
        )  # fmt: skip

    def load(self, n_classes: int | None, seed: int) -> "keras.Model":
        return network(self.backbone, n_classes or N_SHOWN, seed)


def network(backbone: Backbone, n_classes: int, seed: int, weights: Path | None = None) -> "keras.Model":
    """Return a backbone with a fresh softmax layer; it reads pixels 0..255 and scales them itself.

    Parameters
    ----------
    seed : of the softmax layer, and of all of it where it has no weights
    weights : file of the backbone's; None: random ones

    References
    ----------
    Sandler, Howard, Zhu, Zhmoginov and Chen (2018), "MobileNetV2: inverted residuals and linear bottlenecks".
    """
    import keras
    from keras import layers

    check_n_classes(n_classes)
    keras.utils.set_random_seed(seed)
    build = getattr(keras.applications, backbone.builder)
    body = build(input_shape=backbone.form.shape, alpha=backbone.alpha, include_top=False, weights=None)
    if weights is not None:
        try:
            body.load_weights(weights)
        except (ValueError, TypeError, OSError, KeyError) as error:
            raise DataError(
                "The model file {file} cannot be loaded by this version of Keras. Install the app again.",
                file=weights.name,
            ) from error
    photo = keras.Input(backbone.form.shape, dtype=backbone.form.dtype, name="photo")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="rescaling")(photo)
    x = applied(body, x, body.inputs[0], body.outputs[0])
    x = layers.GlobalAveragePooling2D(name=POOLED)(x)
    start = keras.initializers.GlorotUniform(seed=seed)
    x = layers.Dense(n_classes, activation="softmax", kernel_initializer=start, name=HEAD)(x)
    return keras.Model(photo, x, name=backbone.name)


def keep(name: str, folder: Path, weights: Path) -> None:
    """Copy the published weights of a backbone into ``folder`` and write its card.

    Raises
    ------
    DataError
        The file is not the published one.
    """
    backbone = BACKBONES[name]
    try:
        content = weights.read_bytes()
    except OSError as error:
        raise DataError("{path} cannot be read ({reason}).", path=weights, reason=error.strerror or error) from error
    if hashlib.sha256(content).hexdigest() != backbone.sha256:
        raise DataError("{file} is not the published file (its SHA-256 differs). Download it again.", file=weights.name)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(weights, folder / f"{name}{ENDING}")
    card = SourceInfo(
        name=name,
        title=backbone.title,
        dataset=backbone.origin,
        class_names=(),
        layers=describe(network(backbone, N_SHOWN, 0, weights)),
        form=backbone.form,
        seed=0,
        accuracy=None,
        n_train=1_281_167,
        n_test=50_000,
        rebuild=f"python -m tlcore.sources {name} --data FILE",
        sha256=backbone.sha256,
        note=backbone.note,
        untrained=f"{name}_random",
    )
    (folder / f"{name}.json").write_text(json.dumps(asdict(card), ensure_ascii=False) + "\n", encoding="utf-8")
