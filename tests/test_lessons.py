"""Lesson plans add up, their links are settings that the pages read, and a tour has at most five stops."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from pages.ui.session import address as settings
from pages.ui.session.state import DEFAULTS
from tlcore import datasets, sources
from tlcore.lessons import PLANS, TOURS, address
from tlcore.lessons.tours import MOST_STOPS
from tlcore.people import presenting
from tlcore.people.presenting import LOOKS, Presentation

ROOT = Path(__file__).resolve().parent.parent
STEPS = [(plan, step) for plan in PLANS.values() for step in plan.steps]
PAGES = {path.stem for path in (ROOT / "pages").glob("*.py")} - {"menu"}


@pytest.mark.parametrize("plan", PLANS.values(), ids=lambda plan: plan.name)
def test_the_steps_of_a_plan_take_as_long_as_it_says(plan):
    assert sum(step.minutes for step in plan.steps) == plan.minutes
    assert len({(step.page, str(step.title)) for step in plan.steps}) == len(plan.steps)


def test_there_are_scripts_for_five_thirty_and_ninety_minutes():
    assert [plan.minutes for plan in PLANS.values()] == [5, 30, 90]


@pytest.mark.parametrize(("plan", "step"), STEPS, ids=lambda each: getattr(each, "name", None) or str(each.title))
def test_a_link_sets_the_lab_to_its_step(plan, step):
    assert step.page in PAGES
    parts = urlsplit(address(step, Presentation()))
    asked = dict(parse_qsl(parts.query))
    known = {**DEFAULTS, "sources": list(sources.SOURCES), "targets": [card.name for card in datasets.catalogue()]}
    choices, wrong = settings.read(asked, known)
    assert wrong == [] and presenting.read(asked) == Presentation()
    assert len(choices) >= len(step.settings) == len(asked) - 1
    assert all(choices[key] != DEFAULTS[key] for key in {"per_class", "source", "way", "door"} & set(choices))
    assert (parts.path == "./") == (step.page == "home") and parts.path in ("./", step.page)


@pytest.mark.parametrize(("plan", "step"), STEPS, ids=lambda each: getattr(each, "name", None) or str(each.title))
def test_a_step_says_what_to_click_what_to_say_and_what_is_seen_and_states_no_figure(plan, step):
    assert str(step.click) and str(step.say) and str(step.sees)
    said = " ".join(map(str, (step.say, step.sees)))
    assert "%" not in said and " times " not in said.replace("how many times ", "")


def test_what_trains_live_says_what_to_do_where_it_cannot():
    for _plan, step in STEPS:
        starts = {"train", "race", "heads", "break_it", "teach"}
        assert bool(step.otherwise) or step.page not in starts, step.title


@pytest.mark.parametrize("looks", [(), ("large",), ("plain", "contrast"), LOOKS])
@pytest.mark.parametrize("pages", [(), ("home",), ("train", "how_it_works", "home")])
def test_a_presentation_is_read_as_it_was_written(looks, pages):
    wanted = Presentation(frozenset(looks), pages)
    assert presenting.read(presenting.written(wanted)) == wanted


@pytest.mark.parametrize("text", ["", "0", "x" * 10_000, "large,<b>", "'; drop table", "\u0000"])
def test_an_address_that_nobody_made_presents_as_usual_or_not_at_all(text):
    found = presenting.read({"present": text, "pages": f"home,{text},../etc,a b"})
    assert found is None or (found.looks <= set(LOOKS) and found.pages[0] == "home")
    assert found is None or all(name.isidentifier() and len(name) <= 500 for name in found.pages)


@pytest.mark.parametrize("page", TOURS)
def test_a_tour_belongs_to_a_page_and_has_one_to_five_stops_at_keys_that_there_are(page):
    assert page in PAGES and 0 < len(TOURS[page]) <= MOST_STOPS
    code = "".join(path.read_text() for path in (ROOT / "pages").rglob("*.py"))
    for stop in TOURS[page]:
        names = [f'"{stop.at}"', f'key="{stop.at.rpartition("_")[0]}_', f'key=f"{stop.at.split("_")[0]}_']
        assert any(name in code for name in names), stop.at
        assert str(stop.title) and len(str(stop.text)) <= 120
    assert len({stop.at for stop in TOURS[page]}) == len(TOURS[page])


def test_every_page_of_the_menu_but_the_rooms_has_a_tour():
    assert PAGES - set(TOURS) == {"room", "lesson_plans"}
