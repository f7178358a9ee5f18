"""One file made, and tried, in a process of its own: what a converter wrote must answer as the model here does."""

import importlib
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pebble import ProcessExpired

from tlcore import datasets, extensions, prediction
from tlcore.errors import DataError, LabError
from tlcore.machine import processes
from tlcore.machine.apart import apart
from tlcore.prediction import ModelName, Pieces
from tlcore.sentences import Sentence
from tlcore.store import Run, Store

Form = Literal["onnx", "tflite", "tflite_int8", "html"]

SECONDS, START_S = 300.0, 60.0
N_TRIED = 500  # test images that the file is asked
N_CALIBRATION = 300  # training images by which 8-bit integers are chosen
MOST_OFF = 1e-4  # of a probability, from ours
MADE_WITH = ("keras", "tensorflow", "sklearn", "onnx", "tf2onnx", "skl2onnx")  # modules
log = getLogger(__name__)
_one_at_a_time = threading.Semaphore(1)


@dataclass(frozen=True)
class Made:
    """A file that was made and tried.

    Attributes
    ----------
    n : test images that it was asked; 0 where the target's images are not at hand
    off : largest difference of a probability from ours
    accuracy, original : its accuracy on those images, and the model's own, in [0, 1]
    """

    content: bytes
    n: int
    off: float
    accuracy: float
    original: float
    seconds: float
    n_same: int = 0  # images to which it gives the label that the model gives


def make(run: Run, store: Store, name: str, form: Form) -> Made:
    """Return a model of a run as a file of that form; takes seconds to a minute.

    Parameters
    ----------
    name : of a ``ModelName``

    Raises
    ------
    DataError
        The model has no such form, or the file does not answer as the model does; or it took too long.
    """
    return in_turn(_made, (run.id, str(store.folder), name, form))


def in_turn(function: Callable[..., Made], arguments: tuple[Any, ...]) -> Made:
    """Return what a function makes in a process of its own, one after another; a DataError where it cannot."""
    if not _one_at_a_time.acquire(timeout=SECONDS):
        raise DataError("Other files are being made. Try again in a minute.")
    try:
        return apart(function, arguments, begin, SECONDS, START_S)
    except (TimeoutError, FutureTimeout) as error:
        most = f"{SECONDS / 60:.0f}"
        raise DataError("Making the file took more than {n} minutes. Take a smaller model.", n=most) from error
    except (MemoryError, ProcessExpired) as error:
        log.warning("making a file (%s) ended in the middle: %r", arguments, error)
        raise DataError("Making the file took more memory than there is. Take a smaller model.") from error
    except LabError:
        raise
    except Exception as error:
        log.exception("no file could be made of %s", arguments)
        raise DataError("This model could not be converted. Download it as Keras or skops has it.") from error
    finally:
        _one_at_a_time.release()


def begin() -> None:
    """First thing in the process."""
    processes.import_keras()
    extensions.load()


def _made(run_id: str, folder: str, name: str, form: Form) -> Made:
    place = Path(folder)
    run = Store(place).get(run_id)
    pieces = prediction.pieces(name, place)
    few = _items(run, "train", N_CALIBRATION)[0] if form == "tflite_int8" else None
    items, labels = _items(run, "test", N_TRIED)
    ours = prediction.of_pieces(name, pieces).predict_proba(items)
    title = next(info.title for info in prediction.of_run(run) if info.name == name)
    return tried(pieces, card_of(run, name), form, items, ours, labels, title, few)


def tried(
    pieces: Pieces,
    card: dict[str, str],
    form: Form,
    items: np.ndarray,
    ours: np.ndarray,
    labels: np.ndarray,
    title: Sentence,
    few: np.ndarray | None,
) -> Made:
    """Return a model as a file of that form, tried on items.

    Parameters
    ----------
    ours : what the model here answers to the items, (n, n_classes)
    few : items by which 8-bit integers are chosen

    Raises
    ------
    DataError
        It has no such form, or the file does not answer as the model does.
    """
    from . import lite_file, onnx_file, web_page  # bring TensorFlow

    began = time.monotonic()
    if form in ("onnx", "html"):
        content, answer = onnx_file.convert(pieces, card), onnx_file.answer
    else:
        content = lite_file.convert(pieces, card, few if form == "tflite_int8" else None)
        answer = lite_file.answer
    theirs = answer(content, items)
    off = float(np.abs(ours - theirs).max(initial=0.0))
    if form != "tflite_int8" and off > MOST_OFF:
        raise DataError(
            "The converted file does not answer as the model does: a probability differs by {off}. It is not handed "
            "out; download the model as Keras or skops has it.",
            off=f"{off:.2g}",
        )
    if form == "html":
        content = web_page.convert(content, pieces, title, card)
    right = [float((answers.argmax(axis=1) == labels).mean()) for answers in (theirs, ours)]
    n_same = int((theirs.argmax(axis=1) == ours.argmax(axis=1)).sum())
    return Made(content, len(items), off, right[0], right[1], time.monotonic() - began, n_same)


def _items(run: Run, part: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return items of the run's own task and their labels.

    Raises
    ------
    DataError
        They are gone: what is made could not be tried.
    """
    try:
        return datasets.samples(run.spec.data.target, n, 0, part)
    except LabError as error:
        raise DataError(
            "The images of this run's task are not here any more, so the file could not be tried. Bring them back, "
            "or download the model as Keras or skops has it."
        ) from error


def card_of(run: Run, name: str) -> dict[str, str]:
    """Return what the file says of itself: text by name, as ONNX metadata takes it."""
    asked = ModelName.parse(name)
    file = f"heads/{asked.file}" if asked.file else run.result.network
    info = next(info for info in prediction.of_run(run) if info.name == name)
    form = info.form
    row = next((row for row in run.result.heads if asked.file and row.file == file), None)
    test = row or getattr(run.result, "test", None)
    card = {
        "title": str(info.title),
        "classes": json.dumps(list(info.class_names), ensure_ascii=False),
        "input": f"{' x '.join(map(str, form.shape))}, {form.dtype} as stored; preprocessing is inside",
        "trained on": f"{run.spec.data.target}, {getattr(run.result, 'n_trained', 0)} labelled items",
        "seed": str(run.seed),
        "run": run.id,
        "sha256 of the model": run.result.files[file].sha256,
    }
    if test is not None:
        card["test accuracy"] = f"{test.accuracy:.4f}, 95 % interval {test.low:.4f} to {test.high:.4f}, n = {test.n}"
        if test.balanced is not None:
            found = test.balanced
            card["balanced test accuracy"] = (
                f"{found.accuracy:.4f}, 95 % interval {found.low:.4f} to {found.high:.4f}; always guessing "
                f"{found.chance:.4f}"
            )
    card["made with"] = versions()
    return card


def versions() -> str:
    """Return what a file is made with, as its card says it."""
    return ", ".join(f"{name} {importlib.import_module(name).__version__}" for name in MADE_WITH)
