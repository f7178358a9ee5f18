"""Presenting: the switch on every page, the bar with the way on and back, and what the address keeps."""

import pytest
from pages.test_apart import lab  # noqa: F401
from pages.test_pages import NAMES, ROOT, WITHOUT_RUNS, opened, sound
from streamlit.testing.v1 import AppTest

from pages.ui import presenting


def keys(app) -> set[str]:
    return {button.key for button in app.button}


@pytest.mark.parametrize("name", ("home", "train", "runs"))
def test_a_page_has_the_switch_and_when_presenting_the_bar(lab, name):  # noqa: F811
    app = sound(opened(name))
    assert "present" in keys(app) and "present_next" not in keys(app)
    app.button(key="present").click().run()
    assert {"present_back", "present_next", "present_end"} <= keys(sound(app))
    assert "1" in app.query_params["present"]
    app.button(key="present_end").click().run()
    assert "present" in keys(sound(app)) and "present" not in app.query_params


def test_next_leads_through_the_pages_in_the_order_of_the_menu_and_keeps_presenting(lab):  # noqa: F811
    app = opened("home")
    app.button(key="present").click().run()
    assert app.button(key="present_back").disabled
    assert any(caption.value == f"Home, 1 of {len(NAMES + WITHOUT_RUNS)}" for caption in app.caption)
    app.button(key="present_next").click().run()
    assert sound(app).title[0].value == "Teach" and "1" in app.query_params["present"]
    app.button(key="present_back").click().run()
    assert any(caption.value == f"Home, 1 of {len(NAMES + WITHOUT_RUNS)}" for caption in sound(app).caption)


def test_reset_is_a_full_load_that_goes_on_presenting(lab):  # noqa: F811
    app = opened("train", seed=7, presenting=True)
    (link,) = [found.proto.body for found in app.get("html") if 'class="reset"' in found.proto.body]
    assert 'href="?present=1"' in link and 'target="_self"' in link  # of this page, without what was changed since


def test_reset_goes_back_to_the_settings_that_the_link_had(lab):  # noqa: F811
    app = AppTest.from_file(str(ROOT / "pages" / "menu.py"), default_timeout=60)
    app.query_params.update({"present": "large,plain", "seed": "4", "labels": "20", "way": "sample"})
    app.run().switch_page("train.py").run()
    app.session_state["seed"] = 9
    app.session_state["per_class"] = 3
    sound(app.run())
    (link,) = [found.proto.body for found in app.get("html") if 'class="reset"' in found.proto.body]
    assert 'href="?seed=4&amp;labels=20&amp;way=sample&amp;present=large%2Cplain"' in link
    assert [found.proto.body for found in app.get("html")][0] == '<span class="presented large plain"></span>'


def test_a_link_presents_some_pages_alone_in_its_order(lab):  # noqa: F811
    app = AppTest.from_file(str(ROOT / "pages" / "menu.py"), default_timeout=60)
    app.query_params.update({"present": "1", "pages": "train,home,gone"})
    app.run()
    assert any(caption.value == "Home, 2 of 2" for caption in sound(app).caption)
    assert app.button(key="present_next").disabled
    app.button(key="present_back").click().run()
    assert sound(app).title[0].value == "Train" and app.query_params["pages"] == "train,home,gone"
    app.switch_page("layers.py").run()  # a link on a page still leads to what the menu leaves out
    assert any("Layers, not one of the 2 chosen pages" in caption.value for caption in sound(app).caption)


def test_the_panel_makes_the_link_that_it_describes(lab, monkeypatch):  # noqa: F811
    links = []
    monkeypatch.setattr(presenting, "copy_link", lambda link, **_: links.append(link))
    app = opened("train", presenter_link=True, presenter_looks=["contrast"], presenter_pages=["train", "draw"], seed=5)
    assert links[-1] == "?seed=5&present=contrast&pages=train%2Cdraw"
    app.button(key="present_so").click().run()
    assert any(caption.value == "Train, 1 of 2" for caption in sound(app).caption)
    assert app.query_params["present"] == "contrast"
