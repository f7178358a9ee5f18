"""The errors a person can mend."""

import pickle

import pytest

from tlcore import errors
from tlcore.errors import LabError, SpecError
from tlcore.sentences import Sentence

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LabError)]


def test_the_message_is_the_template_filled_in():
    error = SpecError("Cannot freeze {names}: pick from {n}.", names=["conv_9"], n=2)
    assert str(error) == "Cannot freeze ['conv_9']: pick from 2."
    assert (error.sentence.template, error.sentence.values) == (
        "Cannot freeze {names}: pick from {n}.",
        {"names": ["conv_9"], "n": 2},
    )


def test_a_value_with_braces_is_shown_as_it_is():
    assert str(LabError("No {what}.", what="{x}")) == "No {x}."


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_crosses_a_process_border_whole(kind):
    error = pickle.loads(pickle.dumps(kind("No run {run_id!r}.", run_id="x")))
    assert (type(error), str(error)) == (kind, "No run 'x'.")
    assert error.sentence == Sentence("No run {run_id!r}.", run_id="x")


def test_every_error_is_caught_as_the_one_base():
    assert len(KINDS) >= 5 and all(issubclass(kind, LabError) for kind in KINDS)
    with pytest.raises(LabError):
        raise SpecError("No.")


def test_every_error_says_for_what_it_is():
    assert all(kind.__doc__ for kind in KINDS)
