"""Hostile archives of runs: each is refused in one sentence, and leaves nothing in the lab."""

import hashlib
import io
import json
import zipfile

import numpy as np
import pytest
from hostile import archives as corpus
from hostile import data_sets, head_files, keras_files
from hostile.asked import refusal
from hostile.tried import count

from tlcore import archives
from tlcore.archives import kinds, repeating, taking
from tlcore.errors import DataError
from tlcore.evaluation import outputs
from tlcore.exports.record import FILE

pytestmark = pytest.mark.filterwarnings("ignore")  # zipfile's about names that come twice


def left_nothing(store) -> bool:
    return store.list() == () and not any((store.folder / "runs").iterdir()) and not [*store.folder.glob("import-*")]


def test_the_honest_one_is_taken(store):
    run = archives.take(archives.look_at(corpus.honest()), store, "ada")
    assert (run.owner, run.accuracy, run.provenance.imported) == ("ada", 0.5, "0123456789abcdef")
    assert len(store.points(run.id)) == 1 and run.id != run.provenance.imported


@pytest.mark.parametrize("kind", [corpus.packed, corpus.records])
def test_a_hostile_archive_is_refused_in_one_sentence_when_it_is_looked_at(kind):
    cases = list(kind())
    for name, content in cases:
        with pytest.raises(DataError) as caught:
            pytest.fail(f"taken: {name}: {archives.look_at(content).run}")
        assert refusal(caught.value), name
    count("archive", len(cases))
    assert len(cases) > 40


def test_a_run_that_no_lab_can_show_is_refused_and_leaves_nothing(store):
    cases = list(corpus.not_here())
    for name, content in cases:
        found = archives.look_at(content)
        with pytest.raises(DataError, match="This archive cannot be used: ") as caught:
            pytest.fail(f"taken: {name}: {archives.take(found, store)}")
        assert refusal(caught.value), name
    count("archive", len(cases))
    assert left_nothing(store)


def test_what_is_much_too_large_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr("tlcore.archives.reading.MOST_UNPACKED", 100)
    content = corpus.honest()
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("something was unpacked"))
    with pytest.raises(DataError, match="unpacks to more than"):
        archives.look_at(content)
    monkeypatch.setattr("tlcore.archives.reading.MOST_BYTES", 100)
    with pytest.raises(DataError, match="the file has more than"):
        archives.look_at(content)


@pytest.mark.parametrize(
    "content", [b"", b"x", b"PK\x03\x04", b"{", b"[1]", b"{}", b'{"spec": []}', b'{"kind": "x", "seed": 1}', b"\xff{",
                b'{"kind": "fine_tune", "seed": "x"}', b'{"kind": "fine_tune", "seed": 1e999}',
                pytest.param(b'{"a":' * 9999, id="deep"),
                pytest.param(corpus.pack({})[:40], id="cut off")],  # its bytes hold the time: no name to run it by
)  # fmt: skip
def test_what_is_no_file_of_a_lab_is_one_sentence(content):
    with pytest.raises(DataError) as caught:
        kinds.look_at(content)
    assert refusal(caught.value)
    count("archive")


def test_answers_that_lie_are_one_sentence():
    good = {"model/test": np.zeros((4, 3), np.float16), "model/predicted": np.zeros(4, np.int16)}
    stream = io.BytesIO()
    np.savez(stream, **good)
    assert set(repeating.read_answers(stream.getvalue())) == {"model"}
    cases = [stream.getvalue()[:n] for n in range(0, len(stream.getvalue()), 40)]
    cases += [
        data_sets.npz(**good | {"model/predicted": bad}) for bad in (np.zeros(3, np.int16), np.zeros(4), np.array("x"))
    ]
    cases += [data_sets.archive({"model/test.npy": data_sets.npy(head, bytes(64))}) for head in data_sets.HEADS]
    cases += [data_sets.npz(**{"model/test": np.zeros((4, 3), np.float16)})]
    for content in cases:
        with pytest.raises(DataError, match=outputs.FILE) as caught:
            repeating.read_answers(content)
        assert refusal(caught.value)
    count("archive", len(cases))


# -- the files in it -------------------------------------------------------------------------------------------------


def with_file(name: str, content: bytes, kind: str = "fine_tune", **result) -> bytes:
    """Return an archive whose run says that it saved this file, with the right sum: as a stranger would write it."""
    sha256 = hashlib.sha256(content).hexdigest()
    known = corpus.RESULT | {"class_names": list("0123456789"), "test": None} | result
    spec = {"kind": "fine_tune", "source": "digits", "data": {"target": "mnist"}}
    if kind == "heads":
        spec |= {"kind": "heads", "heads": ["knn"]}
        row = {"head": "knn", "input": "pixels", "accuracy": 0.5, "file": name}
        known = {"class_names": list("0123456789"), "rows": [row], "layer": "flatten"}
    known |= {"files": {name: {"sha256": sha256, "bytes": len(content)}}}
    files = {FILE: json.dumps(corpus.record(spec=spec, result=known)).encode(), name.rpartition("/")[2]: content}
    return corpus.pack(files)


@pytest.fixture
def in_this_process(monkeypatch):
    monkeypatch.setattr(taking, "guarded", lambda function, arguments, *_: function(*arguments))


@pytest.mark.keras
def test_a_hostile_network_in_an_archive_runs_nothing(store, tmp_path, in_this_process):
    refusals = 0
    published = keras_files.published(tmp_path / "canary")
    for name, (content, _word) in published.items():
        try:  # its description is not even read: where the numbers are those of the network, they are taken
            archives.take(archives.look_at(with_file("model.keras", content)), store)
        except DataError as error:
            assert refusal(error), name
            refusals += 1
        assert not (tmp_path / "canary").exists(), name
    count("archive", len(published))
    assert refusals >= 4
    for run in store.list():
        assert run.result.files["model.keras"].sha256 != hashlib.sha256(b"").hexdigest()
        assert (store.run_folder(run.id) / "model.keras").read_bytes() not in [
            each for each, _word in published.values()
        ]


@pytest.mark.keras
def test_a_hostile_head_in_an_archive_is_refused_and_runs_nothing(store, tmp_path, in_this_process):
    cases = list(head_files.doctored(tmp_path / "canary"))
    for name, content in cases:
        found = archives.look_at(with_file("heads/knn-pixels.skops", content, "heads"))
        with pytest.raises(DataError, match="is not the head that the run says") as caught:
            archives.take(found, store)
        assert refusal(caught.value), name
        assert not (tmp_path / "canary").exists(), name
    count("archive", len(cases))
    assert left_nothing(store)


@pytest.mark.parametrize("name", ["../../evil", "heads/../../evil-x.skops", "/etc/passwd", "heads/a.skops", "film.npz"])
def test_a_file_of_another_name_than_a_run_saves_is_left_alone(store, tmp_path, name):
    sums = {name: {"sha256": "a" * 64, "bytes": 1}}
    run = archives.take(archives.look_at(corpus.honest(result=corpus.RESULT | {"files": sums})), store)
    assert run.result.files == {} and not (tmp_path / "evil").exists()
    count("archive")
