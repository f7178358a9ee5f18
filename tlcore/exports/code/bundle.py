"""All that plain code needs, in one ZIP file: script, notebook, the source network and the images that are used."""

import io
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
from itertools import product
from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np
from pebble import ProcessExpired

from tlcore import datasets, extensions, sources
from tlcore.errors import DataError, LabError
from tlcore.machine import processes
from tlcore.machine.apart import apart
from tlcore.sentences import Sentence
from tlcore.spec import ComparisonSpec, FineTuneSpec, HeadSpec, SweepSpec
from tlcore.store import Run, Store

from . import plain_comparison, plain_sweep
from .cells import notebook, script
from .plain_tuning import NETWORK
from .variants import PLAIN

SECONDS, START_S = 300.0, 60.0
IMAGES = "data.npz"
log = getLogger(__name__)
_one_at_a_time = threading.Semaphore(1)


def make(run: Run, store: Store) -> tuple[bytes, Sentence]:
    """Return the ZIP file, and what is in it; takes seconds.

    Raises
    ------
    DataError
        The images or the source network are gone, or it took too long.
    """
    if not _one_at_a_time.acquire(timeout=SECONDS):
        raise DataError("Other files are being made. Try again in a minute.")
    try:
        content = apart(content_of, (run.id, str(store.folder)), begin, SECONDS, START_S)
    except LabError:
        raise
    except (TimeoutError, FutureTimeout, MemoryError, ProcessExpired) as error:
        log.warning("the code of %s ended in the middle: %r", run.id, error)
        raise DataError(
            "Packing the images took more time or memory than there is. Take the script, and a run on fewer images."
        ) from error
    finally:
        _one_at_a_time.release()
    return content, Sentence(
        "{mb} MB: script, notebook, networks and images. Unpack it and run the script in its folder.",
        mb=f"{len(content) / 1e6:.1f}",
    )


def begin() -> None:
    """First thing in the process."""
    processes.import_keras()
    extensions.load()


def content_of(run_id: str, folder: str) -> bytes:
    """Return the ZIP file of a run; brings TensorFlow."""
    run = Store(Path(folder)).get(run_id)
    cells, packed = PLAIN.cells(run), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(f"{PLAIN.name}.py", script(cells))
        file.writestr(f"{PLAIN.name}.ipynb", notebook(cells))
        arrays = images(run.spec)
        file.writestr(IMAGES, _npz(arrays))
        for name, content in _networks(run.spec, len(arrays["class_names"])):
            file.writestr(name, content)
    return packed.getvalue()


def images(spec: Any) -> dict[str, np.ndarray]:
    """Return the images that a run uses, by their names in the script: as stored, labels 0..k-1."""
    if isinstance(spec, SweepSpec):
        return _of_sweep(spec)
    if isinstance(spec, HeadSpec):
        arrays: dict[str, np.ndarray] = {}
        for seed in spec.seeds:
            data = datasets.load(replace(spec.data, seed=seed))
            arrays |= {f"x_train_{seed}": data.x_train, f"y_train_{seed}": data.y_train}
    else:
        data = datasets.load(spec.data)
        arrays = {name: getattr(data, name) for name in ("x_train", "y_train", "x_validation", "y_validation")}
    test = {"x_test": data.x_test, "y_test": data.y_test, "class_names": np.array(data.class_names)}
    return arrays | test


def _of_sweep(spec: SweepSpec) -> dict[str, np.ndarray]:
    pool = datasets.pool(spec.target, spec.split, product(spec.per_class, spec.seeds), spec.n_test)
    arrays = {"x_test": pool.x_test, "y_test": pool.y_test, "class_names": np.array(pool.class_names)}
    for (n, seed), rows in pool.rows.items():
        arrays |= {f"x_{n}_{seed}": pool.images[rows], f"y_{n}_{seed}": pool.labels[rows]}
    return arrays


def _npz(arrays: dict[str, np.ndarray]) -> bytes:
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]
    return packed.getvalue()


def _networks(spec: Any, n_classes: int) -> Iterator[tuple[str, bytes]]:
    """Yield the networks that a script loads, each with the name of its file."""
    if isinstance(spec, SweepSpec):
        for name, (source, seed, fresh) in plain_sweep.networks(spec).items():
            yield name, _saved(sources.load(source, n_classes if fresh else None, seed))
    elif isinstance(spec, ComparisonSpec):
        for name, lane in plain_comparison.networks(spec).items():
            yield name, _network(lane, n_classes)
    elif isinstance(spec, FineTuneSpec) or "features" in spec.inputs:
        yield NETWORK, _network(spec, n_classes)


def _network(spec: Any, n_classes: int) -> bytes:
    """Return the source network as Keras saves it, as it is; one without a head of its own with a fresh one.

    Weights that nobody trained follow from the seed.
    """
    has_head = isinstance(spec, HeadSpec) or sources.info(spec.source).answers
    return _saved(sources.load(spec.source, None if has_head else n_classes, spec.seed, scale=spec.data.scale))


def _saved(model: Any) -> bytes:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / NETWORK
        model.save(path)
        return path.read_bytes()
