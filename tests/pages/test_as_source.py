"""The button that makes a run's network a source, its card on Layers, and spoiled images on the run and on Data."""

import hashlib

import pytest
from few_pictures import set_of_own
from pages.test_pages import ME, TUNED, finished, lab, opened, sound, words  # noqa: F401

from pages.ui.session import sets
from tlcore import sources
from tlcore.spec import DataSpec, FineTuneSpec


@pytest.fixture(autouse=True)
def at_home(lab, monkeypatch):  # noqa: F811
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(lab.folder))
    monkeypatch.setattr(sets, "stand_in", lambda: "")


@pytest.fixture
def run(lab):  # noqa: F811
    files = {"model.keras": {"sha256": hashlib.sha256(b"net").hexdigest(), "bytes": 3}}
    made = finished(lab.store, {**TUNED, "class_names": list("56789"), "files": files})
    (lab.store.run_folder(made.id, create=True) / "model.keras").write_bytes(b"net")
    return made


def test_a_runs_network_is_used_as_source_shown_with_its_origin_and_removed(run):
    app = sound(opened("runs", run_run=run.id))
    app = sound(app.button(key="as_source").click().run())
    (card,) = sources.uploaded(ME.id)
    assert app.session_state["source"] == card.name
    assert "MNIST digits 5-9 is the source of the next run." in words(app)
    app = sound(app.button(key="to_layers").click().run())
    said = words(app)
    assert "Learned MNIST digits 5-9 from 10 images" in said
    assert "Where it comes from: Digits 0-4 → MNIST digits 5-9" in said
    assert app.button(key=f"use_{card.name}") and app.button(key="source_run")
    app = sound(app.button(key="remove_model").click().run())
    assert sources.uploaded(ME.id) == () and app.session_state["source"] == "digits_0_4"


def test_it_is_taken_back_where_it_was_made(run):
    app = sound(opened("runs", run_run=run.id))
    app = sound(app.button(key="as_source").click().run())
    app = sound(app.button(key="undo_source").click().run())
    assert sources.uploaded(ME.id) == () and "is the source of the next run" not in words(app)


def test_a_run_says_that_its_images_were_spoiled_and_its_test_was_not(lab):  # noqa: F811
    spec = FineTuneSpec(data=DataSpec(label_noise=0.2, imbalance=10.0))
    app = sound(opened("runs", run_run=finished(lab.store, TUNED, spec=spec).id))
    assert "Spoiled on purpose: 20 % of the training labels shuffled; classes 10 to 1." in words(app)


def test_data_shows_what_the_next_run_learns_from_a_set():
    card = set_of_own(ME.id, classes={"disc": 15, "square": 15})
    app = sound(opened("data", target=card.name, source="mobilenet_v2", per_class=10, imbalance=5.0))
    table = next(frame.value for frame in app.dataframe if "training images" in frame.value)
    assert table["training images"].tolist() == [10, 2]
    assert "What the next run learns from Shapes" in words(app)
    assert app.select_slider(key="imbalance").value == 5.0 and app.select_slider(key="label_noise").value == 0.0


def test_what_two_pages_have_keeps_its_value_from_one_to_the_other():
    card = set_of_own(ME.id, classes={"disc": 15, "square": 15})
    chosen = {"target": card.name, "source": "mobilenet_v2", "per_class": 7, "label_noise": 0.1, "imbalance": 2.0}
    app = sound(opened("train", **chosen))
    for page in ("data", "train", "data"):
        app = sound(app.switch_page(f"{page}.py").run())
        assert app.number_input(key="per_class").value == 7
        assert app.select_slider(key="label_noise").value == 0.1 and app.select_slider(key="imbalance").value == 2.0
        assert {name: app.session_state[name] for name in chosen} == chosen
