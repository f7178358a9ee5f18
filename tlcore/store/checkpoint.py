"""What a training needs to go on after its process was killed: written after an epoch, whole or not at all."""

import json
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np

from tlcore.machine import scratch

log = getLogger(__name__)

FILE = "checkpoint.npz"


@dataclass(frozen=True)
class Checkpoint:
    """A training as it stood after an epoch.

    ``state`` has JSON values only. ``weights`` are the model's variables, those of its random generators included;
    ``slots`` those of the optimizer, ``best`` the trained part's weights of the best epoch where early stopping
    watches; each in the order its owner lists them.
    """

    state: dict[str, Any]
    weights: Sequence[np.ndarray]
    slots: Sequence[np.ndarray]
    best: Sequence[np.ndarray] = ()


def save(folder: Path, checkpoint: Checkpoint, move: Callable[[Path, Path], object] = os.replace) -> None:
    """Write a checkpoint into a run's folder in the place of the one before.

    Raises
    ------
    OSError
        It cannot be written; the one before is still there.
    """
    arrays = {"state": np.frombuffer(json.dumps(checkpoint.state).encode(), np.uint8)}
    for name in ("weights", "slots", "best"):
        arrays |= {f"{name}_{i}": array for i, array in enumerate(getattr(checkpoint, name))}

    def write(path: Path) -> None:
        with open(path, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    scratch.write_whole(Path(folder) / FILE, write, move)


def can_go_on(folder: Path) -> bool:
    """Whether a run's folder holds a checkpoint; whether it is whole is seen when it is loaded."""
    return (Path(folder) / FILE).is_file()


def load(folder: Path) -> Checkpoint | None:
    """Return the checkpoint of a run's folder; None when there is none, or when it is damaged, which is logged.

    Every number is held against its sum: the file is a zip archive, which has one for each member.
    """
    path = Path(folder) / FILE
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
        state = json.loads(found["state"].tobytes())
        return Checkpoint(state, *(_numbered(found, name) for name in ("weights", "slots", "best")))
    except FileNotFoundError:
        return None
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        log.warning("%s is damaged (%s): the run begins again", path, error)
        return None


def _numbered(found: dict[str, np.ndarray], name: str) -> list[np.ndarray]:
    n = sum(key.startswith(f"{name}_") for key in found)
    return [found[f"{name}_{i}"] for i in range(n)]


def remove(folder: Path) -> None:
    """Remove the checkpoint of a run's folder, and what was left unfinished there."""
    folder = Path(folder)
    try:
        (folder / FILE).unlink(missing_ok=True)
        scratch.sweep(folder, folder / "heads")
    except OSError as error:
        log.warning("the checkpoint in %s cannot be removed: %s", folder, error)
