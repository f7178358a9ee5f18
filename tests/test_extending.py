"""tlcore/EXTENDING.md is true: it has every door, and its code is an extension that works."""

import re
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from extended import extended
from pages.test_pages import lab, opened, sound, words  # noqa: F401

import tlcore
from tlcore import cli, datasets, features, heads, inputs, prediction, sources
from tlcore.jobs import execution

DOCUMENT = Path(tlcore.__file__).parent / "EXTENDING.md"
BLOCKS = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
DOORS = set(re.findall(r"^(\w+)\.register\(", "\n".join(BLOCKS), re.MULTILINE))


def test_every_register_of_a_package_is_in_the_document_and_no_other():
    packages = [path.parent.relative_to(DOCUMENT.parents[1]) for path in DOCUMENT.parent.rglob("__init__.py")]
    faces = [".".join(path.parts) for path in packages] + ["pages.ui.runs"]
    doors = {face.rpartition(".")[2] for face in faces if hasattr(import_module(face), "register")}
    assert doors == DOORS and len(doors) == 7
    headings = re.findall(r"^## .*`(\w+)\.register\(", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(doors)


@pytest.fixture
def module(tmp_path):
    """The document's code, registered in this process; the module."""
    view = next(block for block in BLOCKS if block.startswith("# my_lab_view.py"))
    (tmp_path / "my_lab_view.py").write_text(view, encoding="utf-8")
    (tmp_path / "my_lab.py").write_text("\n\n".join(each for each in BLOCKS if each is not view), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        patch.delitem(sys.modules, "my_lab_view", raising=False)
        with extended("my_lab"):
            yield import_module("my_lab")


def test_its_kind_of_input_and_its_data_fit(module):
    data = datasets.load(datasets_spec := module.DataSpec("summer", per_class=20))
    assert data.x_train.shape == (40, 24, 2) and datasets.max_per_class("summer", datasets_spec.split) == 54
    raw = datasets.get("summer").read()
    assert tuple(np.bincount(raw.y_train)) == datasets.info("summer").sizes and len(raw.y_test) == 80
    assert inputs.modality("weather").preview(raw.x_test[0]).shape == (16, 24)


@pytest.mark.keras
def test_its_network_is_what_its_card_says(module):
    model = sources.load("sky", n_classes=2, seed=3)
    assert sources.describe(model) == sources.info("sky").layers
    assert features.activations(model, datasets.get("summer").read().x_test).shape == (80, 2)


def test_its_head_fits(module):
    raw = datasets.get("summer").read()
    flat = inputs.modality("weather").flat
    fitted, _ = heads.fit("centroid", flat(raw.x_train), raw.y_train, (flat(raw.x_test), raw.y_test), seed=0)
    assert (fitted.predict(flat(raw.x_test)) == raw.y_test).mean() > 0.9


def test_its_run_is_done_shown_and_exported(module, lab, tmp_path, capsys):  # noqa: F811
    run = lab.store.create(module.Guess())
    execution.execute(run.id, str(lab.folder))
    run = lab.store.get(run.id)
    assert (run.state, run.accuracy, run.result.answer) == ("done", 0.5, "dry")
    app = sound(opened("runs", run_run=run.id))
    assert "A guess on summer" in words(app) and (app.metric[0].label, app.metric[0].value) == ("Always", "dry")
    line = ["--home", str(lab.folder), "export", run.id, "--to", str(tmp_path / "out"), "--what", "answer"]
    assert cli.main(line) == 0 and (tmp_path / "out" / f"{run.id}-answer.txt").read_text() == "dry"
    assert prediction.of_run(run) == []
