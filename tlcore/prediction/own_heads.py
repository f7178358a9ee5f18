"""Heads that a person uploaded: looked at here, examined in a process of its own, kept by content."""

import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from tlcore import sources
from tlcore.errors import DataError, SpecError, StoreError
from tlcore.sentences import Sentence
from tlcore.sources.foreign.guarded import guarded
from tlcore.sources.uploads import MOST_MODELS, MOST_MODELS_PERSON, title_of
from tlcore.spec import Origin, SourceInfo
from tlcore.spec.codec import decode
from tlcore.store import Store, home, shared_home

from . import examining
from .examining import refuse
from .names import SUFFIX

FOLDER = "own_heads"
NAME, DIGITS = "own-", 12  # a head's name: this, and so many hex digits of its hash
MOST_BYTES = 64 * 2**20
MOST_UNPACKED = 512 * 2**20
SCHEMA = "schema.json"  # what skops begins with
MOST_SCHEMA = 64 * 2**20
SECONDS, START_S = 60.0, 60.0
FAILED = Sentence("it is damaged, or not a head of this lab. Download the head again")


@dataclass(frozen=True)
class OwnHead:
    """An uploaded head's card; ``source`` is the network here that its features come from, "" where it needs none."""

    name: str
    title: str
    head: str
    source: str
    origin: Origin
    sha256: str
    owner: str = ""
    made: float = 0.0  # Unix time
    removed: bool = False


def add(content: bytes, file_name: str, offered: Sequence[SourceInfo] | None = None, owner: str = "") -> OwnHead:
    """Check a head's file, keep it in the data folder and return its card. Takes some seconds.

    Parameters
    ----------
    content : the file, which nobody has looked at
    offered : the networks that its features may come from; None: what ships and everybody's
    owner : the person whose head it is; "" is everybody's

    Raises
    ------
    DataError
        The file is not a head that can answer here; the sentence says why and what to do.
    SpecError
        There are as many heads as there may be.
    StoreError
        The data folder has no room.
    """
    names = look_at(content)
    name = NAME + hashlib.sha256(owner.encode() + b"\n" + content).hexdigest()[:DIGITS]
    _check_room(name, owner)
    sha256 = hashlib.sha256(content).hexdigest()
    cards = (*sources.catalogue(), *sources.uploaded("")) if offered is None else offered
    known = None if names else _of_a_run(sha256)
    folder = shared_home() / FOLDER
    path, part = folder / f"{name}{SUFFIX}", folder / f"{name}.{secrets.token_hex(4)}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        asked = (str(part), known, tuple(card.name for card in cards))
        head, source, origin = guarded(
            examining.examine, asked, examining.begin, examining.because, FAILED, SECONDS, START_S
        )
        card = OwnHead(name, title_of(file_name.removesuffix(SUFFIX)), head, source, origin, sha256, owner, time.time())
        os.replace(part, path)
        write_card(card)
    except OSError as error:
        raise StoreError(
            "The head could not be kept in the data folder ({reason}). Free some space there and try again.",
            reason=error.strerror or "no reason given",
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return card


def look_at(content: bytes) -> bool:
    """Check what can be checked without skops; return whether the file says where its features come from.

    Raises
    ------
    DataError
        It is too large, not an archive, or not one of skops.
    """
    if len(content) > MOST_BYTES:
        raise refuse("the file has more than {most} MB. Train it on fewer labels", most=MOST_BYTES // 2**20)
    if content[:4] != b"PK\x03\x04":
        raise refuse("it is not a .skops file. Download a head under Runs, and add that file")
    try:
        with ZipFile(BytesIO(content)) as archive:
            infos = archive.infolist()
            members = {info.filename for info in infos}
            if members >= {"config.json", "metadata.json"}:
                raise refuse("it is a whole Keras network. Add it on the Layers page")
            if SCHEMA not in members:
                raise refuse("it is not a .skops file. Download a head under Runs, and add that file")
            if sum(info.file_size for info in infos) > MOST_UNPACKED or archive.getinfo(SCHEMA).file_size > MOST_SCHEMA:
                most = MOST_UNPACKED // 2**20
                raise refuse("it unpacks to more than {most} MB. Train it on fewer labels", most=most)
            if len(members) < len(infos):
                raise refuse("the file is damaged. Download it again")
            with archive.open(SCHEMA) as file:
                return b"origin" in file.read(MOST_SCHEMA)
    except DataError:
        raise
    except Exception as error:  # zipfile raises whatever it comes upon in a damaged file
        raise refuse("the file is damaged. Download it again") from error


def _of_a_run(sha256: str) -> Origin | None:
    """Return what a run of this lab says of a head that it saved; None where no run has that file."""
    for run in Store(home()).list(kind="heads", states=("done", "stopped"), limit=1000):
        for row in run.result.heads:
            if row.file in run.result.files and run.result.files[row.file].sha256 == sha256:
                return examining.origin_of(run, row)
    return None


def _check_room(name: str, owner: str) -> None:
    kept = [card for card in cards() if card.name != name]
    own = [card for card in kept if card.owner == owner]
    if len(own) >= MOST_MODELS_PERSON or len(kept) >= MOST_MODELS:
        raise SpecError(
            "There are {n} uploaded heads, and the limit is {most}. Remove one first.",
            n=len(own) if len(own) >= MOST_MODELS_PERSON else len(kept),
            most=MOST_MODELS_PERSON if len(own) >= MOST_MODELS_PERSON else MOST_MODELS,
        )


# -- what is kept ----------------------------------------------------------------------------------------------------


def is_own(name: object) -> bool:
    """Return whether ``name`` has the form of an uploaded head's."""
    digits = name.removeprefix(NAME) if isinstance(name, str) and name.startswith(NAME) else ""
    return len(digits) == DIGITS and set(digits) <= set("0123456789abcdef")


def info(name: str) -> OwnHead:
    """Return a card.

    Raises
    ------
    SpecError
        There is no such head.
    """
    with suppress(OSError, ValueError, TypeError, KeyError):
        if is_own(name):
            return decode(
                OwnHead, json.loads((shared_home() / FOLDER / f"{name}.json").read_text("utf-8")), strict=False
            )
    raise SpecError("There is no model {name!r}. Pick one from the list.", name=name)


def cards(owners: Iterable[str] | None = None) -> tuple[OwnHead, ...]:
    """Return the cards of the heads on offer, the newest first: of some persons, or of all.

    A card that cannot be read is left out.
    """
    found = []
    wanted = None if owners is None else set(owners)
    for path in (shared_home() / FOLDER).glob(f"{NAME}*.json"):
        with suppress(SpecError):
            card = info(path.stem)
            if not card.removed and (wanted is None or card.owner in wanted):
                found.append(card)
    return tuple(sorted(found, key=lambda card: -card.made))


def checked_file(card: OwnHead) -> Path:
    """Return the path of an uploaded head; a DataError where the file is gone, or not what the card says."""
    path = shared_home() / FOLDER / f"{card.name}{SUFFIX}"
    with suppress(OSError):
        if hashlib.sha256(path.read_bytes()).hexdigest() == card.sha256:
            return path
    raise DataError("The uploaded head {title} was removed or is damaged. Upload it again.", title=card.title)


def remove(name: str, removed: bool = True) -> None:
    """Take an uploaded head off the list, or with ``removed=False`` put it back. Its file goes with ``sweep``."""
    write_card(replace(info(name), removed=removed))


def sweep() -> None:
    """Delete the files of removed heads, and what a cut-off upload left."""
    for path in (shared_home() / FOLDER).glob(f"{NAME}*"):
        old = path.suffix == ".part" and time.time() - path.stat().st_mtime > 3600
        with suppress(SpecError):
            if old or path.suffix == SUFFIX and info(path.stem).removed:
                path.unlink(missing_ok=True)


def write_card(card: OwnHead) -> None:
    """Write a card, whole or not at all."""
    path = shared_home() / FOLDER / f"{card.name}.json"
    part = path.with_suffix(".card")
    part.write_text(json.dumps(asdict(card), indent=2) + "\n", encoding="utf-8")
    os.replace(part, path)
