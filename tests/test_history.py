"""The list of runs: what it reads of each, how it is filtered, folded, sorted and paged."""

import doctest
import json
import time
from dataclasses import asdict, replace

import numpy as np
import pytest
from tiny_results import fine_tuned

from tlcore.errors import StoreError
from tlcore.evaluation import evaluate, seeds_interval, wilson
from tlcore.evidence import history
from tlcore.evidence.history import Filter, facets, lines, page
from tlcore.spec import ComparisonSpec, DataSpec, FineTuneSpec, HeadSpec, Phase, SweepSpec, to_json
from tlcore.store import Store, listing
from tlcore.store.tables import runs as runs_table

FEW, MANY = FineTuneSpec(data=DataSpec(per_class=5)), FineTuneSpec(data=DataSpec(per_class=100))
SCRATCH = FineTuneSpec(source="random", phases=(Phase(),))


def ended(n_right: int, n: int = 100) -> dict:
    labels = np.zeros(n, int)
    return fine_tuned(asdict(evaluate(labels, (np.arange(n) >= n_right).astype(int), 2)))


def made(store: Store, spec, n_right: int | None = None, **columns):
    """A run; with a number of right answers out of 100 one that is done."""
    run = store.create(spec, **columns)
    if n_right is not None:
        assert store.claim(run.id)
        store.finish(run.id, "done", ended(n_right))
    return run


def shown(store: Store, *wanted, **order) -> list[str]:
    return [line.head.id for line in lines(store.listing(), *wanted, **order)]


def test_examples_in_docstrings_hold():
    assert doctest.testmod(history).failed == doctest.testmod(listing).failed == 0


def test_an_entry_says_what_the_run_itself_says(store):
    run = made(store, replace(MANY, seed=3), 90, name="first", owner="ada")
    (entry,) = store.listing("ada")
    whole = store.get(run.id)
    for name in ("id", "kind", "state", "seed", "name", "note", "owner", "created", "took_s", "accuracy"):
        assert getattr(entry, name) == getattr(whole, name), name
    assert (entry.low, entry.high) == whole.result.interval and entry.n_test == 100
    assert (entry.source, entry.target, entry.per_class) == ("digits_0_4", "mnist_5_9", 100)
    assert store.listing("bob") == ()


def test_a_run_that_ends_between_two_lists_has_its_accuracy_in_the_second(store):
    run = made(store, FEW)
    assert [entry.state for entry in store.listing()] == ["queued"]
    assert store.claim(run.id)
    assert [(entry.state, entry.accuracy) for entry in store.listing()] == [("running", None)]
    store.finish(run.id, "done", ended(80))
    assert [(entry.state, entry.accuracy) for entry in store.listing()] == [("done", 0.8)]


def test_what_was_listed_once_is_not_read_again(store, monkeypatch):
    made(store, FEW, 80)
    before = store.listing()
    monkeypatch.setattr(listing, "from_json", lambda text: pytest.fail("it is kept"))
    assert store.listing() == before


def test_a_store_that_cannot_be_written_is_listed_all_the_same(store, monkeypatch):
    made(store, FEW, 80)

    def refuse():
        raise StoreError("disk full")

    monkeypatch.setattr(store._database, "writing", refuse)
    assert [entry.accuracy for entry in store.listing()] == [0.8]


def test_settings_that_nothing_here_can_read_are_left_out_of_the_list(store):
    run, fine = made(store, FEW, 80), made(store, MANY, 80)
    with store._database.writing() as connection:
        connection.execute(runs_table.update().where(runs_table.c.id == run.id).values(spec='{"kind": "fine_tune"}'))
    assert shown(store) == [fine.id]


def test_each_filter_finds_its_runs_and_no_others(store):
    few, many = made(store, FEW, 80), made(store, MANY, 90)
    heads = made(store, HeadSpec(heads=("knn",), data=DataSpec(per_class=None)))
    scratch = made(store, SCRATCH, 60, name="Control <b>")
    sweep = made(store, SweepSpec(methods=("linear_svm", "scratch"), target="fashion_mnist"))
    store.annotate(few.id, note="For the workshop on Monday")
    cases = {
        ("source", "random"): [scratch],
        ("target", "fashion_mnist"): [sweep],
        ("method", "scratch"): [sweep, scratch],
        ("method", "knn"): [heads],
        ("labels", "100"): [sweep, many],
        ("labels", "all"): [heads],
        ("state", "queued"): [sweep, heads],
        ("text", "monday WORKSHOP"): [few],
        ("text", "control <b>"): [scratch],
        ("text", many.id[:8]): [many],
        ("text", "nothing like it"): [],
    }
    for (field, value), found in cases.items():
        assert shown(store, Filter(**{field: value})) == [run.id for run in found], (field, value)
    both = Filter(method="scratch", state="done")
    assert shown(store, both) == [scratch.id]
    assert shown(store, Filter(text="garments"), called={"fashion_mnist": "Garments"}) == [sweep.id]


def test_a_filter_takes_only_short_texts_from_whoever_sends_it():
    junk = {"state": ["done"], "text": "x" * 9999, "labels": None, "source": {"a": 1}, "__class__": "x"}
    assert Filter.of(junk) == Filter(text="x" * 200)
    assert Filter(state="done").asked == {"state": "done"}


def test_what_there_is_to_choose_is_counted(store):
    made(store, FEW, 80)
    made(store, HeadSpec(heads=("knn", "linear_svm"), data=DataSpec(per_class=None)))
    found = facets(store.listing())
    assert found["method"] == {"knn": 1, "linear_svm": 1, "fine_tune": 1}
    assert (found["labels"], found["state"]) == ({"all": 1, "5": 1}, {"queued": 1, "done": 1})


def test_seeds_of_one_setting_are_one_line_with_their_mean_and_band(store):
    runs = [made(store, replace(FEW, seed=seed, data=replace(FEW.data, seed=seed)), 80 + seed) for seed in (0, 1, 2)]
    alone = made(store, MANY, 95)
    (line, group) = lines(store.listing())
    assert (line.head.id, line.is_group, line.accuracy, line.seeds) == (alone.id, False, 0.95, (0,))
    assert line.interval == pytest.approx(wilson(95, 100))
    assert (group.is_group, group.seeds) == (True, (0, 1, 2))
    assert [run.id for run in group.parts] == [run.id for run in reversed(runs)]
    assert group.accuracy == pytest.approx(0.81)
    assert group.interval == pytest.approx(seeds_interval([0.8, 0.81, 0.82], 100))
    low, high = wilson(81, 100)
    assert (
        group.interval and group.interval[0] < low and group.interval[1] > high
    )  # the seeds differ on top of the test's own noise


def test_the_same_seed_twice_is_two_lines_for_it_says_nothing_of_the_draw(store):
    for _again in range(2):
        made(store, FEW, 80)
    assert [line.is_group for line in lines(store.listing())] == [False, False]


def test_a_seed_that_goes_on_makes_the_group_go_on(store):
    made(store, FEW, 80)
    waits = made(store, replace(FEW, seed=1))
    (group,) = lines(store.listing())
    assert (group.state, group.accuracy, [run.id for run in group.going]) == ("queued", 0.8, [waits.id])


def comparison(store: Store, n_right: int = 90):
    """A comparison with the runs of two ways, as the job makes them."""
    whole, parts = store.create(ComparisonSpec()), []
    for spec in (FEW, HeadSpec(heads=("linear_svm",))):
        attempt = store.begin(spec, parent=whole.id)
        parts.append(attempt.run_id)
        store.finish(attempt.run_id, "done", ended(n_right) if spec is FEW else {})
    return whole, parts


def test_a_comparison_is_listed_once_with_its_runs_folded_under_it(store):
    whole, parts = comparison(store)
    alone = made(store, FEW, 80)
    first, line = lines(store.listing())
    assert (first.head.id, first.parts) == (alone.id, ())
    assert (line.head.id, line.is_group, {part.id for part in line.parts}) == (whole.id, False, set(parts))
    store.annotate(parts[0], note="look at this one")
    assert shown(store, Filter(text="look at")) == [whole.id]  # it is found by its run, and shown whole


def test_a_comparison_is_deleted_and_brought_back_with_its_runs(store):
    whole, parts = comparison(store)
    store.delete(parts[0])  # before, by itself
    store.delete(whole.id)
    assert store.listing() == () and store.count() == 0
    store.restore(whole.id)
    assert {entry.id for entry in store.listing()} == {whole.id, parts[1]}
    store.restore(parts[0])
    assert len(lines(store.listing())) == 1


def test_the_list_is_sorted_both_ways_and_what_has_no_value_comes_last(store):
    low, high = made(store, FEW, 70), made(store, MANY, 90)
    waits = made(store, HeadSpec(data=DataSpec(per_class=None)), name="a name")
    orders = {
        ("created", True): [waits, high, low],
        ("created", False): [low, high, waits],
        ("accuracy", True): [high, low, waits],
        ("accuracy", False): [low, high, waits],
        ("labels", False): [low, high, waits],
        ("name", False): [waits, high, low],
    }
    for (by, descending), order in orders.items():
        assert shown(store, by=by, descending=descending) == [run.id for run in order], (by, descending)
    assert len({"state", "took", "seed"} & set(history.SORTS)) == 3


def test_pages_hold_their_lines_and_a_number_out_of_range_is_the_nearest(store):
    found = lines([listing.Entry(id=str(i), number=i) for i in range(60)])
    assert [len(page(found, number, 25)[0]) for number in (1, 2, 3)] == [25, 25, 10]
    assert page(found, 99, 25)[1:] == (3, 3) and page(found, -1, 25)[1:] == (1, 3)


def test_ten_times_as_many_runs_are_listed_in_about_ten_times_the_time(store):
    result = json.dumps(ended(90))
    rows = [
        {"id": f"{i:016x}", "kind": "fine_tune", "spec": to_json(replace(FEW, seed=i % 5, batch_size=1 + i // 5))}
        | {"seed": i % 5, "created": i, "started": i, "finished": i + 1, "state": "done", "result": result}
        for i in range(5_000)
    ]

    def takes_s(more):
        with store._database.writing() as connection:
            connection.execute(runs_table.insert(), more)
        took = []
        for _turn in range(3):
            began = time.process_time()
            found = lines(store.listing(), Filter(state="done", text="digits"), by="accuracy")
            took.append(time.process_time() - began)
        return min(took), len(found)

    few_s, n_few = takes_s(rows[:500])
    many_s, n_many = takes_s(rows[500:])
    assert (n_few, n_many) == (100, 1000)
    assert many_s < 30 * few_s  # where each run looked at every other one, it would be a hundred times


@pytest.mark.slow
def test_ten_thousand_runs_that_wait_are_listed_and_counted_in_less_than_a_second(store):
    rows = [
        {"id": f"{i:016x}", "kind": "fine_tune", "spec": to_json(replace(FEW, seed=i)), "seed": i, "created": i}
        | {"state": "queued", "owner": f"person-{i % 1000}"}
        for i in range(10_000)
    ]
    with store._database.writing() as connection:
        connection.execute(runs_table.insert(), rows)
    store.listing()  # makes the cards
    began = time.process_time()
    entries = store.listing()
    assert time.process_time() - began < 1
    assert len(entries) == len(lines(entries)[0].parts) == 10_000 and entries[0].seed == 9_999
    began = time.process_time()
    assert store.under_way() == dict.fromkeys((row["id"] for row in rows), "queued")
    assert time.process_time() - began < 0.2
    everybodys, ones = _least_s(store.under_way), _least_s(lambda: store.under_way(("person-7", "")))
    assert ones < everybodys / 10 and len(store.under_way(("person-7", ""))) == 10  # it is asked all the time


def _least_s(ask) -> float:
    took = []
    for _turn in range(5):
        began = time.process_time()
        ask()
        took.append(time.process_time() - began)
    return min(took)
