"""Files that a person sends in pieces: straight to disk, from where they broke off, and gone when their sender left.

The files of one sending lie behind each other as one stream of bytes; a piece is any part of it that comes next. On
disk they have names of ours: what a person calls them stands in a list and opens nothing.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tlcore.errors import DataError, RightsError, SpecError, StoreError
from tlcore.machine.scratch import write_whole
from tlcore.sentences import Sentence
from tlcore.store import shared_home

FOLDER = "own_sets/incoming"  # in the data folder: what lies there counts as its sender's
PIECE = 8 * 2**20  # bytes of a piece at most
MOST_MORE = 1000  # files above the pictures that a set may have: lists of labels, and what belongs to no set
LONGEST_NAME = 300  # characters
DIGITS = 16  # hexadecimal, of a sending's name
_LIST = "files.json"


class OutOfTurn(DataError):
    """A piece is not the one that comes next, which begins at ``arrived``; None where another is on its way."""

    def __init__(self, arrived: int | None = None):
        words = Sentence("This piece is out of turn: the next one begins at byte {arrived}.", arrived=arrived)
        self.arrived = arrived
        super().__init__(words.template, **words.values)

    def __reduce__(self):
        return OutOfTurn, (self.arrived,)


@dataclass(frozen=True)
class File:
    """One file of a sending: what its sender calls it, folders included, its bytes, and when it was changed there."""

    name: str
    size: int
    changed: int = 0


@dataclass(frozen=True)
class Arrival:
    """A sending, whole or not yet."""

    id: str
    files: tuple[File, ...]
    folder: Path

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    @property
    def arrived(self) -> int:
        """Bytes that are there; the next piece begins here. Raises a SpecError when it was removed."""
        try:
            n = sum(1 for path in self.folder.iterdir() if path.name[:1] == "0")
            return sum(file.size for file in self.files[: n - 1]) + self.path(n - 1).stat().st_size if n else 0
        except OSError as error:
            raise _gone() from error

    @property
    def complete(self) -> bool:
        return self.arrived == self.size

    def path(self, at: int) -> Path:
        """Return where the file of that position lies; the ending alone is its sender's."""
        ending = re.search(r"\.[A-Za-z0-9]{1,6}$", self.files[at].name)
        return self.folder / f"{at:06d}{ending[0].lower() if ending else ''}"

    def named(self) -> tuple[tuple[str, Path], ...]:
        """Return what the sender calls each file, and where it lies."""
        return tuple((file.name, self.path(at)) for at, file in enumerate(self.files))


def begin(
    owner: str | None, files: Iterable[File], most_files: int, check_room: Callable[[str, int], object]
) -> Arrival:
    """Make room for a sending and return it; where the same files broke off before, that sending goes on.

    Parameters
    ----------
    owner : the person who sends; None where nobody knows
    files : in the order in which they come; empty ones are left out
    check_room : ``check_room(owner, n_bytes)`` raises a LabError where so many bytes more are too many

    Raises
    ------
    DataError
        There is nothing to send, or too much.
    RightsError
        Nobody sends.
    StoreError
        The data folder cannot be written.
    """
    owner = _somebody(owner)
    coming = tuple(replace(file, name=_clean(file.name)) for file in files if file.size)
    if not coming:
        raise DataError("There is nothing in these files. Choose pictures, or a ZIP of them.")
    if len(coming) > most_files:
        raise DataError(
            "You chose {n:,} files; the limit is {most:,}. Leave some out, or make two sets.",
            n=len(coming),
            most=most_files,
        )
    stated = json.dumps([[file.name, file.size, file.changed] for file in coming])
    name = hashlib.sha256(f"{owner}\n{stated}".encode()).hexdigest()[:DIGITS]
    arrival = Arrival(name, coming, _place(owner, name))
    is_there = (arrival.folder / _LIST).exists()
    check_room(owner, arrival.size - arrival.arrived if is_there else arrival.size)
    try:
        write_whole(arrival.folder / _LIST, lambda path: path.write_text(stated, encoding="utf-8"))
    except OSError as error:
        raise _no_room(error) from error
    return arrival


def _clean(name: str) -> str:
    """Return a name that can be shown: printable, and of a long one its end, where the folder and the file stand."""
    return "".join(c if c.isprintable() else "_" for c in name)[-LONGEST_NAME:]


def get(owner: str | None, name: str) -> Arrival:
    """Return a sending of this person's.

    Raises
    ------
    SpecError
        There is none of that name.
    RightsError
        Nobody asks.
    """
    if re.fullmatch(rf"[0-9a-f]{{{DIGITS}}}", name):
        folder = _place(_somebody(owner), name)
        try:
            rows = json.loads((folder / _LIST).read_text(encoding="utf-8"))
            return Arrival(name, tuple(File(*row) for row in rows), folder)
        except (OSError, ValueError, TypeError):
            pass
    raise _gone()


class Piece:
    """Where the next bytes of a sending go, ``n`` of them from ``at`` on; a context.

    Raises
    ------
    DataError
        The piece is empty or too large; it is not the next one (OutOfTurn); or the sending grows larger than it said,
        and is then removed.
    """

    def __init__(self, arrival: Arrival, at: int, n: int):
        if not 0 < n <= PIECE:
            raise DataError("A piece has 1 to {most:,} bytes. Received: {n:,}.", most=PIECE, n=n)
        if at != (arrived := arrival.arrived):
            raise OutOfTurn(arrived)
        if at + n > arrival.size:
            remove(arrival)
            raise DataError("More data arrived than these files should have. Choose them again.")
        self._arrival, self._file = arrival, None
        self._next, begins = 0, 0
        while begins + arrival.files[self._next].size <= at:
            begins += arrival.files[self._next].size
            self._next += 1
        self._left = begins + arrival.files[self._next].size - at  # bytes of the file that the next ones belong to

    def __enter__(self) -> "Piece":
        return self

    def write(self, block: bytes) -> None:
        """Write what comes next.

        Raises
        ------
        StoreError
            The disk is full; the sending is then removed.
        """
        rest = memoryview(block)
        try:
            while len(rest):
                if self._file is None:
                    self._file = self._arrival.path(self._next).open("ab")
                self._file.write(rest[: self._left])
                n_written = min(len(rest), self._left)
                rest, self._left = rest[n_written:], self._left - n_written
                if not self._left:
                    self._turn()
        except OSError as error:
            self.__exit__()
            remove(self._arrival)
            raise _no_room(error) from error

    def _turn(self) -> None:
        self.__exit__()
        self._next += 1
        if self._next < len(self._arrival.files):
            self._left = self._arrival.files[self._next].size

    def __exit__(self, *_error: object) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def remove(arrival: Arrival) -> None:
    """Take a sending off the disk."""
    shutil.rmtree(arrival.folder, ignore_errors=True)


def _place(owner: str, name: str) -> Path:
    """Return the folder of a person's sending; what they are called opens nothing."""
    return shared_home() / FOLDER / f"{hashlib.sha256(owner.encode()).hexdigest()[:DIGITS]}-{name}"


def _somebody(owner: str | None) -> str:
    if not owner:
        raise RightsError(
            "This browser sent no cookie of this lab, so the files would belong to nobody. Allow cookies and reload."
        )
    return owner


def _gone() -> SpecError:
    return SpecError("This upload is not there any more. Choose the files again.")


def not_yours() -> RightsError:
    """Return what is said to who asks for another person's set."""
    return RightsError("This set belongs to somebody else: only its owner or the host can download it.")


def no_list() -> DataError:
    """Return what is wrong with a list of files that cannot be read, or is too long to be."""
    return DataError("This list of files cannot be read. Reload the page and choose them again, or send one ZIP.")


def _no_room(error: OSError) -> StoreError:
    return StoreError(
        "The files could not be kept in the data folder ({reason}). Free some space there and try again.",
        reason=error.strerror or "no reason given",
    )
