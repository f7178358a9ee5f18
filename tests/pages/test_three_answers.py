"""What Home says of a drawing: each outcome has its own sentence, and each sentence holds."""

from dataclasses import replace

import numpy as np
import pytest

from pages.ui.inputs import three_answers
from tlcore.prediction import taught
from tlcore.prediction.taught import SCRATCH, TRANSFER
from tlcore.sentences import percent

KNOWN = ("0", "1", "2", "3", "4")
CARD = taught.card()
ITEM = np.zeros((28, 28, 1), np.uint8)
HINT = "Draw a 7, or any other digit"


def answering(before="3", after="7", scratch="7", sure=0.9):
    """Return answers in which each model is ``sure`` of one digit."""

    def of(names, label):
        return [sure if name == label else (1 - sure) / (len(names) - 1) for name in names]

    return {
        f"source:{CARD.source}": of(KNOWN, before),
        f"taught:{TRANSFER}": of(CARD.class_names, after),
        f"taught:{SCRATCH}": of(CARD.class_names, scratch),
    }


def panel(answers, item=ITEM, meant=None, card=CARD):
    return three_answers.panel(card, KNOWN, answers, item, meant, HINT)


@pytest.mark.parametrize(
    ("after", "scratch", "short"),
    [
        ("7", "1", "Only transfer reads your 7"),
        ("7", "7", "Both read your 7, with transfer and from scratch"),
        ("9", "1", "Neither reads your 7, with transfer or without"),
        ("1", "1", "Neither reads your 7, with transfer or without"),
        ("9", "7", "Only the network from scratch reads your 7"),
    ],
)
def test_each_outcome_has_its_own_headline_and_how_often_it_comes(after, scratch, short):
    html = panel(answering(after=after, scratch=scratch), meant="7")
    assert f"<h2>{short}</h2>" in html
    assert f"True of {percent(CARD.share_of(after == '7', scratch == '7'))} of the test digits." in html


def test_how_often_the_other_way_round_comes_is_said_where_the_two_differ():
    html = panel(answering(after="9", scratch="7"), meant="7")
    assert f"With {percent(CARD.share_of(True, False))} it is the other way round." in html
    html = panel(answering(after="7", scratch="7"), meant="7")
    assert f"Only transfer reads {percent(CARD.share_of(True, False))}" in html
    assert f"only scratch {percent(CARD.share_of(False, True))}" in html


def test_nothing_is_called_right_or_wrong_before_the_digit_is_told():
    for html in (panel(answering()), panel({}, item=None)):
        assert "right</small>" not in html and "wrong</small>" not in html and "never seen a 7" not in html
    assert "<h2>A 7, with transfer and from scratch</h2>" in panel(answering())
    assert "<h2>7 with transfer, 1 from scratch</h2>" in panel(answering(scratch="1"))


@pytest.mark.parametrize(
    ("meant", "words", "marks"),
    [
        ("7", "It has never seen a 7. It only knows 0 to 4.", ["wrong", "right", "wrong"]),
        ("3", "Trained on 0 to 4: it has seen a 3.", ["right", "wrong", "wrong"]),
        (None, "It has only ever seen 0 to 4.", ["", "", ""]),
    ],
)
def test_the_network_before_transfer_is_said_to_know_what_it_knows(meant, words, marks):
    html = panel(answering(before="3", after="7", scratch="1"), meant=meant)
    assert words in html
    assert [part.split("</small>")[0] for part in html.split("<small>")[1:]] == marks


def test_every_card_shows_the_share_that_was_measured():
    html = panel({}, item=None)
    for share in (CARD.share_before, CARD.share(TRANSFER), CARD.share(SCRATCH)):
        assert three_answers.share_words(share) in html
    other = replace(CARD, n_right_before=CARD.n_test // 4)
    assert "Right on 25.0 % of the test digits" in panel({}, item=None, card=other)


def test_a_blank_pad_has_the_hint_and_three_empty_cards():
    html = panel({}, item=None)
    assert f"<h2>{HINT}</h2>" in html and html.count('<section class="answer"') == 3
    assert "data-answer" not in html and "data-image" not in html


def test_a_model_that_cannot_answer_says_why_and_no_outcome_is_named():
    html = panel({**answering(), "taught:scratch": "The models are <still> loading."}, meant="7")
    assert '<p class="often">The models are &lt;still&gt; loading.</p>' in html
    assert "<h2>No answer yet</h2>" in html and html.count("data-answer") == 2


def test_while_the_models_load_that_is_said_once_beside_the_headline_where_there_is_room_for_it():
    html = panel(dict.fromkeys(answering(), "The models are still loading."))
    assert html.count("The models are still loading.") == 1 and html.count('<p class="sure">no answer</p>') == 3


def test_an_answer_that_is_a_guess_is_called_one():
    assert "Not sure: " in panel(answering(sure=0.3))


def test_what_is_said_of_ten_seeds_and_of_the_making_comes_from_the_card():
    words = three_answers.over_seeds(CARD)
    for share in (CARD.share_before, CARD.over_seeds(TRANSFER), CARD.over_seeds(SCRATCH)):
        assert percent(share.mean) in words
    assert "over 10 repetitions (seeds)" in words
    made = three_answers.provenance(replace(CARD, date="2031-02-03", seed=9))
    assert "2031-02-03" in made and "seed 9" in made and CARD.command in made and "never on the test digits" in made
