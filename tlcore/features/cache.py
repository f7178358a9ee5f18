"""Matrices on disk: named by content, whole or not there, checked when opened, the longest unused out first."""

import logging
import os
import shutil
import struct
import tempfile
import time
import zlib
from collections.abc import Iterable, Sequence
from math import prod
from pathlib import Path

import numpy as np

from tlcore.machine import scratch

log = logging.getLogger(__name__)

DEFAULT_MB = 4096
RESERVE = 256 * 2**20  # bytes of disk that are left to the runs and the database
SUM_BYTES = 4  # all that versions before wrote there
SECONDS = struct.Struct("<Id")  # what the versions after those wrote: without the processor's seconds
END = struct.Struct("<Idd")  # after the last number: a CRC-32, and what computing took: seconds, processor seconds


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

        Every byte is read once and held against its sum: about a tenth of the time that computing it took.
        """
        path = self._path(key)
        try:
            found = np.load(path, mmap_mode="c", allow_pickle=False)  # a change stays in this process
            whole = (found.shape, found.dtype) == (tuple(shape), np.float32) and _end(path, found)[0] == _sum(found)
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
                _write(file, shape, parts)
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
        return self._costs(key, matrix)[0]

    def cpu_seconds(self, key: str, matrix: np.ndarray) -> float:
        """Return how many processor seconds computing a kept matrix took; 0 as ``seconds``."""
        return self._costs(key, matrix)[1]

    def _costs(self, key: str, matrix: np.ndarray) -> tuple[float, float]:
        try:
            return _end(self._path(key), matrix)[1:]
        except OSError:
            return 0.0, 0.0

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.npy"

    def _make_room(self, size: int) -> bool:
        """Remove the longest unused until ``size`` more bytes fit; False when the disk itself is too full."""
        self.folder.mkdir(parents=True, exist_ok=True)
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


def _write(file, shape: Sequence[int], parts: Iterable[np.ndarray]) -> None:
    header = {"descr": "<f4", "fortran_order": False, "shape": tuple(shape)}
    np.lib.format.write_array_header_1_0(file, header)  # pads to 64 bytes: TensorFlow can use the map as it is
    began, began_cpu, total, rows = time.perf_counter(), time.process_time(), 0, 0
    for part in parts:
        part = np.ascontiguousarray(part, np.float32)
        file.write(part.data)
        total, rows = zlib.crc32(part.data, total), rows + len(part)
    if rows != shape[0]:
        raise ValueError(f"{rows} rows came, {shape[0]} were announced")
    file.write(END.pack(total, time.perf_counter() - began, time.process_time() - began_cpu))


def _sum(matrix: np.ndarray) -> int:
    return zlib.crc32(matrix.data)


def _end(path: Path, matrix: np.ndarray) -> tuple[int, float, float]:
    """Return the sum behind the numbers (-1: the file's length is not right), seconds and processor seconds."""
    with open(path, "rb") as file:
        file.seek(matrix.offset + matrix.nbytes)  # type: ignore[attr-defined]  # a memory map
        trailer = file.read(END.size + 1)
    if len(trailer) == SUM_BYTES:
        return int.from_bytes(trailer, "little"), 0.0, 0.0
    if len(trailer) == SECONDS.size:
        return *SECONDS.unpack(trailer), 0.0
    return END.unpack(trailer) if len(trailer) == END.size else (-1, 0.0, 0.0)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s cannot be removed: %s", path.name, error)
