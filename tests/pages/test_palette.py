"""One colour a thing, everywhere, from one place."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from pages.ui.charts import palette, sweep_charts
from pages.ui.evidence import hands, savings
from pages.ui.runs import comparison, lanes
from pages.ui.runs.lanes import Lane
from tlcore import sources
from tlcore.evidence import Band, recorded, recorded_race
from tlcore.recipes import race, scratch_control
from tlcore.spec import FineTuneSpec

UI = Path(palette.__file__).parent.parent
SHEETS = sorted(UI.rglob("*.css"))
BAND = [Band(5, 0.8, 0.7, 0.9, 3), Band(20, 0.9, 0.8, 1.0, 3)]


def colours_in_page() -> dict[str, str]:
    return dict(re.findall(r"--(tl-\w+): ([^;}]+)", palette.sheet()))


def test_from_scratch_has_one_colour_on_every_page():
    wanted = palette.WAYS["scratch"]
    assert colours_in_page()["tl-scratch"] == wanted and "var(--tl-scratch)" in (UI / "home.css").read_text()
    assert comparison.colours()["scratch"] == wanted
    tuned = Lane("", SimpleNamespace(spec=FineTuneSpec()))
    control = Lane("", SimpleNamespace(spec=scratch_control(FineTuneSpec())))
    assert lanes.colours([tuned, control]) == [palette.WAYS["fine_tune"], wanted]
    assert lanes.colours([control, tuned]) == [wanted, palette.WAYS["fine_tune"]]
    names = [lane.name for lane in recorded_race.load().lanes]
    assert dict(zip(names, palette.of_ways(names), strict=True))["scratch"] == wanted
    for ways in (["linear_svm", "fine_tune", "scratch"], list(hands.WAYS.values())):
        figure = sweep_charts.label_curves({way: BAND for way in ways}, ways=ways)
        (line,) = (each for each in figure.data if each.name == "scratch")
        assert line.line.color == wanted
    assert len(savings.curves(recorded.load(savings.STUDY).cells)) == 3  # as many as the ways that it names


@pytest.mark.parametrize(
    "names", [["scratch"], list(palette.WAYS)[:8], ["a"] * 8, ["fine_tune"] * 5, list(race.TITLES)]
)
def test_lines_on_one_chart_differ_in_colour(names):
    assert len(set(palette.of_ways(names))) == len(names)
    assert set(palette.of_ways(names)) <= set(palette.COLOURS)
    assert len(palette.of_ways(["a"] * 11)) == 11  # more than there are colours: they come again


def test_every_lane_of_a_race_and_every_way_of_a_comparison_has_a_colour():
    assert set(race.TITLES) <= set(palette.WAYS) and set(comparison.colours()) <= set(palette.WAYS)
    assert sources.info("digits_0_4").layers


def test_what_failed_and_what_trains_are_told_apart_and_neither_is_a_run():
    page = colours_in_page()
    assert len({page["tl-failed"], page["tl-trainable"], page["tl-frozen"]}) == 3
    meanings = {palette.FROZEN, palette.TRAINABLE, palette.FAILED, palette.FROZEN_DARK, palette.TRAINABLE_DARK}
    assert not meanings & set(palette.COLOURS)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_a_style_sheet_takes_what_has_a_meaning_from_the_palette(sheet):
    text = sheet.read_text().upper()
    reserved = (palette.FAILED, palette.FAILED_DARK, palette.WAYS["scratch"])
    assert not [colour for colour in reserved if colour in text]
    blue_and_orange = {palette.FROZEN, palette.FROZEN_DARK, palette.TRAINABLE, palette.TRAINABLE_DARK}
    for name, colour in re.findall(r"(--[\w-]+)?:? ?(#[0-9A-F]{6})", text):
        assert colour not in blue_and_orange or name in ("--FROZEN", "--TRAINABLE"), colour


def test_the_layer_picker_has_the_same_blue_and_orange():
    text = (UI / "components" / "layer_picker.css").read_text().upper()
    found = re.findall(r"--(FROZEN|TRAINABLE): (#[0-9A-F]{6})", text)
    light_and_dark = [
        ("FROZEN", palette.FROZEN),
        ("TRAINABLE", palette.TRAINABLE),
        ("FROZEN", palette.FROZEN_DARK),
        ("TRAINABLE", palette.TRAINABLE_DARK),
    ]
    assert found == light_and_dark
