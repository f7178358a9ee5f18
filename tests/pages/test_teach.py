"""Teach without a browser: classes, examples from the pad, how well they are told, and the way back."""

from types import SimpleNamespace

import numpy as np
import pytest
from pages.test_pages import ME, opened, sound, words

from pages.ui.session import state
from pages.ui.teaching import showing
from tlcore import teaching
from tlcore.errors import LabError
from tlcore.exports.portable import making
from tlcore.exports.portable.making import Made
from tlcore.lab import Lab
from tlcore.people.tokens import PREFIX
from tlcore.prediction import ModelName, collected
from tlcore.prediction.serving import Serving
from tlcore.store import Store

SEVEN = [{"width": 0.085, "points": [[0.25, 0.25], [0.72, 0.25], [0.45, 0.8]]}]


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A lab whose process answers at once, in this process, on raw pixels in place of a network's features."""
    store = Store(tmp_path / "lab")
    made = Lab(store.folder, store, SimpleNamespace(stop=None), Serving(store.folder), None)  # type: ignore[arg-type]
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(store.folder))
    monkeypatch.setattr(state, "lab", lambda: made)
    monkeypatch.setattr(state, "person", lambda: ME)
    monkeypatch.setattr(collected, "extractor", lambda kind: flat)

    def predict(item, names, timeout_s):
        answers = {}
        for name in names:
            try:
                answers[name] = collected.proba_of(ModelName.parse(name))(item[None])[0].tolist()
            except LabError as error:  # as the process does: a sentence
                answers[name] = str(error)
        return answers

    monkeypatch.setattr(made.serving, "predict", predict)
    return made


def flat(items):
    return items.reshape(len(items), -1).astype(np.float32) / 255


def mine(kind="image"):
    return teaching.of(ME.id, kind)


def html(app):
    return "\n".join(element.proto.body for element in app.get("html"))


def test_an_empty_page_offers_examples_and_with_them_says_how_often_it_is_right(lab):
    app = sound(opened("teach"))
    assert "Nothing to tell apart yet" in html(app)
    app = sound(app.button(key="begin").click().run())
    assert mine("photo").names() == ("1", "3", "5")
    assert [len(one.examples) for one in mine("photo").classes()] == [5, 5, 5]
    assert "of 15 examples it had not seen" in html(app) and "95 % interval" in html(app)
    how = next(each for each in app.get("popover") if each.proto.popover.label == "How this is tested")
    assert "left out in turn" in how.markdown[0].value and "left out in turn" not in html(app)  # the score is short
    assert "Always answering the largest class would reach 33.3 %" in html(app)
    assert "begin" not in {button.key for button in app.button}


def test_a_drawing_is_added_to_its_class_learned_and_answered(lab, monkeypatch):
    drawn = {"rev": 0, "strokes": SEVEN, "final": True}
    monkeypatch.setattr(showing, "drawing_pad", lambda *_, rev, **__: {**drawn, "rev": rev})
    app = sound(opened("teach", teach_kind="image"))
    app = sound(app.button(key="begin").click().run())
    assert 'data-answer="7"' in html(app)
    seventh = mine().classes()[2]
    app = sound(app.button(key=f"add_{seventh.id}").click().run())
    assert [len(one.examples) for one in mine().classes()] == [5, 5, 6]
    assert app.session_state["teach_rev"] == 1 and "of 16 examples" in html(app)


def test_a_program_asks_what_was_taught_by_a_name_that_names_nobody(lab):
    app = sound(opened("teach", program=True))
    assert not app.button(key="begin").disabled and "make_token" not in {button.key for button in app.button}
    app = sound(app.button(key="begin").click().run())
    (code,) = [block.value for block in app.code if "/api/predict" in block.value]
    assert "model=collected:photo" in code and ME.id not in code and "YOUR_TOKEN" in code
    app = sound(app.button(key="make_token").click().run())
    assert any(block.value.startswith(PREFIX) for block in app.code)


def test_what_was_taught_is_made_into_a_file_when_asked_and_again_when_examples_came(lab, monkeypatch):
    asked = []

    def made(function, arguments):
        asked.append(arguments)
        return Made(b"0" * 10, 15, 1e-6, 1.0, 1.0, 0.5, 15)

    monkeypatch.setattr(making, "in_turn", made)
    app = sound(opened("teach"))
    assert "made_of_taught_photo" not in {field.key for field in app.selectbox}
    app = sound(app.button(key="begin").click().run())
    assert app.selectbox(key="made_of_taught_photo").options[1:3] == ["ONNX", "TFLite"]
    app = sound(app.selectbox(key="made_of_taught_photo").select_index(1).run())
    app = sound(app.button(key="make_taught_photo").click().run())
    assert asked == [(str(mine("photo").folder), "photo", "onnx")]
    assert "On the 15 examples it learned from it answers as the model here does" in words(app)
    mine("photo").rename(mine("photo").classes()[0].id, "one")
    sound(app.button(key="make_taught_photo").click().run())
    assert len(asked) == 2


def test_the_examples_go_on_to_a_training_as_a_set_of_ones_own(lab, monkeypatch):
    asked = []
    monkeypatch.setattr(
        teaching, "as_set", lambda examples, *named: asked.append(named) or SimpleNamespace(name="hands")
    )
    app = sound(opened("teach"))
    app = sound(app.button(key="begin").click().run())
    app = sound(app.button(key="on_train").click().run())
    assert asked == [(ME.id, "Taught: 1, 3, 5")] and app.title[0].value == "Train"
    assert (app.session_state["target"], app.session_state["source"]) == ("hands", "mobilenet_v2")


def test_a_blank_pad_adds_nothing_and_says_so(lab, monkeypatch):
    monkeypatch.setattr(showing, "drawing_pad", lambda *_, **__: {"rev": 0, "strokes": [], "final": True})
    app = sound(opened("teach", teach_kind="image"))
    app = app.button(key="add_1").click().run()
    assert "The pad is blank. Draw something first." in words(app) and not mine().folder.exists()


def test_classes_are_named_added_removed_and_put_back(lab):
    app = sound(opened("teach", teach_kind="image"))
    app = sound(app.text_input(key="class_image_1").set_value("一").run())
    app = sound(app.button(key="add_class").click().run())
    assert mine().names() == ("一", "Class 2", "Class 3")
    app = app.text_input(key="class_image_2").set_value("一").run()
    assert "There is a class '一' already" in words(app) and app.text_input(key="class_image_2").value == "Class 2"
    app = sound(app.button(key="remove_image_3").click().run())
    assert mine().names() == ("一", "Class 2")
    sound(app.button(key="teach_undo").click().run())
    assert mine().names() == ("一", "Class 2", "Class 3")


def test_an_example_is_deleted_and_put_back_and_all_can_be_started_over(lab):
    mine().add(1, np.full((28, 28, 1), 9, np.uint8), np.ones(784))
    app = sound(opened("teach", teach_kind="image"))
    app = sound(app.button(key="delete_image_1").click().run())
    assert mine().classes()[0].examples == ()
    app = sound(app.button(key="teach_undo").click().run())
    assert len(mine().classes()[0].examples) == 1
    app = sound(app.button(key="start_over").click().run())
    assert mine().classes()[0].examples == ()
    sound(app.button(key="teach_undo").click().run())
    assert len(mine().classes()[0].examples) == 1


def test_the_camera_asks_nobody_before_two_classes_have_an_example(lab, monkeypatch):
    shown = []
    monkeypatch.setattr(showing, "camera", lambda key, **options: shown.append(options))
    sound(opened("teach"))
    first = mine("photo").classes()[0]
    assert shown[-1]["url"] == "" and shown[-1]["record_url"].startswith("/api/teach/photo/examples")
    form = mine("photo").kind.form
    black, white = np.zeros(form.shape, form.dtype), np.full(form.shape, 255, form.dtype)
    mine("photo").add(first.id, black, flat(black[None])[0])
    sound(opened("teach"))
    assert shown[-1]["url"] == ""  # while a network loads an answer would hold up the next example
    mine("photo").add(mine("photo").classes()[1].id, white, flat(white[None])[0])
    sound(opened("teach"))
    assert shown[-1]["url"].startswith("/api/teach/photo/answers")
