"""The time left, on machines whose true costs are known: within 30 percent after a fifth of the steps."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from tlcore import heads, sources
from tlcore.heads import HEADS
from tlcore.heads.dense import Dense
from tlcore.jobs import reporter as reporting
from tlcore.jobs.head_pace import HeadPace
from tlcore.jobs.reporter import Reporter
from tlcore.spec import FineTuneSpec, Phase, Progress
from tlcore.store import Store
from tlcore.training import pace as module
from tlcore.training.pace import Pace, PhasePlan
from tlcore.training.planning import UPDATE_WORK, plans

HEAD = PhasePlan(5, 63, step_work=5e4, score_work=3e5, prefix_work=5e9, n_layers=1)
TAIL = PhasePlan(5, 63, step_work=9.5e6, score_work=1e8, prefix_work=4.9e9, n_layers=2)
WHOLE = PhasePlan(5, 63, step_work=1.2e8, score_work=2.5e9, prefix_work=0, n_layers=7)
LATER = PhasePlan(5, 63, step_work=8e7, score_work=2.5e9, prefix_work=0, n_layers=7)


class Machine:
    """Runs phases by its own costs, on a clock of its own, and notes what the pace says after each step."""

    def __init__(self, monkeypatch, madd_s, compile_s=0.3, fixed_s=0.0002, call_takes=0.0, augment_s=0.0):
        self.now, self.madd_s, self.compile_s, self.fixed_s = 0.0, madd_s, compile_s, fixed_s
        self.call_takes, self.augment_s = call_takes, augment_s
        monkeypatch.setattr(module.time, "perf_counter", lambda: self.now)

    def run(self, plans):
        asked, told, step = [], [], 0

        def call_s():
            asked.append(self.now)
            self.now += self.call_takes
            return 2.2 * self.madd_s  # calls are not compiled

        pace = Pace(plans, call_s)
        for number, plan in enumerate(plans):
            began, steps_s = self.now, 0.0
            pace.begin(number)
            if plan.prefix_work:
                self.now += 0.15 + 0.6 * self.madd_s * plan.prefix_work
                pace.computed(0.15 + 0.6 * self.madd_s * plan.prefix_work)
            for epoch, batch in product(range(plan.n_epochs), range(plan.n_steps)):
                if not batch:  # an epoch begins
                    if self.augment_s:
                        self.now += self.augment_s
                        pace.augmented(self.augment_s)
                    began, steps_s = self.now, 0.0
                first = not epoch and not batch
                compile_s = self.compile_s / 6 * (4 + plan.n_layers)
                took = self.fixed_s + self.madd_s * plan.step_work + (compile_s if first else 0.0)
                self.now, step = self.now + took, step + 1
                steps_s += took
                pace.stepped(1, took, first)
                told.append((step, self.now, pace.left_s(epoch + (batch + 1) / plan.n_steps)))
                if batch == plan.n_steps - 1:
                    self.now += 0.002 + 0.6 * self.madd_s * plan.score_work + (compile_s / 2 if not epoch else 0.0)
                    pace.scored(self.now - began - steps_s)  # all of the epoch but its steps, as the clock has it
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


@pytest.mark.parametrize("plans", [(WHOLE,), (WHOLE, LATER)])
def test_the_copies_of_each_epoch_count(monkeypatch, plans):
    told, end, _asked = Machine(monkeypatch, 5e-11, augment_s=2.0).run(plans)
    for share in (0.1, 0.2, 0.6):
        _step, at, left = next(one for one in told if one[0] >= share * told[-1][0])
        assert 0.7 <= left / (end - at) <= 1.3, share


def test_timing_the_network_once_counts_for_no_later_validation(monkeypatch):
    told, end, asked = Machine(monkeypatch, 2e-11, call_takes=0.4).run((HEAD, TAIL))
    _step, at, left = next(one for one in told if one[0] >= 0.3 * told[-1][0])
    assert len(asked) == 1 and asked[0] < at
    assert 0.7 <= left / (end - at) <= 1.3


def test_a_phase_counts_the_update_of_each_weight_it_trains():
    layers = sources.info("digits_0_4").layers
    spec = FineTuneSpec(
        phases=(Phase(1, ("conv_1", "conv_2")), Phase(1, ("conv_1", "conv_2", "dense_1"))), batch_size=10
    )
    data = SimpleNamespace(x_train=np.zeros(100), x_validation=np.zeros(10))
    tail, head = plans(layers, spec, data, None, True)
    assert (tail.n_layers, head.n_layers) == (2, 1)
    assert head.step_work == 10 * 2 * 64 * 5 + UPDATE_WORK * 65 * 5  # 64 inputs and a bias, 5 answers
    assert tail.step_work > 100 * head.step_work


def test_nothing_is_said_before_anything_was_measured_and_nothing_is_left_at_the_end(monkeypatch):
    told, end, _asked = Machine(monkeypatch, 5e-11).run((TAIL,))
    assert told[0][2] is None and told[1][2] is not None
    assert told[-1][2] == pytest.approx(end - told[-1][1], abs=1e-3)  # the last validation


def test_the_network_is_timed_only_where_a_later_phase_is_much_heavier(monkeypatch):
    for phases, times in (((WHOLE,), 0), ((TAIL,), 0), ((WHOLE, TAIL), 0), ((HEAD, WHOLE), 1)):
        assert len(Machine(monkeypatch, 5e-11).run(phases)[2]) == times


# -- heads

SIZES = {"features": 1600, "pixels": 784}


def true_s(name, head, speed):
    """What fitting a head takes on a machine: its effort, a third more or less, whatever the table says of it."""
    fixed, each = HEADS[head].effort
    return speed * (fixed + each * 1000 * SIZES[name]) * (1.25 if head in ("knn", "dense") else 0.9)


@pytest.mark.parametrize("keeping", [1.0, 2.0], ids=["quick-keeping", "slow-keeping"])
@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("speed", [0.5, 3.0])
def test_the_time_left_of_a_comparison_is_near_after_a_fifth_of_its_heads(seeds, speed, keeping):
    tasks = list(product(range(seeds), SIZES, HEADS))
    pace, feature_s = HeadPace(1000, SIZES, tuned=False, first=0), {"features": 1.0 * speed, "pixels": 0.0}
    computed = set()

    def took(task):
        seed, name, head = task
        return true_s(name, head, speed) * (keeping if seed == 0 else 1)

    for i, (seed, name, head) in enumerate(tasks):
        if (seed, name) not in computed:
            computed.add((seed, name))
            pace.computed(name, feature_s[name])
        if i >= 0.2 * len(tasks):
            left = pace.left_s(tasks[i:], (seed, name))
            later = {(s, n) for s, n, _head in tasks[i:]} - {(seed, name)}
            was = sum(map(took, tasks[i:])) + sum(feature_s[n] for _seed, n in later)
            assert 0.7 <= left / was <= 1.3, (i, head)
        pace.done(tasks[i], took(tasks[i]), true_s(name, head, speed))


def test_before_the_first_head_nothing_is_told_and_a_seed_that_is_done_tells_the_next():
    pace = HeadPace(100, SIZES, tuned=True, first=0)
    assert pace.left_s([(0, "pixels", "knn")]) is None
    pace.done((0, "pixels", "knn"), 3.0, 2.0)
    assert pace.left_s([(1, "pixels", "knn"), (2, "pixels", "knn")]) == pytest.approx(4.0)
    assert pace.left_s([]) == 0.0


def test_a_head_that_is_no_longer_here_does_not_keep_the_rest_from_being_told():
    pace = HeadPace(100, SIZES, tuned=False, first=0)
    pace.done((0, "pixels", "gone"), 2.0, 2.0)
    assert pace.left_s([(0, "features", "gone")]) > 2.0


def test_a_head_of_many_steps_is_told_by_a_rehearsal_where_the_table_of_efforts_is_wrong():
    pace = HeadPace(1000, SIZES, tuned=False, first=0)
    assert pace.wants_rehearsal("features", "dense") and not pace.wants_rehearsal("features", "knn")
    assert not HeadPace(100, SIZES, tuned=False, first=0).wants_rehearsal("features", "dense")  # a second at most
    pace.rehearsed("features", "dense", 30.0)
    pace.done((0, "features", "knn"), 2.0, 1.0)
    assert pace.left_s([(0, "features", "dense")]) == pytest.approx(60.0)  # kept as well: twice as long, like the other
    assert 15 < pace.left_s([(1, "pixels", "dense")]) < 30
    pace.done((0, "features", "dense"), 50.0, 28.0)
    assert not pace.wants_rehearsal("features", "dense")
    assert pace.left_s([(1, "features", "dense")]) == pytest.approx(28.0)


def test_one_step_of_a_dense_layer_tells_its_sixty(monkeypatch):
    x, y = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32), np.arange(30) % 3
    dense, steps, now = heads.info("dense"), Dense.steps, [0.0]
    assert dense.n_steps == len(list(dense.steps(heads.make("dense", x.shape, 3, 0), x, y, 0, True)))

    def slowly(*args, **named):
        for at in steps(dense, *args, **named):
            now[0] += 0.5
            yield at

    monkeypatch.setattr(dense, "steps", slowly)
    monkeypatch.setattr(heads.fitting.time, "perf_counter", lambda: now[0])
    assert heads.rehearse("dense", x, y, seed=0) == pytest.approx(30.0)
    assert heads.fit("dense", x, y, None, seed=0)[1] == pytest.approx(30.0)


# -- between two reports


def test_the_time_left_is_counted_down_until_the_next_report_and_never_says_zero(tmp_path, monkeypatch):
    store = Store(tmp_path)
    run = store.create(FineTuneSpec())
    reporter = Reporter(store, store.claim(run.id, "here"))
    now = [100.0]
    monkeypatch.setattr(reporting.time, "perf_counter", lambda: now[0])
    reporter.on_progress(Progress(2, 9, left_s=4.0))
    for seconds, left in ((0, 4.0), (3, 1.0), (0.7, None), (60, None)):
        now[0] += seconds
        assert reporter.progress() == Progress(2, 9, left_s=left and pytest.approx(left))
    reporter.on_progress(Progress(3, 9))
    assert reporter.progress().left_s is None
