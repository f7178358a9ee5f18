"""Tell what kind of files a person gave, by their first bytes, and read them as one ``Stack``."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tlcore.errors import DataError
from tlcore.sentences import Sentence

from .bounds import MB, Limits
from .decoding import is_picture
from .folders import (
    MOST_ENTRIES,
    has_class_folders,
    has_pictures,
    in_zip,
    inside,
    is_hidden,
    loose,
    opened,
    path_of,
)
from .idx_files import is_idx, read_idx_files
from .nouns import Given, listed, short
from .npz import read_npz
from .stack import Stack
from .tables import labels_of, looked_at, read_tables

KINDS = {
    "folders": Sentence("ZIP of class folders"),
    "files": Sentence("Single pictures"),
    "table": Sentence("CSV"),
    "npz": Sentence("NPZ"),
    "idx": Sentence("IDX"),
}
ARCHIVES = (b"Rar!", b"7z\xbc\xaf", b"BZh", b"\xfd7zX", b"ustar")


def read(givens: Sequence[Given], most: Limits, room: Path) -> Stack:
    """Return what files bring, before any pixel is read.

    Parameters
    ----------
    room : a folder to be made for what lies packed in a ZIP; it is needed as long as the pictures are read

    Raises
    ------
    DataError
        They cannot be read together; the sentence says which can.
    """
    givens = [given for given in givens if not is_hidden(path_of(given.name))]
    if not givens:
        raise DataError("There are no files. Give a ZIP of class folders, pictures, a CSV, an NPZ or IDX files.")
    if len(givens) > MOST_ENTRIES:
        raise DataError("These are {n:,} files. Give them as one ZIP of class folders.", n=len(givens))
    kinds = _by_kind(givens)
    if set(kinds) == {"zip"} and len(givens) == 1:
        inner = inside(givens[0], most.mb * MB, room)
        if inner and not has_pictures(givens[0]):
            return _together(_by_kind(inner), most)
        tables = [given for given in inner if _is_of_paths(given)]
        if tables and not has_class_folders(givens[0]):
            return _together(kinds | {"table": tables}, most)
    return _together(kinds, most)


def _together(kinds: dict[str, list[Given]], most: Limits) -> Stack:
    tables = [looked_at(given) for given in kinds.get("table", ())]
    by_path = [table for table in tables if table.path is not None]
    labels = {path: label for table in by_path for path, label in labels_of(table, MOST_ENTRIES).items()}
    rest = set(kinds) - {"table"}
    if by_path and len(by_path) == len(tables) and rest == {"zip"} and len(kinds["zip"]) == 1:
        (given,) = kinds["zip"]
        return replace(in_zip(given, opened(given), most.mb * MB, labels), kind="table")
    if by_path and len(by_path) == len(tables) and rest == {"picture"}:
        return replace(loose(kinds["picture"], labels), kind="table")
    if by_path:
        raise DataError(
            "{file} names pictures that were not given. Add the ZIP of these pictures beside it.",
            file=short(by_path[0].given.name),
        )
    if tables and not rest:
        return read_tables(tables, MOST_ENTRIES)
    givens = [given for same in kinds.values() for given in same]
    if len(kinds) > 1 or len(kinds.get("zip", ())) > 1:
        raise DataError(
            "These files do not belong together: {names}. Give one ZIP, or pictures alone, or NPZ or IDX files alone, "
            "or a CSV with the ZIP of its pictures.",
            names=listed([given.name for given in givens]),
        )
    if "zip" in kinds:
        return in_zip(givens[0], opened(givens[0]), most.mb * MB)
    if "npz" in kinds:
        return read_npz(givens, MOST_ENTRIES)
    return read_idx_files(givens, MOST_ENTRIES) if "idx" in kinds else loose(givens)


def _by_kind(givens: Sequence[Given]) -> dict[str, list[Given]]:
    kinds: dict[str, list[Given]] = {}
    for given in givens:
        kinds.setdefault(_kind(given), []).append(given)
    return kinds


def _is_of_paths(given: Given) -> bool:
    try:
        return _kind(given) == "table" and looked_at(given).path is not None
    except DataError:
        return False


def _kind(given: Given) -> str:
    """Return "zip", "npz", "idx", "picture" or "table".

    Raises
    ------
    DataError
        It is another archive, or cannot be opened.
    """
    try:
        with open(given.path, "rb") as file:
            head = file.read(512)
        zipped = head[:2] == b"\x1f\x8b"
        inner = _unzipped_head(given) if zipped else head
    except (OSError, EOFError, ValueError) as error:
        raise DataError("{file} cannot be read. Give it again.", file=short(given.name)) from error
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        with opened(given) as archive:
            names = archive.namelist()
        return "npz" if names and all(name.endswith(".npy") for name in names) else "zip"
    if head.startswith(ARCHIVES) or inner[257:262] == b"ustar":
        raise DataError("{file} is an archive of another kind. Pack the pictures as a ZIP.", file=short(given.name))
    if head[:6] == b"\x93NUMPY":
        raise DataError(
            "{file} holds one array, and labels are needed too. Save both with numpy.savez as an NPZ.",
            file=short(given.name),
        )
    if is_idx(inner[:4]):
        return "idx"
    return "picture" if is_picture(given.name) and not zipped else "table"


def _unzipped_head(given: Given) -> bytes:
    import gzip
    import zlib

    try:
        with gzip.open(given.path, "rb") as file:
            return file.read(512)
    except zlib.error as error:
        raise ValueError("damaged") from error
