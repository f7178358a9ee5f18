"""Photographs of hands on Home and Evidence: recorded answers and what transfer saved, said as they were measured."""

from collections import Counter

import numpy as np
import pytest
from pages.test_pages import lab, opened, sound, words  # noqa: F401

from pages.ui.evidence import hands as hands_view
from pages.ui.inputs import hand_answers
from pages.ui.words.numbers import percent
from tlcore import datasets
from tlcore.errors import DataError
from tlcore.evidence import recorded, shown_hands
from tlcore.prediction.taught import SCRATCH, TRANSFER, WAYS

SHOWN = shown_hands.load()


def html(app):
    return [element.proto.body for element in app.get("html")]


# ------------------------------------------------------------------ Home


def test_every_test_photograph_has_its_answers_and_the_shares_are_of_all_of_them():
    assert SHOWN.truth == tuple(datasets.get("hands").labels("test"))
    for way in WAYS:
        right = [said.label == label for said, label in zip(SHOWN.answers[way], SHOWN.truth, strict=True)]
        assert SHOWN.share(way).mean == pytest.approx(np.mean(right)) and min(s.sure for s in SHOWN.answers[way]) >= 0
    outcomes = [(a, b) for a in (True, False) for b in (True, False)]
    assert sum(SHOWN.share_of(*outcome) for outcome in outcomes) == pytest.approx(1)


def test_a_handful_is_drawn_whatever_was_answered_and_holds_every_sign():
    drawn = [hand_answers.rows_of(SHOWN, handful) for handful in range(5)]
    for rows in drawn:
        assert len(set(rows)) == hand_answers.N_SHOWN
        assert set(Counter(SHOWN.truth[row] for row in rows)) == set(range(10))
    assert drawn[0] != drawn[1] and drawn[0] == hand_answers.rows_of(SHOWN, 0)


@pytest.mark.parametrize(
    ("outcome", "short"),
    [
        ((True, False), "Only transfer reads this"),
        ((True, True), "Both read this"),
        ((False, True), "Only the network from scratch reads this"),
        ((False, False), "Neither reads this"),
    ],
)
def test_each_outcome_has_its_own_headline_and_how_often_it_comes(outcome, short):
    rows = (
        row
        for row, label in enumerate(SHOWN.truth)
        if tuple(SHOWN.answers[way][row].label == label for way in WAYS) == outcome
    )
    row = next(rows, None)
    if row is None:
        assert SHOWN.share_of(*outcome) == 0
        return
    panel = hand_answers.panel(SHOWN, row)
    assert f"<h2>{short} {SHOWN.class_names[SHOWN.truth[row]]}" in panel
    assert f"True of {percent(SHOWN.share_of(*outcome))} of the test photographs." in panel
    assert panel.count(">right<") == sum(outcome) and panel.count(">wrong<") == 2 - sum(outcome)
    assert panel.count('class="answer"') == 3 and "Guessing would be right on 10 %" in panel


def test_home_has_a_second_door_where_a_hand_is_shown(lab):  # noqa: F811
    app = sound(opened("home"))
    assert not [body for body in html(app) if "answers three hands" in body]
    app = sound(app.segmented_control(key="door").set_value("hand").run())
    (panel,) = [body for body in html(app) if "answers three hands" in body]
    assert "Before transfer" in panel and "hand signs" in words(app) and SHOWN.command in words(app)
    assert percent(SHOWN.over_seeds(TRANSFER).mean) in words(app)
    assert percent(SHOWN.over_seeds(SCRATCH).mean) in words(app)
    shown = hand_answers.rows_of(SHOWN, 0)
    app = sound(app.button(key="other_hands").click().run())
    (other,) = [body for body in html(app) if "answers three hands" in body]
    assert f'data-row="{shown[0]}"' in panel and f'data-row="{hand_answers.rows_of(SHOWN, 1)[0]}"' in other


def test_the_hands_on_home_lead_to_training_on_them(lab):  # noqa: F811
    app = sound(opened("home", door="hand"))
    app = sound(app.button(key="train_hands").click().run())
    assert (app.session_state["source"], app.session_state["target"]) == ("mobilenet_v2", "hands")
    assert app.session_state["per_class"] == 20


def test_a_damaged_file_of_answers_is_one_sentence(tmp_path):
    (tmp_path / "hands.json").write_text('{"truth": [1]}')
    with pytest.raises(DataError, match="hands.json that ships with the app is damaged"):
        shown_hands.load(tmp_path / "hands.json")


# ------------------------------------------------------------------ Evidence


def test_evidence_shows_what_transfer_saved_on_hands_and_where_that_comes_from(lab):  # noqa: F811
    app = sound(opened("evidence"))
    app = sound(app.segmented_control(key="savings_of").set_value("hands").run())
    study = recorded.load(hands_view.STUDY)
    lines = hands_view.curves(study.cells)
    assert all(lines.values())
    found = hands_view.savings.saving(lines["svm"], lines["pixels"], hands_view.at())
    assert hands_view.sentence(found) in "".join(html(app)) and "Recorded 20" in words(app)
    assert hands_view.lesson(lines) in words(app)
    assert any(study.command in caption.help for caption in app.caption)


def test_every_network_of_the_study_saw_the_same_images_as_the_heads():
    study = recorded.load(hands_view.STUDY)
    assert {cell.n_test for cell in study.cells} == {576} and not any(cell.error for cell in study.cells)
    networks = {cell.seed for cell in study.cells if cell.method in ("fine_tune", "scratch")}
    assert networks <= {cell.seed for cell in study.cells if cell.method == "linear_svm"}
