"""The house holds for any input: tests/ext/sonar brings a kind that nothing here knows, and all of the lab works on it.

Two ears, six bands, eight moments, int16; three classes; a network with branches inside its blocks. One lab is
started for all tests: its runs are done by a real worker, its answers come from the real inference process.
"""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from extended import REGISTRIES, extended
from pages.runs_list import rows
from pages.test_pages import ME, NAMES, opened, sound, words
from waiting import wait_for

from pages.ui.session import state
from tlcore import cli, datasets, features, jobs, prediction, sources
from tlcore.engine import LocalEngine
from tlcore.errors import SpecError
from tlcore.features.freezing import Freezing
from tlcore.inspection import explain, maps
from tlcore.jobs import execution
from tlcore.lab import Lab
from tlcore.prediction import what_if
from tlcore.prediction.serving import Serving
from tlcore.prediction.what_if import Move, WhatIf
from tlcore.spec import DataSpec, FineTuneSpec, HeadSpec, InputForm, Phase, SweepSpec
from tlcore.store import Store

pytestmark = [pytest.mark.keras, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[1]
NAME = "ext.sonar"

FORM = InputForm("sonar", (8, 6, 2), "int16")
CUTS = ("stem", "block_1_add", "block_2_join", "pool", "flat", "dense", "answer")
BLOCK_1 = ("stem", "block_1_conv", "block_1_side")
DATA = DataSpec("sonar_shapes", per_class=10)
TUNING = FineTuneSpec("sonar_net", DATA, (Phase(6, BLOCK_1, 0.01),), film=True)
COMPARING = HeadSpec("sonar_net", "flat", ("linear_svm", "sonar_centroid"), ("features", "pixels"), DATA, tune=True)
SWEEPING = SweepSpec(
    ("sonar_net",),
    "sonar_shapes",
    cuts=CUTS[:-1],
    methods=("sonar_centroid", "logme", "scratch"),
    per_class=(5,),
    seeds=(0,),
    n_steps=20,
)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A lab whose processes know the extension, and the runs of every kind that it has done, by kind."""
    with extended(NAME) as patch, ExitStack() as end:
        patch.setenv("TRANSFER_LAB_HOME", str(tmp_path_factory.mktemp("sonar")))
        lab = _started(Path(os.environ["TRANSFER_LAB_HOME"]))
        end.callback(lab.close)
        patch.setattr(state, "lab", lambda: lab)
        patch.setattr(state, "person", lambda: ME)
        patch.setattr(lab.what_if, "ask", lambda function, *arguments, **_: function(*arguments))  # no third process
        patch.setattr(lab.what_if, "soon", lambda question, _s=0.0: answered(question))
        from ext.sonar.run import MeanSpec

        ids = {spec.kind: lab.store.create(spec, owner=ME.id).id for spec in (TUNING, MeanSpec())}
        wait_for(lambda: lab.store.get(ids["fine_tune"]).state != "queued", 60)  # the worker has it
        for spec in (COMPARING, SWEEPING):  # the same here, while it works: a process for each would take seconds more
            ids[spec.kind] = lab.store.create(spec, owner=ME.id).id
            execution.execute(ids[spec.kind], str(lab.folder))
        wait_for(lambda: all(lab.store.get(id).final for id in ids.values()), 90)
        yield lab, {kind: lab.store.get(id) for kind, id in ids.items()}


def text(item: np.ndarray) -> str:
    return "\n".join(",".join(map(str, row.ravel())) for row in item)


def _started(folder: Path) -> Lab:
    store, serving = Store(folder), Serving(folder, soon=tuple)
    serving.start()
    return Lab(
        folder,
        store,
        LocalEngine(folder, n_workers=1, execute=execution.execute, with_keras=True),
        serving,
        WhatIf(folder),
    )


@cache
def answered(question):
    return what_if.retrain(question) if isinstance(question, Move) else what_if.every_cut(question)


@pytest.fixture
def lab(house):
    return house[0]


@pytest.fixture
def runs(house):
    return house[1]


@pytest.fixture
def do(lab, capsys):
    """Do a command on the lab's folder; return what it printed."""

    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert cli.main(["--home", str(lab.folder), *arguments]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return run


def test_no_file_of_the_house_knows_of_it():
    files = [path for folder in ("tlcore", "pages", "server") for path in (ROOT / folder).rglob("*.[pjc][ys]*")]
    assert len(files) > 200 and {path.suffix for path in files} >= {".py", ".js", ".css"}
    assert not [path for path in [*files, ROOT / "app.py"] if b"sonar" in path.read_bytes().lower()]


def test_every_kind_of_run_is_done_and_has_learned(runs):
    assert {kind: (run.state, str(run.error)) for kind, run in runs.items()} == dict.fromkeys(runs, ("done", ""))
    assert all(runs[kind].accuracy > 0.6 for kind in ("fine_tune", "heads", "sonar_mean"))
    workers = {kind: run.worker for kind, run in runs.items() if run.worker != str(os.getpid())}
    assert workers.keys() >= {"fine_tune", "sonar_mean"}


def test_frozen_branches_stayed_equal_bit_for_bit_and_the_others_moved(runs):
    proof = runs["fine_tune"].result.proof
    assert {row.layer for row in proof if row.frozen} == set(BLOCK_1) and all(row.ok for row in proof)
    layers = sources.info("sonar_net").layers
    assert Freezing(layers, BLOCK_1).boundary.layer == "block_1_add"


@pytest.fixture(scope="module")
def model(house):
    return sources.load("sonar_net")


def test_the_card_says_what_the_network_is(model):
    assert sources.describe(model) == sources.info("sonar_net").layers
    assert sources.info("sonar_net").cut_names == CUTS


@pytest.mark.parametrize("cut", CUTS[:-1])
def test_the_network_is_cut_everywhere_and_both_parts_together_are_the_network(model, cut):
    items = datasets.load(DATA).x_test[:9]
    prefix, tail = features.split(model, cut)
    whole = features.activations(model, items)
    assert prefix.output_shape[1:] == next(each.output_shape for each in sources.describe(model) if each.name == cut)
    parts = features.activations(prefix, items)
    np.testing.assert_allclose(tail(parts), whole, atol=1e-5)


def test_features_and_raw_numbers_come_out_as_tables(model):
    data = datasets.load(DATA)
    assert features.extract(model, data.x_train, "flat", data.form).shape == (30, 96)
    raw = features.extract(None, data.x_train, "pixels", data.form)
    assert raw.shape == (30, 96) and 0 <= raw.min() < raw.max() <= 1


def test_a_sweep_has_measured_every_cut(lab, runs):
    cells = lab.store.cells(runs["sweep"].id)
    assert not [str(cell.error) for cell in cells if cell.error]
    assert {cell.cut for cell in cells if cell.method == "sonar_centroid"} == set(CUTS[:-1])
    assert {cell.method for cell in cells} == set(SWEEPING.methods)


@pytest.mark.parametrize("tail", what_if.TAILS)
def test_what_if_answers_at_every_cut(lab, tail):
    for cut in (None, *what_if.cuts_of("sonar_net", tail)):
        answer = what_if.retrain(Move("sonar_net", "sonar_shapes", cut, tail))
        assert answer.test.n == 120 and all(row.ok for row in answer.proof), cut


def test_the_inference_process_answers_for_the_source_the_run_and_every_head(lab, runs):
    names = [info.name for info in prediction.available(runs.values()) if info.form.modality == "sonar"]
    assert len(names) == 1 + 1 + len(runs["heads"].result.heads) == 6
    items, labels = datasets.samples("sonar_shapes", 6)
    wait_for(lambda: lab.serving.ready, 60)
    answers = lab.serving.predict(items[0], names, timeout_s=30)
    assert [len(answers[name]) for name in names] == [4, *[3] * 5]
    for name in names[1:3]:
        local = prediction.predictor(name, lab.folder).predict_proba(items[:1])[0]
        np.testing.assert_allclose(answers[name], local, atol=1e-5)


def test_a_picture_is_refused_by_what_reads_echoes(lab):
    wait_for(lambda: lab.serving.ready, 60)
    answer = lab.serving.predict(np.zeros((28, 28, 1), np.uint8), ["source:sonar_net", "source:digits"])
    assert "8 × 6 × 2" in answer["source:sonar_net"] and len(answer["source:digits"]) == 10


def test_every_model_is_looked_into(lab, runs):
    items, _ = datasets.samples("sonar_shapes", 1)
    for info in prediction.available(runs.values()):
        if info.form.modality == "sonar":
            found = explain(info.name, items[0], str(lab.folder))
            assert found.nearest.images.shape == (8, 8, 6, 3), info.name
            assert info.kind == "head" or found.heat.heat.shape == (8, 6)
    plane = maps.before_and_after(runs["fine_tune"].id, "dense", "pca", str(lab.folder))
    assert plane.images.shape == (120, 8, 6, 3) and not plane.same


def test_the_command_line_lists_it(do, runs):
    assert "sonar_net" in do("sources") and "sonar_shapes" in do("datasets")
    assert "Nearest centre" in (listed := do("heads", "--list")) and "shrink=none" in listed
    assert "block_2_join" in do("describe", "sonar_net", "--freeze", ",".join(BLOCK_1))
    listed = do("runs")
    assert all(run.id in listed for run in runs.values()) and "mean echo of sonar_shapes" in listed
    assert "sonar_mean" in do("runs", "show", runs["sonar_mean"].id)
    models = json.loads(do("predict", "--list", "--json"))
    assert {row["name"] for row in models} >= {
        "sonar_net",
        runs["fine_tune"].id,
        f"{runs['heads'].id}/sonar_centroid-features",
    }


def test_the_command_line_trains_and_answers_on_it(do, tmp_path):
    item = datasets.samples("sonar_shapes", 1)[0][0]
    (tmp_path / "echo.txt").write_text(text(item))
    line = ["--source", "sonar_net", "--target", "sonar_shapes", "--per-class", "10", "--json"]
    run = json.loads(do("train", *line, "--epochs", "6", "--learning-rate", "0.01", "--freeze", ",".join(BLOCK_1)))
    answer = json.loads(do("predict", "--model", run["id"], str(tmp_path / "echo.txt")))
    assert set(answer["probabilities"]) == set(datasets.info("sonar_shapes").class_names)
    do("runs", "delete", run["id"])


def test_the_command_line_looks_into_it(do, runs, tmp_path):
    tuned, compared = runs["fine_tune"].id, runs["heads"].id
    (tmp_path / "echo.txt").write_text(text(datasets.samples("sonar_shapes", 1)[0][0]))
    line = ("--source", "sonar_net", "--target", "sonar_shapes", "--json")
    assert 0.3 < json.loads(do("what-if", *line, "--cut", "block_1_add"))["test"]["accuracy"] <= 1
    for model in ("sonar_net", tuned, f"{compared}/sonar_centroid-pixels"):
        assert json.loads(do("explain", str(tmp_path / "echo.txt"), "--model", model, "--json"))["nearest"]
    assert "rising" in do("look", tuned) and "rising" in do("look", f"{compared}/sonar_centroid-features")
    assert json.loads(do("look", f"{compared}/linear_svm-features", "--against", tuned, "--json"))
    assert "before" in do("map", tuned, "--layer", "dense").lower()
    assert "rising" in do("inside", f"{compared}/linear_svm-features") and do("lesson", tuned)


def test_a_process_of_its_own_finds_the_extension(lab):
    line = [sys.executable, "-m", "tlcore", "--home", str(lab.folder), "datasets"]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(line, cwd=ROOT, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True)
    assert done.returncode == 0 and "sonar_shapes" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("fine_tune", {"model.keras", "metrics.csv"}),
        ("heads", {f"{head}-{name}.skops" for head in COMPARING.heads for name in COMPARING.inputs} | {"metrics.csv"}),
        ("sweep", {"experiments.csv"}),
        ("sonar_mean", {"means.csv", "metrics.csv"}),
    ],
)
def test_every_run_is_exported_in_every_form_that_it_has(do, runs, tmp_path, kind, files):
    run = runs[kind]
    do("export", run.id, "--to", str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {f"{run.id}.json", *(f"{run.id}-{name}" for name in files)}


def test_the_exported_network_answers_as_the_run_did(do, runs, tmp_path):
    import keras

    run = runs["fine_tune"]
    do("export", run.id, "--to", str(tmp_path), "--what", "model")
    model = keras.models.load_model(tmp_path / f"{run.id}-model.keras")
    data = datasets.load(DATA)
    assert (model.predict(data.x_test, verbose=0).argmax(axis=1) == data.y_test).mean() == pytest.approx(run.accuracy)


# -- the pages -------------------------------------------------------------------------------------------------------

CHOSEN = {
    "source": "sonar_net", "target": "sonar_shapes", "frozen": BLOCK_1, "layer": "flat", "per_class": 10, "form": FORM,
    "what_if_cut": "flat", "what_if_moved": True,
    "sweep_target": "sonar_shapes", "sweep_labels": (5,), "sweep_sources": ("sonar_net",), "sweep_cuts": ("flat",),
}  # fmt: skip
SLOTS = {"run_ft": "fine_tune", "run_fx": "heads", "run_cmp": "heads", "run_lane1": "fine_tune", "run_sweep": "sweep"}


def htmls(app):
    return "\n".join(element.proto.body for element in app.get("html"))


@pytest.mark.parametrize("name", NAMES)
def test_every_page_opens_on_it(lab, runs, name):
    app = sound(opened(name, **CHOSEN, **{slot: runs[kind].id for slot, kind in SLOTS.items()}))
    if name == "how_it_works":
        sound(app.selectbox(key="lesson_run").set_value(runs["fine_tune"].id).run())
    fitting = ("LogME is shown for comparison", "This browser blocks cookies")  # an AppTest is nobody's browser
    warnings = [each.value for each in app.warning if not each.value.startswith(fitting)]
    assert app.title[0].value and not app.error and not warnings, words(app)


@pytest.mark.parametrize("block", ["stem", "block_1"])
def test_a_layer_or_block_of_it_is_looked_into_and_every_cut_has_its_accuracy(lab, block):
    app = sound(opened("layers", **CHOSEN, inside=block))
    assert not app.error and not app.warning, words(app)
    assert f"Inside {block}".replace("_", "\\_") in words(app) and "activations" in htmls(app)
    assert "10 labels per class" in words(app)


@pytest.mark.parametrize("kind", ["fine_tune", "heads", "sweep", "sonar_mean"])
def test_every_run_is_shown_with_all_that_it_left(lab, runs, kind):
    run = runs[kind]
    app = sound(opened("runs", run_run=run.id))
    assert not app.error and not app.warning, words(app)
    labels = {element.proto.label for element in app.get("download_button")}
    assert "Settings and result (JSON)" in labels
    if kind == "sonar_mean":
        assert "Mean echoes (CSV)" in labels and app.metric[0].label == "Nearest mean"
        assert "Mean echoes, 20 of each shape" in words(app)


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        *(("fine_tune", way) for way in ("cells", "worst", "classes", "calibration", "noise", "rivals", "why", "map")),
        ("heads", "cells"),
        ("heads", "why"),
    ],
)
def test_every_answer_of_a_run_is_looked_at_closer(lab, runs, kind, way):
    run = runs[kind]
    app = sound(opened("runs", run_run=run.id, **{f"closer_{run.id}": True, f"way_{run.id}": way}))
    assert not app.error and not app.warning, words(app)
    assert ("Shuffled items" in words(app)) == (way == "noise")


def test_augmentation_which_it_has_not_is_refused_and_not_offered(lab):
    with pytest.raises(SpecError, match="'sonar' cannot be augmented"):
        jobs.check(replace(TUNING, augment=True))
    app = sound(opened("train", **CHOSEN, augment=True))  # as chosen for images before
    assert "augment" not in [toggle.key for toggle in app.toggle]
    before = {run.id for run in lab.store.list()}
    sound(app.button(key="start_ft").click().run())
    (run,) = (run for run in lab.store.list() if run.id not in before)
    assert run.spec.augment is False
    lab.engine.stop(run.id)
    lab.store.delete(run.id)


def test_what_it_declares_is_set_by_hand(lab):
    app = sound(opened("heads", **CHOSEN, compared=["sonar_centroid"]))
    app = sound(app.number_input(key="knob_sonar_centroid_shrink").set_value(0.5).run())
    assert "Nearest centre (shrinking = 0.5)" in words(app)


def test_the_draft_is_a_training_on_it(lab):
    app = sound(opened("train", **CHOSEN))
    assert "Frozen: **stem, block_1**" in words(app)
    assert app.selectbox(key="layer").options[0] == "stem (8 × 6 × 4)"
    before = {run.id for run in lab.store.list()}
    sound(app.button(key="start_ft").click().run())
    (run,) = (run for run in lab.store.list() if run.id not in before)
    assert (run.spec.source, run.spec.data, run.spec.phases[0].frozen) == ("sonar_net", DATA, BLOCK_1)
    lab.engine.stop(run.id)
    lab.store.delete(run.id)


def test_an_echo_is_picked_or_uploaded_and_every_model_of_echoes_answers(lab, runs, tmp_path):
    wait_for(lambda: lab.serving.ready, 60)
    app = sound(opened("draw", form=FORM))
    for way in ("sample", "upload"):
        if way == "upload":
            app.segmented_control[0].set_value("upload").run()
            item = datasets.samples("sonar_shapes", 1)[0][0]
            app.file_uploader[0].upload("echo.txt", text(item).encode(), "text/plain").run()
            assert app.file_uploader[0].label.startswith("An echo as text")
        page = htmls(sound(app))
        assert page.count('<section class="answer"') == 1 and page.count('data-answer="') >= 5  # one large, then a list
        assert "the 8 by 6 image the models see" in page


@pytest.mark.parametrize("page", ["home", "draw", "fine_tune", "sonar_mean"])
def test_without_the_extension_the_lab_opens_its_folder(lab, runs, do, monkeypatch, page):
    for registry in REGISTRIES:
        for name in [name for name in registry if name.startswith("sonar")]:
            monkeypatch.delitem(registry, name)
    if page not in runs:
        return sound(opened(page, **CHOSEN))
    # The fourth is of no kind there is.
    assert [row["title"] for row in rows(sound(opened("runs")))] == 3 * ["sonar_net → sonar_shapes"]
    app = sound(opened("runs", run_run=runs[page].id))
    assert page != "sonar_mean" or "unknown kind" in words(app)
