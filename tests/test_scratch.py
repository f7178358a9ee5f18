"""Unfinished files: whole or not there, and told from those of processes that are gone."""

import os
import socket
import subprocess
import sys
import tempfile
import time

import pytest

from tlcore.errors import StoreError
from tlcore.machine import scratch

HERE = socket.gethostname()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_whole_or_what_it_was(tmp_path):
    path = tmp_path / "new" / "model.bin"
    scratch.write_whole(path, lambda temporary: temporary.write_bytes(b"first"))

    def half(temporary):
        temporary.write_bytes(b"sec")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        scratch.write_whole(path, half)
    assert path.read_bytes() == b"first" and names(path.parent) == ["model.bin"]


def test_what_only_a_gone_process_wrote_is_swept(tmp_path):
    mine = scratch.prefix() + "mine"
    gone = f"part~{HERE}~{os.getpid()}~1~gone"  # an earlier process of this number
    fresh, old = "part~elsewhere~1~1~fresh", "part~elsewhere~1~1~old"
    for name in (mine, gone, fresh, old, "model.keras"):
        (tmp_path / name).write_text("")
    os.utime(tmp_path / old, (0, time.time() - scratch.ABANDONED_S - 1))
    (tmp_path / f"part~{HERE}~{os.getpid()}~2~").mkdir()
    (tmp_path / f"part~{HERE}~{os.getpid()}~2~" / "file").write_text("")
    scratch.sweep(tmp_path, tmp_path / "no such folder")
    assert names(tmp_path) == sorted([mine, fresh, "model.keras"])


def test_a_killed_process_leaves_its_temporary_files_where_they_are_swept(tmp_path):
    code = f"""
import os, signal, tempfile
from pathlib import Path
from tlcore.errors import StoreError
from tlcore.machine import scratch
scratch.enter(Path({str(tmp_path)!r}))
file = tempfile.NamedTemporaryFile(delete=False)
assert file.name.startswith({str(tmp_path)!r}) and os.environ["TMPDIR"] == tempfile.gettempdir()
scratch.sweep_all(Path({str(tmp_path)!r}), Path({str(tmp_path)!r}))  # its own are in use
os.stat(file.name)
if DIES:
    os.kill(os.getpid(), signal.SIGKILL)
"""
    for kill, left in ((False, 0), (True, 1)):
        done = subprocess.run([sys.executable, "-c", code.replace("DIES", str(kill))], env=environment())
        assert done.returncode == (-9 if kill else 0)
        assert len(names(tmp_path / scratch.FOLDER)) == left
    scratch.sweep_all(tmp_path, tmp_path)
    assert names(tmp_path / scratch.FOLDER) == []


@pytest.fixture
def no_place(monkeypatch, tmp_path):
    """A machine on which no usual place for temporary files can be written: a read-only root."""
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "read-only")])
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", "/tmp")


def test_where_the_machine_has_no_place_the_data_folder_keeps_temporary_files(no_place, tmp_path, monkeypatch):
    assert not scratch.has_folder()
    scratch.settle(tmp_path / "data")
    with tempfile.NamedTemporaryFile() as file:
        assert file.name.startswith(str(tmp_path / "data" / scratch.FOLDER))
    scratch.leave(tmp_path / "data")
    assert names(tmp_path / "data" / scratch.FOLDER) == []


def test_where_there_is_no_place_at_all_one_sentence_names_it(no_place, tmp_path):
    (tmp_path / "file").write_text("")
    scratch.settle(tmp_path / "file")  # a data folder that cannot be one
    words = "There is no folder for temporary files: neither /tmp nor the data folder can be written. Mount one"
    with pytest.raises(StoreError, match=words), scratch.needed(), tempfile.TemporaryFile():
        pass


def test_another_file_that_is_missing_is_not_taken_for_it(tmp_path):
    with pytest.raises(FileNotFoundError), scratch.needed():
        (tmp_path / "none").read_text()


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
