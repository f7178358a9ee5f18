"""A run as files: what they hold, and that none is ever there in part."""

import errno
import json
import os

import pytest

from tlcore.errors import StoreError
from tlcore.exports import export
from tlcore.spec import FineTuneSpec, MetricPoint, from_json

FILES = {"model": b"a" * 100_000, "metrics.csv": b"seq\n"}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_files_are_written_with_their_folder(tmp_path):
    paths = export.write(FILES, tmp_path / "new" / "deep")
    assert {path.name: path.read_bytes() for path in paths} == FILES
    assert names(tmp_path / "new" / "deep") == sorted(FILES)


def test_a_second_export_takes_the_place_of_the_first(tmp_path):
    export.write({"model": b"old"}, tmp_path)
    export.write(FILES, tmp_path)
    assert (tmp_path / "model").read_bytes() == FILES["model"] and names(tmp_path) == sorted(FILES)


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    synced = []

    def full_at_the_second(handle):
        synced.append(handle)
        if len(synced) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full_at_the_second)
    with pytest.raises(StoreError, match=r"cannot be written \(No space left on device\)"):
        export.write(FILES, tmp_path)
    assert names(tmp_path) == []


def test_what_is_no_folder_is_refused_and_left_alone(tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("mine")
    with pytest.raises(StoreError, match="cannot be written"):
        export.write(FILES, taken)
    assert taken.read_text() == "mine"


def test_the_json_of_a_run_gives_its_spec_back(store):
    run = store.create(FineTuneSpec(seed=3), name="é")
    store.finish(run.id, "done", {"test": {"accuracy": 0.5}})
    fields = json.loads(export.run_json(store.get(run.id)))
    assert from_json(json.dumps(fields["spec"])) == FineTuneSpec(seed=3)
    assert (fields["name"], fields["state"], fields["result"]) == ("é", "done", {"test": {"accuracy": 0.5}})
    assert "result" not in json.loads(export.run_json(run, result=False))


def test_a_missing_number_is_an_empty_cell():
    text = export.metrics_csv([(1, MetricPoint("train", 0.5, None, 0.25, 2.0)), (2, MetricPoint('a "b", c', 1))])
    assert text.splitlines()[1:] == ["1,train,0.5,,0.25,2.0", '2,"a ""b"", c",1,,,0.0']
