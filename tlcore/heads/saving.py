"""A fitted head as a skops file: no pickle is ever loaded."""

import io
import json
import os
from collections.abc import Callable
from copy import copy
from dataclasses import asdict
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from tlcore.errors import DataError
from tlcore.machine import scratch
from tlcore.spec import Origin
from tlcore.spec.codec import decode

from .head import HEADS, FittedHead, info

MOST_BYTES = 2 * 2**30  # of an unpacked head: a k-NN that keeps 55,000 × 5,408 features has 1.2 GB


def save(head: FittedHead, path: Path, move: Callable[[Path, Path], object] = os.replace) -> int:
    """Write a head as a skops file, whole or not at all; return its size in bytes."""
    from skops.io import dumps

    estimator = copy(head.estimator)
    for name in HEADS[head.name].shed:
        vars(estimator).pop(name, None)
    state = {"name": head.name, "estimator": estimator, "scale": head.scale, "temperature": head.temperature}
    if head.reduce is not None:
        state["reduce"] = head.reduce
    if head.origin is not None:
        state["origin"] = json.dumps(asdict(head.origin))
    content = dumps(state, compression=ZIP_DEFLATED, compresslevel=1)
    scratch.write_whole(path, lambda temporary: temporary.write_bytes(content), move)
    return len(content)


def load(path: Path) -> FittedHead:
    """Read a head that ``save`` wrote; nothing in the file is ever run.

    Raises
    ------
    DataError
        The file is missing, damaged, or holds types a head does not have.
    """
    try:
        return read(Path(path).read_bytes())
    except FileNotFoundError as error:
        raise DataError("The head's file {name} is missing. Train it again.", name=Path(path).name) from error
    except Exception as error:  # skops raises many kinds for a damaged file
        raise DataError(
            "The head's file {name} cannot be read: it is damaged or was not made here. Train it again.",
            name=Path(path).name,
        ) from error


def read(content: bytes) -> FittedHead:
    """Return the head of a file's content; raises whatever skops raises where it is none."""
    from skops.io import loads

    with ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
            raise ValueError("larger than any head")
    # What the registered heads may hold; never taken from the file.
    trusted = {kind for head in HEADS.values() for kind in head.trusted}
    state = loads(content, trusted=sorted(trusted))
    info(state["name"])
    return FittedHead(
        state["name"],
        state["estimator"],
        float(state["scale"]),
        float(state["temperature"]),
        reduce=state.get("reduce"),
        origin=decode(Origin, json.loads(state["origin"]), strict=False) if "origin" in state else None,
    )
