"""A ZIP of class folders, or loose pictures: the class is the folder that a picture lies in."""

import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from tlcore.errors import DataError
from tlcore.sentences import Sentence

from .decoding import ENDINGS, ENOUGH, MOST_FILE, decoded, is_picture
from .nouns import Finding, Given, listed, short
from .stack import Damaged, Read, Stack, class_name

MOST_ENTRIES = 200_000  # of a ZIP's list
MOST_INSIDE = 8  # tables and the like in a ZIP
PIECE = 2**20
MOST_UNPACKED = 4  # times the limit of one set's files: what all pictures of a ZIP may unpack to
PART_NAMES = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation",
    "dev": "validation", "test": "test", "testing": "test",
}  # fmt: skip
NOISE = {"thumbs.db", "desktop.ini", "__macosx"}
READERS = (OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error)


def opened(given: Given) -> zipfile.ZipFile:
    """Return a ZIP whose list has been read.

    Raises
    ------
    DataError
        It is none, is encrypted as a whole, or lists too many files.
    """
    try:
        archive = zipfile.ZipFile(given.path)
    except READERS as error:
        raise DataError(
            "{file} cannot be read as a ZIP. Pack it again, or download it again.", file=short(given.name)
        ) from error
    if len(archive.infolist()) > MOST_ENTRIES:
        raise DataError(
            "{file} lists {n:,} files; the limit is {most:,}. Pack fewer pictures.",
            file=short(given.name),
            n=len(archive.infolist()),
            most=MOST_ENTRIES,
        )
    return archive


def is_hidden(path: PurePosixPath) -> bool:
    """Return whether an operating system made the file, or hides it."""
    return any(part.startswith(".") and part not in (".", "..") or part.lower() in NOISE for part in path.parts)


def path_of(name: str) -> PurePosixPath:
    return PurePosixPath(name.replace("\\", "/"))


def in_zip(
    given: Given,
    archive: zipfile.ZipFile,
    most_bytes: int,
    labels: Mapping[str, str] | None = None,
    enough: int = ENOUGH,
) -> Stack:
    """Return the pictures of a ZIP.

    Parameters
    ----------
    most_bytes : what the files of a set may have; they may unpack to ``MOST_UNPACKED`` times as much
    labels : the class of each picture by its path, its name or its name without ending; None: its folder
    enough : as ``decoded`` takes it

    Raises
    ------
    DataError
        There are no pictures in it, or no class folders.
    """
    entries = [entry for entry in archive.infolist() if not entry.is_dir() and not is_hidden(path_of(entry.filename))]
    pictures = [entry for entry in entries if is_picture(entry.filename)]
    skipped = [entry.filename for entry in entries if not is_picture(entry.filename)]
    if not pictures:
        raise DataError(
            "{file} holds no pictures that can be read here ({endings}).{inside} Give a ZIP with a folder of pictures "
            "for each class.",
            file=short(given.name),
            endings=" ".join(ENDINGS),
            inside=Sentence(" It holds {names}.", names=listed(skipped)) if skipped else Sentence(""),
        )
    findings = _skipped(skipped)
    paths = [path_of(entry.filename) for entry in pictures]
    if labels is None:
        places, more = placed(paths, short(given.name))
    else:
        places, more = listed_in_table(paths, labels, short(given.name))
    kept = [i for i, place in enumerate(places) if place]
    left = MOST_UNPACKED * most_bytes

    def content(i: int) -> bytes:
        nonlocal left
        with archive.open(pictures[kept[i]]) as file:
            read = file.read(min(MOST_FILE, left) + 1)
        left -= len(read)
        if left < 0:
            raise _too_much(given, most_bytes)
        return read

    names = [str(paths[i]) for i in kept]
    chosen = [place for place in places if place]
    return Stack(
        "folders", names, [c for c, _ in chosen], [p for _, p in chosen], _reader(content, enough), findings + more
    )


def has_pictures(given: Given) -> bool:
    """Return whether there are pictures in a ZIP, by the names of its files."""
    with opened(given) as archive:
        return any(is_picture(name) and not is_hidden(path_of(name)) for name in archive.namelist())


def has_class_folders(given: Given) -> bool:
    """Return whether the pictures of a ZIP lie in folders of two classes at least."""
    with opened(given) as archive:
        paths = [path_of(name) for name in archive.namelist() if is_picture(name)]
    try:
        places, _findings = placed([path for path in paths if not is_hidden(path)], "")
    except DataError:
        return False
    return len({place[0] for place in places if place}) > 1


def inside(given: Given, most_bytes: int, room: Path) -> list[Given]:
    """Return the tables, NPZ and IDX files in a ZIP, written into a folder under numbers; archives stay where they are.

    Raises
    ------
    DataError
        They unpack to more than they may, or are damaged.
    """
    left, found = MOST_UNPACKED * most_bytes, []
    with opened(given) as archive:
        entries = [entry for entry in archive.infolist() if _is_data(entry.filename)][:MOST_INSIDE]
        for number, entry in enumerate(entries):
            room.mkdir(exist_ok=True)
            try:
                with archive.open(entry) as packed, open(room / str(number), "wb") as file:
                    while piece := packed.read(min(PIECE, left + 1)):
                        left -= len(piece)
                        if left < 0:
                            raise _too_much(given, most_bytes)
                        file.write(piece)
            except READERS as error:
                raise DataError(
                    "{name} in {file} is damaged. Pack it again, or download it again.",
                    name=short(entry.filename),
                    file=short(given.name),
                ) from error
            found.append(Given(room / str(number), path_of(entry.filename).name))
    return found


def _is_data(name: str) -> bool:
    path = path_of(name.lower())
    return not is_hidden(path) and (path.name.endswith((".csv", ".npz", ".csv.gz")) or "-ubyte" in path.name)


def _too_much(given: Given, most_bytes: int) -> DataError:
    return DataError(
        "{file} unpacks to more than {mb:,} MB. Pack smaller pictures, or fewer.",
        file=short(given.name),
        mb=MOST_UNPACKED * most_bytes // 2**20,
    )


def loose(givens: Sequence[Given], labels: Mapping[str, str] | None = None, enough: int = ENOUGH) -> Stack:
    """Return pictures that were given one by one: each with its label, or in the folder of its class."""
    paths = [path_of(given.name) for given in givens]
    more: list[Finding] = []
    if labels is not None:
        places, more = listed_in_table(paths, labels, "the table")
    elif any(given.label.strip() for given in givens):
        places = [(class_name(given.label), "") if given.label.strip() else None for given in givens]
        more = _without_class([given.name for given, place in zip(givens, places, strict=True) if not place])
    else:
        places, more = placed(paths, "")
    kept = [i for i, place in enumerate(places) if place]
    chosen = [place for place in places if place]

    def content(i: int) -> bytes:
        with open(givens[kept[i]].path, "rb") as file:
            return file.read(MOST_FILE + 1)

    return Stack(
        "files",
        [str(paths[i]) for i in kept],
        [c for c, _ in chosen],
        [p for _, p in chosen],
        _reader(content, enough),
        more,
    )


def _reader(content: Callable[[int], bytes], enough: int) -> Callable[[Sequence[int]], Iterator[Read]]:
    def pixels(rows: Sequence[int]) -> Iterator[Read]:
        for row in rows:
            try:
                yield decoded(content(row), enough)
            except Damaged as damaged:
                yield damaged
            except READERS:  # of this one entry: encrypted, cut off, an unknown compression
                yield Damaged()

    return pixels


# -- which class and which part --------------------------------------------------------------------------------------

Place = tuple[str, str]  # class, part


def placed(paths: Sequence[PurePosixPath], source: str) -> tuple[list[Place | None], list[Finding]]:
    """Return class and part of each picture by its folders; None where it lies in no class folder.

    One folder around all is passed over; folders named train, test or the like are parts, above or below the classes.

    Examples
    --------
    >>> placed([PurePosixPath(p) for p in ("pets/train/cat/1.png", "pets/test/dog/2.png")], "")[0]
    [('cat', 'train'), ('dog', 'test')]

    Raises
    ------
    DataError
        There are no class folders.
    """
    folders = [tuple(part for part in path.parts[:-1] if part not in ("/", "..", ".")) for path in paths]
    while (first := {path[:1] for path in folders if path}) and len(first) == 1 and _is_around(folders):
        folders = [path[1:] for path in folders]
    within = [path for path in folders if path]
    places: list[Place | None] = []
    for path in folders:
        part = ""
        if len(path) > 1 and _all_parts({each[0] for each in within}):
            part, path = PART_NAMES[path[0].lower()], path[1:]
        elif len(path) > 1 and len(path[1:]) and _all_parts({each[1] for each in within if len(each) > 1}):
            part, path = PART_NAMES[path[1].lower()], path[:1]
        places.append((class_name(path[0]), part) if path else None)
    if not any(places):
        raise DataError(
            "There are no class folders{where}: put the pictures of each class into a folder of its own, named after "
            "the class.",
            where=Sentence(" in {file}", file=source) if source else Sentence(""),
        )
    names = [str(path) for path, place in zip(paths, places, strict=True) if place is None]
    return _joined_validation(places), [*_without_class(names), *_validation(places)]


def _is_around(folders: Sequence[tuple[str, ...]]) -> bool:
    """Return whether a folder that all pictures lie in is not itself a class."""
    inner = {path[1] for path in folders if len(path) > 1}
    return len(inner) > 1 or bool(inner) and all(len(path) > 2 for path in folders if path)


def _all_parts(names: "set[str]") -> bool:
    return bool(names) and all(name.lower() in PART_NAMES for name in names)


def _joined_validation(places: Sequence[Place | None]) -> list[Place | None]:
    return [place and (place[0], "train" if place[1] == "validation" else place[1]) for place in places]


def _validation(places: Sequence[Place | None]) -> list[Finding]:
    n = sum(1 for place in places if place and place[1] == "validation")
    return joined_validation(n)


def joined_validation(n: int) -> list[Finding]:
    """Return the finding that ``n`` pictures of a validation part join the training part; none of none."""
    said = Sentence(
        "Its {n:,} validation pictures join the training part, of which each run draws its own validation images.", n=n
    )
    return [Finding("validation", said, n)] if n else []


def listed_in_table(
    paths: Sequence[PurePosixPath], labels: Mapping[str, str], source: str
) -> tuple[list[Place | None], list[Finding]]:
    """Return the class of each picture by a table of paths or names; None where it has none."""
    if not labels:
        raise DataError("The table names no pictures. Give a path and a label in each row.")
    known = {key.lower(): label for key, label in labels.items()}
    n_stems = Counter(path.stem.lower() for path in paths)
    places: list[Place | None] = []
    for path in paths:
        tails = ["/".join(path.parts[-k:]).lower() for k in range(len(path.parts), 0, -1)]
        keys = [*tails, *([path.stem.lower()] if n_stems[path.stem.lower()] == 1 else [])]
        label = next((known[key] for key in keys if key in known), None)
        places.append(None if label is None else (class_name(label), ""))
    if not any(places):
        raise DataError(
            "No picture of {file} is named in the table: its first entries are {names}. The table needs the path or "
            "name of each picture, as in the ZIP.",
            file=source,
            names=listed(list(labels)),
        )
    names = [str(path) for path, place in zip(paths, places, strict=True) if place is None]
    return places, _without_class(names)


def _without_class(names: Sequence[str]) -> list[Finding]:
    if not names:
        return []
    said = Sentence("Left out because they have no class: {n:,} ({names}).", n=len(names), names=listed(names))
    return [Finding("labels", said, len(names), tuple(short(name) for name in names[:20]))]


def _skipped(names: Sequence[str]) -> list[Finding]:
    if not names:
        return []
    said = Sentence("Left out because they are not pictures: {n:,} ({names}).", n=len(names), names=listed(names))
    return [Finding("skipped", said, len(names), tuple(short(name) for name in names[:20]))]


def is_zip(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
