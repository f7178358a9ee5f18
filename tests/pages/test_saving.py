"""Every chart of every page can be saved as PNG, SVG and CSV, by a button of its own; the CSV holds what is drawn."""

import ast
import csv
import json
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from pages.test_closer_look import finished as answered
from pages.test_closer_look import looked, mixed
from pages.test_heads import FEATURES, PIXELS
from pages.test_pages import COMPARED, FOLDS, NAMES, TUNED, finished, in_order, lab, opened, sound  # noqa: F401

from pages.ui.charts import lesson_charts, plots, sweep_charts
from pages.ui.charts.values import csv_of
from pages.ui.closer import curves
from tlcore.evidence import Band
from tlcore.inspection import lesson
from tlcore.spec import HeadSpec

ROOT = Path(__file__).resolve().parents[2]
KNOWN = lesson.recorded()


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def unsaved(app) -> tuple[int, list[str]]:
    """Return how many charts a page has, and those without the three buttons and their numbers right below."""
    elements, without = list(in_order(app.main)), []
    charts = [(at, element) for at, element in enumerate(elements) if element.type == "plotly_chart"]
    for at, _chart in charts:
        below = elements[at + 1].proto if at + 1 < len(elements) else None
        if below is None or "transfer_lab_save_chart" not in getattr(below, "component_name", ""):
            without.append(str(elements[at]))
            continue
        data = json.loads(below.json)
        named = all(data["words"][kind].startswith(f"Save as {kind.upper()}: ") for kind in ("png", "svg", "csv"))
        if not named or len(rows_of(data["csv"])) < 2 or not data["name"]:
            without.append(data["name"])
    return len(charts), without


SHOWN = {"heads": 1, "evidence": 2, "how_it_works": 4, "runs": 1}  # at least, besides the live charts and films


@pytest.mark.parametrize("name", (*NAMES, "teach", "lesson_plans"))
def test_every_chart_of_every_page_has_its_three_buttons(lab, name):  # noqa: F811
    runs = [finished(lab.store, TUNED), finished(lab.store, COMPARED, spec=HeadSpec())]
    shown = {"run_run": runs[0].id, "run_ft": runs[0].id, "run_cmp": runs[1].id} if name != "heads" else {}
    n, without = unsaved(sound(opened(name, **shown, **FOLDS)))
    assert without == [] and n >= SHOWN.get(name, 0)


@pytest.mark.parametrize(("way", "least"), [("cells", 1), ("curves", 2), ("calibration", 1), ("noise", 2)])
def test_every_chart_of_a_closer_look_has_them_too(lab, monkeypatch, way, least):  # noqa: F811
    monkeypatch.setattr(curves, "asked", lambda function, *arguments: function(*arguments))
    n, without = unsaved(looked(answered(lab.store, mixed(0, 2, 1)), way))
    assert without == [] and n >= least


def marked_up(app) -> dict[str, dict]:
    """Return what the buttons of charts that are made of HTML hand out, by the names of their files."""
    elements = [getattr(element, "proto", None) for element in in_order(app.main)]
    found = [json.loads(one.json) for one in elements if "save_markup" in getattr(one, "component_name", "")]
    return {data["name"]: data for data in found}


def test_the_claims_and_what_a_score_loses_are_saved_with_their_numbers(lab):  # noqa: F811
    saved = marked_up(sound(opened("evidence")))
    assert set(saved) == {"claims_times", "claims_points", "hands_times", "hands_points", "meter_lost"}
    for data in saved.values():
        assert len(data["rows"]) > 2 and {len(row) for row in data["rows"]} == {len(data["head"])}
    measured = [row for name in ("claims_times", "claims_points") for row in saved[name]["rows"]]
    assert all(low <= value <= high for *_, value, low, high in measured if None not in (value, low, high))
    assert {row[1] for row in measured} <= {"supported", "refuted", "not shown", "depends"}


def test_the_answer_on_try_and_on_teach_has_its_buttons_before_anything_is_drawn(lab):  # noqa: F811
    (tried,) = marked_up(sound(opened("draw"))).values()
    assert tried["words"]["png"] == "Save as PNG: The answer of Fine-tuned on Home, 5 labels" and tried["rows"] is None
    (taught,) = marked_up(sound(opened("teach", teach_kind="image"))).values()
    assert taught["words"]["png"] == "Save as PNG: What you taught"


def test_no_page_draws_a_chart_past_the_buttons():
    drawers = {"plotly_chart", "altair_chart", "vega_lite_chart", "line_chart", "bar_chart", "area_chart", "pyplot"}
    for path in (ROOT / "pages").rglob("*.py"):
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        drawn = {getattr(call, "attr", "") for call in calls} & drawers
        assert not drawn or path.name == "figure.py", f"{path.name}: show it with charts.figure.show_figure"


def test_every_component_that_draws_a_chart_saves_it():
    scripts = {path.name: path.read_text() for path in (ROOT / "pages" / "ui" / "components").glob("*.js")}
    drawing = {name for name, script in scripts.items() if 'svg role="img"' in script or "Plotly.react" in script}
    assert drawing == {name for name, script in scripts.items() if "saveButtons(" in script} and len(drawing) == 3


def test_a_matrix_is_saved_cell_by_cell_with_what_is_written_in_it():
    figure = plots.clickable(plots.confusion([[3, 1], [0, 4]], ("five", "six")), ("five", "six"), (0, 1))
    cells = [tuple(row.values()) for row in rows_of(csv_of(figure))]
    assert cells == [("five", "five", "3"), ("five", "six", "1"), ("six", "five", "0"), ("six", "six", "4")]
    assert csv_of(figure).startswith("true class,answered,images\n")


def test_errors_are_saved_with_both_ends_of_their_intervals():
    titles = {"linear_svm": "Linear SVM", "random_forest": "Random forest"}
    figure = plots.head_dots([FEATURES, PIXELS], titles, {"features": "features", "pixels": "raw pixels"})
    row = rows_of(csv_of(figure))[0]
    assert row["series"] == "on features" and row["y"] == "Linear SVM"
    low, high = (float(row[f"95 % interval {end}"]) for end in ("from", "to"))
    assert (low, high) == pytest.approx((100 - 100 * FEATURES.interval[1], 100 - 100 * FEATURES.interval[0]))


def test_a_curve_is_saved_with_its_band_and_without_the_bands_outline():
    lines = {"SVM": [Band(1, 0.5, 0.4, 0.6, 3), Band(5, 0.7, 0.65, 0.75, 3)]}
    rows = rows_of(csv_of(sweep_charts.label_curves(lines, ways=["linear_svm"])))
    assert [float(row["95 % interval from"]) for row in rows] == pytest.approx([40, 65])
    assert [row["Seeds"] for row in rows] == ["3", "3"] and {row["series"] for row in rows} == {"SVM"}


def test_bars_beside_one_another_are_saved_under_their_own_axes():
    rows = rows_of(csv_of(lesson_charts.frozen_step(KNOWN.layers, 2)))
    n = len(KNOWN.layers)
    assert len(rows) == 2 * n and rows[0]["its gradient"] and not rows[0]["how far it moves"]
    assert [float(row["how far it moves"]) for row in rows[n:]] == pytest.approx(
        [one.moved[2] for one in KNOWN.layers], rel=1e-6
    )


def test_points_on_a_plane_are_saved_once_whatever_is_chosen():
    figure = plots.scatter(np.arange(8.0).reshape(4, 2), (0, 1, 0, 1), ("a", "b"), marked=(2,))
    assert [tuple(row.values()) for row in rows_of(csv_of(figure))] == [
        ("a", "0", "1"), ("a", "4", "5"), ("b", "2", "3"), ("b", "6", "7"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_name_becomes_a_formula_in_a_spreadsheet(name):
    figure = go.Figure(go.Scatter(name=name, x=[1], y=[-2]))
    assert rows_of(csv_of(figure)) == [{"series": "'" + name, "x": "1", "y": "-2"}]


def test_line_ends_of_a_label_are_no_tags_in_the_file():
    figure = go.Figure(go.Bar(x=["conv_1<br>98.2 % ★", "<b>dense</b>, 1"], y=[1, 2]))
    assert csv_of(figure) == 'x,y\n"conv_1, 98.2 % ★",1\n"dense, 1",2\n'
