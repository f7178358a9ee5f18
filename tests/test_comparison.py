"""A comparison of ways to learn one task: one place in the queue, one stop, a run for each way, one verdict."""

import json
import time
from dataclasses import replace

import pytest

from tlcore import cli, datasets, jobs, sources, training
from tlcore.errors import SpecError
from tlcore.evidence import recorded_comparison, ways
from tlcore.jobs import compare_heads
from tlcore.jobs.execution import execute
from tlcore.jobs.reporter import Reporter
from tlcore.recipes import comparison, scratch_control
from tlcore.spec import ComparisonSpec, DataSpec, FineTuneSpec, HeadSpec, Phase, Way
from tlcore.store import Store
from tlcore.training.course import Course
from tlcore.training.loop import Loop

SMALL = ComparisonSpec(FineTuneSpec(data=DataSpec(per_class=3), phases=(Phase(4, ("conv_1", "conv_2")),)))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A store with one comparison that ran whole, of a person's."""
    store = Store(tmp_path_factory.mktemp("lab"))
    run = store.create(SMALL, owner="somebody")
    execute(run.id, str(store.folder))
    return store, store.get(run.id)


@pytest.fixture(scope="module")
def alone(lab):
    """Its way on kept features once more, as a run of its own."""
    store, _run = lab
    run = store.create(comparison.lanes(SMALL)["linear_svm"])
    execute(run.id, str(store.folder))
    return store.get(run.id).result


@pytest.fixture(autouse=True, scope="module")
def few_test_images():
    """Five hundred of the five thousand test images: nothing here counts on more."""
    load = datasets.load

    def few(spec):
        data = load(spec)
        return replace(data, x_test=data.x_test[:500], y_test=data.y_test[:500])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "load", few)
        yield


def test_every_way_has_the_run_that_it_would_have_alone():
    lanes = comparison.lanes(SMALL)
    assert list(lanes) == ["fine_tune", "linear_svm", "scratch"]
    assert lanes["fine_tune"] == SMALL.tuning and lanes["scratch"] == scratch_control(SMALL.tuning)
    assert lanes["linear_svm"] == HeadSpec(data=SMALL.data, heads=("linear_svm",), curves=False)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ways": ("scratch",)}, "A comparison needs at least 2 ways. Received: 1."),
        ({"ways": ("scratch", "magic")}, "There is no way 'magic'"),
        ({"tuning": replace(SMALL.tuning, source="random", phases=(Phase(4),))}, "random has learned nothing"),
        ({"layer": "nowhere"}, "nowhere"),
    ],
)
def test_what_is_no_comparison_is_refused_in_one_sentence(changes, sentence):
    with pytest.raises(SpecError, match=sentence):
        jobs.check(replace(SMALL, **changes))


@pytest.mark.keras
def test_its_ways_are_runs_of_the_same_person_with_everything_that_a_run_has(lab):
    store, run = lab
    assert run.state == "done" and run.result.complete
    trained = ways.trained(run.result, store)
    assert [each.way.name for each in trained] == list(SMALL.ways)
    for each, spec in zip(trained, comparison.lanes(SMALL).values(), strict=True):
        assert (each.run.spec, each.run.state, each.run.owner) == (spec, "done", "somebody")
        assert each.run.accuracy == each.way.accuracy
        assert each.way.learn_s > 0
    assert trained[0].run.result.proof and trained[1].run.result.heads


@pytest.mark.keras
def test_its_chart_has_each_ways_validation_and_at_the_end_its_test(lab):
    store, run = lab
    points = [point for _, point in store.points(run.id)]
    for way in ("fine_tune", "scratch"):
        assert [point.x for point in points if (point.head, point.part) == (way, "validation")] == [1, 2, 3, 4]
    tests = {point.head: (point.x, point.accuracy) for point in points if point.part == "test"}
    assert tests == {way.name: (4, way.accuracy) for way in run.result.ways}


@pytest.mark.keras
def test_features_that_were_kept_count_as_long_as_they_took_then(alone):
    assert alone.from_cache
    assert alone.learn_s > alone.rows[0].fit_s


@pytest.mark.keras
def test_every_way_counts_the_seconds_of_all_processors_and_kept_features_as_many_as_they_took(lab, alone):
    store, run = lab
    ways_of = {way.name: way for way in run.result.ways}
    assert all(0 < way.cpu_s < 4 * way.learn_s + 1 for way in ways_of.values())
    assert ways.counted(ways_of.values()) and not ways.counted([*ways_of.values(), Way("old", "", learn_s=1.0)])
    for name, way in ways_of.items():
        assert store.get(way.run).result.cpu_s == way.cpu_s, name
    assert alone.from_cache and alone.cpu_s > alone.rows[0].fit_cpu_s > 0
    (table,) = jobs.of(SMALL).report(run.result, store.folder)
    assert str(table.heads[3]) == "processor s" and all(float(row[3]) > 0 for row in table.rows)


def test_processor_seconds_are_told_where_all_have_them():
    cpu = {"SVM": Way("svm", "", learn_s=9.0, cpu_s=1.0), "Scratch": Way("scratch", "", learn_s=1.0, cpu_s=21.0)}
    assert str(ways.saving(cpu)) == "SVM learned in 1.00 processor seconds, Scratch in 21.00: 21 times as fast."
    old = {**cpu, "Scratch": replace(cpu["Scratch"], cpu_s=0.0)}
    assert str(ways.saving(old)).startswith("Scratch learned in 1.00 s, SVM in 9.00 s")


def test_features_that_an_older_version_kept_leave_the_processor_seconds_open():
    course = Course(phase=1, notes={"1": {"reason": "", "from_cache": [], "seconds": 0.0, "learn_s": 1.0}})
    assert course._cpu_s() is None
    assert Course(notes={"1": {"cpu_s": None}})._cpu_s() == 0 and Course(notes={"1": {"cpu_s": 1.5}})._cpu_s() == 1.5
    assert [compare_heads._together(*each) for each in ((0.0, 1.0, True), (1.0, 1.0, False), (0.0, 1.0, False))] == [
        1.0,
        2.0,
        0.0,
    ]


@pytest.mark.keras
def test_waiting_for_others_counts_as_seconds_but_not_as_processor_seconds(monkeypatch):
    compiled = Loop._compiled

    def waiting(self):
        run = compiled(self)
        return lambda *given: (time.sleep(0.5), run(*given))[1]

    monkeypatch.setattr(Loop, "_compiled", waiting)
    data = datasets.load(SMALL.data)
    fitted = training.fit(sources.load("digits_0_4", n_classes=5), data, SMALL.tuning)
    assert fitted.learn_s > 2.0 and 0 < fitted.cpu_s < fitted.learn_s - 1.0


@pytest.mark.keras
def test_the_verdict_names_the_images_and_what_a_tie_saves(lab):
    store, run = lab
    assert str(ways.verdict(run, store)).startswith("With these 15 images")
    assert ways.verdict(replace(run, result=replace(run.result, n_planned=4)), store) is None
    assert ways.saving({"SVM": Way("svm", "", learn_s=1.0), "Scratch": Way("scratch", "", learn_s=1.2)}) is None


@pytest.mark.keras
def test_a_whole_comparison_is_recorded_and_read_as_it_was(lab, tmp_path):
    store, run = lab
    card = recorded_comparison.load(recorded_comparison.write(run, store, tmp_path / "comparison.json"))
    assert card.spec == SMALL and len(card.points) == len(list(store.points(run.id)))
    assert {name: accuracy for name, (accuracy, _low, _high) in card.tests.items()} == {
        way.name: pytest.approx(way.accuracy, abs=1e-6) for way in run.result.ways
    }
    assert str(card.headline).startswith("With these 15 images")
    with pytest.raises(SpecError, match="Only a whole comparison can be recorded"):
        recorded_comparison.write(replace(run, result=replace(run.result, n_planned=4)), store, tmp_path / "no.json")


@pytest.mark.keras
def test_a_stop_ends_the_way_that_trains_and_begins_no_other(store, monkeypatch):
    run = store.create(replace(SMALL, tuning=replace(SMALL.tuning, phases=(Phase(60, ("conv_1", "conv_2")),))))
    told = Reporter.on_metric

    def stop_at_first(self, point):
        told(self, point)
        if self.run_id == run.id:
            store.request_stop(run.id)
            self.flush()

    monkeypatch.setattr(Reporter, "on_metric", stop_at_first)
    execute(run.id, str(store.folder))
    run = store.get(run.id)
    assert run.state == "stopped" and not run.result.complete
    (way,) = run.result.ways
    trained = store.get(way.run)
    assert trained.state == "stopped" and trained.result.epochs < 60
    assert store.count(states=("queued", "running")) == 0


@pytest.mark.keras
def test_a_comparison_whose_process_was_lost_keeps_what_had_ended_and_goes_on(store, monkeypatch):
    run = store.create(SMALL)
    begin = Store.begin

    def lose_the_second(self, spec, **about):
        if isinstance(spec, HeadSpec):
            begin(self, spec, **about)
            raise KeyboardInterrupt
        return begin(self, spec, **about)

    monkeypatch.setattr(Store, "begin", lose_the_second)
    with pytest.raises(KeyboardInterrupt):
        execute(run.id, str(store.folder))
    monkeypatch.setattr(Store, "begin", begin)
    for lost in store.list(states=("running",)):
        assert store.requeue(lost.id, lost=True)
    (first,) = store.get(run.id).result.ways
    execute(run.id, str(store.folder))
    run = store.get(run.id)
    assert run.state == "done" and run.result.ways[0] == first
    assert [way.name for way in run.result.ways] == list(SMALL.ways)


def test_who_waits_behind_a_comparison_waits_for_one_process(store):
    parent, waiting = store.create(SMALL), store.create(SMALL)
    assert store.claim(parent.id)
    store.begin(SMALL.tuning)
    assert store.ahead(waiting.id) == 1


@pytest.mark.keras
def test_the_command_line_compares_and_says_the_verdict(tmp_path, capsys):
    flags = ["--home", str(tmp_path), "compare", "--per-class", "2", "--epochs", "2", "--ways", "linear_svm,knn"]
    assert cli.main(flags) == 0
    said = capsys.readouterr().out
    assert "linear_svm" in said and "knn" in said and "With these 10 images" in said
    assert cli.main([*flags, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [way["name"] for way in told["result"]["ways"]] == ["linear_svm", "knn"]
