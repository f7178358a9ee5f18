"""The time left, on machines whose true costs are known: within 30 percent after a fifth of the steps."""

from itertools import product

import pytest

from tlcore.heads import HEADS
from tlcore.jobs.head_pace import HeadPace
from tlcore.training import pace as module
from tlcore.training.pace import Pace, PhasePlan

HEAD = PhasePlan(5, 63, step_work=5e3, score_work=3e5, prefix_work=5e9)
TAIL = PhasePlan(5, 63, step_work=3.3e6, score_work=1e8, prefix_work=4.9e9)
WHOLE = PhasePlan(5, 63, step_work=1.2e8, score_work=2.5e9, prefix_work=0)
LATER = PhasePlan(5, 63, step_work=8e7, score_work=2.5e9, prefix_work=0)


class Machine:
    """Runs phases by its own costs, on a clock of its own, and notes what the pace says after each step."""

    def __init__(self, monkeypatch, madd_s, compile_s=0.3, fixed_s=0.0004):
        self.now, self.madd_s, self.compile_s, self.fixed_s = 0.0, madd_s, compile_s, fixed_s
        monkeypatch.setattr(module.time, "perf_counter", lambda: self.now)

    def run(self, plans):
        asked = []
        pace = Pace(plans, lambda: asked.append(1) or 2.2 * self.madd_s)  # calls are not compiled
        told, step = [], 0
        for number, plan in enumerate(plans):
            pace.begin(number)
            if plan.prefix_work:
                self.now += 0.15 + 0.6 * self.madd_s * plan.prefix_work
                pace.computed(0.15 + 0.6 * self.madd_s * plan.prefix_work)
            for epoch, batch in product(range(plan.n_epochs), range(plan.n_steps)):
                first = not epoch and not batch
                took = self.fixed_s + self.madd_s * plan.step_work + (self.compile_s if first else 0.0)
                self.now, step = self.now + took, step + 1
                pace.stepped(1, took, first)
                told.append((step, self.now, pace.left_s(epoch + (batch + 1) / plan.n_steps)))
                if batch == plan.n_steps - 1:
                    score = 0.002 + 0.6 * self.madd_s * plan.score_work + (0.15 if not epoch else 0.0)
                    self.now += score
                    pace.scored(score)
        assert len(asked) <= 1
        return told, self.now, asked


@pytest.mark.parametrize("madd_s", [2e-11, 5e-11, 2e-10], ids=["quick", "usual", "slow"])
@pytest.mark.parametrize(
    "plans",
    [(TAIL,), (WHOLE,), (HEAD, TAIL), (HEAD, WHOLE), (HEAD, LATER, WHOLE), (WHOLE, TAIL), (WHOLE, LATER)],
    ids=["tail", "whole", "head-tail", "head-whole", "three", "whole-tail", "article"],
)
def test_the_time_left_is_near_after_a_fifth_of_the_steps_whatever_the_phases_cost(monkeypatch, madd_s, plans):
    told, end, _asked = Machine(monkeypatch, madd_s).run(plans)
    for share in (0.2, 0.4, 0.6):
        _step, at, left = next(one for one in told if one[0] >= share * told[-1][0])
        assert 0.7 <= left / (end - at) <= 1.3, share


def test_nothing_is_said_before_anything_was_measured_and_nothing_is_left_at_the_end(monkeypatch):
    told, end, _asked = Machine(monkeypatch, 5e-11).run((TAIL,))
    assert told[0][2] is None and told[1][2] is not None
    assert told[-1][2] == pytest.approx(end - told[-1][1], abs=1e-3)  # the last validation


def test_the_network_is_timed_only_where_a_later_phase_is_much_heavier(monkeypatch):
    for plans, times in (((WHOLE,), 0), ((TAIL,), 0), ((WHOLE, TAIL), 0), ((HEAD, WHOLE), 1)):
        assert len(Machine(monkeypatch, 5e-11).run(plans)[2]) == times


# -- heads

SIZES = {"features": 1600, "pixels": 784}


def true_s(name, head, speed):
    """What a head takes on a machine: its effort, a third more or less, whatever the table says of it."""
    fixed, each = HEADS[head].effort
    return speed * (fixed + each * 1000 * SIZES[name]) * (1.25 if head in ("knn", "dense") else 0.9)


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("speed", [0.5, 3.0])
def test_the_time_left_of_a_comparison_is_near_after_a_fifth_of_its_heads(seeds, speed):
    tasks = list(product(range(seeds), SIZES, HEADS))
    pace, feature_s = HeadPace(1000, SIZES, tuned=False), {"features": 1.0 * speed, "pixels": 0.0}
    computed = set()
    for i, (seed, name, head) in enumerate(tasks):
        if (seed, name) not in computed:
            computed.add((seed, name))
            pace.computed(name, feature_s[name])
        if i >= 0.2 * len(tasks):
            left = pace.left_s(tasks[i:], (seed, name))
            later = {(s, n) for s, n, _head in tasks[i:]} - {(seed, name)}
            was = sum(true_s(n, h, speed) for _seed, n, h in tasks[i:]) + sum(feature_s[n] for _seed, n in later)
            assert 0.7 <= left / was <= 1.3, (i, head)
        pace.done(name, head, true_s(name, head, speed))


def test_before_the_first_head_nothing_is_told_and_a_seed_that_is_done_tells_the_next():
    pace = HeadPace(100, SIZES, tuned=True)
    assert pace.left_s([(0, "pixels", "knn")]) is None
    pace.done("pixels", "knn", 2.0)
    assert pace.left_s([(1, "pixels", "knn"), (2, "pixels", "knn")]) == pytest.approx(4.0)
    assert pace.left_s([]) == 0.0


def test_a_head_that_is_no_longer_here_does_not_keep_the_rest_from_being_told():
    pace = HeadPace(100, SIZES, tuned=False)
    pace.done("pixels", "gone", 2.0)
    assert pace.left_s([(0, "features", "gone")]) > 2.0
