"""A data folder that an older version wrote: nothing in it is lost. tests/old_lab/README.md says what it holds."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import waiting
from pages.test_pages import FOLDS, lab, of_run, opened, sound, words  # noqa: F401

from tlcore import cli, datasets, exports, people, prediction, sources
from tlcore.datasets.mnist import FORM
from tlcore.engine import LocalEngine
from tlcore.evaluation import outputs
from tlcore.evidence import sweeps
from tlcore.features.cache import Cache
from tlcore.jobs import execution as worker
from tlcore.store import Store, checkpoint, versions

OLD = Path(__file__).parent / "old_lab"
FACTS = {fact["id"]: fact for fact in json.loads((OLD / "facts.json").read_text(encoding="utf-8"))}
KINDS = ("fine_tune", "heads", "sweep", "example")
SLOTS = (
    *(("runs", "run_run", kind) for kind in KINDS),
    ("train", "run_ft", "fine_tune"),
    ("train", "run_scratch", "fine_tune"),
    ("race", "run_lane1", "fine_tune"),
    ("train", "run_head", "heads"),
    ("heads", "run_cmp", "heads"),
    ("evidence", "run_sweep", "sweep"),
    ("evidence", "run_savings", "sweep"),
    ("evidence", "run_example", "example"),
)  # where a run of a kind is shown

wait_for = partial(waiting.wait_for, timeout_s=300)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the old folder, which is the data folder of this test; ``lab`` opens it as the pages' own."""
    shutil.copytree(OLD / "lab", tmp_path / "lab")
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path / "lab"))
    return tmp_path / "lab"


def ids(**fields):
    """The ids of the runs with those facts."""
    return [id for id, fact in FACTS.items() if all(fact[name] == value for name, value in fields.items())]


def one(**fields):
    (found,) = ids(**fields)
    return found


def holds(new, old, path=""):
    """Whether all that ``old`` says stands in ``new`` under the same keys; ``new`` may say more."""
    if isinstance(old, dict):
        assert isinstance(new, dict) and old.keys() <= new.keys(), path
        return all(holds(new[key], value, f"{path}.{key}") for key, value in old.items())
    if isinstance(old, list):
        assert isinstance(new, list) and len(new) == len(old), path
        return all(holds(a, b, f"{path}[{i}]") for i, (a, b) in enumerate(zip(new, old, strict=True)))
    assert new == old, path
    return True


def test_the_folder_has_every_kind_of_run_in_every_state_that_outlives_a_server():
    found = {(fact["kind"], fact["state"]) for fact in FACTS.values()}
    assert found == {(kind, state) for kind in KINDS for state in ("done", "stopped", "failed", "queued")}


@pytest.mark.parametrize("kind", KINDS)
def test_every_run_says_what_it_said(folder, kind):
    store = Store(folder)
    for id in ids(kind=kind):
        run, fact = store.get(id), FACTS[id]
        rest = {"points": exports.metrics_csv(store.points(id)), "cells": exports.cells_csv(store.cells(id))}
        assert holds(json.loads(exports.run_json(run)) | rest | {"deleted": run.deleted}, fact)
        for name in run.result.files:
            prediction.checked_file(run, name, folder)


def test_the_lists_are_those_they_were(folder):
    store = Store(folder)
    assert [run.id for run in store.list()] == ids(deleted=False)
    assert [run.id for run in store.list(deleted=True)] == ids(deleted=True)
    assert set(store.queued(limit=99)) == set(ids(state="queued"))
    store.restore(one(deleted=True))
    assert set(FACTS) == {run.id for run in store.list()}
    assert people.keys(folder).token == people.Keys("the secret of a lab that nobody serves").token


@pytest.mark.slow
@pytest.mark.grid(6)
@pytest.mark.parametrize(("page", "slot", "kind"), SLOTS)
def test_the_pages_show_every_run(folder, lab, page, slot, kind):  # noqa: F811
    app = sound(opened(page))
    for id in ids(kind=kind, deleted=False):
        app.session_state[slot] = id
        for fold in FOLDS | of_run(Store(folder).get(id)):
            app.session_state[fold] = True
        sound(app.run())
        assert "cannot be read" not in words(app) and "missing or damaged" not in words(app)
        if slot == "run_run":
            assert FACTS[id]["name"] in words(app)


@pytest.mark.slow
def test_the_command_line_lists_shows_and_exports_every_run(folder, tmp_path, capsys):
    assert cli.main(["runs", "--json"]) == 0
    assert [run["id"] for run in json.loads(capsys.readouterr().out)] == ids(deleted=False)
    for id in ids(deleted=False):
        fact, to = FACTS[id], tmp_path / id
        assert cli.main(["runs", "show", id, "--json"]) == 0
        assert holds(json.loads(capsys.readouterr().out), {key: fact[key] for key in ("spec", "state", "result")})
        assert cli.main(["export", id, "--to", str(to)]) == 0
        assert len(capsys.readouterr().out.splitlines()) == len(list(to.iterdir()))
        models = [name for name in fact["result"].get("files", ()) if name != outputs.FILE]
        expected = {f"{id}-{Path(name).name}" for name in models} | {f"{id}.json"}
        if fact["points"].count("\n") > 1:
            expected.add(f"{id}-metrics.csv")
            assert (to / f"{id}-metrics.csv").read_text() == fact["points"]
        if fact["cells"].count("\n") > 1:
            expected.add(f"{id}-experiments.csv")
            assert (to / f"{id}-experiments.csv").read_text() == fact["cells"]
        assert {path.name for path in to.iterdir()} == expected
        assert holds(json.loads((to / f"{id}.json").read_text(encoding="utf-8")), {"result": fact["result"]})


def test_kept_features_and_what_the_models_said_are_read(folder):
    kept = sorted((folder / "cache").iterdir())
    shapes = {path.stem: np.load(path, mmap_mode="r").shape for path in kept}
    assert kept and all(Cache(folder / "cache").open(key, shape) is not None for key, shape in shapes.items())
    for id in ids(state="done"):
        if outputs.FILE in FACTS[id]["result"].get("files", ()):
            path = Store(folder).run_folder(id) / outputs.FILE
            for model in outputs.models(path):
                said = outputs.load(path, model)
                assert len(outputs.test_images(said.images, folder, FORM)) == len(said.labels) == 359


@pytest.mark.keras
@pytest.mark.slow
def test_every_model_answers_as_it_did(folder):
    """Each from the images of its own run: one was trained on pixels from 0 to 255, and gets them so."""
    store, mine = Store(folder), sources.uploaded()
    with np.load(OLD / "answers.npz", allow_pickle=False) as file:
        answers = {name.replace("|", "/"): file[name] for name in file.files}
    assert f"source:{mine[0].name}" in answers and len(mine) == len(sources.uploaded(removed=True)) == 1
    example = store.get(one(kind="fine_tune", name="Filmed")).spec.data
    for name, expected in answers.items():
        kind, _, rest = name.partition(":")
        spec = example if kind == "source" else store.get(rest.partition("/")[0]).spec.data
        answer = prediction.predictor(name, folder).predict_proba(datasets.load(spec).x_test[:12])
        np.testing.assert_allclose(answer, expected, atol=1e-5, err_msg=name)
    run = store.get(one(name="Unscaled"))
    data = datasets.load(run.spec.data)
    n_right = (prediction.predictor(f"run:{run.id}", folder).predict_proba(data.x_test).argmax(1) == data.y_test).sum()
    assert abs(n_right / len(data.y_test) - run.result.test.accuracy) <= 2 / len(data.y_test)


def as_if_written_here(folder):
    """Say that the folder was written with the libraries of this machine: only then does a run go on."""
    with closing(sqlite3.connect(folder / "lab.db")) as connection, connection:
        connection.execute("UPDATE runs SET versions = ? WHERE versions <> '{}'", [json.dumps(versions())])
    place = Store(folder).run_folder(one(kind="fine_tune", name="Cut off"))
    saved = checkpoint.load(place)
    assert saved is not None
    checkpoint.save(place, replace(saved, state=saved.state | {"versions": versions()}))


@pytest.mark.keras
@pytest.mark.slow
def test_what_waited_and_what_was_cut_off_goes_on(folder):
    """The training in a worker process of an engine; the rest here, as a worker process does it."""
    as_if_written_here(folder)
    store = Store(folder)
    store.request_stop(one(kind="example", state="queued"))  # it would take minutes
    stopped = store.get(one(kind="sweep", state="stopped"))
    again = store.create(sweeps.resumed(replace(stopped.spec, seeds=stopped.spec.seeds[:11]), stopped.id))
    waiting, cut = store.queued(limit=99), one(kind="fine_tune", name="Cut off")
    assert {again.id, cut} < set(waiting) and len(waiting) == 7
    for id in set(waiting) - {cut}:
        worker.execute(id, str(folder))
    engine = LocalEngine(folder, 1, execute=worker.execute, with_keras=True)
    try:
        tuned = wait_for(lambda: (run := store.get(cut)).final and run)
    finally:
        engine.close()
    runs = {id: store.get(id) for id in waiting}
    assert {(run.state, str(run.error)) for run in runs.values()} == {("done", "")}

    assert (tuned.attempt, tuned.result.resumed_after) == (2, (2,))
    assert all(row.ok for row in tuned.result.proof) and tuned.accuracy is not None
    (head, *before), (_, *after) = FACTS[tuned.id]["points"].splitlines(), metrics(store, tuned)
    assert head.startswith("seq") and after[: len(before)] == before  # its curve goes on where it was cut off
    ends = [point.x for _, point in store.points(tuned.id) if point.part == "validation"]
    assert ends == [1, 2, 3, 4, 5]

    heads = runs[one(kind="heads", name="Cut off")]
    before = FACTS[heads.id]["result"]["rows"]
    assert len(before) == 2 and len(heads.result.rows) == 4 and holds(heads.stored["rows"][:2], before)
    assert len({(row.head, row.seed) for row in heads.result.rows}) == 4

    swept, cells = runs[one(kind="sweep", name="Cut off")], FACTS[one(kind="sweep", name="Cut off")]["cells"]
    old = set(cells.splitlines()[1:])
    assert len(old) == 2 and old < set(exports.cells_csv(store.cells(swept.id)).splitlines())
    taken = {cell.key for cell in store.cells(stopped.id)}
    assert 0 < runs[again.id].result.n_before == len({cell.key for cell in store.cells(again.id)} & taken)
    assert not checkpoint.load(store.run_folder(tuned.id))


def metrics(store, run):
    return exports.metrics_csv(store.points(run.id)).splitlines()
