"""What is worked out of experiments that ship is worked out once, and of others every time."""

from dataclasses import replace

from tlcore.evidence import recorded, savings
from tlcore.evidence.claims import STUDIES, judge_all
from tlcore.evidence.once import once, together


def test_what_ships_is_worked_out_once_for_each_question_and_others_every_time():
    asked = []

    @once
    def count(cells, method="all", *, by=""):
        asked.append((method, by))
        return len(cells)

    cells = recorded.load("label_savings").cells
    same = [count(cells), count(cells), count(cells, "a"), count(cells, "a"), count(cells, "a", by="x")]
    assert same == [len(cells)] * 5 and asked == [("all", ""), ("a", ""), ("a", "x")]
    own = tuple(replace(cell, seed=cell.seed + 1) for cell in cells[:3])
    assert [count(own), count(own), count(list(cells))] == [3, 3, len(cells)] and len(asked) == 6


def test_studies_that_ship_are_joined_once_and_one_of_a_persons_own_is_not():
    first, second = (recorded.load(study).cells for study in STUDIES)
    joined = together(first, second)
    assert joined == first + second and together(first, second) is joined
    own = tuple(replace(cell) for cell in first)
    assert together(own, second) == joined and together(own, second) is not joined
    assert judge_all(joined) is judge_all(joined) and judge_all(joined) == judge_all(first + second)


def test_a_curve_of_a_persons_own_follows_their_experiments():
    cells = recorded.load("label_savings").cells
    whole, fewer = savings.curve(cells, "linear_svm"), tuple(cell for cell in cells if cell.seed)
    assert savings.curve(fewer, "linear_svm") != whole == savings.curve(list(cells), "linear_svm")
