"""Photographs of hands on Home and Evidence: recorded answers and what transfer saved, said as they were measured."""

import json
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from pages.test_pages import FOLDS, lab, opened, sound, words  # noqa: F401

from pages.ui.evidence import hands as hands_view
from pages.ui.inputs import hand_answers
from pages.ui.words.numbers import percent
from tlcore import datasets
from tlcore.errors import DataError
from tlcore.evidence import recorded, shown_hands, sweeps
from tlcore.prediction.taught import SCRATCH, TRANSFER, WAYS
from tlcore.spec import Cell

TRUTH = datasets.get("hands").labels("test")
RNG = np.random.default_rng(0)


def answered(share):
    """Return answers that are right for about a share of the test photographs, with how sure they are."""
    labels = np.where(RNG.random(len(TRUTH)) < share, TRUTH, RNG.integers(10, size=len(TRUTH)))
    return [[int(label), 0.75] for label in labels]


ANSWERS = {TRANSFER: answered(0.8), SCRATCH: answered(0.2)}
RIGHT = {way: sum(bool(a[0] == b) for a, b in zip(answers, TRUTH, strict=True)) for way, answers in ANSWERS.items()}
CARD = {
    "class_names": list("0123456789"), "per_class": 20, "n_steps": 200, "seeds": [0, 1, 2], "seed": 1,
    "truth": TRUTH.tolist(), "answers": ANSWERS, "n_right": {way: [n - 9, n, n + 5] for way, n in RIGHT.items()},
    "thawed": "block_6", "date": "2026-11-29", "machine": "2 cores", "command": shown_hands.COMMAND,
}  # fmt: skip


def cells():
    """Return the experiments of the study: features do with 5 labels what pixels need 20 for."""
    score = {1: 0.3, 5: 0.5, 20: 0.7, 100: 0.8}
    ways = [
        ("mobilenet_v2", "average", "linear_svm", 0.1), ("mobilenet_v2", "average", "random_forest", 0.05),
        ("mobilenet_v2", "block_12_add", "fine_tune", 0.1), ("mobilenet_v2", "block_5_add", "fine_tune", 0.15),
        ("random", "pixels", "linear_svm", 0.0), ("mobilenet_v2_random", "pixels", "scratch", -0.15),
    ]  # fmt: skip
    return tuple(
        Cell("hands", source, cut, method, n, seed, score=score[n] + more + 0.01 * seed, n_test=576)
        for source, cut, method, more in ways
        for n in score
        for seed in range(3)
    )


def study(name, methods):
    mine = tuple(cell for cell in cells() if cell.method in methods)
    return recorded.Recorded(name, mine, "2026-11-29", "2 cores", 60.0, {}, recorded.command(name))


STUDIES = {
    "hands": study("hands", ("linear_svm", "random_forest")),
    "hands_networks": study("hands_networks", ("fine_tune", "scratch")),
}


@pytest.fixture(autouse=True)
def recordings(tmp_path, monkeypatch):
    """What is shown, as if it had been measured."""
    path = tmp_path / "hands.json"
    path.write_text(json.dumps(CARD))
    monkeypatch.setattr(shown_hands, "FILE", path)
    load = recorded.load
    monkeypatch.setattr(recorded, "is_recorded", lambda study: True)
    monkeypatch.setattr(recorded, "load", lambda study: STUDIES.get(study) or load(study))


SHOWN = shown_hands.of_card(CARD)


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


def test_answers_are_recorded_of_the_seed_nearest_to_the_medians(tmp_path, monkeypatch):
    sure = np.eye(10, dtype=np.float32)
    answers = {way: {seed: sure[[said[0] for said in ANSWERS[way]]] for seed in (0, 1, 2)} for way in WAYS}
    answers[TRANSFER][0] = sure[TRUTH]
    answers[TRANSFER][2] = sure[(TRUTH + 1) % 10]
    test = SimpleNamespace(y_test=TRUTH, class_names=tuple("0123456789"), x_train=np.zeros(200))
    shown = shown_hands.record(answers, test, tmp_path / "new.json")
    assert (shown.seed, shown.n_right[TRANSFER], shown.n_steps) == (1, (576, RIGHT[TRANSFER], 0), 390)
    assert [said.label for said in shown.answers[SCRATCH]] == [said.label for said in SHOWN.answers[SCRATCH]]
    assert shown.command.endswith("--seeds 0,1,2") and shown.thawed == "block_13"


def test_what_was_measured_once_claims_no_average(tmp_path):
    assert "Measured once" in hand_answers.over_seeds(
        replace(SHOWN, seeds=(1,), n_right={way: (RIGHT[way],) for way in WAYS})
    )


def test_a_damaged_file_of_answers_is_one_sentence(tmp_path):
    (tmp_path / "hands.json").write_text('{"truth": [1]}')
    with pytest.raises(DataError, match="hands.json that ships with the app is damaged"):
        shown_hands.load(tmp_path / "hands.json")


# ------------------------------------------------------------------ Evidence


@pytest.mark.parametrize("with_networks", [True, False])
def test_evidence_shows_what_transfer_saved_on_hands_and_where_that_comes_from(lab, monkeypatch, with_networks):  # noqa: F811
    monkeypatch.setattr(recorded, "is_recorded", lambda study: study == "hands" or with_networks)
    app = sound(opened("evidence", **FOLDS))
    app = sound(app.segmented_control(key="savings_of").set_value("hands").run())
    lines = hands_view.curves(cells())
    assert all(lines.values())
    found = hands_view.savings.saving(lines["svm"], lines["pixels"], hands_view.at())
    assert hands_view.sentence(found) in "".join(html(app)) and "Recorded 20" in words(app)
    assert (hands_view.lesson(lines) in words(app)) == with_networks
    assert "on MobileNetV2's features reads" in words(app)
    helps = " ".join(caption.help for caption in app.caption if caption.help)
    assert recorded.command("hands") in helps and (recorded.command("hands_networks") in helps) == with_networks


def test_without_recordings_evidence_and_home_have_one_choice_less(lab, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(shown_hands, "FILE", tmp_path / "no.json")
    monkeypatch.setattr(recorded, "is_recorded", lambda study: False)
    assert not [each for each in sound(opened("home")).segmented_control if each.key == "door"]
    assert not [each for each in sound(opened("evidence")).segmented_control if each.key == "savings_of"]


def test_the_study_of_hands_gives_every_network_the_same_steps_and_the_heads_all_seeds():
    (heads, pixels), (networks,) = recorded.STUDIES["hands"], recorded.STUDIES["hands_networks"]
    assert set(networks.seeds) <= set(heads.seeds) == set(pixels.seeds) and networks.n_steps == recorded.HANDS_STEPS
    assert {spec.per_class for spec in (heads, pixels, networks)} == {recorded.HANDS_LABELS}
    for spec in (heads, pixels, networks):
        sweeps.check(spec)
    planned = {(cell.cut, cell.method) for spec in (heads, pixels, networks) for cell in sweeps.plan(spec)}
    assert len(planned) == len(hands_view.titles())
