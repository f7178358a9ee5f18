"""Target tasks by name: their images, their splits, and where the bytes come from.

Images are float32, shape (n, 28, 28, 1), values in [0, 1], light on black; labels are int64, 0..k-1.
A split is drawn by seed, class by class, so that every part has the classes in the same proportion; the published
test images are the test part of every split, because the shipped source models have never seen them.
"""

import gzip
import hashlib
import io
import json
import socket
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from tlcore.errors import DataError, SpecError
from tlcore.spec import SPLITS, DataSpec, check_choice, check_number

ASSETS = Path(__file__).parent.parent / "assets"
MOST_VALIDATION = 1000  # validation images beside a training set of n per class: enough for a curve, quick to score
COMPRESSION = 9  # of the shipped file: slow to write, quick to read
CONNECT_S = 15  # a download that gets no byte for so long has failed

DIGITS = tuple("0123456789")
GARMENTS = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

# Images of each class in the part that splits divide. Kept here so that a page knows the limits without reading data.
SIZES: dict[str, tuple[int, ...]] = {
    "mnist": (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
    "digits_8x8": (142, 146, 142, 146, 145, 146, 145, 143, 139, 144),
    "fashion_mnist": (6000,) * 10,
    "cifar10": (5000,) * 10,
}

MD5: dict[str, dict[str, str]] = {  # of the four raw (unzipped) IDX files, as published
    "mnist": {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    "fashion_mnist": {
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
}


@dataclass(frozen=True)
class DatasetInfo:
    """What a picker says of one target task. ``n_train`` counts training and validation images together."""

    name: str
    title: str
    class_names: tuple[str, ...]
    n_train: int
    n_test: int
    offline: bool  # shipped with the app, or with a library it needs anyway
    attribution: str
    note: str = ""


@dataclass(frozen=True, eq=False)
class Data:
    """The three parts of one task: x float32 (n, 28, 28, 1) in [0, 1], y int64 (n,).

    ``hash`` is the SHA-256 (hex) over the bytes of the six arrays in the order of the fields.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]
    hash: str


@dataclass(frozen=True, eq=False)
class Pool:
    """The training images that several draws of one task take together, each once, and one draw of its test images.

    ``rows[per_class, seed]`` are positions in ``images``: the training set of ``load`` with those settings, in its
    order. ``hash`` is the SHA-256 (hex) over images, labels, test images and test labels.
    """

    images: np.ndarray  # float32 (n, 28, 28, 1) in [0, 1]
    labels: np.ndarray  # int64 (n,)
    rows: Mapping[tuple[int, int], np.ndarray]
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]
    hash: str


@dataclass(frozen=True)
class _Raw:
    """Pixels 0..255, uint8 (n, 28, 28), and labels: the part that splits divide, and the test part."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


_LECUN = "MNIST by Yann LeCun and Corinna Cortes, CC BY-SA 3.0"
_CATALOGUE = (
    DatasetInfo("mnist", "MNIST digits 0-9", DIGITS, 60_000, 10_000, True, _LECUN),
    DatasetInfo("mnist_0_4", "MNIST digits 0-4", DIGITS[:5], 30_596, 5_139, True, _LECUN),
    DatasetInfo("mnist_5_9", "MNIST digits 5-9", DIGITS[5:], 29_404, 4_861, True, _LECUN),
    DatasetInfo(
        "digits_8x8", "Small digits (scikit-learn)", DIGITS, 1_438, 359, True,
        "Optical Recognition of Handwritten Digits by E. Alpaydin and C. Kaynak (UCI), CC BY 4.0",
        "Real handwriting scanned to 8×8 pixels, enlarged to 20×20 and centred as MNIST is.",
    ),
    DatasetInfo(
        "fashion_mnist", "Fashion-MNIST", GARMENTS, 60_000, 10_000, False,
        "Fashion-MNIST by Zalando Research, MIT", "Downloaded once, 30 MB.",
    ),
    DatasetInfo(
        "cifar10", "CIFAR-10 in grey", THINGS, 50_000, 10_000, False,
        "CIFAR-10 by Alex Krizhevsky", "Downloaded once, 170 MB; made grey and 28×28.",
    ),
)  # fmt: skip


def catalogue() -> tuple[DatasetInfo, ...]:
    """Return every target task, the shipped ones first."""
    return _CATALOGUE


def info(name: str) -> DatasetInfo:
    """Return one entry of the catalogue.

    Raises
    ------
    SpecError
        There is no such task; the message lists the names.
    """
    check_choice("target", name, tuple(entry.name for entry in _CATALOGUE))
    return next(entry for entry in _CATALOGUE if entry.name == name)


def load(spec: DataSpec) -> Data:
    """Return the images of a target task, divided by split and seed.

    "standard" keeps one tenth of the training part for validation (MNIST: 54,000 / 6,000 / 10,000). "article" keeps
    one twelfth (MNIST: 55,000 to train; the 15,000 held out are 5,000 for validation and the 10,000 of the test
    part). With ``per_class`` n the n training images of a class are the first n of the same order for every n, so a
    smaller training set is part of a larger one, and at most 1,000 validation images are kept. Without ``scale`` the
    pixels stay at 0..255; ``label_noise`` touches training labels alone, and never how many each class has.

    Raises
    ------
    SpecError
        Unknown target or split, or more images of a class than there are.
    DataError
        The images are missing or damaged, or cannot be downloaded.
    """
    entry = info(spec.target)
    check_number("seed", spec.seed)
    check_number("label_noise", spec.label_noise)
    check_per_class(spec)
    raw = _read(spec.target)
    train, validation = divide(raw.y_train, spec.split, spec.per_class, spec.seed)
    images = _as_images if spec.scale else _unscaled
    parts = (
        images(raw.x_train[train]), _with_noise(raw.y_train[train], spec.label_noise, spec.seed),
        images(raw.x_train[validation]), raw.y_train[validation],
        images(raw.x_test), raw.y_test,
    )  # fmt: skip
    return Data(*parts, class_names=entry.class_names, hash=_hash(parts))


def pool(target: str, split: str, draws: Iterable[tuple[int, int]], n_test: int | None = None) -> Pool:
    """Return what several training sets of one task need, so that features of every image are computed once.

    Parameters
    ----------
    draws : (per_class, seed) of each training set
    n_test : test images, drawn once by class in proportion and the same for every seed; None: all

    Raises
    ------
    SpecError, DataError
        As ``load``.
    """
    draws = tuple(dict.fromkeys(draws))
    for per_class, seed in draws:
        check_per_class(DataSpec(target, split, per_class, seed))  # type: ignore[arg-type]
    raw = _read(target)
    drawn = {draw: divide(raw.y_train, split, *draw)[0] for draw in draws}
    used = np.unique(np.concatenate(list(drawn.values())))
    test = _test_draw(raw.y_test, n_test)
    parts = (_as_images(raw.x_train[used]), raw.y_train[used], _as_images(raw.x_test[test]), raw.y_test[test])
    rows = {draw: np.searchsorted(used, positions) for draw, positions in drawn.items()}
    return Pool(*parts[:2], rows, *parts[2:], class_names=info(target).class_names, hash=_hash(parts))


def _test_draw(labels: np.ndarray, n: int | None) -> np.ndarray:
    if n is None or n >= len(labels):
        return np.arange(len(labels))
    rng = np.random.default_rng(0)  # fixed: the test images do not depend on a seed
    members = [rng.permutation(np.flatnonzero(labels == label)) for label in range(int(labels.max()) + 1)]
    kept = apportion(n, [len(images) for images in members])
    return np.sort(np.concatenate([images[:k] for images, k in zip(members, kept, strict=True)]))


def samples(target: str, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return ``n`` test images, the classes as even as they go, in random order, and their labels.

    A target that is not ``offline`` is read through Keras: ask for it in a child process only.
    """
    info(target)
    raw = _read(target)
    rng = np.random.default_rng(seed)
    members = [rng.permutation(np.flatnonzero(raw.y_test == label)) for label in np.unique(raw.y_test)]
    # Every class deals its next image in turn: the first n of that deal are as even as n allows.
    dealt = sorted(((turn, k, i) for k, images in enumerate(members) for turn, i in enumerate(images)))[: max(n, 0)]
    chosen = rng.permutation(np.array([i for _, _, i in dealt], dtype=np.int64))
    return _as_images(raw.x_test[chosen]), raw.y_test[chosen]


def as_pixels(images: np.ndarray) -> np.ndarray:
    """Return images of ``Data``, shape (n, 28, 28, 1), as uint8, shape (n, 28, 28); also those left at 0..255.

    Examples
    --------
    >>> as_pixels(np.full((1, 1, 1, 1), 0.2)).tolist(), as_pixels(np.full((1, 1, 1, 1), 51.0)).tolist()
    ([[[51]]], [[[51]]])
    """
    reach = 255 if images.size == 0 or images.max() <= 1 else 1
    return np.round(images[..., 0] * reach).astype(np.uint8)


# ------------------------------------------------------------------ splits


def max_per_class(target: str, split: str) -> int:
    """Return the largest ``per_class``: the training images of the smallest class. Reads no data."""
    info(target)
    check_choice("split", split, SPLITS)
    sizes = _sizes(target)
    kept = apportion(_n_validation(sum(sizes), split), sizes)
    return min(size - part for size, part in zip(sizes, kept, strict=True))


def check_per_class(spec: DataSpec) -> None:
    """Raise a SpecError, which says the most there are, when ``spec`` asks for too many images of a class."""
    most = max_per_class(spec.target, spec.split)
    if spec.per_class is None:
        return
    if isinstance(spec.per_class, int) and spec.per_class > most:
        raise SpecError(
            "{title} has at most {most:,} training images of every class in this split. Received: {value:,}. "
            "Take {most:,} or fewer, or all there are.",
            title=info(spec.target).title,
            most=most,
            value=spec.per_class,
        )
    check_number("per_class", spec.per_class)


def divide(labels: np.ndarray, split: str, per_class: int | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the training and of the validation images: disjoint, stratified, in random order.

    Parameters
    ----------
    labels : int array, shape (n,), values 0..k-1
    split : "standard" or "article"
    per_class : training images of each class; None for all
    """
    rng = np.random.default_rng(seed)
    members = [rng.permutation(np.flatnonzero(labels == label)) for label in range(int(labels.max()) + 1)]
    kept = apportion(_n_validation(len(labels), split), [len(images) for images in members])
    shown = kept if per_class is None else apportion(min(MOST_VALIDATION, sum(kept)), kept)
    validation = np.concatenate([images[:n] for images, n in zip(members, shown, strict=True)])
    pools = [images[n:] for images, n in zip(members, kept, strict=True)]
    train = np.concatenate([pool[:per_class] for pool in pools])
    return rng.permutation(train), rng.permutation(validation)


def apportion(n: int, sizes: Sequence[int]) -> list[int]:
    """Divide ``n`` in proportion to ``sizes`` by largest remainders.

    >>> apportion(10, [50, 30, 25])
    [5, 3, 2]
    """
    total = sum(sizes)
    shares = [n * size // total for size in sizes]
    order = sorted(range(len(sizes)), key=lambda k: -(n * sizes[k] % total))
    for k in order[: n - sum(shares)]:
        shares[k] += 1
    return shares


def _n_validation(n: int, split: str) -> int:
    check_choice("split", split, SPLITS)
    return round(n / (10 if split == "standard" else 12))


def _sizes(target: str) -> tuple[int, ...]:
    part = _PARTS.get(target)
    return SIZES[target] if part is None else SIZES["mnist"][part]


# ------------------------------------------------------------------ bytes

_PARTS = {"mnist_0_4": slice(0, 5), "mnist_5_9": slice(5, 10)}


def _read(target: str) -> _Raw:
    if target in _PARTS:
        return _keep_classes(_read("mnist"), _PARTS[target])
    readers = {"mnist": _read_mnist, "digits_8x8": _read_digits_8x8}
    return readers[target]() if target in readers else _read_through_keras(target)


def _keep_classes(raw: _Raw, part: slice) -> _Raw:
    """Keep the digits of ``part`` and number them from 0."""
    train, test = ((y >= part.start) & (y < part.stop) for y in (raw.y_train, raw.y_test))
    return _Raw(raw.x_train[train], raw.y_train[train] - part.start, raw.x_test[test], raw.y_test[test] - part.start)


def read_asset(path: Path, sha256: str) -> bytes:
    """Return the bytes of a shipped file after checking them.

    Raises
    ------
    DataError
        The file is missing, unreadable or not the one that was shipped.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            "The file {file} that ships with the app cannot be read ({reason}). Install the app again.",
            file=path.name,
            reason=error.strerror or error,
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataError(
            "The file {file} that ships with the app is damaged (its SHA-256 is not the noted one). "
            "Install the app again.",
            file=path.name,
        )
    return content


def read_card(path: Path) -> dict:
    """Return the JSON object that lies beside a shipped file; DataError when missing or damaged."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(card, dict):
            raise ValueError("not an object")
    except (OSError, ValueError) as error:
        raise DataError(
            "The file {file} that ships with the app is missing or damaged. Install the app again.", file=path.name
        ) from error
    return card


def check_shipped() -> None:
    """Raise a DataError when a shipped file of images is missing or damaged."""
    read_asset(ASSETS / "mnist.npz", str(read_card(ASSETS / "mnist.json").get("sha256")))


def _read_mnist() -> _Raw:
    return _read_npz(ASSETS / "mnist.npz", str(read_card(ASSETS / "mnist.json").get("sha256")))


@lru_cache(maxsize=1)  # 55 MB with which every later load of this process begins: a quarter of a second less
def _read_npz(path: Path, sha256: str) -> _Raw:
    with np.load(io.BytesIO(read_asset(path, sha256))) as arrays:
        return _Raw(arrays["x_train"], _int64(arrays["y_train"]), arrays["x_test"], _int64(arrays["y_test"]))


def _read_digits_8x8() -> _Raw:
    # scikit-learn's own file, read without importing scikit-learn: the Draw page shows samples in the server.
    found = find_spec("sklearn")
    folder = Path((found.submodule_search_locations or [""])[0]) if found else Path()
    table = np.loadtxt(folder / "datasets" / "data" / "digits.csv.gz", delimiter=",")  # (1797, 65): pixels, label
    pixels = np.round(table[:, :64].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    labels = _int64(table[:, 64])
    images = np.pad(_resize(pixels, 20), ((0, 0), (4, 4), (4, 4)))  # MNIST too: a 20 px digit in a 28 px frame
    rng = np.random.default_rng(0)  # fixed: the test images do not depend on a run's seed
    members = [rng.permutation(np.flatnonzero(labels == label)) for label in range(10)]
    kept = apportion(round(len(labels) / 5), [len(m) for m in members])
    test = np.sort(np.concatenate([m[:n] for m, n in zip(members, kept, strict=True)]))
    train = np.setdiff1d(np.arange(len(labels)), test)
    return _Raw(images[train], labels[train], images[test], labels[test])


def _read_through_keras(target: str) -> _Raw:
    import keras

    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(CONNECT_S)  # Keras sets none: behind a silent firewall it would wait for minutes
    try:
        (x_train, y_train), (x_test, y_test) = getattr(keras.datasets, target).load_data()
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise DataError(
            "{title} is not on this computer and could not be downloaded. Connect to the internet once, or pick a "
            "target that ships with the app: {offline}.",
            title=info(target).title,
            offline=", ".join(entry.title for entry in _CATALOGUE if entry.offline),
        ) from error
    finally:
        socket.setdefaulttimeout(patience)
    return _Raw(_grey(x_train), _int64(y_train).ravel(), _grey(x_test), _int64(y_test).ravel())


def _grey(pixels: np.ndarray) -> np.ndarray:
    """Turn uint8 (n, h, w) or (n, h, w, 3) into uint8 (n, 28, 28); colours by their brightness (ITU-R 601)."""
    if pixels.ndim == 4:
        pixels = np.round(pixels @ np.array([0.299, 0.587, 0.114], np.float32)).astype(np.uint8)
    return pixels if pixels.shape[1:] == (28, 28) else _resize(pixels, 28)


def _resize(pixels: np.ndarray, side: int) -> np.ndarray:
    from PIL import Image

    resized = [Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC) for image in pixels]
    return np.stack([np.asarray(image) for image in resized])


def _as_images(pixels: np.ndarray) -> np.ndarray:
    return np.divide(pixels, 255, dtype=np.float32)[..., None]  # (n, 28, 28, 1)


def _unscaled(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32)[..., None]  # (n, 28, 28, 1)


def _with_noise(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Deal the labels of a random ``share`` of the images out anew among these images."""
    rng = np.random.default_rng((seed, 1))  # a stream of its own: the images are the same with and without noise
    chosen = rng.permutation(len(labels))[: round(share * len(labels))]
    noisy = labels.copy()
    noisy[chosen] = labels[rng.permutation(chosen)]
    return noisy


def _int64(labels: np.ndarray) -> np.ndarray:
    return labels.astype(np.int64)


def _hash(arrays: Sequence[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


# ------------------------------------------------------------------ building the shipped file


def read_idx(folder: Path, md5: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Return the four arrays of a folder of IDX files (``.gz`` or not) after checking their sums.

    Returns
    -------
    dict with x_train, x_test: uint8 (n, 28, 28); y_train, y_test: uint8 (n,)

    References
    ----------
    The IDX format: LeCun, Cortes and Burges, "The MNIST database of handwritten digits".
    """
    arrays = {}
    for (file, expected), name in zip(md5.items(), ("x_train", "y_train", "x_test", "y_test"), strict=True):
        raw = _unzipped(folder, file)
        if hashlib.md5(raw, usedforsecurity=False).hexdigest() != expected:
            raise DataError("{file} is not the published file (its MD5 differs). Download it again.", file=file)
        header = 16 if name.startswith("x") else 8
        pixels = np.frombuffer(raw, np.uint8, offset=header)
        arrays[name] = pixels.reshape(-1, 28, 28) if name.startswith("x") else pixels
    return arrays


def _unzipped(folder: Path, file: str) -> bytes:
    for path in (folder / f"{file}.gz", folder / file):
        if path.is_file():
            try:
                return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            except (OSError, EOFError) as error:
                raise DataError("{file} is damaged. Download it again.", file=path.name) from error
    raise DataError("{folder} has no file {file} or {file}.gz. Give the folder of the four.", folder=folder, file=file)


def build(folder: Path) -> Path:
    """Write ``mnist.npz`` and its card into the assets folder from the four published files.

    The same files give the same bytes with the same version of zlib; the card notes the sum of what was written.
    """
    target = ASSETS / "mnist.npz"
    arrays = read_idx(folder, MD5["mnist"])
    with zipfile.ZipFile(target, "w") as archive:
        for name, array in arrays.items():
            stream = io.BytesIO()
            np.lib.format.write_array(stream, array)
            member = zipfile.ZipInfo(f"{name}.npy")  # its fixed date of 1980 keeps the bytes the same
            archive.writestr(member, stream.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION)
    content = target.read_bytes()
    card = {
        "file": target.name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "n_train": len(arrays["y_train"]),
        "n_test": len(arrays["y_test"]),
        "attribution": _LECUN,
        "rebuild": "python -m tlcore.datasets build FOLDER",
    }
    (ASSETS / "mnist.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return target
