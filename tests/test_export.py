"""A run as files: what they hold, and that none is ever there in part."""

import errno
import hashlib
import json
import os

import pytest

from tlcore import cli, exports
from tlcore.errors import StoreError
from tlcore.evaluation import outputs
from tlcore.exports import Exporter, Part, writing
from tlcore.sentences import Sentence
from tlcore.spec import FineTuneSpec, MetricPoint, from_json

FILES = {"model": b"a" * 100_000, "metrics.csv": b"seq\n"}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_files_are_written_with_their_folder(tmp_path):
    paths = exports.write(FILES, tmp_path / "new" / "deep")
    assert {path.name: path.read_bytes() for path in paths} == FILES
    assert names(tmp_path / "new" / "deep") == sorted(FILES)


def test_a_second_export_takes_the_place_of_the_first(tmp_path):
    exports.write({"model": b"old"}, tmp_path)
    exports.write(FILES, tmp_path)
    assert (tmp_path / "model").read_bytes() == FILES["model"] and names(tmp_path) == sorted(FILES)


def test_a_full_disk_leaves_nothing(tmp_path, patch_inside):
    synced = []

    def full_at_the_second(handle):
        synced.append(handle)
        if len(synced) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    patch_inside(writing, "os", fsync=full_at_the_second)
    with pytest.raises(StoreError, match=r"cannot be written \(No space left on device\)"):
        exports.write(FILES, tmp_path)
    assert names(tmp_path) == []


def test_what_is_no_folder_is_refused_and_left_alone(tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("mine")
    with pytest.raises(StoreError, match="cannot be written"):
        exports.write(FILES, taken)
    assert taken.read_text() == "mine"


def test_the_json_of_a_run_gives_its_spec_back(store):
    run = store.create(FineTuneSpec(seed=3), name="é")
    store.finish(run.id, "done", {"test": {"accuracy": 0.5}})
    fields = json.loads(exports.run_json(store.get(run.id)))
    assert from_json(json.dumps(fields["spec"])) == FineTuneSpec(seed=3)
    assert (fields["name"], fields["state"], fields["result"]) == ("é", "done", {"test": {"accuracy": 0.5}})
    assert "result" not in json.loads(exports.run_json(run, result=False))


def test_a_curve_of_a_comparison_has_its_heads_title_in_the_csv():
    points = [MetricPoint("train", 10.0, head=head, input="pixels") for head in ("knn", "gone")]
    lines = exports.metrics_csv(enumerate(points, 1)).splitlines()[1:]
    assert lines == ["1,k-nearest neighbours · pixels · train,10.0,,,0.0", "2,gone · pixels · train,10.0,,,0.0"]


def test_a_missing_number_is_an_empty_cell():
    text = exports.metrics_csv([(1, MetricPoint("train", 0.5, None, 0.25, 2.0)), (2, MetricPoint('a "b", c', 1))])  # type: ignore[arg-type]
    assert text.splitlines()[1:] == ["1,train,0.5,,0.25,2.0", '2,"a ""b"", c",1,,,0.0']


class Title(Exporter):
    """A form that nobody knows of: the run's name alone."""

    name = "title"

    def parts(self, run, store):
        return (Part("-title.txt", Sentence("Its name"), run.name.encode),) if run.name else ()


def test_a_further_form_is_on_the_page_on_the_command_line_and_in_the_whole(store, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(exports.EXPORTERS, "title", Title())
    run = store.create(FineTuneSpec(), name="Named")
    home = ["--home", str(store.folder)]
    assert cli.main([*home, "export", run.id, "--to", str(tmp_path / "all")]) == 0
    assert names(tmp_path / "all") == sorted([f"{run.id}-title.txt", f"{run.id}.json"])
    assert cli.main([*home, "export", run.id, "--to", str(tmp_path / "one"), "--what", "title"]) == 0
    assert (tmp_path / "one" / f"{run.id}-title.txt").read_text() == "Named"
    store.annotate(run.id, name="")
    capsys.readouterr()
    assert cli.main([*home, "export", run.id, "--to", str(tmp_path / "none"), "--what", "title"]) == 2
    assert f"Run {run.id} has no title. It has: json, code, notebook." in capsys.readouterr().err


def test_what_has_to_be_named_is_left_out_of_the_whole(store, tmp_path):
    run = store.create(FineTuneSpec())
    path = store.run_folder(run.id, create=True) / outputs.FILE
    path.write_bytes(b"answers")
    file = {"sha256": hashlib.sha256(b"answers").hexdigest(), "bytes": 7}
    store.finish(run.id, "done", {"files": {outputs.FILE: file}})
    for line, expected in (([], [f"{run.id}.json"]), (["--what", "answers"], [f"{run.id}-{outputs.FILE}"])):
        to = tmp_path / str(len(line))
        assert cli.main(["--home", str(store.folder), "export", run.id, "--to", str(to), *line]) == 0
        assert names(to) == expected
