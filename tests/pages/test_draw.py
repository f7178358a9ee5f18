"""What the Draw page makes of uploads and of the pad; no model is loaded."""

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hostile import pictures
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.ui.inputs import board
from pages.ui.session import state
from tlcore import inputs
from tlcore.inputs import drawing
from tlcore.lab import Lab
from tlcore.people import Person
from tlcore.prediction.serving import Serving
from tlcore.store import Store

ROOT = Path(__file__).resolve().parents[2]
SEEN = "Exactly what the models see"


@pytest.fixture
def lab(tmp_path, monkeypatch):
    store = Store(tmp_path / "lab")
    opened = Lab(store.folder, store, SimpleNamespace(stop=None), Serving(store.folder), None)
    monkeypatch.setattr(state, "lab", lambda: opened)
    monkeypatch.setattr(state, "person", lambda: Person("0" * 32))
    monkeypatch.setattr(Serving, "predict", lambda self, image, names: dict.fromkeys(names, "loading"))


def draw(**session) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "menu.py"), default_timeout=60)
    for key, value in session.items():
        app.session_state[key] = value
    return app.run().switch_page("draw.py").run()


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
    assert "A lone dot is too little to read. Draw a whole digit." in words(app)
    assert SEEN not in html(app)
    content = io.BytesIO()
    Image.fromarray(np.uint8(255 - 255 * drawing.render(dot))).save(content, "PNG")
    app = draw(way="upload")
    app.file_uploader[0].upload("dot.png", content.getvalue(), "image/png").run()
    assert "A lone dot is too little to read. Draw a whole digit." in words(app)
    assert SEEN not in html(app)
