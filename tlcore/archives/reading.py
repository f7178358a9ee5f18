"""Look through an archive of a run that somebody brings: every byte is held against its list before any is used."""

import hashlib
import io
import json
import re
import stat
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tlcore.errors import DataError
from tlcore.exports.archive import CONTENTS, FORMAT, README
from tlcore.exports.record import FILE, Record
from tlcore.sentences import Sentence
from tlcore.spec import ComparisonResult
from tlcore.store import Run

from . import record

MB = 2**20
MOST_BYTES = 256 * MB  # of the file
MOST_UNPACKED = 1024 * MB  # of all that is in it
MOST_MEMBERS = 500
MOST_LIST, MOST_RECORD = MB, 64 * MB  # of contents.json, and of a run.json
CHUNK = MB
NAME = re.compile(r"(?P<folder>[0-9]{1,2}-[A-Za-z0-9_]{1,64}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
SUM = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Archived:
    """One run of an archive; of a comparison with those of its ways, in their order.

    Attributes
    ----------
    run : as it stood in the lab that trained it, with the id that it had there
    files : the names of what lies beside its record, each with its SHA-256
    """

    run: Run
    record: Record
    made_with: str
    files: Mapping[str, str]
    ways: tuple["Archived", ...] = ()
    content: bytes = field(default=b"", repr=False)
    folder: str = ""

    def read(self, name: str) -> bytes:
        """Return one of its files, whose sum was right when the archive was looked at.

        Raises
        ------
        DataError
            It is not in the archive.
        """
        if name not in self.files:
            raise refuse("it has no {file}. Export the run again", file=self.folder + name)
        with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
            return archive.read(self.folder + name)


def refuse(template: str, **values: object) -> DataError:
    """Return the refusal: what is wrong, then what to do. No full stop at the end."""
    return DataError("This archive cannot be used: {reason}.", reason=Sentence(template, **values))


def look_at(content: bytes) -> Archived:
    """Check an archive whole, and return the run in it.

    Raises
    ------
    DataError
        It is no archive of a run, is damaged, or is not what its own list says.
    """
    if len(content) > MOST_BYTES:
        raise refuse("the file has more than {most} MB, which is the limit", most=MOST_BYTES // MB)
    if content[:4] != b"PK\x03\x04":
        raise refuse("it is not a ZIP. Export a run with --what zip, or download one on Runs, and take that file")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = _members(archive)
            listed, made_with = _listed(archive, members)
            _check_sums(archive, members, listed)
            return _run(archive, members, listed, made_with, content)
    except DataError:
        raise
    except Exception as error:  # zipfile raises whatever it comes upon in a damaged file
        raise _damaged() from error


def _damaged() -> DataError:
    return refuse("the file is damaged. Download or export it again")


def _strange(name: str) -> DataError:
    return refuse(
        "it contains {name}, which does not belong in an archive of a run. Take the file as it was downloaded, not "
        "packed again",
        name=ascii(name)[:60],
    )


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > MOST_MEMBERS:
        raise refuse("it lists {n:,} files, and the limit is {most}", n=len(infos), most=MOST_MEMBERS)
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        # ``filename`` ends where a zero byte stands; the name as it is written must be as plain.
        if not NAME.fullmatch(info.filename) or info.orig_filename != info.filename:
            raise _strange(info.orig_filename)
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise _strange(info.filename)
        plain = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) and not info.flag_bits & 1
        if info.filename in members or not plain:
            raise _damaged()
        members[info.filename] = info
    if sum(info.file_size for info in infos) > MOST_UNPACKED:
        raise refuse("it unpacks to more than {most:,} MB, which is the limit", most=MOST_UNPACKED // MB)
    if missing := [name for name in (CONTENTS, README) if name not in members]:
        raise refuse(
            "it has no {file}, so it is not an archive of a run. Export a run with --what zip, or download one on Runs",
            file=missing[0],
        )
    return members


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a member's bytes, never more than its entry in the directory says."""
    size = 0
    with archive.open(member) as file:
        while size <= member.file_size and (chunk := file.read(CHUNK)):
            size += len(chunk)
            yield chunk
    if size != member.file_size:
        raise _damaged()


def _small(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    if member.file_size > most:
        raise refuse("its {file} has more than {most} MB, which is the limit", file=member.filename, most=most // MB)
    return b"".join(_unpacked(archive, member))


def _listed(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo]) -> tuple[Mapping[str, str], str]:
    """Return the sum of each file by its name, and which version made the archive."""
    try:
        listed = json.loads(_small(archive, members[CONTENTS], MOST_LIST))
        version, files, made_with = listed["format"], listed["files"], listed["made_with"]
        good = isinstance(version, int) and isinstance(made_with, str) and made_with.isprintable()
        good = good and all(isinstance(each, str) and SUM.fullmatch(each) for each in files.values())
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise refuse("its list, {file}, cannot be read. Download or export it again", file=CONTENTS) from error
    if not good:
        raise refuse("its list, {file}, cannot be read. Download or export it again", file=CONTENTS)
    if version > FORMAT:
        raise refuse("a newer version of Transfer Lab made it. Update this lab, or export the run with this version")
    if FILE not in files:
        raise refuse(
            "it has no {file}: an older version made it, or it is another ZIP. Export the run again", file=FILE
        )
    if files.keys() != members.keys() - {CONTENTS, README}:
        wrong = sorted(files.keys() ^ (members.keys() - {CONTENTS, README}))[0]
        raise refuse(
            "its list and its files do not agree about {name}. Download or export it again", name=ascii(wrong)[:60]
        )
    return files, made_with[:60]


def _check_sums(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], listed: Mapping[str, str]) -> None:
    for name, expected in listed.items():
        digest = hashlib.sha256()
        for chunk in _unpacked(archive, members[name]):
            digest.update(chunk)
        if digest.hexdigest() != expected:
            raise refuse("{file} in it is not the file that its list names. Download or export it again", file=name)


def _run(
    archive: zipfile.ZipFile,
    members: Mapping[str, zipfile.ZipInfo],
    listed: Mapping[str, str],
    made_with: str,
    content: bytes,
) -> Archived:
    def of(folder: str) -> Archived:
        found, run = record.read(_small(archive, members[folder + FILE], MOST_RECORD))
        files = {name.removeprefix(folder): each for name, each in listed.items() if _folder(name) == folder}
        _agree(run, files, folder)
        return Archived(run, found, made_with, files, content=content, folder=folder)

    whole = of("")
    folders = sorted({folder for name in listed if (folder := _folder(name))}, key=_number)
    if not folders:
        return whole
    if not isinstance(whole.run.result, ComparisonResult):
        raise _strange(folders[0])
    if missing := [folder for folder in folders if folder + FILE not in listed]:
        raise refuse("it has no {file}. Export the run again", file=missing[0] + FILE)
    return Archived(
        whole.run, whole.record, made_with, whole.files, tuple(map(of, folders)), content=content, folder=""
    )


def _folder(name: str) -> str:
    folder, slash, _file = name.rpartition("/")
    return folder + slash


def _number(folder: str) -> int:
    return int(folder.partition("-")[0])


def _agree(run: Run, files: Mapping[str, str], folder: str) -> None:
    """Raise a DataError where a file is another one than the run saved."""
    for name, saved in run.result.files.items():
        here = name.rpartition("/")[2]
        if here in files and files[here] != saved.sha256:
            raise refuse("{file} in it is not the file that the run saved. Export the run again", file=folder + here)
