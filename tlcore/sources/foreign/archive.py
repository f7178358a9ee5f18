"""Look at a ``.keras`` archive without Keras: which members it has, how large they unpack, who wrote it."""

import io
import json
import stat
import zipfile
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from tlcore.errors import DataError

from . import reading
from .network import Network
from .refusals import refuse, short

MOST_BYTES = 64 * 2**20  # four million weights are 16 MB, and Adam keeps two more numbers for each
CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
MEMBERS = {CONFIG: 2**20, METADATA: 2**16, WEIGHTS: MOST_BYTES}  # unpacked bytes
CHUNK = 2**20


def look_at(content: bytes) -> Network:
    """Check everything that can be checked without Keras; return the network.

    Raises
    ------
    DataError
        The file is not a ``.keras`` archive, or not of a model that this app can use.
    """
    config, metadata = look_through(content)
    _check_version(metadata)
    return reading.read(config)


def look_through(content: bytes) -> tuple[bytes, bytes]:
    """Check an archive whole, whatever its network is; return its description and its metadata, unread.

    Raises
    ------
    DataError
        The file is not a ``.keras`` archive.
    """
    if len(content) > MOST_BYTES:
        raise refuse(
            "the file has more than {most} MB. Leave out what the optimizer keeps: "
            "keras.models.load_model('model.keras', compile=False).save('smaller.keras')",
            most=MOST_BYTES // 2**20,
        )
    if content[:4] != b"PK\x03\x04":
        raise _not_an_archive(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = _members(archive.infolist())
            deque(_unpacked(archive, members[WEIGHTS]), maxlen=0)  # whole, and not kept
            config, metadata = (b"".join(_unpacked(archive, members[name])) for name in (CONFIG, METADATA))
    except DataError:
        raise
    except Exception as error:  # zipfile raises whatever it comes upon in a damaged file
        raise _damaged() from error
    return config, metadata


def unpack_weights(content: bytes, path: Path) -> None:
    """Write the weights file of an archive that ``look_at`` took to ``path``."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive, open(path, "wb") as file:
        file.writelines(_unpacked(archive, archive.getinfo(WEIGHTS)))


def _damaged() -> DataError:
    return refuse("the file is damaged. Save or download it again")


def _not_an_archive(content: bytes) -> DataError:
    if content[:8] == b"\x89HDF\r\n\x1a\n":
        return refuse(
            "it is a file in the old .h5 format, which may hold code. Convert it: "
            "keras.models.load_model('model.h5').save('model.keras'). Weights alone (.weights.h5) do not say which "
            "layers they belong to: save the whole model"
        )
    other = "a TensorFlow Lite model" if content[4:8] == b"TFL3" else "another kind of file"
    return refuse(
        "it is {other}, not a .keras file. Save the model with model.save('model.keras'), and add that file",
        other=other,
    )


def _members(infos: Sequence[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if info.filename not in MEMBERS or kind not in (0, stat.S_IFREG):
            raise _stranger(info.filename)
        if info.filename in found or info.flag_bits & 1:
            raise _damaged()
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _damaged()
        if info.file_size > MEMBERS[info.filename]:
            raise refuse(
                "its {part} unpacks to more than {most:,.0f} MB. Use a smaller model",
                part=info.filename,
                most=MEMBERS[info.filename] / 2**20,
            )
        found[info.filename] = info
    missing = [name for name in MEMBERS if name not in found]
    if missing:
        raise refuse("the file has no {part}. Save the whole model with model.save('model.keras')", part=missing[0])
    return found


def _stranger(name: str) -> DataError:
    if name.endswith("data.pkl"):
        return refuse("it is a PyTorch file. Only models of Keras 3 can be read; build the same network in Keras")
    if name.endswith("saved_model.pb"):
        return refuse(
            "it is a packed SavedModel of TensorFlow. Save the Keras model itself with model.save('model.keras')"
        )
    return refuse(
        "the archive contains {name}, which does not belong in a .keras file. Save the model with "
        "model.save('model.keras'); layers that keep word lists or other files of their own cannot be used",
        name=short(name),
    )


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a member's bytes, never more than it may have, whatever the archive's directory says."""
    size = 0
    with archive.open(member) as file:
        while size <= MEMBERS[member.filename] and (chunk := file.read(CHUNK)):
            size += len(chunk)
            yield chunk
    if size != member.file_size:
        raise ValueError("the directory gives another size")


def _check_version(metadata: bytes) -> None:
    try:
        version = json.loads(metadata)["keras_version"]
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise refuse("it does not say which Keras wrote it. Save the model again with Keras 3") from error
    if not isinstance(version, str) or not version.startswith("3."):
        raise refuse(
            "it was written by Keras {version}. Open it with Keras 3 and save it again: "
            "keras.models.load_model('old.keras').save('new.keras')",
            version=short(version),
        )
