"""A person's own model as a source: looked at here without Keras, rebuilt in a process of its own, kept by content."""

import hashlib
import io
import json
import os
import shutil
import stat
import tempfile
import threading
import time
import zipfile
from collections.abc import Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import asdict, replace
from logging import getLogger
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool

from tlcore.errors import DataError, SpecError, StoreError
from tlcore.machine.processes import LeanContext
from tlcore.sources.foreign import config as keras_config
from tlcore.sources.foreign import rebuild as foreign
from tlcore.sources.foreign.config import Network, refuse, short
from tlcore.spec import LayerInfo, SourceInfo
from tlcore.store import home

from . import cards as sources

log = getLogger(__name__)

MOST_BYTES = 10 * 2**20
MEMBERS = {"config.json": 2**20, "metadata.json": 2**16, "model.weights.h5": 64 * 2**20}  # unpacked bytes
MOST_MODELS = 50  # of a data folder
MOST_MODELS_PERSON = 10
SECONDS = 60.0  # from the moment the process has Keras
START_S = 60.0  # and until then: 5 on an idle machine
ABANDONED_S = 3600.0
TITLE, CLASS_NAME = 60, 20  # characters

_one_at_a_time = threading.Semaphore(1)


def add(content: bytes, file_name: str, class_names: Sequence[str] = (), owner: str = "") -> SourceInfo:
    """Check a ``.keras`` file, keep it as a source model of the data folder and return its card. Takes some seconds.

    Parameters
    ----------
    content : the file, which nobody has looked at
    file_name : what the person calls it; its stem becomes the title
    class_names : what the outputs stand for, in order; default: their numbers
    owner : the person whose model it is; "" is everybody's

    Raises
    ------
    DataError
        The file is no model that this app can use; the sentence says why.
    SpecError
        The class names do not fit, or there are as many models as there may be.
    StoreError
        The data folder has no room.
    """
    network, weights = look_at(content)
    names = check_class_names(class_names, network.n_classes)
    name = sources.UPLOAD + hashlib.sha256(owner.encode() + b"\n" + content).hexdigest()[: sources.UPLOAD_DIGITS]
    _check_room(name, owner)
    card = SourceInfo(
        name=name,
        title=title_of(file_name),
        dataset="",
        class_names=names,
        layers=(),
        seed=0,
        accuracy=None,
        n_train=0,
        n_test=0,
        rebuild="",
        note=f"Uploaded on {time.strftime('%Y-%m-%d', time.gmtime())}; how well it does was not measured.",
        owner=owner,
    )
    try:
        return _keep(card, network, weights)
    except OSError as error:
        raise StoreError(
            "The model could not be kept in the data folder ({reason}). Free some space there and try again.",
            reason=error.strerror or "no reason given",
        ) from error


def _keep(card: SourceInfo, network: Network, weights: bytes) -> SourceInfo:
    """Rebuild the model in a process, and put the file and its card into the data folder: the card comes last."""
    folder = home() / sources.UPLOADS
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="part-", dir=folder) as place:
        (Path(place) / foreign.WEIGHTS).write_bytes(weights)
        layers = tuple(LayerInfo(**row) for row in _in_a_process(network, place))
        model = Path(place) / foreign.MODEL
        card = replace(card, layers=layers, sha256=hashlib.sha256(model.read_bytes()).hexdigest())
        os.replace(model, folder / f"{card.name}.keras")
    write_card(card)
    return card


def remove(name: str, removed: bool = True) -> None:
    """Take an uploaded model off the list, or with ``removed=False`` put it back.

    The file goes with the next ``sweep``: until then runs that use it go on, and the person may think again.
    """
    card = sources.info(name)
    if not sources.is_uploaded(name):
        raise SpecError("{title} ships with the app and stays.", title=card.title)
    write_card(replace(card, removed=removed))


def sweep() -> None:
    """Delete the files of removed models and what a cut-off upload left. The cards stay: old runs name them."""
    folder = home() / sources.UPLOADS
    for card in sources.uploaded(removed=True):
        (folder / f"{card.name}.keras").unlink(missing_ok=True)
    for place in folder.glob("part-*"):
        if time.time() - place.stat().st_mtime > ABANDONED_S:  # else another server may be at it
            shutil.rmtree(place, ignore_errors=True)


def write_card(card: SourceInfo) -> None:
    """Write a card, whole or not at all."""
    path = home() / sources.UPLOADS / f"{card.name}.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(card), indent=2) + "\n", encoding="utf-8")
    os.replace(part, path)


def _check_room(name: str, owner: str) -> None:
    kept = [card for card in sources.uploaded() if card.name != name]
    own = [card for card in kept if card.owner == owner]
    if len(own) >= MOST_MODELS_PERSON or len(kept) >= MOST_MODELS:
        raise SpecError(
            "There are {n} uploaded models already, and {most} may be kept. Remove one first.",
            n=len(own) if len(own) >= MOST_MODELS_PERSON else len(kept),
            most=MOST_MODELS_PERSON if len(own) >= MOST_MODELS_PERSON else MOST_MODELS,
        )


# -- what a person calls things --------------------------------------------------------------------------------------


def title_of(file_name: str) -> str:
    """Return a title made from a file's name: its stem, printable, not too long.

    Examples
    --------
    >>> title_of("../../My model\\n.keras"), title_of(".keras")
    ('My model', 'Uploaded model')
    """
    stem = file_name.replace("\\", "/").rpartition("/")[2].removesuffix(".keras")
    words = "".join(c for c in stem if c.isprintable()).strip()
    return words[:TITLE].strip() or "Uploaded model"


def check_class_names(names: Sequence[str], n: int) -> tuple[str, ...]:
    """Return the names of ``n`` classes; their numbers when none are given.

    Raises
    ------
    SpecError
        Another number of names, an empty or too long one, or one that comes twice.
    """
    names = tuple(name.strip() for name in names) or tuple(map(str, range(n)))
    good = all(name and len(name) <= CLASS_NAME and name.isprintable() for name in names)
    if len(names) != n or len(set(names)) != n or not good:
        raise SpecError(
            "This model tells {n} classes apart. Give it {n} different names of at most {most} characters, or none.",
            n=n,
            most=CLASS_NAME,
        )
    return names


# -- the file --------------------------------------------------------------------------------------------------------


def look_at(content: bytes) -> tuple[Network, bytes]:
    """Check everything that can be checked without Keras; return the network and the bytes of its weights file.

    Raises
    ------
    DataError
        The file is no ``.keras`` archive, or not of a model that this app can use.
    """
    if len(content) > MOST_BYTES:
        raise refuse(
            f"the file has more than {MOST_BYTES // 2**20} MB; save it without its optimizer, or a smaller one"
        )
    if content[:8] == b"\x89HDF\r\n\x1a\n":
        raise refuse("it is a file in the old .h5 format, which may hold code; save it as .keras")
    if content[:4] != b"PK\x03\x04":
        raise refuse("it is no .keras file; save the model with model.save('name.keras')")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = _members(archive.infolist())
            found = {name: _unpack(archive, member) for name, member in members.items()}
    except DataError:
        raise
    except Exception as error:  # zipfile raises whatever it comes upon in a damaged file
        raise refuse("the file is damaged; save or download it again") from error
    _check_version(found["metadata.json"])
    return keras_config.read(found["config.json"]), found["model.weights.h5"]


def _members(infos: Sequence[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if info.filename not in MEMBERS or kind not in (0, stat.S_IFREG):
            raise refuse(f"the archive holds {short(info.filename)}, which does not belong into a .keras file")
        if info.filename in found:
            raise refuse(f"the archive holds {info.filename} twice")
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise refuse("the archive is encrypted or packed in another way than Keras packs it")
        if info.file_size > MEMBERS[info.filename]:
            raise refuse(f"its {info.filename} unpacks to more than {MEMBERS[info.filename] / 2**20:,.0f} MB")
        found[info.filename] = info
    missing = [name for name in MEMBERS if name not in found]
    if missing:
        raise refuse(f"the archive has no {missing[0]}")
    return found


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return a member's bytes, never more than it may have, whatever the archive's directory says."""
    with archive.open(member) as file:
        content = file.read(MEMBERS[member.filename] + 1)
    if len(content) != member.file_size:
        raise ValueError("the directory gives another size")
    return content


def _check_version(metadata: bytes) -> None:
    try:
        version = json.loads(metadata)["keras_version"]
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise refuse("its metadata.json does not say which Keras wrote it") from error
    if not isinstance(version, str) or not version.startswith("3."):
        raise refuse(f"it was written by Keras {short(version)}; save it again with Keras 3")


# -- the process -----------------------------------------------------------------------------------------------------


def _in_a_process(network: Network, place: str) -> list[dict[str, Any]]:
    """Let a fresh process rebuild the model; it may take so much memory and time, and is gone afterwards."""
    if not _one_at_a_time.acquire(timeout=SECONDS + START_S):
        raise DataError("Other models are being checked. Try again in a minute.")
    context = LeanContext()
    pool = ProcessPool(max_workers=1, max_tasks=1, initializer=foreign.begin, context=context)
    try:
        return pool.schedule(foreign.rebuild, args=(network, place), timeout=SECONDS).result(SECONDS + START_S)
    except DataError:
        raise
    except (TimeoutError, FutureTimeout) as error:
        raise refuse(f"reading it takes more than {SECONDS + START_S:.0f} seconds") from error
    except MemoryError as error:
        raise refuse("reading it takes more memory than it may") from error
    except ProcessExpired as error:
        log.warning("the process that read an uploaded model ended with exit code %s", error.exitcode)
        raise refuse("the process that read it ended in the middle, as when memory runs out") from error
    except Exception as error:
        log.exception("an uploaded model could not be rebuilt")
        raise refuse("Keras could not build it from its layers and weights") from error
    finally:  # not the pool's own exit, which would wait for a process that hangs before it takes the task
        pool.stop()
        context.kill()
        pool.join()
        _one_at_a_time.release()
