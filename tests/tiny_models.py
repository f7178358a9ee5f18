"""Predictors for the serving tests: no network behind them. Importable by name in the inference process."""

import os
import signal
import sys
import threading
from pathlib import Path

import numpy as np

from tlcore.datasets.mnist import FORM
from tlcore.errors import DataError


class Tiny:
    """Answers with (mean of the item by 256, number of items in the call)."""

    form = FORM

    def __init__(self, name: str, folder: Path):
        self.name, self.folder = name, folder

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        marker = self.folder / "died"
        if self.name == "die" or (self.name == "die_once" and not marker.exists()):
            marker.write_text("")
            os.kill(os.getpid(), signal.SIGKILL)
        if self.name == "die_on_white" and images.mean(axis=(1, 2, 3)).max() > 250:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.name == "bug":
            raise RuntimeError("a bug")
        if self.name == "misshapen":
            return np.zeros(3)
        if self.name == "gate":
            opened(self.folder / "gate")
        means = images.mean(axis=(1, 2, 3)) / 256
        return np.stack([means, np.full_like(means, len(images))], axis=1)


def opened(gate: Path) -> None:
    """Wait until a test makes the file."""
    while not gate.exists():
        threading.Event().wait(0.01)


def load(name: str, folder: Path) -> Tiny:
    with open(folder / "loads", "a") as file:
        file.write(f"{name} {os.getpid()}\n")
    if name == "missing":
        raise DataError("The file of {name} is missing. Train it again.", name=name)
    if name == "slow":
        opened(folder / "slow")
    return Tiny(name, folder)


def plain_only() -> tuple[str, ...]:
    return ("plain",)


def slow_only() -> tuple[str, ...]:
    return ("slow",)


def gate_and_plain() -> tuple[str, ...]:
    return ("gate", "plain")


def gate_and_white() -> tuple[str, ...]:
    return ("gate", "die_on_white")


def cannot_start() -> tuple[str, ...]:
    os._exit(3)


def modules(name: str, folder: Path) -> Tiny:
    """A loader that tells what its process has imported."""
    (folder / "modules").write_text(" ".join(sys.modules))
    return Tiny(name, folder)
