"""Many pictures at once on Try: they arrive, are answered, and stand in a table that sorts and is taken along."""

import pytest
from few_pictures import zipped
from pages.test_data import look_until, sent
from pages.test_pages import ME, lab, opened, sound, words  # noqa: F401

from pages.ui.inputs.many import sorted_rows
from pages.ui.session import sets
from tlcore.datasets import arriving
from tlcore.prediction.many import Row
from tlcore.spec import InputForm

FORM = InputForm("photo", (96, 96, 3))
HOW = {"name": "run:x", "model": "My shapes", "class_names": ("disc", "square", "star"), "form": FORM}


@pytest.fixture(autouse=True)
def here(lab, monkeypatch):  # noqa: F811
    """A lab whose process calls everything a square."""
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(lab.folder))
    monkeypatch.setattr(sets, "stand_in", lambda: "")

    monkeypatch.setattr(lab.serving, "predict", lambda item, names, timeout_s: {names[0]: [0.2, 0.7, 0.1]})
    yield lab
    lab.batches.close()


def test_pictures_arrive_and_stand_in_a_table_with_their_answers(here):
    sending = sent(zipped())
    look = here.batches.start(arriving.get(ME.id, sending), ME.id, **HOW, centred=False)
    look_until(look)
    app = sound(opened("draw", many_sending=sending))
    assert "12 pictures, answered by My shapes" in words(app)
    table = next(frame.value for frame in app.dataframe if "second guess" in frame.value)
    assert set(table["answer"]) == {"square"} and set(table["second guess"]) == {"disc"}
    assert table["picture"].str.startswith("data:image/").all() and table["file"][0].endswith(".png")
    assert app.query_params["answers"] == look.report
    app = sound(app.button(key="many_again").click().run())
    assert "12 pictures" not in words(app) and "answers" not in app.query_params
    assert "is asked about each picture; no labels are needed" in words(app)


def test_what_cannot_be_read_is_said_and_the_field_is_there_again(here):
    sending = sent(b"no ZIP at all")
    look_until(here.batches.start(arriving.get(ME.id, sending), ME.id, **HOW, centred=True))
    app = sound(opened("draw", many_sending=sending))
    assert len(app.error) == 1 and "no labels are needed" in words(app)


def test_somebody_elses_answers_are_not_shown(here):
    app = sound(opened("draw", many_batch="0" * 16))
    assert "These pictures are gone" in words(app)


def test_rows_are_sorted_by_how_sure_the_model_is():
    rows = [Row("a", 0, probability=0.5), Row("b", 1, probability=0.9), Row("c", 2, probability=0.7)]
    assert [row.name for row in sorted_rows(rows, "least")] == ["a", "c", "b"]
    assert [row.name for row in sorted_rows(rows, "most")] == ["b", "c", "a"]
    assert [row.name for row in sorted_rows(rows, "given")] == ["a", "b", "c"]
