"""Items of a task that nothing which learned it has seen; of a set that does not ship, the few that do."""

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
    path = FOLDER / f"{spec.target}.npz"
    if not path.exists():
        raise DataError("{title} is not on this computer.", title=info(spec.target).title)
    with np.load(io.BytesIO(read_asset(path, str(read_card(path.with_suffix(".json")).get("sha256"))))) as file:
        items = file["x"]
    return items[: 2 * len(items) // 3], items[2 * len(items) // 3 :]


def build(folder: Path) -> Path:
    """Write ``fashion_mnist.npz`` and its card from the four published files in ``folder``; return its path."""
    path = FOLDER / "fashion_mnist.npz"
    test = read_idx(folder, FASHION_MD5)["x_test"]
    rows = np.random.default_rng(0).permutation(len(test))[:N_FEW]
    FOLDER.mkdir(exist_ok=True)
    np.savez_compressed(path, x=test[rows][..., None])
    card = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "n": len(rows),
        "attribution": info("fashion_mnist").attribution,
        "rebuild": "python -m tlcore.datasets unseen FOLDER",
    }
    path.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return path
