"""The images of a target task, divided into training, validation and test by a DataSpec.

Images are float32, values in [0, 1]; labels are int64, 0..k-1. The published test images are the test part of every
split, because the shipped source models have never seen them.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tlcore.spec import DataSpec, check_number

from .source import get, info
from .splits import check_per_class, divide, draw


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
    raw = get(spec.target).read()
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
    raw = get(target).read()
    drawn = {key: divide(raw.y_train, split, *key)[0] for key in draws}
    used = np.unique(np.concatenate(list(drawn.values())))
    test = draw(raw.y_test, n_test)
    parts = (_as_images(raw.x_train[used]), raw.y_train[used], _as_images(raw.x_test[test]), raw.y_test[test])
    rows = {key: np.searchsorted(used, positions) for key, positions in drawn.items()}
    return Pool(*parts[:2], rows, *parts[2:], class_names=info(target).class_names, hash=_hash(parts))


def samples(target: str, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return ``n`` test images, the classes as even as they go, in random order, and their labels.

    A target that is not ``offline`` is read through Keras: ask for it in a child process only.
    """
    raw = get(target).read()
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


def _as_images(pixels: np.ndarray) -> np.ndarray:
    return np.divide(pixels, 255, dtype=np.float32)


def _unscaled(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32)


def _with_noise(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Shuffle the labels of a random ``share`` of the images among these images."""
    rng = np.random.default_rng((seed, 1))  # a stream of its own: the images are the same with and without noise
    chosen = rng.permutation(len(labels))[: round(share * len(labels))]
    noisy = labels.copy()
    noisy[chosen] = labels[rng.permutation(chosen)]
    return noisy


def _hash(arrays: Sequence[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
