"""Backbones of ``keras.applications``: a network that learned photographs, and the same one untrained.

Only the backbone is used: its last layer, which named ImageNet's 1,000 kinds of things, is left out. What is loaded is
the backbone, its features averaged over all places, and a fresh softmax layer. One ships; the others are offered where
their weights are on this computer, in Keras' own cache or in a folder that a setting names.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlcore.datasets import read_asset
from tlcore.errors import DataError
from tlcore.sentences import NOTHING, Sentence
from tlcore.spec import InputForm, SourceInfo, check_choice

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
WEIGHTS = "TRANSFER_LAB_WEIGHTS"  # the setting that names a folder of weights
PHOTO = InputForm("photo", (96, 96, 3))
MOMENTUM = 0.9  # of an untrained network's BatchNormalization


@dataclass(frozen=True)
class Backbone:
    """One network of ``keras.applications``.

    ``form`` is of its items, ``side`` the size that they are brought to in front of it. ``scaled``: pixels 0..255
    become -1..1 there; without it the network does that itself. ``files`` are names of its weights as Keras keeps them,
    the first of which is fetched; ``megabytes`` is their size and ``file_hash`` that file's sum, where it is published.
    """

    name: str
    title: str
    builder: str  # its function in ``keras.applications``
    note: str
    options: Mapping[str, Any] = field(default_factory=dict)  # of the builder
    form: InputForm = PHOTO
    side: int = PHOTO.shape[0]
    scaled: bool = True
    sha256: str = ""
    shipped: str = ""  # under which name its weights ship
    files: tuple[str, ...] = ()
    address: str = ""  # of the folder that Keras fetches the file from
    file_hash: str = ""
    megabytes: float = 0.0
    origin: str = "ImageNet (ILSVRC 2012)"


STORE = "https://storage.googleapis.com/tensorflow/keras-applications"
LEARNED = "Learned from 1.28 million photographs of 1,000 kinds of things (ImageNet). "
BARE = "Its own last layer is left out: it names nothing before it has learned your classes. "
MOBILENET = Backbone(
    name="mobilenet_v2",
    title="Photographs",
    builder="MobileNetV2",
    options={"alpha": 0.35},
    sha256="67c0e48867690db783f6eeac50b5f22cebf5d578f8ec07319fd300a6aabd9488",
    shipped="mobilenet_v2",
    note=f"{LEARNED}{BARE}MobileNetV2 of width 0.35 (Sandler et al. 2018), Google, Apache-2.0.",
)
SIDES = (96, 128, 224)  # to which the items of the shipped one can be brought
_RESIZED = tuple(
    replace(
        MOBILENET,
        name=f"{MOBILENET.name}_{side}",
        title=f"{MOBILENET.title} at {side} × {side}",
        side=side,
        note=f"{MOBILENET.note} Each photograph is enlarged to {side} × {side} pixels first.",
    )
    for side in SIDES[1:]
)
_FETCHED = (
    Backbone(
        name="mobilenet_v2_wide",
        title="MobileNetV2",
        builder="MobileNetV2",
        files=tuple(f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_{side}_no_top.h5" for side in (96, 224)),
        address=f"{STORE}/mobilenet_v2",
        megabytes=9.4,
        note=f"{LEARNED}{BARE}MobileNetV2 of width 1.0, learned at 96 × 96 (Sandler et al. 2018), Google, Apache-2.0.",
    ),
    Backbone(
        name="efficientnet_v2_b0",
        title="EfficientNetV2-B0",
        builder="EfficientNetV2B0",
        scaled=False,
        files=("efficientnetv2-b0_notop.h5",),
        file_hash="893217f2bb855e2983157299931e43ff",
        address=f"{STORE}/efficientnet_v2",
        megabytes=24.3,
        note=f"{LEARNED}{BARE}EfficientNetV2-B0 (Tan and Le 2021), Google, Apache-2.0.",
    ),
    Backbone(
        name="resnet50_v2",
        title="ResNet50V2",
        builder="ResNet50V2",
        files=("resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5",),
        file_hash="fac2f116257151a9d068a22e544a4917",
        address=f"{STORE}/resnet",
        megabytes=94.7,
        note=f"{LEARNED}{BARE}ResNet50V2 (He et al. 2016), Keras, MIT.",
    ),
    Backbone(
        name="convnext_tiny",
        title="ConvNeXt-Tiny",
        builder="ConvNeXtTiny",
        scaled=False,
        files=("convnext_tiny_notop.h5",),
        file_hash="d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
        address=f"{STORE}/convnext",
        megabytes=111.7,
        note=f"{LEARNED}{BARE}ConvNeXt-Tiny (Liu et al. 2022), Meta, Apache-2.0 as Keras publishes it.",
    ),
)
BACKBONES = {backbone.name: backbone for backbone in (MOBILENET, *_RESIZED, *_FETCHED)}


class Application(Source):
    """A backbone with its card ``NAME.json``; its weights ship, or are looked for on this computer."""

    def __init__(self, backbone: Backbone):
        self.name, self.backbone = backbone.name, backbone

    def card(self) -> SourceInfo:
        card = cards.read(FOLDER / f"{self.name}.json")
        if self.backbone.shipped:
            return card
        path = self.weights()
        return card if path is None else replace(card, sha256=_sha256(path, path.stat().st_mtime_ns))

    def weights(self) -> Path | None:
        """Return the file of its weights; None where it is not on this computer."""
        if self.backbone.shipped:
            return FOLDER / f"{self.backbone.shipped}{ENDING}"
        paths = (folder / name for folder in folders() for name in self.backbone.files)
        return next((path for path in paths if path.is_file()), None)

    def missing(self) -> Sentence:
        if self.weights() is not None:
            return NOTHING
        return Sentence(
            "Its weights are not on this computer. `python -m tlcore sources fetch {name}` fetches them once "
            "({mb:.0f} MB); or put the file {file} into {folder}.",
            name=self.name,
            mb=self.backbone.megabytes,
            file=self.backbone.files[0],
            folder=str(folders()[0]),
        )

    def load(self, n_classes: int | None, seed: int) -> "keras.Model":
        self.check_shipped()
        if missing := self.missing():
            raise DataError("{source} cannot be used. {missing}", source=self.backbone.title, missing=missing)
        return network(self.backbone, n_classes or N_SHOWN, seed, self.weights())

    def check_shipped(self) -> None:
        if self.backbone.shipped:
            read_asset(FOLDER / f"{self.backbone.shipped}{ENDING}", self.card().sha256)


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

    def is_offered(self) -> bool:
        return Application(self.backbone).is_offered()

    def load(self, n_classes: int | None, seed: int) -> "keras.Model":
        return network(self.backbone, n_classes or N_SHOWN, seed)


def folders() -> tuple[Path, ...]:
    """Return where weights are looked for: what ``TRANSFER_LAB_WEIGHTS`` names, where that is set, and Keras' cache."""
    named = os.environ.get(WEIGHTS, "")
    keras_home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    return (*([Path(named)] if named else []), Path(keras_home) / "models")


@lru_cache(maxsize=16)
def _sha256(path: Path, _mtime_ns: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(name: str) -> Path:
    """Fetch the published weights of a backbone into the first of ``folders``; return the file.

    Raises
    ------
    SpecError
        There is no such backbone, or its weights ship.
    DataError
        They cannot be fetched, or what came is not the published file.
    """
    import keras

    check_choice("network", name, tuple(backbone.name for backbone in _FETCHED))
    backbone = BACKBONES[name]
    folder = folders()[0]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = keras.utils.get_file(
            backbone.files[0], f"{backbone.address}/{backbone.files[0]}", cache_dir=folder, cache_subdir="",
            file_hash=backbone.file_hash or None,
        )  # fmt: skip
    except Exception as error:  # Keras raises a bare one where there is no network
        raise DataError(
            "{file} cannot be fetched ({reason}). Bring it from a computer with a network, and put it into {folder}.",
            file=backbone.files[0],
            reason=str(error).splitlines()[0][:200],
            folder=str(folder),
        ) from error
    return Path(path)


def sizes(name: str) -> dict[int, str]:
    """Return the sources that are this one with its items at some size, itself among them; none of other networks.

    Examples
    --------
    >>> sizes("mobilenet_v2_128"), sizes("digits")
    ({96: 'mobilenet_v2', 128: 'mobilenet_v2_128', 224: 'mobilenet_v2_224'}, {})
    """
    ending = "_random" if name.endswith("_random") else ""
    backbone = BACKBONES.get(name.removesuffix("_random"))
    if backbone is None:
        return {}
    alike = [each for each in BACKBONES.values() if each.shipped and each.shipped == backbone.shipped] or [backbone]
    return {each.side: f"{each.name}{ending}" for each in alike}


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
    shape = (backbone.side, backbone.side, backbone.form.shape[-1])
    body = build(input_shape=shape, include_top=False, weights=None, **backbone.options)
    if weights is None:
        # Keras' 0.999 is for a hundred thousand steps: after 300 the averages would still be those of the start, and
        # an untrained network that has learned would answer by chance.
        for layer in body.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.momentum = MOMENTUM
    else:
        try:
            body.load_weights(weights)
        except (ValueError, TypeError, OSError, KeyError) as error:
            raise DataError(
                "The model file {file} cannot be loaded by this version of Keras. Install the app again.",
                file=weights.name,
            ) from error
    photo = keras.Input(backbone.form.shape, dtype=backbone.form.dtype, name="photo")
    x = photo
    if shape != backbone.form.shape:
        x = layers.Resizing(backbone.side, backbone.side, name="resizing")(x)
    if backbone.scaled:
        x = layers.Rescaling(1 / 127.5, offset=-1.0, name="rescaling")(x)
    x = applied(body, x, body.inputs[0], body.outputs[0])
    x = layers.GlobalAveragePooling2D(name=POOLED)(x)
    start = keras.initializers.GlorotUniform(seed=seed)
    x = layers.Dense(n_classes, activation="softmax", kernel_initializer=start, name=HEAD)(x)
    return keras.Model(photo, x, name=backbone.name)


def keep(name: str, folder: Path, weights: Path | None = None) -> None:
    """Write the card of a backbone into ``folder``; of one that ships, copy its published weights there too.

    Raises
    ------
    DataError
        The weights ship, and the file is not named or not the published one.
    """
    backbone = BACKBONES[name]
    folder.mkdir(parents=True, exist_ok=True)
    if backbone.shipped:
        _copy(backbone, folder, weights)
    card = SourceInfo(
        name=name,
        title=backbone.title,
        dataset=backbone.origin,
        class_names=(),
        layers=describe(network(backbone, N_SHOWN, 0)),
        form=backbone.form,
        seed=0,
        accuracy=None,
        n_train=1_281_167,
        n_test=50_000,
        rebuild=f"python -m tlcore.sources {name}" + (" --data FILE" if backbone.shipped else ""),
        sha256=backbone.sha256,
        note=backbone.note,
        untrained=f"{name}_random",
    )
    (folder / f"{name}.json").write_text(json.dumps(asdict(card), ensure_ascii=False) + "\n", encoding="utf-8")


def _copy(backbone: Backbone, folder: Path, weights: Path | None) -> None:
    if weights is None:
        raise DataError("{name} is copied from its published weights. Name the file with --data.", name=backbone.name)
    try:
        content = weights.read_bytes()
    except OSError as error:
        raise DataError("{path} cannot be read ({reason}).", path=weights, reason=error.strerror or error) from error
    if hashlib.sha256(content).hexdigest() != backbone.sha256:
        raise DataError("{file} is not the published file (its SHA-256 differs). Download it again.", file=weights.name)
    target = folder / f"{backbone.shipped}{ENDING}"
    if target.resolve() != weights.resolve():
        shutil.copyfile(weights, target)
