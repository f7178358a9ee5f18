"""A sentence is a template and its values until it is shown; as JSON it comes back the same."""

import pickle
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlcore import sentences
from tlcore.sentences import NOTHING, Sentence

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS
SENTENCES = st.recursive(
    st.builds(sentences.verbatim, WORDS),
    lambda inner: st.builds(lambda a, b: Sentence("{a}, and {b!r}", a=a, b=b), inner | PLAIN, PLAIN | st.lists(PLAIN)),
    max_leaves=5,
)


@given(sentence=SENTENCES)
def test_a_sentence_comes_back_from_json_as_it_went(sentence):
    again = sentences.loads(sentences.dumps(sentence))
    assert again == sentence and str(again) == str(sentence)


@given(text=WORDS)
def test_plain_text_of_an_older_version_is_read_letter_for_letter(text):
    assert str(sentences.loads(text)) == str(sentences.decode(text)) == text


@pytest.mark.parametrize(
    "text", ["{", "{}", '{"template": 3, "values": {}}', '{"template": "{n}"}', "[1]", "null", '"x"', "{" * 20_000]
)
def test_a_text_that_only_looks_like_json_is_a_text(text):
    assert str(sentences.loads(text)) == text


def test_a_damaged_sentence_is_shown_by_its_template():
    for values in ({}, {"n": "x"}, {"n": None}):
        assert str(sentences.decode({"template": "{n:,} labels", "values": values})) == "{n:,} labels"
    for value in (None, 3, [], {"template": 3, "values": {}}):
        assert sentences.decode(value) == NOTHING


def test_a_value_that_json_does_not_know_is_kept_as_its_text_and_a_number_as_a_number():
    sentence = Sentence(
        "{path}: {n:,} of {x:.1f} in {shape}", path=Path("a/b"), n=np.int64(1200), x=np.float32(2), shape=(3, 4)
    )
    again = sentences.loads(sentences.dumps(sentence))
    assert str(again) == "a/b: 1,200 of 2.0 in [3, 4]"


def test_a_sentence_crosses_a_process_border_and_is_copied_whole():
    sentence = Sentence("{what} of {n}", what=Sentence("part"), n=2)
    assert pickle.loads(pickle.dumps(sentence)) == deepcopy(sentence) == sentence
    assert len({sentence, deepcopy(sentence), NOTHING}) == 2


def test_only_templates_are_translated_and_never_a_value():
    sentence = Sentence("{a} and {b}", a=Sentence("one"), b="one")
    assert sentence.fill({"one": "eins", "{a} and {b}": "{a} und {b}"}.__getitem__) == "eins und one"


def test_several_sentences_are_one_and_each_is_said_once():
    one, two = Sentence("One."), Sentence("{n}.", n=2)
    assert str(sentences.join([one, two, one])) == "One. 2."
    assert sentences.join([one]) is one and sentences.join([]) == NOTHING
    assert str(sentences.loads(sentences.dumps(sentences.join([one, two])))) == "One. 2."


def test_what_is_exported_is_in_english():
    result = {"reason": sentences.encode(Sentence("{n} labels", n=5)), "rows": [{"why": Sentence("so")}], "n": 1.5}
    assert sentences.in_english(result) == {"reason": "5 labels", "rows": [{"why": "so"}], "n": 1.5}
