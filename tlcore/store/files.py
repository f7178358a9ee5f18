"""Where the files of runs are: a folder that everybody sees, or an object store, of which a folder here is the copy.

``TRANSFER_LAB_RESULTS`` names either. The object store is reached through fsspec: S3 and what speaks like it, and
whatever else fsspec has a package for; it is needed only then.
"""

import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from errno import EIO
from importlib.util import find_spec
from logging import getLogger
from pathlib import Path
from typing import Any

from tlcore.errors import SpecError, StoreError
from tlcore.machine import scratch

from .places import RESULTS, RUNS, results_address

log = getLogger(__name__)

MARK_FILE = "store-mark"  # beside the runs' folders: who sees it there sees the files of that store
LOOK_S = 1.0  # how often the object store is asked for what is new in a run
AWAY_S = 10.0  # how long one that did not answer is left alone
MOST_LOOKED = 10_000  # runs of which the last look is remembered
KNOWN = ".known.json"  # after a run's id: the copy's own note of what it holds
NEEDS = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "az": "adlfs"}  # others: fsspec


class Files:
    """The runs' folders on a disk that everybody sees: what is written is there.

    Parameters
    ----------
    shared : the folder that they are in
    """

    remote = False

    def __init__(self, shared: Path):
        self.shared = shared

    def bring(self, run_id: str, at_most_s: float = LOOK_S) -> None:
        """See that a run's folder here has what was put of it, as of at most that many seconds ago."""

    def put(self, source: Path, target: Path) -> None:
        """Put a finished file where ``target``, in a run's folder, belongs.

        Raises
        ------
        OSError
            It cannot be put there.
        """

    def publish(self, run_id: str, new: bool = True) -> None:
        """Put what is new in a run's folder, and take away what was removed from it; raises as ``put``.

        Parameters
        ----------
        new : else only take away
        """

    def remove(self, run_id: str) -> None:
        """Remove a run's folder for good."""
        shutil.rmtree(self.shared / RUNS / run_id, ignore_errors=True)

    def n_bytes(self) -> int:
        """Return how much the files of all runs take."""
        total = 0
        for folder, _, names in os.walk(self.shared / RUNS):
            for name in names:
                try:
                    total += os.stat(os.path.join(folder, name)).st_size
                except OSError:  # gone meanwhile
                    continue
        return total

    def mark(self) -> str:
        """Return the mark that lies beside the runs' folders; "" when none does."""
        try:
            return (self.shared / MARK_FILE).read_text()
        except OSError:
            return ""

    def leave_mark(self, mark: str) -> None:
        scratch.write_whole(self.shared / MARK_FILE, lambda path: path.write_text(mark))


class Objects(Files):
    """The runs' folders in an object store.

    A file is put there, whole, before it is in the folder here; a folder here is brought up to date when it is asked
    for. Safe to share between threads, and among processes that use the same copy.

    Parameters
    ----------
    shared : the folder with the copy
    address : such as ``s3://bucket/folder``

    Raises
    ------
    SpecError
        The package for it is not installed, or it is no address.
    """

    remote = True

    def __init__(self, shared: Path, address: str):
        super().__init__(shared)
        self._address, self._lock = address.rstrip("/"), threading.RLock()
        self._opened: tuple[int, Any, str] | None = None
        self._looked: dict[str, float] = {}
        self._away_until = 0.0
        check_installed(address)

    def bring(self, run_id: str, at_most_s: float = LOOK_S) -> None:
        """See ``Files``; where the object store does not answer, what is here is used, and the log has why."""
        with self._lock:
            now = time.monotonic()
            if now - self._looked.get(run_id, -at_most_s) < at_most_s or now < self._away_until:
                return
            try:
                self._bring(run_id)
                if len(self._looked) > MOST_LOOKED:
                    self._looked.clear()
                self._looked[run_id] = time.monotonic()
            except Exception as error:  # each kind of store has its own
                self._away_until = time.monotonic() + AWAY_S  # pages are not held up, each for the time of a try
                log.warning("the files of run %s were not brought from %s: %s", run_id, self._address, _told(error))

    def _bring(self, run_id: str) -> None:
        files, known, folder = self._there(run_id), self._known(run_id), self.shared / RUNS / run_id
        before = dict(known)
        for name, version in files.items():
            path = folder / name
            if known.get(name, [""])[0] != version or not path.exists():
                scratch.write_whole(path, lambda temporary, name=name: self._get(run_id, name, temporary))
                known[name] = [version, *_stat(path)]
        for name in set(known) - set(files):
            path = folder / name
            if [*known.pop(name)[1:]] == _stat(path):  # else it was made again here
                path.unlink(missing_ok=True)
        if known != before:
            self._write_known(run_id, known)

    def put(self, source: Path, target: Path) -> None:
        run_id, _, name = target.relative_to(self.shared / RUNS).as_posix().partition("/")
        with self._lock:
            version = self._put(run_id, name, source)
            self._write_known(run_id, self._known(run_id) | {name: [version, *_stat(source)]})

    def publish(self, run_id: str, new: bool = True) -> None:
        with self._lock:
            known, folder = self._known(run_id), self.shared / RUNS / run_id
            here = dict(_files(folder))
            before = dict(known)
            for name, path in here.items() if new else ():
                if known.get(name, [""])[1:] != _stat(path):
                    known[name] = [self._put(run_id, name, path), *_stat(path)]
            for name in set(known) - set(here):
                try:
                    self._delete(run_id, name)
                    del known[name]
                except Exception as error:  # what is too much does no harm
                    log.warning("%s of run %s is still in %s: %s", name, run_id, self._address, _told(error))
            if known != before:
                self._write_known(run_id, known)

    def remove(self, run_id: str) -> None:
        super().remove(run_id)
        with self._lock:
            self._known_file(run_id).unlink(missing_ok=True)
            try:
                for name in self._there(run_id):
                    self._delete(run_id, name)
            except Exception as error:
                log.warning("the files of run %s are still in %s: %s", run_id, self._address, _told(error))

    def n_bytes(self) -> int:
        try:
            store, root = self._store()
            return int(sum(info["size"] for info in store.find(f"{root}/{RUNS}", detail=True).values()))
        except Exception as error:
            raise _unreachable(self._address, error) from error

    def mark(self) -> str:
        try:
            store, root = self._store()
            return store.cat_file(f"{root}/{MARK_FILE}").decode()
        except FileNotFoundError:
            return ""
        except Exception as error:
            raise _unreachable(self._address, error) from error

    def leave_mark(self, mark: str) -> None:
        try:
            store, root = self._store()
            store.pipe_file(f"{root}/{MARK_FILE}", mark.encode())
        except Exception as error:
            raise _unreachable(self._address, error) from error

    # -- the object store --------------------------------------------------------------------------------------------

    def _store(self) -> tuple[Any, str]:
        """Return the file system and the folder in it; each process opens its own."""
        if self._opened is None or self._opened[0] != os.getpid():
            from fsspec.core import url_to_fs

            store, root = url_to_fs(self._address, use_listings_cache=False, skip_instance_cache=True)
            self._opened = os.getpid(), store, root.rstrip("/")
        return self._opened[1], self._opened[2]

    def _there(self, run_id: str) -> dict[str, str]:
        """Return the version of each file of a run, by its name."""
        store, root = self._store()
        folder = f"{root}/{RUNS}/{run_id}"
        try:
            files = store.find(folder, detail=True)
        except FileNotFoundError:
            return {}
        return {path[path.index(folder) + len(folder) + 1 :]: _version(info) for path, info in files.items()}

    def _get(self, run_id: str, name: str, to: Path) -> None:
        store, root = self._store()
        store.get_file(f"{root}/{RUNS}/{run_id}/{name}", str(to))

    def _put(self, run_id: str, name: str, path: Path) -> str:
        try:
            store, root = self._store()
            place = f"{root}/{RUNS}/{run_id}/{name}"
            store.makedirs(place.rpartition("/")[0], exist_ok=True)
            store.put_file(str(path), place)
            return _version(store.info(place))
        except Exception as error:
            raise OSError(EIO, f"{self._address}: {_told(error)}", name) from error

    def _delete(self, run_id: str, name: str) -> None:
        store, root = self._store()
        try:
            store.rm_file(f"{root}/{RUNS}/{run_id}/{name}")
        except FileNotFoundError:
            return

    # -- what the copy holds -----------------------------------------------------------------------------------------

    def _known_file(self, run_id: str) -> Path:
        return self.shared / RUNS / f"{run_id}{KNOWN}"

    def _known(self, run_id: str) -> dict[str, list[Any]]:
        """Return of each file its version there, and the size and time that it had here then."""
        try:
            return dict(json.loads(self._known_file(run_id).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def _write_known(self, run_id: str, known: dict[str, list[Any]]) -> None:
        scratch.write_whole(self._known_file(run_id), lambda path: path.write_text(json.dumps(known), encoding="utf-8"))


def of(shared: Path) -> Files:
    """Return where the files of the runs are, as TRANSFER_LAB_RESULTS says.

    Raises
    ------
    SpecError
        The package for it is not installed, or it is no address.
    """
    address = results_address()
    return Objects(shared, address) if address else Files(shared)


def check_installed(address: str) -> None:
    """Raise a SpecError where what reads such addresses is not installed."""
    kind = address.partition("://")[0]
    package = NEEDS.get(kind, "fsspec")
    if find_spec("fsspec") is None or find_spec(package) is None:
        raise SpecError(
            "{setting} needs the package {package}. Install it: pip install -r requirements-cluster.txt.",
            setting=RESULTS,
            package=package,
        )
    from fsspec.registry import known_implementations, registry

    if kind not in known_implementations and kind not in registry:
        raise SpecError(
            "{setting} is a folder, or the address of an object store such as s3://bucket/folder. Received: {text!r}.",
            setting=RESULTS,
            text=address[:80],
        )


def _unreachable(address: str, error: Exception) -> StoreError:
    return StoreError(
        "The object store {address} cannot be used ({reason}). Check {setting}, and the keys and the endpoint in "
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL.",
        address=address,
        reason=_told(error),
        setting=RESULTS,
    )


def _told(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def _version(info: dict[str, Any]) -> str:
    """Return what changes when a file does."""
    marks = (info.get(name) for name in ("ETag", "etag", "md5Hash", "content_md5", "mtime", "created", "size"))
    return "|".join(str(mark) for mark in marks if mark is not None)


def _stat(path: Path) -> list[int]:
    try:
        found = path.stat()
        return [found.st_size, found.st_mtime_ns]
    except OSError:
        return []


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the finished files below a folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("part~"):
            yield path.relative_to(folder).as_posix(), path
