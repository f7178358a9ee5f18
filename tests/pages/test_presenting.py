"""Presenting: the switch on every page, the bar with the way on and back, and what the address keeps."""

import pytest
from pages.test_apart import lab  # noqa: F401
from pages.test_pages import NAMES, WITHOUT_RUNS, opened, sound


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
    assert 'href="./?present=1"' in link and 'target="_self"' in link
