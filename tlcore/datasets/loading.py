"""The images of a target task, divided into training, validation and test by a DataSpec.

Items are as stored, shape (n, *form.shape): networks scale them themselves. Labels are int64, 0..k-1. The published
test images are the test part of every split, because the shipped source models have never seen them.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tlcore.spec import DataSpec, InputForm, check_number

from . import drawings
from .source import get, info
from .splits import check_per_class, divide, draw


@dataclass(frozen=True, eq=False)
class Data:
    """The three parts of one task: x as stored, shape (n, *form.shape), y int64 (n,).

    ``hash`` is the SHA-256 (hex) over the bytes of the six arrays in the order of the fields.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]
    form: InputForm
    hash: str


@dataclass(frozen=True, eq=False)
class Pool:
    """The training images that several draws of one task take together, each once, and one draw of its test images.

    ``rows[per_class, seed]`` are positions in ``images``: the training set of ``load`` with those settings, in its
    order. ``hash`` is the SHA-256 (hex) over images, labels, test images and test labels.
    """

    images: np.ndarray  # as stored, (n, *form.shape)
    labels: np.ndarray  # int64 (n,)
    rows: Mapping[tuple[int, int], np.ndarray]
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]
    form: InputForm
    hash: str


def load(spec: DataSpec) -> Data:
    """Return the images of a target task, divided by split and seed.

    "standard" keeps one tenth of the training part for validation (MNIST: 54,000 / 6,000 / 10,000). "article" keeps
    one twelfth (MNIST: 55,000 to train; the 15,000 held out are 5,000 for validation and the 10,000 of the test
    part). With ``per_class`` n the n training images of a class are the first n of the same order for every n, so a
    smaller training set is part of a larger one, and at most 1,000 validation images are kept. ``label_noise`` touches
    training labels alone, and never how many each class has; ``imbalance`` training images alone. ``own`` drawings come
    after the training images, whatever ``per_class`` says; those of other classes are left out.

    Raises
    ------
    SpecError
        Unknown target or split, or more images of a class than there are.
    DataError
        The images are missing or damaged, or cannot be downloaded; or a set of drawings is gone.
    """
    entry = info(spec.target)
    check_number("seed", spec.seed)
    check_number("label_noise", spec.label_noise)
    check_number("imbalance", spec.imbalance)
    check_per_class(spec)
    raw = get(spec.target).read()
    train, validation = divide(raw.y_train, spec.split, spec.per_class, spec.seed, spec.imbalance)
    x_train, y_train = raw.x_train[train], _with_noise(raw.y_train[train], spec.label_noise, spec.seed)
    if spec.own:
        x_own, y_own = drawings.of_task(spec.own, entry)
        x_train, y_train = np.concatenate([x_train, x_own]), np.concatenate([y_train, y_own])
    parts = (
        x_train, y_train,
        raw.x_train[validation], raw.y_train[validation],
        raw.x_test, raw.y_test,
    )  # fmt: skip
    return Data(*parts, class_names=entry.class_names, form=entry.form, hash=_hash(parts))


def older_hash(data: Data, scale: bool) -> str:
    """Return the ``hash`` of the same images as float32: as a run began before they were kept as stored noted it."""
    reach = np.float32(255 if scale else 1)
    x_train, x_validation, x_test = (x / reach for x in (data.x_train, data.x_validation, data.x_test))
    return _hash([x_train, data.y_train, x_validation, data.y_validation, x_test, data.y_test])


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
    parts = (raw.x_train[used], raw.y_train[used], raw.x_test[test], raw.y_test[test])
    rows = {key: np.searchsorted(used, positions) for key, positions in drawn.items()}
    entry = info(target)
    return Pool(*parts[:2], rows, *parts[2:], entry.class_names, entry.form, _hash(parts))


def samples(target: str, n: int, seed: int = 0, part: str = "test") -> tuple[np.ndarray, np.ndarray]:
    """Return ``n`` items as stored, the classes as even as they go, in random order, and their labels.

    ``part`` is "test" or "train".

    A target that is not ``offline`` is read through Keras: ask for it in a child process only.
    """
    source = get(target)
    y = source.labels(part)
    rng = np.random.default_rng(seed)
    members = [rng.permutation(np.flatnonzero(y == label)) for label in np.unique(y)]
    # Every class deals its next image in turn: the first n of that deal are as even as n allows.
    dealt = sorted(((turn, k, i) for k, images in enumerate(members) for turn, i in enumerate(images)))[: max(n, 0)]
    chosen = rng.permutation(np.array([i for _, _, i in dealt], dtype=np.int64))
    return source.items(part, chosen), y[chosen]


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
