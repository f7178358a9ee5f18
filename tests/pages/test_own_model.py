"""A person's own model on the pages: refused in one sentence, chosen, used, taken off the list and put back."""

from dataclasses import replace

import pytest
from hostile import keras_files
from pages.test_pages import NAMES, lab, opened, sound, words  # noqa: F401

from pages.ui.session import state
from tlcore import sources
from tlcore.people import Person
from tlcore.sources import uploads
from tlcore.spec import LayerInfo, OwnModel

ANN = Person("a" * 32)

CHAIN = (
    LayerInfo(0, "first", "Conv2D", (24, 24, 8), 208, 1),
    LayerInfo(1, "mean", "GlobalAveragePooling2D", (8,), 0),
    LayerInfo(2, "answer", "Dense", (4,), 36, 1),
)


@pytest.fixture
def mine(lab, monkeypatch):  # noqa: F811
    """A model of this person's with other layers than the shipped ones; its file is not needed to show it."""
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(lab.folder))
    monkeypatch.setattr(state, "person", lambda: ANN)
    return kept("upload-0123456789ab", ANN.id)


def keys(app) -> set[str]:
    return {button.key for button in app.button}


def kept(name: str, owner: str, title: str = "My *own* model"):
    card = replace(
        sources.info("random"),
        name=name,
        title=title,
        layers=CHAIN,
        class_names=tuple("abcd"),
        owner=owner,
        sha256="0" * 64,
        note="Uploaded.",
    )
    (state.lab().folder / "sources").mkdir(exist_ok=True)
    uploads.write_card(card)
    return card


@pytest.mark.grid(3)
@pytest.mark.parametrize("name", NAMES)
def test_every_page_opens_with_an_uploaded_source(mine, name):
    app = sound(opened(name, source=mine.name, frozen=("first",), layer="mean"))
    assert app.title[0].value


def test_choosing_a_model_with_other_layers_changes_the_choices_that_named_layers(mine):
    app = opened("layers")
    app.button(key=f"use_{mine.name}").click().run()
    sound(app)
    assert app.session_state["frozen"] == ("first",) and app.session_state["layer"] == "mean"
    assert app.session_state["what_if_cut"] == "mean"
    assert "208 are frozen" in words(app)


def test_a_removed_model_goes_off_the_list_and_comes_back(mine):
    app = opened("layers", source=mine.name)
    app.button(key="remove_model").click().run()
    assert "was removed. Runs that used it stay." in words(sound(app))
    assert app.session_state["source"] == "digits_0_4"
    assert f"use_{mine.name}" not in keys(app)
    app.button(key="undo_removal").click().run()
    assert app.session_state["source"] == mine.name and f"use_{mine.name}" in keys(app)
    assert sources.uploaded() == (mine,)


def test_anothers_model_is_neither_listed_nor_removable(mine):
    other = kept("upload-ba9876543210", "somebody else", "Not yours")
    app = sound(opened("layers"))
    assert f"use_{other.name}" not in keys(app) and f"use_{mine.name}" in keys(app)
    app = sound(opened("layers", source=other.name))  # forged, or a link's
    assert app.session_state["source"] == "digits_0_4"
    assert not [button for button in app.button if button.key == "remove_model"]


@pytest.mark.parametrize(
    ("name", "weakness", "sentence"),
    [
        ("evil.keras", "CVE-2024-3660", "its Lambda layer contains code, and code in a file is never run"),
        ("old.h5", "CVE-2025-9905", "it is a file in the old .h5 format, which may hold code. Convert it"),
    ],
)
def test_a_bad_model_is_refused_when_it_is_chosen_and_the_page_goes_on(
    mine, monkeypatch, tmp_path, name, weakness, sentence
):
    monkeypatch.setattr(uploads, "_in_a_process", lambda *_: pytest.fail("a process was started"))
    app = opened("layers")
    content, _ = keras_files.published(tmp_path / "canary")[weakness]
    assert not app.file_uploader[0].proto.type  # else Streamlit would refuse it by its MIME type
    app.file_uploader[0].upload(name, content, "application/octet-stream").run()
    assert not app.exception
    (error,) = app.error
    assert sentence in error.value.replace("\\", "")
    assert app.button(key="add_model").disabled
    assert not (tmp_path / "canary").exists()
    app.button(key="use_fashion").click().run()
    assert sound(app).session_state["source"] == "fashion"


def test_an_honest_model_is_added_and_chosen(mine, monkeypatch):
    shipped = sources.info("digits")

    def rebuilt(network, place, known, pixels):
        assert len(known.outputs) == 100 and pixels is None
        (uploads.Path(place) / "model.keras").write_bytes(keras_files.HONEST.read_bytes())
        return {
            "layers": [uploads.asdict(layer) for layer in shipped.layers],
            **{"n_digits": 100, "n_right": 97, "n_right_as_expected": 15, "pixels": (0.0, 255.0)},
        }

    monkeypatch.setattr(uploads, "_in_a_process", rebuilt)
    app = opened("layers")
    app.file_uploader[0].upload("Ada's.keras", keras_files.HONEST.read_bytes(), "application/octet-stream").run()
    app.button(key="add_model").click().run()
    sound(app)
    (card,) = [card for card in sources.uploaded() if card.name != mine.name]
    assert card.title == "Ada's" and card.layers == shipped.layers
    seen = "Given values from 0 to 1, it reads 15 of 100 known digits; given values from 0 to 255, it reads 97"
    assert seen in words(app)
    assert app.session_state["source"] == card.name
    assert "**Ada's**" in app.caption[0].value  # the strip too, which comes before the page


def test_a_model_that_reads_hardly_a_digit_is_said_with_the_likely_causes(mine):
    uploads.write_card(replace(mine, own=OwnModel(n_digits=40, n_right=11)))
    app = sound(opened("layers", source=mine.name))
    (warning,) = [each.value for each in app.warning if "known digits" in each.value]
    assert warning.startswith("It reads only 11 of 40 known digits; guessing reads about 10.")
    assert "black on white" in warning and "0 to 255" in warning


def test_a_sweep_offers_an_own_model_with_the_cuts_that_it_has(mine):
    app = opened("evidence", sweep_sources=("digits_0_4", mine.name), sweep_cuts=("flatten", "gone"))
    sound(app)
    assert app.session_state["sweep_cuts"] == ("flatten", "mean")
    (cuts,) = [group for group in app.button_group if group.key == "sweep_cuts"]
    assert {"pixels", "flatten", "first", "mean", "answer"} <= set(cuts.options)
