"""How a race ended, in one sentence: nothing in it that was not measured."""

from dataclasses import dataclass, replace

import pytest

from tlcore.evaluation.ranking import Ranking, Rival
from tlcore.evidence.contest import Contest
from tlcore.evidence.finish import Finish, Memory, comparable_seconds, details, headline
from tlcore.spec import FineTuneResult, FineTuneSpec
from tlcore.store import Store

OLD = "MNIST digits 0-4"


def contest(first, second, p, few=False):
    rivals = (Rival(second[0], first[1] - second[1], p),)
    return Contest(Ranking(first[0], rivals, "images", 4861, dict((first, second))), few, 25 if few else None)


WON = contest(("Fine-tuning", 0.91), ("From scratch", 0.81), 0.0001)
TIE = contest(("Fine-tuning", 0.911), ("From scratch", 0.91), 0.6)
FELL, KEPT, NONE = Memory(OLD, 0.99, 0.71), Memory(OLD, 0.99, 0.99), None


@pytest.mark.parametrize(
    ("found", "best", "second", "title", "more"),
    [
        (
            WON,
            Finish(1.0, FELL),
            Finish(3.0, NONE),
            "Fine-tuning is better than From scratch: 91.0 % against 81.0 %, in a third of the time",
            f"Old task, {OLD}: Fine-tuning fell from 99.0 % to 71.0 %.",
        ),
        (
            replace(WON, few=True, n_trained=25),
            Finish(2.0, KEPT),
            Finish(1.0, FELL),
            "With these 25 images Fine-tuning got more right than From scratch: 91.0 % against 81.0 %, "
            "but took 2 times as long",
            f"Old task, {OLD}: Fine-tuning stayed at 99.0 %; From scratch fell from 99.0 % to 71.0 %.",
        ),
        (
            TIE,
            Finish(3.1, FELL),
            Finish(1.9, NONE),
            "A tie: Fine-tuning 91.1 %, From scratch 91.0 %",
            f"From scratch learned in 61 % of the time. Old task, {OLD}: Fine-tuning fell from 99.0 % to 71.0 %.",
        ),
        (
            WON,
            Finish(1.0, NONE),
            Finish(1.1, NONE),
            "Fine-tuning is better than From scratch: 91.0 % against 81.0 %",
            "",
        ),
        (
            WON,
            Finish(None, NONE),
            Finish(3.0, NONE),
            "Fine-tuning is better than From scratch: 91.0 % against 81.0 %",
            "",
        ),
    ],
)
def test_the_headline_says_who_won_in_what_time_and_what_was_forgotten(found, best, second, title, more):
    lanes = {found.ranking.best: best, found.ranking.rivals[0].name: second}
    assert (str(headline(found, lanes)), str(details(found, lanes))) == (title, more)


def test_a_tie_of_two_names_whom_they_leave_behind():
    rivals = (Rival("Nothing frozen", 0.001, 0.6), Rival("From scratch", 0.1, 0.0001))
    reached = {"Convolutions frozen": 0.861, "Nothing frozen": 0.86, "From scratch": 0.761}
    found = Contest(Ranking("Convolutions frozen", rivals, "images", 4861, reached), True, 25)
    lanes = dict.fromkeys(reached, Finish(None, NONE))
    assert str(headline(found, lanes)) == (
        "A tie: Convolutions frozen 86.1 %, Nothing frozen 86.0 %, ahead of From scratch, 76.1 %"
    )
    assert not details(found, lanes)


@pytest.fixture
def runs(tmp_path):
    store = Store(tmp_path)
    made = [store.create(FineTuneSpec()) for _lane in range(2)]
    result = FineTuneResult(learn_s=2.0)
    return [
        replace(run, result=result, started=10.0 + 5 * place, finished=14.0 + 5 * place)
        for place, run in enumerate(made)
    ]


def test_seconds_of_lanes_that_trained_at_the_same_time_are_not_compared(runs):
    assert comparable_seconds(runs) == [2.0, 2.0]
    assert comparable_seconds([runs[0], replace(runs[1], started=13.0)]) == []
    assert comparable_seconds([runs[0], replace(runs[1], result=FineTuneResult())]) == []


def test_processor_seconds_compare_however_the_lanes_overlapped(runs):
    @dataclass(frozen=True)
    class Counted(FineTuneResult):
        cpu_s: float = 0.0

    first, second = (replace(run, started=10.0, result=Counted(learn_s=2.0, cpu_s=1.5)) for run in runs)
    assert comparable_seconds([first, second]) == [1.5, 1.5]
    assert comparable_seconds([first, replace(second, result=Counted(learn_s=2.0))]) == []
