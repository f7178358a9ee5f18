"""One server for each data folder."""

import errno
import os
import shutil
import subprocess
import sys
import threading

import pytest

from tlcore.errors import StoreError
from tlcore.machine import lock
from tlcore.machine.lock import FILE, Lock

HOLD = "import sys; from pathlib import Path; from tlcore.machine import Lock; lock = Lock(Path(sys.argv[1])); "


def holder(folder):
    """Start a process that holds the lock of a folder until it is killed; return when it does."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD + "print('held', flush=True); input()", str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_second_server_on_one_folder_is_refused_in_one_sentence(tmp_path):
    with holder(tmp_path) as first:
        words = rf"Another server works on the data folder .* \(process {first.pid} on .*\)\. Open that one, stop it"
        with pytest.raises(StoreError, match=words):
            Lock(tmp_path, wait_s=0)
        first.kill()


def test_the_lock_of_a_killed_server_is_free_at_once(tmp_path):
    with holder(tmp_path) as first:
        first.kill()
    assert (tmp_path / FILE).exists()
    Lock(tmp_path, wait_s=0).release()
    assert not (tmp_path / FILE).exists()


def test_a_server_that_is_stopping_is_waited_for(tmp_path):
    with holder(tmp_path) as first:
        threading.Timer(0.3, first.kill).start()
        lock = Lock(tmp_path, wait_s=60)
    with pytest.raises(StoreError, match=f"process {os.getpid()} on"):
        Lock(tmp_path, wait_s=0)
    lock.release()
    lock.release()  # again is fine


def test_a_lock_on_a_removed_file_is_no_lock(tmp_path):
    first = Lock(tmp_path)
    (tmp_path / FILE).unlink()  # as a tidy person does
    second = Lock(tmp_path, wait_s=0)
    with pytest.raises(StoreError):
        Lock(tmp_path, wait_s=0)
    second.release()
    first.release()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_said_at_once_and_nothing_is_left(tmp_path, monkeypatch, code):
    def refuse(file, operation):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(lock.fcntl, "flock", refuse)
    words = rf"File locks do not work in the data folder .* \({os.strerror(code)}\).* Use a folder on a local disk"
    with pytest.raises(StoreError, match=words):
        Lock(tmp_path, wait_s=60)
    assert list(tmp_path.iterdir()) == []


def test_a_store_on_a_file_system_without_locks_says_so_and_not_that_it_is_busy(tmp_path):
    if not shutil.which("gcc"):
        pytest.skip("no gcc: a file system without locks cannot be played here")
    (tmp_path / "no_locks.c").write_text(NO_LOCKS)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", "no_locks.so", "no_locks.c", "-ldl"], cwd=tmp_path, check=True)
    code = "import sys; from pathlib import Path; from tlcore.store import Store; Store(Path(sys.argv[1]))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "LD_PRELOAD": str(tmp_path / "no_locks.so")}
    line = [sys.executable, "-c", code, str(tmp_path / "home")]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=20)  # a busy one is waited for
    assert f"StoreError: File locks do not work in the data folder {tmp_path / 'home'} (No locks" in done.stderr
    assert [path.name for path in (tmp_path / "home").iterdir() if path.name.startswith("lock-")] == []


NO_LOCKS = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
static int answer(const char *name, int file, int command, void *what) {
    if (command == F_SETLK || command == F_SETLKW) { errno = ENOLCK; return -1; }
    return ((int (*)(int, int, ...)) dlsym(RTLD_NEXT, name))(file, command, what);
}
#define ANSWER(name) int name(int file, int command, ...) { \\
    va_list list; va_start(list, command); void *what = va_arg(list, void *); va_end(list); \\
    return answer(#name, file, command, what); }
ANSWER(fcntl)
ANSWER(fcntl64)
"""


def test_a_folder_that_cannot_be_used_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="data folder .* cannot be used"):
        Lock(tmp_path / "file")
