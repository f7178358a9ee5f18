"""Items of a task that nothing which learned it has seen; of a set that does not ship, the few test items that do."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np

from tlcore.errors import DataError
from tlcore.spec import DataSpec

from .assets import ASSETS, read_asset, read_card
from .idx import read_idx
from .keras_sets import FASHION_MD5
from .loading import samples
from .source import get, info
from .splits import divide

FOLDER = ASSETS / "unseen"
N_FEW = 1500  # test items of a set that ship where the set itself does not


def unseen(spec: DataSpec) -> tuple[np.ndarray, np.ndarray]:
    """Return items as stored, shape (n, *form.shape): what any run with that split and seed holds out, and test items.

    Raises
    ------
    DataError
        The set is not on this computer, and no part of it ships; or a shipped file is damaged.
    """
    source = get(spec.target)
    if source.at_hand():
        raw = source.read()
        held_out = divide(raw.y_train, spec.split, None, spec.seed)[1]
        return raw.x_train[held_out], raw.x_test
    items = _few(spec.target)[0]
    return items[: 2 * len(items) // 3], items[2 * len(items) // 3 :]


def has_test(task: str) -> bool:
    """Return whether labelled test items of a task are at hand without a download."""
    return get(task).at_hand() or _file(task).exists()


def own_test(task: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ``n`` labelled test items of a task at most, as stored, always the same ones, and their labels.

    Of a set that does not ship they are the few that do, also where all of it is at hand: the same on each computer.

    Raises
    ------
    DataError
        They are not on this computer, or damaged.
    """
    if not info(task).offline and _file(task).exists():
        items, labels = _few(task)
        return items[:n], labels[:n]
    return samples(task, n)


def _file(task: str) -> Path:
    return FOLDER / f"{task}.npz"


def _few(task: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the few test items that ship of a set, as stored, and their labels."""
    path = _file(task)
    if not path.exists():
        raise DataError("{title} is not on this computer.", title=info(task).title)
    with np.load(io.BytesIO(read_asset(path, str(read_card(path.with_suffix(".json")).get("sha256"))))) as file:
        return file["x"], file["y"].astype(np.int64)


def build(folder: Path) -> Path:
    """Write ``fashion_mnist.npz`` and its card from the four published files in ``folder``; return its path."""
    path = FOLDER / "fashion_mnist.npz"
    arrays = read_idx(folder, FASHION_MD5)
    rows = np.random.default_rng(0).permutation(len(arrays["x_test"]))[:N_FEW]
    FOLDER.mkdir(exist_ok=True)
    np.savez_compressed(path, x=arrays["x_test"][rows][..., None], y=arrays["y_test"][rows])
    card = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "n": len(rows),
        "attribution": info("fashion_mnist").attribution,
        "rebuild": "python -m tlcore.datasets unseen FOLDER",
    }
    path.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return path
