"""The Data page: what it takes, a draft with its choices, and one's own sets on the pages that train."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from few_pictures import looked_at, set_of_own, zipped
from pages.test_pages import ME, lab, opened, sound, words  # noqa: F401
from waiting import wait_for

from pages.ui.components.file_drop import check_arrived
from pages.ui.session import sets, state
from pages.ui.sets import upload
from pages.ui.words import names
from tlcore.datasets import arriving, own_sets
from tlcore.datasets.arriving import File, Piece
from tlcore.errors import LabError
from tlcore.people import Person

BOB = "b" * 32
MIXED = {"disc": 4, "square": 4, "squares": 4, "junk": 3}


@dataclass
class Made:
    """What people have brought: two drafts of one person's, a set and a draft of another's."""

    folder: Path
    shapes: str
    mixed: str
    theirs: str
    bobs: str


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_LAB_HOME", str(folder))
        bobs = set_of_own(BOB, title="Bobs").name
        yield Made(folder, looked_at(ME.id).id, looked_at(ME.id, MIXED).id, looked_at(BOB).id, bobs)


@pytest.fixture(autouse=True)
def here(lab, made, monkeypatch):  # noqa: F811
    """A lab in whose browser a cookie names this person."""
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(lab.folder))
    monkeypatch.setattr(sets, "stand_in", lambda: "")
    shutil.copytree(made.folder / own_sets.FOLDER, lab.folder / own_sets.FOLDER)
    yield lab
    lab.looks.close()


def sent(content: bytes, name: str = "shapes.zip") -> str:
    """Have a file arrive; return the id of the sending."""
    arrival = arriving.begin(ME.id, [File(name, len(content))], 10, lambda owner, n_bytes: None)
    with Piece(arrival, 0, len(content)) as piece:
        piece.write(content)
    return arrival.id


def look(here, sending: str) -> None:
    """Have what arrived looked at, to the end."""
    look_until(here.looks.start(arriving.get(ME.id, sending), ME.id))


def look_until(begun) -> None:
    """Wait for the end of a look."""
    wait_for(lambda: begun.ended, 60)


def test_of_many_names_the_first_are_told_and_how_many_more_there_are():
    assert names.some(["a", "b"], 3) == "a, b" and names.some(["a", "b", "c"], 3) == "a, b, c"
    assert names.some(["a", "b", "c", "d", "e"], 3) == "a, b, c and 2 more"


def test_an_empty_page_says_what_goes_here_and_what_is_taken():
    said = words(sound(opened("data")))
    assert "Does transfer work on your own pictures?" in said and "Up to 20,000 pictures and 500 MB" in said
    assert "My sets" not in said and "is ready" not in said


def test_a_browser_without_cookies_is_told(monkeypatch):
    monkeypatch.setattr(sets, "stand_in", lambda: None)
    assert "This browser blocks cookies" in words(sound(opened("data")))


@pytest.mark.parametrize("value", [None, 1, [], {}, "", "../../secret", "0" * 15, "0" * 17, "G" * 16, b"0" * 16])
def test_only_an_id_is_taken_for_one(value):
    assert check_arrived(value) == ""


def test_what_arrived_is_looked_at_and_becomes_a_draft(here):
    sending = sent(zipped())
    look(here, sending)
    app = sound(opened("data", sets_sending=sending))
    assert app.session_state["sets_draft"] == here.looks.find(sending, ME.id).report
    assert app.text_input(key=key(app, "title")).value == "shapes"
    assert [app.text_input(key=key(app, f"name_{at}")).value for at in (0, 1)] == ["disc", "square"]
    with pytest.raises(LabError):
        arriving.get(ME.id, sending)  # the files themselves are gone


def key(app, name: str) -> str:
    return f"set_{app.session_state['sets_draft'][:12]}_{name}"


def test_what_cannot_be_used_is_said_and_the_field_is_there_again(here):
    sending = sent(b"no ZIP at all")
    look(here, sending)
    app = sound(opened("data", sets_sending=sending))
    assert len(app.error) == 1 and app.session_state["sets_sending"] == ""
    assert "Up to 20,000 pictures" in words(app)


def test_a_draft_becomes_the_target_with_a_source_that_reads_it(here, made):
    app = sound(opened("data", sets_draft=made.shapes))
    app.text_input(key=key(app, "title")).set_value("My *shapes*")
    app.button(key="add_set").click().run()
    (card,) = sets.kept()
    assert (card.title, card.class_names, app.session_state["target"]) == ("My *shapes*", ("disc", "square"), card.name)
    assert "My *shapes* is ready: 12 pictures in 2 classes" in html(sound(app)) and "add_set" not in {
        button.key for button in app.button
    }
    assert app.session_state["per_class"] == 4  # of six, one tests and one validates
    app = sound(app.switch_page("train.py").run())
    target = app.selectbox(key="target")
    assert target.value == card.name and "My *shapes*" in target.options
    assert state.sources.info(app.session_state["source"]).form == card.form
    app.button(key="start_ways").click().run()
    (run,) = here.store.list()
    assert run.spec.data.target == card.name


def test_classes_are_renamed_merged_and_left_out(made):
    app = sound(opened("data", sets_draft=made.mixed))
    names = {each.name: at for at, each in enumerate(own_sets.report(made.mixed, ME.id).classes)}
    app.text_input(key=key(app, f"name_{names['squares']}")).set_value("square").run()
    app.toggle(key=key(app, f"use_{names['junk']}")).set_value(False).run()
    assert "12 pictures in 2 classes" in html(sound(app))
    app.toggle(key=key(app, f"use_{names['disc']}")).set_value(False).run()
    assert app.button(key="add_set").disabled and len(app.warning) == 1


def html(app) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


def test_a_draft_is_discarded(made):
    app = sound(opened("data", sets_draft=made.shapes))
    app.button(key="discard_set").click().run()
    assert "Up to 20,000 pictures" in words(sound(app))
    with pytest.raises(LabError):
        own_sets.report(made.shapes, ME.id)


def test_a_set_is_deleted_and_brought_back(made):
    card = own_sets.add(made.shapes, "Shapes", owner=ME.id)
    app = sound(opened("data", target=card.name))
    app.button(key=f"delete_{card.name}").click().run()
    assert "was deleted" in words(sound(app)) and sets.kept() == ()
    assert app.session_state["target"] == state.DEFAULTS["target"]
    app.button(key="undo_set").click().run()
    assert f"delete_{card.name}" in {button.key for button in sound(app).button} and len(sets.kept()) == 1


def test_a_set_gets_another_name_and_stays_the_same_target(made):
    card = own_sets.add(made.shapes, "Shapes", owner=ME.id)
    app = sound(opened("data"))
    app.text_input(key=f"rename_{card.name}").set_value("Discs, squares").run()
    assert "Discs, squares" in words(sound(app)) and own_sets.card(card.name).title == "Discs, squares"


def test_a_target_that_was_removed_in_another_window_gives_way(made):
    card = own_sets.add(made.shapes, "Shapes", owner=ME.id)
    app = sound(opened("train", target=card.name))
    assert app.selectbox(key="target").value == card.name
    own_sets.remove(card.name)
    assert sound(app.run()).selectbox(key="target").value == state.DEFAULTS["target"]


def test_one_persons_set_is_not_anothers(made, monkeypatch):
    assert "Bobs" not in words(sound(opened("data")))
    assert "Bobs" not in sound(opened("train")).selectbox(key="target").options
    app = sound(opened("data", sets_draft=made.theirs))
    assert "add_set" not in {button.key for button in app.button} and len(app.warning) == 1
    monkeypatch.setattr(state, "person", lambda: Person(ME.id, host=True))
    assert "Bobs" in words(sound(opened("data"))) and "Bobs" in [each.title for each in state.targets_on_offer()]


def test_an_address_with_anothers_set_is_told_and_the_default_is_used(made):
    mine = own_sets.add(made.shapes, "Shapes", owner=ME.id).name
    app = opened("train")
    app.query_params["target"] = made.bobs
    app.session_state["address_read"] = None
    assert "settings that cannot be used here: target" in words(sound(app.run()))
    app.query_params["target"] = mine
    app.session_state["address_read"] = None
    assert sound(app.run()).session_state["target"] == mine


def test_what_is_no_sending_is_one_sentence(monkeypatch):
    put = {}
    monkeypatch.setattr(state, "get", lambda key, default=None: {"arrived": "0" * 16})
    monkeypatch.setattr(state, "put", lambda **choices: put.update(choices))
    upload._arrived()
    assert "not there any more" in put["upload_error"]
