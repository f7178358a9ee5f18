"""What the Try page makes of uploads, of the pad and of the models there are; no model is loaded."""

import io
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hostile import pictures
from PIL import Image
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests
from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState
from streamlit.testing.v1 import AppTest

from pages.ui.inputs import answers, board, ways
from pages.ui.session import state
from tlcore import datasets, inputs, sources
from tlcore.datasets import drawings
from tlcore.inputs import drawing
from tlcore.lab import Lab
from tlcore.people import Person
from tlcore.prediction import own_heads
from tlcore.prediction.own_heads import OwnHead
from tlcore.prediction.serving import Serving
from tlcore.spec import DataSpec, HeadSpec, Origin
from tlcore.store import Store

ROOT = Path(__file__).resolve().parents[2]
ME = Person("0" * 32)
SEEN = "the 28 by 28 image the models see"


@pytest.fixture
def lab(tmp_path, monkeypatch):
    store = Store(tmp_path / "lab")
    engine: Any = SimpleNamespace(stop=None)
    what_if: Any = None
    opened = Lab(store.folder, store, engine, Serving(store.folder), what_if)
    monkeypatch.setattr(state, "lab", lambda: opened)
    monkeypatch.setattr(state, "person", lambda: ME)
    monkeypatch.setattr(Serving, "follow", lambda self, image, names, *_: [dict.fromkeys(names, "late")])


def draw(**session) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "menu.py"), default_timeout=60)
    for key, value in session.items():
        app.session_state[key] = value
    return app.switch_page("draw.py").run()


def words(app: AppTest) -> str:
    assert not app.exception
    kinds = (app.markdown, app.caption, app.info, app.error, app.warning)
    return "\n".join(element.value for kind in kinds for element in kind)


def html(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


@pytest.mark.grid(2)
@pytest.mark.parametrize(
    ("name", "mime", "kind"),
    [
        ("photo.jfif", "image/pjpeg", "JPEG"),
        ("photo.jpe", "", "JPEG"),
        ("photo.heic", "image/heic", "HEIC"),
        ("scan.tif", "image/tiff", "TIFF"),
        ("photo.avif", "application/octet-stream", "AVIF"),
        ("no ending", "", "PNG"),
    ],
)
def test_a_picture_is_taken_by_any_name(lab, name, mime, kind):
    app = draw(way="upload")
    app.file_uploader[0].upload(name, pictures.apart(kind), mime).run()
    assert SEEN in html(app)
    assert len(app.error) == 0


@pytest.mark.parametrize(("name", "content"), [("notes.pdf", b"%PDF-1.7\n"), ("drawing.svg", b"<svg></svg>")])
def test_what_is_no_picture_is_one_sentence_of_ours(lab, name, content):
    app = draw(way="upload")
    app.file_uploader[0].upload(name, content, "application/pdf").run()
    assert "This is not a picture the app can read. Give a PNG, JPEG, HEIC" in words(app)
    assert SEEN not in html(app)


def test_a_picture_is_read_once_however_often_the_page_runs(lab, monkeypatch):
    asked = []

    def accept(self, raw, form, *, centred):
        if not isinstance(raw, bytes):  # the pad on Home, through which every person comes
            return None
        asked.append(centred)
        return np.zeros(form.shape, np.uint8)

    monkeypatch.setattr(inputs.Images, "accept", accept)
    app = draw(way="upload")
    app.file_uploader[0].upload("seven.png", pictures.honest("PNG"), "image/png").run()
    app.run().run()
    assert len(asked) == 1
    app.toggle(key="normalise").set_value(False).run()
    assert asked == [True, False]


def test_a_lone_dot_is_too_little_to_read_on_the_pad_and_in_a_picture(lab, monkeypatch):
    dot = [{"width": 0.3, "points": [[0.5, 0.5]]}]
    monkeypatch.setattr(board, "drawing_pad", lambda *_, **__: {"rev": 0, "strokes": dot, "final": True})
    app = draw()
    assert "A lone dot is too little to read. Draw a whole digit." in html(app)
    assert SEEN not in html(app)
    content = io.BytesIO()
    Image.fromarray(np.uint8(255 - 255 * drawing.render(dot))).save(content, "PNG")
    app = draw(way="upload")
    app.file_uploader[0].upload("dot.png", content.getvalue(), "image/png").run()
    assert "A lone dot is too little to read. Draw a whole digit." in words(app)
    assert SEEN not in html(app)


# ------------------------------------------------------------------ who answers


RUNS = ("Linear SVM, 5 labels", "Random forest on pixels, 5 labels")
HEADS = [
    {"head": "linear_svm", "input": "features", "file": "heads/linear_svm-features.skops"},
    {"head": "random_forest", "input": "pixels", "file": "heads/random_forest-pixels.skops"},
]
ROW = {"seed": 0, "accuracy": 0.9, "interval": (0.8, 1.0), "n": 10, "confusion": ((5, 0), (1, 4)), "fit_s": 0.1}


def heads_run(store: Store, name: str = "", class_names=("5", "6")) -> str:
    run = store.create(
        HeadSpec(heads=("linear_svm", "random_forest"), inputs=("features", "pixels")), name, owner=ME.id
    )
    store.claim(run.id)
    rows = [ROW | {"ms_per_image": 0.1, "mb": 0.1, "n_features": 4, "params": {}, "tried": ()} | head for head in HEADS]
    store.finish(
        run.id,
        "done",
        {"class_names": class_names, "rows": rows, "files": {row["file"]: {"sha256": "0"} for row in rows}},
    )
    return run.id


def test_models_have_names_without_an_id_and_two_alike_are_told_apart_by_their_time(lab):
    heads_run(state.lab().store)
    called = draw().selectbox(key="answer_model").options
    assert set(called) >= {"Digits 0-4", "Fine-tuned on Home, 5 labels", *RUNS}
    heads_run(state.lab().store)
    called = draw().selectbox(key="answer_model").options
    alike = [title for title in called if title.startswith(RUNS[0])]
    assert len(set(alike)) == 2 and all(re.match(rf"{RUNS[0]} \(\d\d:\d\d:\d\d\)", title) for title in alike)
    named = heads_run(state.lab().store, name="mine")
    called = draw().selectbox(key="answer_model").options
    assert "Linear SVM, mine" in called and not any(named[:4] in title for title in called)


def test_every_run_can_be_asked_not_the_newest_only(lab):
    first = heads_run(state.lab().store, name="the first")
    for _ in range(15):
        heads_run(state.lab().store)
    app = draw()
    app.selectbox(key="answer_model").set_value(f"head:{first}/linear_svm-features.skops").run()
    assert "<h2>Linear SVM, the first</h2>" in html(app)


def test_the_newest_that_learned_by_transfer_answers_first_until_another_is_chosen(lab):
    assert "<h2>Fine-tuned on Home, 5 labels</h2>" in html(draw())
    run = heads_run(state.lab().store)
    app = draw()
    assert app.selectbox(key="answer_model").value == f"head:{run}/linear_svm-features.skops"
    app.selectbox(key="answer_model").set_value("source:digits").run()
    heads_run(state.lab().store)
    assert app.run().selectbox(key="answer_model").value == "source:digits"


def test_who_learned_the_chosen_target_answers_before_who_is_newer(lab):
    first = heads_run(state.lab().store, class_names=("5", "6", "7", "8", "9"))
    second = heads_run(state.lab().store, class_names=("coat", "ankle boot"))
    assert draw().selectbox(key="answer_model").value == f"head:{first}/linear_svm-features.skops"
    app = draw(target="mnist_0_4")  # which nobody has learned
    assert app.selectbox(key="answer_model").value == f"head:{second}/linear_svm-features.skops"


def test_who_knows_no_digit_asks_for_none_and_begins_with_a_sample(lab):
    app = draw()
    assert "Draw a digit" in html(app) and app.segmented_control(key="way").value == "draw"
    heads_run(state.lab().store, class_names=("coat", "ankle boot"))
    app = draw()
    assert "test digits right" in html(draw(answer_model="source:digits")) and "test digits right" not in html(app)
    assert "Pick a sample, draw or upload something" in words(app) and "Draw a digit" not in html(app)
    assert app.segmented_control(key="way").value == "sample" and "try_sample" not in {each.key for each in app.button}


@pytest.mark.parametrize(
    ("names", "upright"),
    [
        (("0", "1", "2", "3", "4", "5"), False),
        (("coat", "ankle boot"), False),
        (("coat", "ankle boot", "bag", "dress", "shirt", "sandal"), True),
    ],
)
def test_no_name_below_a_bar_is_cut_to_its_first_letters(names, upright):
    body = answers.bars(names, [1 / len(names)] * len(names))
    assert all(f"<span>{name}</span>" in body for name in names)
    assert ('class="bars upright"' in body) is upright


def test_the_others_stand_in_the_order_of_the_story(lab):
    run = heads_run(state.lab().store)
    app = draw()
    body = html(app)
    names = ["source:digits_0_4", "taught:transfer", "taught:scratch", f"head:{run}/random_forest-pixels.skops"]
    places = [body.index(f'data-model="{name}"') for name in names]
    assert places == sorted(places)
    assert body.index("Before transfer") < places[0] < body.index("After transfer") < body.index("Without transfer")


def test_what_a_model_calls_outside_is_said_large_and_in_the_list(lab, monkeypatch):
    classes = {info.name: len(info.class_names) for info in state.models()}

    def answer(name):
        return [2.0, 0.031] if name.startswith("outside:") else np.eye(classes[name])[1].tolist()

    def follow(self, image, names, *_):
        yield {name: answer(name) for name in names}

    monkeypatch.setattr(Serving, "follow", follow)
    app = draw(way="sample", answer_model="source:digits_0_4", answer_model_default="")
    body = html(app)
    assert "Outside" in body and "it only knows 0–4. If it has to choose, it says 1." in body
    assert "It wrongly calls 3.1 % of its own test images outside." in body
    assert "none of these; closest: 1" in body


def test_how_outside_is_told_stands_there_with_its_figures(lab):
    app = draw()
    assert "deep nearest neighbours, Sun et al. 2022" in words(app)
    assert '<th scope="row">Fine-tuned, 5 labels (5–9)</th>' in html(app)


def test_another_handful_brings_other_samples(lab):
    app = draw(way="sample")
    first = state.get("on_easel")
    before = app.session_state["on_easel"]
    app.button(key="another_handful").click().run()
    assert first is None and not np.array_equal(before, app.session_state["on_easel"])


def test_squares_inked_by_keyboard_are_an_item(lab, monkeypatch):
    rows = ["0" * 28] * 6 + ["0" * 10 + "1" * 8 + "0" * 10] + ["0" * 17 + "1" + "0" * 10] * 14 + ["0" * 28] * 7
    monkeypatch.setattr(ways, "pixel_grid", lambda key, on_change: rows)
    app = draw(way="grid")
    item = app.session_state["on_easel"]
    assert item.shape == (28, 28, 1) and item.max() == 255 and SEEN in html(app)
    exact = draw(way="grid", normalise=False).session_state["on_easel"]
    assert ["".join("01"[int(pixel > 0)] for pixel in line) for line in exact[..., 0]] == rows


# ------------------------------------------------------------------ drawings of one's own


@pytest.fixture
def own_folder(lab, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(state.lab().store.folder))


def test_what_a_drawing_was_keeps_it_and_the_next_training_uses_it_when_asked(lab, own_folder):
    app = draw(way="sample")
    assert "use_own" not in app.session_state
    item = app.session_state["on_easel"]
    app.pills(key="that_was").set_value("7").run()
    (kept,) = drawings.drawings(ME.id)
    assert kept.label == "7" and np.array_equal(kept.item, item)
    assert "Kept as 7. The next training can learn from it" in words(app)
    train = app.switch_page("train.py").run()
    toggle = train.toggle(key="use_own")
    assert toggle.label == "Use my 1 drawing" and not toggle.value
    toggle.set_value(True).run()
    train.button(key="start_ft").click().run()
    (run,) = state.lab().store.list()
    assert run.spec.data.own == drawings.set_of(ME.id, "56789") != ""


def test_a_kept_drawing_is_deleted_and_brought_back(lab, own_folder):
    app = draw(way="sample")
    app.pills(key="that_was").set_value("7").run()
    app.button(key="delete_drawing").click().run()
    assert drawings.drawings(ME.id) == ()
    app.button(key="undelete_drawing").click().run()
    assert len(drawings.drawings(ME.id)) == 1


def test_a_head_is_uploaded_chosen_removed_and_put_back(lab, monkeypatch, tmp_path):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path))
    app = draw()
    app.file_uploader(key="head_file_0").upload("x.skops", b"no archive", "application/octet-stream").run()
    assert "it is not a .skops file" in words(app).replace("\\", "") and app.button(key="add_head").disabled
    known = datasets.catalogue()[0]
    data = DataSpec(known.name, per_class=12)
    origin = Origin("digits", "Digits", 0, True, "dense_1", "", "features", known.class_names, known.form, data)
    card = OwnHead("own-0123456789ab", "mine", "linear_svm", "digits", origin, "", ME.id)
    added = []

    def add(content, name, offered, owner):
        added.append((content, name, len(offered), owner))
        (tmp_path / "own_heads").mkdir()
        own_heads.write_card(card)
        return card

    monkeypatch.setattr(own_heads, "add", add)
    monkeypatch.setattr(own_heads, "look_at", lambda content: True)
    app.file_uploader(key="head_file_0").upload("mine.skops", b"a head", "application/octet-stream").run()
    app.button(key="add_head").click().run()
    assert added == [(b"a head", "mine.skops", len(sources.offered()), ME.id)]
    assert app.selectbox(key="answer_model").value == f"own:{card.name}"  # it answers at once
    told = words(app).replace("\\", "")
    assert "Linear SVM, uploaded: mine answers now" in app.success[0].value.replace("\\", "")
    assert f"Linear SVM, uploaded: mine · dense_1, Digits · {known.title}, 12 labels per class" in told
    app.button(key=f"remove_{card.name}").click().run()
    assert f"own:{card.name}" not in app.selectbox(key="answer_model").options and not own_heads.cards()
    app.button(key="undo_head").click().run()
    assert own_heads.cards() == (card,) and not app.exception


@pytest.mark.parametrize(
    ("running", "known", "asked"),
    [
        (["pen"], ["pen", "why"], [["pen", "why"]]),
        ([], ["pen", "why"], []),  # the whole page, or another one, is being shown: it is not cut short
        (["pen"], ["pen"], [["pen", "why"], "app"]),  # it was left before all of it was there
    ],
)
def test_a_stroke_has_what_explains_it_shown_and_never_keeps_a_page_from_coming(monkeypatch, running, known, asked):
    told = []

    def rerun(scope="app"):
        told.append(scope)
        if scope != "app" and set(scope) - set(known):
            raise StreamlitAPIException("No fragment found")

    monkeypatch.setattr(board, "get_script_run_ctx", lambda **_: SimpleNamespace(fragment_ids_this_run=running))
    monkeypatch.setattr(board.st, "rerun", rerun)
    board.run_with("pen", "why")
    assert told == asked


@pytest.mark.parametrize(
    ("waits", "shown"),
    [
        (None, ["first", "all"]),
        (["pen"], ["first"]),  # the next stroke
        (["pen", "why"], ["first"]),
        ([], ["first"]),  # the page
        (["tour"], ["first", "all"]),  # it shows nothing of this drawing
    ],
)
def test_the_next_stroke_does_not_wait_for_models_that_are_loaded_for_the_last(monkeypatch, waits, shown):
    seen, asked = [], []
    info = SimpleNamespace(name="run:1", class_names=("5", "6"))
    other = SimpleNamespace(name="run:2", class_names=("5", "6"))
    serving = SimpleNamespace(follow=lambda item, names, *how: asked.append((names, how)) or iter(["first", "all"]))
    requests = ScriptRequests()
    if waits is not None:
        requests.request_rerun(RerunData(fragment_id_queue=waits))
    monkeypatch.setattr(board.state, "lab", lambda: SimpleNamespace(serving=serving))
    monkeypatch.setattr(board.state, "put", lambda **_: None)
    monkeypatch.setattr(board, "get_script_run_ctx", lambda **_: SimpleNamespace(script_requests=requests))
    monkeypatch.setattr(board.Panel, "_write", lambda self, said: seen.append(said.found))
    ThreadState.initialize(fragment_id="pen")
    board.Panel(info, [other], {}, datasets.mnist.FORM, "", None, None).show(np.zeros((28, 28), np.uint8))
    assert seen == shown
    names, (_patience, _look, first) = asked[0]
    assert (names, first) == (["run:1", "outside:run:1", "run:2", "outside:run:2"], ["run:1"])  # answered at once
