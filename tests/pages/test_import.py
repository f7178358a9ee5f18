"""A file that a lab exported, brought in on the Runs page."""

import json

import pages.test_pages as test_pages
import pytest
from hostile import archives as corpus
from pages.runs_list import rows
from pages.test_pages import ME, opened, sound, words

from tlcore import exports
from tlcore.spec import FineTuneSpec

lab = test_pages.lab


def chosen(content: bytes, name: str = "run.zip"):
    """Return the Runs page with a file chosen, and Import pressed where that is possible."""
    app = sound(opened("runs"))
    app.file_uploader(key="archive_file_0").set_value((name, content, "application/octet-stream"))
    app = sound(app.run())
    button = app.button(key="import")
    return app if button.disabled else sound(button.click().run())


def test_an_imported_run_is_its_importers_and_says_where_it_comes_from(lab):
    app = chosen(corpus.honest(name="From afar"))
    (run,) = lab.store.list()
    assert (run.owner, run.name, run.accuracy) == (ME.id, "From afar", 0.5)
    assert "Imported from another lab, where it was run 0123456789abcdef" in words(app)
    (row,) = rows(sound(opened("runs")))
    assert (row["title"], row["mark"], row["mine"]) == ("From afar", "imported", True)


def test_settings_are_trained_here(lab):
    spec = FineTuneSpec(seed=7)
    content = exports.run_json(lab.store.create(spec)).encode()
    chosen(content, "settings.json")
    assert lab.store.list()[0].spec == spec and lab.engine.submitted == [lab.store.list()[0].id]


@pytest.mark.parametrize("content", [b"x", corpus.honest()[:200], corpus.lying(), json.dumps({"kind": "x"}).encode()])
def test_what_cannot_be_used_is_said_where_it_was_chosen(lab, content):
    app = chosen(content)
    assert app.button(key="import").disabled and len(app.error) == 1 and lab.store.list() == ()


def test_a_run_that_cannot_be_taken_is_said_and_leaves_nothing(lab):
    app = chosen(dict(corpus.not_here())["another source"])
    told = words(app).replace("\\", "")
    assert "This archive cannot be used: it needs what this lab does not have" in told and lab.store.list() == ()
