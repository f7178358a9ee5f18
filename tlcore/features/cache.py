"""Matrices on disk: named by content, whole or not there, checked when opened, the longest unused out first."""

import hashlib
import logging
import os
import shutil
import struct
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tlcore.machine import scratch

log = logging.getLogger(__name__)

DEFAULT_MB = 4096
RESERVE = 256 * 2**20  # bytes of disk that are left to the runs and the database
SUM_BYTES = 4  # all that versions before wrote there: a CRC-32
SECONDS = struct.Struct("<Id")  # what the versions after those wrote: without the processor's seconds
CRC = struct.Struct("<Idd")  # and after those: a CRC-32
END = struct.Struct("<Qdd")  # after the last number: a sum, and what computing took: seconds, processor seconds
BLOCK = 2**17  # words of 64 bits, of which there is one sum


class Cache:
    """The float32 matrices in one folder, shared by every process that names it.

    A matrix that cannot be kept (disk full, folder read-only, larger than half the limit) is no error: ``write``
    returns None and its caller goes on without.

    Parameters
    ----------
    folder : made when the first matrix is written
    limit : bytes of all files together; default: TRANSFER_LAB_CACHE_MB megabytes, else 4,096
    """

    def __init__(self, folder: Path, limit: int | None = None):
        self.folder = Path(folder)
        self.limit = _limit() if limit is None else limit

    def takes(self, shape: Sequence[int]) -> bool:
        """Whether a matrix of that shape may be kept: no single one may drive out all others."""
        return 4 * prod(shape) <= self.limit // 2

    def open(self, key: str, shape: Sequence[int]) -> np.ndarray | None:
        """Return a matrix as a memory map, or None when there is none; a damaged file is removed.

        Every byte is read once and held against its sum.
        """
        path = self._path(key)
        try:
            found = np.load(path, mmap_mode="c", allow_pickle=False)  # a change stays in this process
            whole = (found.shape, found.dtype) == (tuple(shape), np.float32) and _end(path, found).fits(found)
            if whole:
                os.utime(path)
                return found
        except FileNotFoundError:
            return None
        except (ValueError, OSError, EOFError) as error:
            log.warning("the cached matrix %s cannot be read: %s", path.name, error)
        log.warning("the cached matrix %s is damaged and is made again", path.name)
        _remove(path)
        return None

    def write(self, key: str, shape: Sequence[int], parts: Iterable[np.ndarray]) -> np.ndarray | None:
        """Keep a matrix that comes in parts, in order of its rows; return it as a memory map.

        Two processes that write the same key at once each write a whole file; the later replaces its equal. What
        ``parts`` raises is raised here, and nothing is kept.
        """
        temporary = None
        try:
            if not self._make_room(4 * prod(shape)):
                return None
            handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=scratch.prefix(), suffix=".part")
            with os.fdopen(handle, "wb") as file:
                _write(file, Path(temporary), shape, parts)
            os.replace(temporary, self._path(key))
            return np.load(self._path(key), mmap_mode="c", allow_pickle=False)
        except OSError as error:
            log.warning("a matrix of %d MB is not kept: %s", 4 * prod(shape) // 2**20, error)
            return None
        finally:
            if temporary:
                _remove(Path(temporary))

    def seconds(self, key: str, matrix: np.ndarray) -> float:
        """Return how long computing a kept matrix took; 0 where a version before wrote it, or it is gone meanwhile."""
        return self._costs(key, matrix).seconds

    def cpu_seconds(self, key: str, matrix: np.ndarray) -> float:
        """Return how many processor seconds computing a kept matrix took; 0 as ``seconds``."""
        return self._costs(key, matrix).cpu_seconds

    def _costs(self, key: str, matrix: np.ndarray) -> "_End":
        try:
            return _end(self._path(key), matrix)
        except (OSError, ValueError):
            return _End(_sum, 0)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.npy"

    def _make_room(self, size: int) -> bool:
        """Remove the longest unused until ``size`` more bytes fit; False when the disk itself is too full."""
        self.folder.mkdir(exist_ok=True)  # never the data folder: a disk that all share may be away
        files = []
        for path in self.folder.iterdir():
            try:
                stat = path.stat()
            except FileNotFoundError:  # another process made room
                continue
            if path.suffix == ".part" and scratch.is_abandoned(path):
                _remove(path)
            elif path.suffix in (".npy", ".part"):
                files.append((stat.st_mtime, stat.st_size, path))
        used = sum(length for _, length, _ in files)
        for _, length, path in sorted(files):
            free = shutil.disk_usage(self.folder).free - RESERVE
            if used + size <= self.limit and size <= free:
                break
            if path.suffix == ".npy":  # who has it open keeps it: the name goes, the pages stay
                _remove(path)
                used -= length
        return used + size <= self.limit and size <= shutil.disk_usage(self.folder).free - RESERVE


def _limit() -> int:
    text = os.environ.get("TRANSFER_LAB_CACHE_MB", "")
    usable = text.isascii() and text.isdigit() and len(text) < 10
    if text and not usable:
        log.warning("TRANSFER_LAB_CACHE_MB must be a whole number, not %r; %d is used", text[:20], DEFAULT_MB)
    return (int(text) if usable else DEFAULT_MB) * 2**20


def _write(file: BinaryIO, path: Path, shape: Sequence[int], parts: Iterable[np.ndarray]) -> None:
    header = {"descr": "<f4", "fortran_order": False, "shape": tuple(shape)}
    np.lib.format.write_array_header_1_0(file, header)  # pads to 64 bytes: TensorFlow can use the map as it is
    began, began_cpu, rows = time.perf_counter(), time.process_time(), 0
    for part in parts:
        file.write(np.ascontiguousarray(part, np.float32).data)
        rows += len(part)
    if rows != shape[0]:
        raise ValueError(f"{rows} rows came, {shape[0]} were announced")
    file.flush()
    total = _sum(np.load(path, mmap_mode="r", allow_pickle=False))
    file.write(END.pack(total, time.perf_counter() - began, time.process_time() - began_cpu))


def _sum(matrix: np.ndarray) -> int:
    """Return 64 bits that change with any bit of a float32 matrix, and with the order of its parts.

    Additions run as fast as memory is read: a CRC-32 of all bytes takes eight times as long.
    """
    words = matrix.reshape(-1).view(np.uint32)
    pairs = words[: len(words) // 2 * 2].view(np.uint64)
    whole = len(pairs) // BLOCK * BLOCK
    sums = [
        pairs[:whole].reshape(-1, BLOCK).sum(axis=1),
        pairs[whole:].sum(keepdims=True),
        words[-1:].astype(np.uint64),
    ]
    return int.from_bytes(hashlib.blake2b(np.concatenate(sums).tobytes(), digest_size=8).digest(), "little")


def _crc(matrix: np.ndarray) -> int:
    return zlib.crc32(matrix.data)


@dataclass(frozen=True)
class _End:
    """What stands behind the numbers: their sum, as that version computed it, and what computing them took."""

    sum_of: Callable[[np.ndarray], int]
    total: int
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def fits(self, matrix: np.ndarray) -> bool:
        return self.sum_of(matrix) == self.total


def _end(path: Path, matrix: np.ndarray) -> _End:
    """Return what stands behind the numbers; a ValueError where the file's length is not right."""
    with open(path, "rb") as file:
        file.seek(matrix.offset + matrix.nbytes)  # type: ignore[attr-defined]  # a memory map
        trailer = file.read(END.size + 1)
    if len(trailer) == END.size:
        return _End(_sum, *END.unpack(trailer))
    for older in (CRC, SECONDS):
        if len(trailer) == older.size:
            return _End(_crc, *older.unpack(trailer))
    if len(trailer) == SUM_BYTES:
        return _End(_crc, int.from_bytes(trailer, "little"))
    raise ValueError(f"{len(trailer)} bytes stand behind its numbers")


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s cannot be removed: %s", path.name, error)
