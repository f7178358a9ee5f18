"""Every page, run without a browser: on an empty store, with runs in every state, and when the store is broken.

The lab is real but for its processes: a run is stored, and nothing executes it unless the test does.
"""

import ast
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from pages.runs_list import rows
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.scriptrunner import exec_code
from streamlit.testing.v1 import AppTest, app_test
from tiny_results import fine_tuned

from pages.ui.components import film, layer_picker
from pages.ui.evidence import savings as savings_view
from pages.ui.frame import complain
from pages.ui.runs import fine_tune
from pages.ui.session import state
from server import live
from tlcore import prediction
from tlcore.engine import Status
from tlcore.engine.forecast import Forecast
from tlcore.errors import DataError, TrainingError
from tlcore.evaluation import evaluate
from tlcore.evidence import recorded_cuts
from tlcore.inspection import lesson
from tlcore.jobs import execution as worker
from tlcore.lab import Lab
from tlcore.people import Person
from tlcore.prediction.serving import Serving
from tlcore.prediction.what_if import Answer, Cuts, CutScores, Move, WhatIf
from tlcore.recipes import break_it, race, scratch_control
from tlcore.recipes.break_it import BREAKS
from tlcore.sentences import NOTHING, Sentence, percent
from tlcore.spec import DataSpec, Evaluation, FineTuneSpec, HeadSpec, MetricPoint, Phase, Progress, ProofRow
from tlcore.store import Store
from tlcore.store.connection import connect

ROOT = Path(__file__).resolve().parents[2]
ME = Person("0" * 32)
NAMES = (
    "home", "layers", "train", "race", "heads", "draw", "runs", "evidence", "how_it_works", "break_it", "data", "room",
)  # fmt: skip
WITHOUT_RUNS = ("teach", "lesson_plans")  # they ask the store for nothing, and go on whatever becomes of it

# For each AppTest Streamlit reads the metadata of every installed package, and each run compiles its page again: a
# third of the time of these tests. A server does both once, and so do they.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)
app_test.ScriptCache = cache(app_test.ScriptCache)


class Line:
    """An engine without workers: it takes runs and leaves them in the store."""

    def __init__(self, store: Store):
        self.store, self.submitted = store, []

    def submit(self, run_id):
        self.submitted.append(run_id)

    def stop(self, run_id):
        self.store.request_stop(run_id)

    def status(self):
        return Status(n_workers=2, busy=0, queued=self.store.count(states=("queued",)), alive=True)

    def close(self):
        pass


@pytest.fixture
def lab(tmp_path, monkeypatch):
    store = Store(tmp_path / "lab")
    found = Lab(store.folder, store, Line(store), Serving(store.folder), WhatIf(store.folder))
    monkeypatch.setattr(found.what_if, "soon", lambda question, wait_s=0.0: None)  # never done: no process is started
    monkeypatch.setattr(state, "lab", lambda: found)
    monkeypatch.setattr(state, "person", lambda: ME)
    return found


FOLDS = {"program": True} | {f"researchers_{part}": True for part in ("savings", "claims", "meter", "hands")}


def of_run(run) -> dict[str, bool]:
    """Return what opens the folds of a run, whose content is made when they are open, as that of ``FOLDS``."""
    return {f"shown_code_{run.id}": True, f"json_{run.id}": True}


def opened(name: str, **session) -> AppTest:
    """Open a page as an address does: first of all."""
    app = AppTest.from_file(str(ROOT / "pages" / "menu.py"), default_timeout=60)
    for key, value in session.items():
        app.session_state[key] = value
    return (app if name == "home" else app.switch_page(f"{name}.py")).run()


def words(app: AppTest) -> str:
    kinds = (
        app.markdown,
        app.caption,
        app.info,
        app.error,
        app.warning,
        app.success,
        app.title,
        app.header,
        app.subheader,
    )
    return "\n".join(element.value for kind in kinds for element in kind)


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    assert "Something went wrong" not in words(app)
    return app


def finished(store: Store, result: dict, state: str = "done", spec=None, error: str = ""):
    run = store.create(spec or FineTuneSpec(), owner=ME.id)
    assert (attempt := store.claim(run.id))
    attempt.add_points([MetricPoint("train", 1.0, 0.5, 0.8), MetricPoint("validation", 1.0, 0.6, 0.75)])
    store.finish(run.id, state, result, Sentence(error))
    return store.get(run.id)


SCORE = asdict(evaluate(np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0]), 2))
TUNED = fine_tuned(
    SCORE,
    proof=[{"phase": 1, "layer": "conv_1", "frozen": True, "before": "a", "after": "a", "ok": True}],
    files={"model.keras": {"sha256": "0" * 64, "bytes": 3}},
)
ROW = {
    "head": "linear_svm",
    "input": "features",
    "seed": 0,
    **SCORE,
    "fit_s": 1.0,
    "ms_per_image": 0.1,
    "mb": 0.1,
    "n_features": 1600,
    "file": "heads/linear_svm-features.skops",
}
LINE = {
    "head": "linear_svm",
    "input": "features",
    "n_seeds": 1,
    "mean": 0.75,
    "sd": None,
    "error": 0.1,
    "best": True,
    "fit_s": 1.0,
    "ms_per_image": 0.1,
    "mb": 0.1,
    "n_features": 1600,
}
COMPARED = {
    "rows": [ROW],
    "table": [LINE],
    "extract_s": 1.0,
    "n_features": 1600,
    "features_mb": 2.0,
    "n_trained": 10,
    "layer": "flatten",
    "class_names": ["5", "6"],
    "files": {},
}


@pytest.mark.parametrize("name", [*NAMES, *WITHOUT_RUNS])
def test_every_page_opens_on_an_empty_store(lab, name):
    app = sound(opened(name))
    assert app.title[0].value


@contextmanager
def broken(store: Store):
    """Put a damaged file under a store in use, and the good one back."""
    path, good = store.folder / "damaged.db", store._database.engine
    path.write_bytes(b"no database at all " * 500)
    store._database.engine = connect(f"sqlite:///{path}")
    yield
    store._database.engine = good


@pytest.mark.grid(3)
@pytest.mark.parametrize("name", NAMES)
def test_a_page_says_that_the_store_failed_under_it_and_works_again(lab, name):
    run = finished(lab.store, TUNED)
    app = sound(opened(name, run_ft=run.id, run_run=run.id, started=(run.id,), **FOLDS, **of_run(run)))
    before = words(app)
    with broken(lab.store):
        sound(app.run())
        assert "lab.db is damaged" in words(app) and "runs recover" in words(app)
    sound(app.run())
    assert "lab.db is damaged" not in words(app) and words(app) == before


@pytest.mark.slow
@pytest.mark.grid(4)
@pytest.mark.parametrize("name", NAMES)
def test_every_button_says_that_the_store_failed_under_it(lab, name, monkeypatch):
    handle = exec_code.handle_user_script_exception  # errors of callbacks: app.py hands them to complain
    monkeypatch.setattr(exec_code, "handle_user_script_exception", lambda error, _: handle(error, complain))
    monkeypatch.setattr(Serving, "follow", lambda self, item, names, *_: [dict.fromkeys(names, "late")])  # of a sample
    run = finished(lab.store, TUNED)
    session = {"run_ft": run.id, "run_run": run.id, "started": (run.id,), **FOLDS, **of_run(run)}
    app = sound(opened(name, **session))
    for key in [button.key for button in app.button if not button.disabled]:
        if key not in [button.key for button in app.button]:  # the last one led to another page
            app = sound(opened(name, **session))
        with broken(lab.store):
            sound(app.button(key=key).click().run())
            assert "lab.db is damaged" in words(app), key
        sound(app.run())


@pytest.mark.grid(5)
@pytest.mark.parametrize("name", ["runs", "train"])
@pytest.mark.parametrize(
    "kind", ["queued", "running", "done", "stopped", "stopped early", "failed", "heads", "heads failed"]
)
def test_a_run_in_every_state_is_shown(lab, name, kind):
    store = lab.store
    if kind in ("queued", "running"):
        run = store.create(FineTuneSpec())
        if kind == "running":
            store.claim(run.id)
    elif kind == "heads":
        run = finished(store, COMPARED, spec=HeadSpec())
    elif kind == "heads failed":
        run = finished(store, {}, "failed", HeadSpec(curves=False), "Too little memory. Take fewer images.")
    else:
        result = TUNED if kind in ("done", "stopped") else {}
        run = finished(store, result, kind.split()[0], error="The loss rose. Try 0.001." if kind == "failed" else "")
    app = opened(name, run_run=run.id, run_ft=run.id, **FOLDS, **of_run(run))
    if run.result.network:  # noted, and not on the disk
        assert "is missing. Train it again." in words(app)
    else:
        sound(app)
    if kind in ("done", "stopped"):
        assert app.metric[0].value == "75.0 %"
    if kind == "heads failed":
        assert "Take fewer images." in words(app)


def test_a_comparison_that_waits_says_how_many_come_before_it(lab):
    lab.store.create(FineTuneSpec())
    for before in ("1 run comes before this one", "2 runs come before this one"):
        run = lab.store.create(HeadSpec(curves=False))
        assert before in words(opened("heads", run_cmp=run.id))


@pytest.mark.parametrize(("wait_s", "told"), [(None, None), (0.0, None), (0.4, None), (12.0, 12.0)])
def test_a_wait_of_under_a_second_is_told_as_none(lab, monkeypatch, wait_s, told):
    lab.store.create(FineTuneSpec())
    run = lab.store.create(HeadSpec(curves=False))
    monkeypatch.setattr(Forecast, "wait_s", lambda forecast, run_id: wait_s)
    said = words(opened("heads", run_cmp=run.id))
    assert (
        "It starts by itself, in about 12 s." if told else "It starts by itself."
    ) in said and "about 0 s" not in said
    assert live.payload("queued", Progress(), [], ahead=1, wait_s=wait_s)["wait_s"] == told


def test_a_comparison_that_runs_meanwhile_is_no_longer_said_to_wait(lab):
    lab.store.create(FineTuneSpec())
    run = lab.store.create(HeadSpec(curves=False))
    app = opened("heads", run_cmp=run.id)
    assert "Waiting: 1 run comes before this one" in words(app)
    attempt = lab.store.claim(run.id)
    attempt.beat(Progress(1, 6, Sentence("Linear SVM"), left_s=4.0))
    app.run()
    assert "aiting" not in words(app)


def test_lanes_without_a_result_do_not_say_that_they_wait(lab):
    spec = FineTuneSpec()
    slots = {"run_ft": lab.store.create(spec).id, "run_scratch": lab.store.create(scratch_control(spec)).id}
    for run_id in slots.values():
        lab.store.claim(run_id)
    said = words(sound(opened("train", **slots)))
    assert "No result yet." in said and "Waiting" not in said


def test_a_stopped_training_says_how_far_it_came(lab):
    run = finished(lab.store, {**TUNED, "files": {}, "epochs": 7.6, "n_epochs": 60, "stopped": True}, "stopped")
    assert "Stopped after 7.6 of 60 epochs" in words(opened("runs", run_run=run.id))
    run = finished(lab.store, {**COMPARED, "n_planned": 6}, "stopped", HeadSpec(curves=False))
    assert "Stopped after 1 of 6 heads" in words(opened("heads", run_cmp=run.id))


def test_start_makes_a_run_of_the_draft_and_hands_it_to_the_engine(lab):
    app = opened("train", per_class=50, epochs=3, seed=7)
    app.button(key="start_ft").click().run()
    (run,) = lab.store.list()
    assert lab.engine.submitted == [run.id]
    assert (run.spec.epochs, run.spec.data.per_class, run.seed) == (3, 50, 7)
    assert run.spec.phases[0].frozen == ("conv_1", "conv_2")


def test_the_control_differs_from_the_draft_in_source_and_freezing_only(lab):
    app = opened("train")
    app.button(key="start_ft").click().run()
    app.button(key="start_scratch").click().run()
    control, draft = (run.spec for run in lab.store.list())
    assert (control.source, control.phases[0].frozen) == ("random", ())
    assert replace(control, source=draft.source, phases=draft.phases) == draft


def test_the_control_is_drawn_over_the_fine_tuning_it_belongs_to_and_over_no_other(lab):
    app = opened("train")
    app.button(key="start_ft").click().run()
    app.button(key="start_scratch").click().run()
    tuned, control = app.session_state["run_ft"], app.session_state["run_scratch"]
    assert [run.id for run in lab.store.list()] == [control, tuned]
    app.number_input(key="seed").set_value(4).run()
    app.button(key="start_scratch").click().run()
    assert app.session_state["run_ft"] is None and app.session_state["run_scratch"] not in (None, control)
    app.button(key="start_ft").click().run()
    assert app.session_state["run_ft"] and app.session_state["run_scratch"]
    app.number_input(key="epochs").set_value(3).run()
    app.button(key="start_ft").click().run()
    assert app.session_state["run_ft"] and app.session_state["run_scratch"] is None


def test_a_finished_pair_shows_both_results_and_whether_the_lead_is_noise(lab):
    slots = {}
    for slot, right in (("run_ft", 960), ("run_scratch", 900)):
        labels = np.arange(1000) % 2
        score = asdict(evaluate(labels, np.where(np.arange(1000) < right, labels, 1 - labels), 2))
        many = FineTuneSpec(data=DataSpec(per_class=200))
        spec = many if slot == "run_ft" else scratch_control(many)
        slots[slot] = finished(lab.store, {**TUNED, "files": {}, "test": score}, spec=spec).id
    app = sound(opened("train", **slots))
    assert "repeat_lanes" not in {button.key for button in app.button}
    assert [(metric.label, metric.value) for metric in app.metric[:2]] == [
        ("Fine-tuning", "96.0 %"),
        ("From scratch", "90.0 %"),
    ]
    assert "Fine-tuning is better than From scratch\\: 96.0 % against 90.0 %" in words(app)
    assert "Other training images may give a different order." in words(app)


def test_with_few_labels_a_pair_is_repeated_with_five_seeds_before_one_is_called_better(lab):
    spec, labels = FineTuneSpec(data=DataSpec(per_class=5)), np.arange(1000) % 2

    def trained(spec, right):
        score = asdict(evaluate(labels, np.where(np.arange(1000) < right, labels, 1 - labels), 2))
        return finished(lab.store, {**TUNED, "files": {}, "test": score}, spec=spec)

    slots = {"run_ft": trained(spec, 960).id, "run_scratch": trained(scratch_control(spec), 800).id}
    app = sound(opened("train", **slots))
    assert "With these 10 images Fine-tuning got more right than From scratch" in words(app)
    assert "Only more seeds can tell which method is better." in words(app)
    app.button(key="repeat_lanes").click().run()
    queued = [run for run in lab.store.list() if run.state == "queued"]
    assert sorted((run.spec.source, run.seed, run.spec.data.seed) for run in queued) == [
        (source, seed, seed) for source in ("digits_0_4", "random") for seed in (1, 2, 3, 4)
    ]
    assert "8 repetitions are still to come." in words(sound(app))
    for run in queued:
        lab.store.claim(run.id)
        score = asdict(evaluate(labels, np.where(np.arange(1000) < 950 - run.seed, labels, 1 - labels), 2))
        lab.store.finish(run.id, "done", {**TUNED, "files": {}, "test": score})
    app = sound(opened("train", **slots))
    assert "A tie\\: Fine-tuning" in words(app) and "over 5 seeds" in words(app)
    assert "repeat_lanes" not in {button.key for button in app.button}


def test_the_articles_recipe_has_no_control_for_it_starts_from_scratch_itself(lab):
    app = opened("train", recipe="article")
    assert "start_scratch" not in {button.key for button in app.button}


def test_a_race_starts_its_lanes_as_watched_runs_that_differ_in_one_thing(lab):
    app = opened("race", per_class=5, seed=3, race_lanes=("nothing", "all_but_head", "scratch"))
    app.button(key="start_race").click().run()
    runs = [lab.store.get(app.session_state[f"run_lane{number}"]) for number in (1, 2, 3)]
    assert [run.spec.phases[0].frozen for run in runs] == [(), ("conv_1", "conv_2", "dense_1"), ()]
    assert [run.spec.source for run in runs] == ["digits_0_4", "digits_0_4", "random"]
    assert {(run.spec.film, run.seed, run.spec.data.per_class) for run in runs} == {(True, 3, 5)}
    assert sorted(lab.engine.submitted) == sorted(run.id for run in runs)
    assert app.session_state["run_lane4"] is None
    sound(app)


@pytest.mark.parametrize("chosen", [("nothing",), (), race.LANES, ("convolutions", "draft")])
def test_a_race_that_cannot_be_run_says_why_and_has_no_start(lab, chosen):
    app = sound(opened("race", race_lanes=chosen))
    assert app.button(key="start_race").disabled
    assert "A race has from 2 to 4 lanes" in words(app) or "would be the same run" in words(app)


def test_a_guess_starts_the_mistake_and_one_healthy_twin_for_all_cards(lab):
    app = opened("break_it", seed=5)
    for name in ("labels", "scaling"):
        app.button(key=f"guess_{name}_worse").click().run()
    specs = [run.spec for run in reversed(lab.store.list())]
    assert specs == [break_it.healthy(5), break_it.broken("labels", 5), break_it.broken("scaling", 5)]
    sound(app)


@pytest.mark.parametrize(
    ("guess", "drop", "said"),
    [
        ("worse", 0.9, "**You guessed it.** The test accuracy fell by 90.0 points."),
        ("same", 0.9, "**You guessed: it learns just as well.** The test accuracy fell by 90.0 points."),
        ("same", 0.01, "**You guessed it.** Within 1.0 points of its healthy twin."),
        ("ended", None, "**You guessed it.** Training broke down and stopped: The loss rose."),
        (None, 0.9, "The test accuracy fell by 90.0 points."),
    ],
)
def test_a_card_keeps_its_answer_until_a_guess_is_made_and_says_whether_it_was_right(lab, guess, drop, said):
    assert "Test accuracy falls by at least **" not in words(opened("break_it"))
    name = "learning_rate" if drop is None else "labels"
    twin = finished(lab.store, {**TUNED, "test": {**SCORE, "accuracy": 0.95}}, spec=break_it.healthy())
    if drop is None:
        run = finished(lab.store, {}, "failed", break_it.broken(name), "The loss rose.")
    else:
        run = finished(lab.store, {**TUNED, "test": {**SCORE, "accuracy": 0.95 - drop}}, spec=break_it.broken(name))
    chosen = {f"run_break_{name}": run.id, f"break_guess_{name}": guess}
    app = sound(opened("break_it", run_break_healthy=twin.id, **chosen))
    assert said in words(app) and "test accuracy falls by at least **" in words(app).lower()
    assert ("**This time it turned out differently.**" in words(app)) == (drop == 0.01)


def test_the_card_of_the_forgotten_compile_shows_the_proof_that_nothing_moved(lab):
    twin = finished(lab.store, {**TUNED, "test": {**SCORE, "accuracy": 0.95}}, spec=break_it.healthy())
    row = {"phase": 2, "layer": "dense_1", "frozen": False, "before": "a", "after": "a", "ok": False, "compiled": False}
    result = {**TUNED, "test": {**SCORE, "accuracy": 0.6}, "proof": [row]}
    run = finished(lab.store, result, spec=break_it.broken("recompile"))
    app = sound(opened("break_it", run_break_healthy=twin.id, run_break_recompile=run.id))
    said = words(app).replace("\\", "")
    assert "dense_1 should have trained but did not change" in said and "Proof failed" not in said
    assert "`dense_1` does not move at all." in said and "turned out differently" not in said


def test_broken_runs_are_neither_the_last_accuracy_nor_among_the_models_that_answer(lab):
    good = finished(lab.store, TUNED, spec=break_it.healthy())
    bad = [
        finished(lab.store, {**TUNED, "test": {**SCORE, "accuracy": 0.1}}, spec=break_it.broken(name))
        for name in BREAKS
    ]
    app = opened("runs", started=(good.id, *(run.id for run in bad)))
    assert "last accuracy 75.0 % (30.1 – 95.4 %)" in words(app)
    infos = prediction.available([*reversed(bad), good])
    assert len([info for info in infos if info.kind == "run"]) == 1 + len(bad)
    assert [name for name in prediction.first_choice(infos) if name.startswith("run:")] == [f"run:{good.id}"]


def test_the_list_of_runs_has_every_accuracy_with_its_interval(lab):
    finished(lab.store, TUNED)
    finished(lab.store, COMPARED, spec=HeadSpec())
    listed = [row["interval"] for row in rows(opened("runs"))]
    assert listed == ["(55.4 – 94.6 %)", "(30.1 – 95.4 %)"]  # the first is the mean's of a comparison


def test_the_table_of_heads_has_intervals_what_the_backbone_costs_and_what_the_other_labels_are_for(lab):
    alone = {"ms_per_image": 0.125, "mb": 0.5}
    result = {**COMPARED, "table": [{**LINE, **alone}], "backbone_ms": 0.25, "backbone_mb": 2.0}
    run = finished(lab.store, result, spec=HeadSpec(heads=("linear_svm",), data=DataSpec(per_class=5)))
    app = sound(opened("heads", run_cmp=run.id))
    table = next(table.value for table in app.dataframe if "head" in table.value)
    assert table["95 % interval"].tolist() == ["55.4 – 94.6 %"]
    assert table["ms per image"].tolist() == [0.375] and table["head alone, ms"].tolist() == [0.125]
    assert table["MB"].tolist() == [2.5] and table["head alone, MB"].tolist() == [0.5]
    assert "Another 1,000 labelled images are for validation" in words(app)


def test_a_training_that_was_rounded_says_so_beside_its_numbers_and_the_seed_says_when_it_is(lab):
    rounded, exact = (finished(lab.store, {**TUNED, "bfloat16": rounded}) for rounded in (True, False))
    said = "computed in bfloat16. On a processor without it, the same seed gives slightly different numbers."
    assert said in words(opened("runs", run_run=rounded.id))
    app = opened("train", run_ft=exact.id)
    assert said not in words(app)
    assert "one that has bfloat16 computes frozen layers in it" in app.number_input(key="seed").help


def test_how_it_works_shows_the_recorded_run_first_and_takes_the_step_of_the_chosen_rate(lab):
    app = sound(opened("how_it_works"))
    known = lesson.recorded()
    assert "Recorded on" in words(app) and len(app.latex) == 6
    app.select_slider(key="lesson_rate").set_value(0.1).run()
    after = known.losses[lesson.RATES.index(0.1)]
    metric = next(metric for metric in app.metric if metric.label == "Loss after")
    assert (metric.value, metric.delta) == (f"{after:.3f}", f"{after - known.loss:+.3f}")


def in_order(block):
    """Yield every element of a page from top to bottom."""
    for child in block.children.values():
        yield from in_order(child) if hasattr(child, "children") else [child]


def test_on_how_it_works_a_picture_stands_before_every_formula(lab):
    kinds = [element.type for element in in_order(sound(opened("how_it_works")).main)]
    sections = " ".join(kinds).split("header")[1:]
    pictures = ("plotly_chart", "bidi_component")
    assert len(sections) == 5
    for section in sections:
        before, formula, _after = section.partition("latex")
        assert formula and any(kind in before for kind in pictures), section


def test_how_it_works_offers_finished_fine_tunings_and_falls_back_where_one_cannot_be_read(lab, monkeypatch):
    run = finished(lab.store, TUNED)
    finished(lab.store, COMPARED, spec=HeadSpec())
    asked = []

    def refuse(*question):
        asked.append(question)
        raise DataError("The file {name} is missing. Train it again.", name="model.keras")

    monkeypatch.setattr(lab.what_if, "ask", refuse)
    app = opened("how_it_works")
    assert len(app.selectbox(key="lesson_run").options) == 2
    app.selectbox(key="lesson_run").set_value(run.id).run()
    assert "is missing. Train it again" in words(sound(app)) and asked[0][1] == run.id
    assert f"{lesson.recorded().loss:.3f}" in [metric.value for metric in app.metric]


def test_more_lanes_than_run_at_a_time_are_said_to_wait_and_why(lab):
    assert "This server trains 2 at a time" in words(opened("race"))
    assert "at a time" not in words(opened("race", race_lanes=("nothing", "scratch")))
    lab.store.create(FineTuneSpec())
    run = lab.store.create(HeadSpec(curves=False))
    assert "before this one. This server runs 2 at a time." in words(opened("heads", run_cmp=run.id))


def test_choices_that_do_not_fit_on_a_line_go_on_on_the_next():
    """On a phone one line holds eight numbers; what is beyond it would be cut off."""
    for path in [*(ROOT / "pages").glob("*.py"), *(ROOT / "pages" / "ui").rglob("*.py")]:
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") in ("pills", "segmented_control"):
                assert any(keyword.arg == "wrap" for keyword in call.keywords), f"{path.name}, line {call.lineno}"


def test_the_articles_recipe_is_not_raced(lab):
    app = sound(opened("race", recipe="article"))
    assert app.button(key="start_race").disabled
    app.button(key="one_phase").click().run()
    assert not app.button(key="start_race").disabled


def test_the_articles_recipe_is_started_whole(lab):
    app = opened("train", recipe="article")
    app.button(key="start_ft").click().run()
    (run,) = lab.store.list()
    assert [(phase.epochs, phase.frozen) for phase in run.spec.phases] == [(5, ()), (5, ("conv_1",))]
    assert (run.spec.data.split, run.spec.data.per_class, run.spec.optimizer) == ("article", None, "rmsprop")


def test_a_spec_that_cannot_run_is_refused_with_its_sentence(lab):
    app = opened("train", frozen=("conv_1", "conv_2", "dense_1", "dense_2"))
    app.button(key="start_ft").click().run()
    assert "nothing would train" in words(app) and not lab.store.count()


def test_numbers_out_of_range_cannot_be_entered(lab):
    app = opened("train")
    for key, low, high in (("epochs", 1, 100), ("batch_size", 1, 4096), ("seed", 0, 2**31 - 1)):
        field = app.number_input(key=key)
        assert (field.min, field.max) == (low, high)
    assert app.number_input(key="per_class").max <= 5421  # no class of digits 5 to 9 has more


def test_choices_survive_a_visit_to_another_page(lab):
    app = opened("train")
    app.number_input(key="per_class").set_value(20).run()
    app.selectbox(key="target").set_value("mnist").run()
    app.switch_page("draw.py").run().switch_page("train.py").run()
    assert app.number_input(key="per_class").value == 20 and app.selectbox(key="target").value == "mnist"
    assert "20 per class" in words(app)


def test_a_preset_freezes_what_it_says(lab):
    app = opened("layers")
    app.button(key="preset_article").click().run()
    assert "121,285 of 121,605 weights will train" in words(app)
    app.button(key="preset_all_but_head").click().run()
    assert "325 of 121,605 weights will train" in words(app)


def test_the_layer_tables_sums_are_the_networks_own(lab):
    app = opened("layers")
    frame = next(table.value for table in app.dataframe if "weights" in table.value)
    assert frame["weights"].sum() == 121_605 and frame["share"].sum() == pytest.approx(100)
    assert list(frame["state"][:2]) == ["frozen", "– nothing to freeze"]


def test_the_forecast_counts_the_network_that_will_train_with_its_new_head(lab):
    app = opened("layers", target="mnist")
    app.button(key="preset_article").click().run()
    assert "121,610 of 121,930 weights will train" in words(app)
    assert "dense_2 is new: it has an output for each of the 10 classes of MNIST digits 0-9." in words(app)
    frame = next(table.value for table in app.dataframe if "weights" in table.value)
    assert frame["weights"].sum() == 121_930
    app.switch_page("train.py").run()
    assert "121,610 of 121,930 weights train" in words(app)


def test_layers_tells_compute_of_a_step_and_of_a_whole_training_apart(lab):
    app = opened("layers", epochs=10)
    (sentence,) = [each for each in app.markdown if "weights will train" in each.value]
    assert "64 % less compute, 10 epochs 16.5 times less" in sentence.value
    assert "multiplications for one training image" in sentence.help
    assert "The claims on the Evidence page count it the same way." in sentence.help  # a whole training
    assert "No compute is saved" in words(opened("layers", frozen=()))


def scores(cuts, **accuracies):
    tests = [(name, Evaluation(a, a - 0.01, a + 0.01, 2000, ())) for name, a in accuracies.items()]
    return CutScores(cuts, (("", Evaluation(0.85, 0.84, 0.86, 2000, ())), *tests), 25, 1.0)


def test_layers_states_what_was_found_and_puts_it_under_every_cut(lab, monkeypatch):
    asked = []

    def soon(question, wait_s=0.0):
        asked.append(question)
        if isinstance(question, Cuts):
            return scores(question, conv_1=0.9, pool_1=0.95, conv_2=0.98, pool_2=0.97, flatten=0.97, dense_2=0.56)
        test = Evaluation(0.953, 0.943, 0.961, 2000, ())
        return Answer(question, test, 25, 102_789, 0.5, (ProofRow("conv_1", True, "a", "a", True),), NOTHING)

    shown = []
    monkeypatch.setattr(lab.what_if, "soon", soon)
    monkeypatch.setattr(layer_picker, "_picker", lambda **options: shown.append(options["data"]) or {})
    app = sound(opened("layers", per_class=5, seed=3))
    assert asked[0] == Cuts("digits_0_4", "mnist_5_9", 3, 5)
    assert asked[-1] == Move("digits_0_4", "mnist_5_9", "flatten", "dense", 3, 5)  # pooling has nothing to train
    said = words(app).replace("\\", "")
    assert "Features work best after conv_2: 98.0 % right with 5 labels per class. After dense_2: 56.0 %." in said
    assert "trained from the boundary on: **95.3 %** (95 % interval 94.3 – 96.1 %)" in words(app)
    under = {cut["name"]: (cut["text"], cut["best"]) for cut in shown[-1]["cuts"]}
    assert under["conv_2"] == ("98.0 %", True) and under["dense_2"] == ("56.0 %", False)
    assert under["dense_1"] == ("…", False)  # a place is kept for what is missing
    found = app.session_state["what_if_found"][("digits_0_4", "mnist_5_9", 3)]
    assert len(found["linear"]) == 7 and list(found["dense"]) == ["flatten"]  # counted as looks at the test images


def popovers(app):
    return [popover.proto.popover.label for popover in app.get("popover")]


def test_layers_shows_recorded_accuracies_until_there_is_an_answer(lab, monkeypatch):
    shown = []
    monkeypatch.setattr(layer_picker, "_picker", lambda **options: shown.append(options["data"]) or {})
    app = sound(opened("layers"))  # nothing is answered here
    card = recorded_cuts.load()
    texts = {cut["name"]: cut["text"] for cut in shown[-1]["cuts"]}
    assert texts == {cut: percent(test.accuracy) for cut, test in card.scores.tests}
    assert "Features work best after" in words(app)
    assert "Recorded" in popovers(app)
    assert f"Measured on {card.date}" in words(app) and card.command in words(app)
    app = sound(opened("layers", seed=3))  # of another question nothing is recorded
    assert "Measuring the accuracy at each cut" in words(app)
    assert {cut["text"] for cut in shown[-1]["cuts"]} == {"…"} and "Recorded" not in popovers(app)


def test_layers_says_why_nothing_was_measured_and_goes_on(lab, monkeypatch):
    def soon(question, wait_s=0.0):
        raise TrainingError("20 questions are waiting already. Try again in a few seconds.")

    monkeypatch.setattr(lab.what_if, "soon", soon)
    app = sound(opened("layers"))
    assert "questions are waiting already" in app.warning[0].value and app.button(key="use_digits")


def test_where_layers_after_the_boundary_are_frozen_too_no_plain_cut_is_trained(lab, monkeypatch):
    asked = []
    monkeypatch.setattr(lab.what_if, "soon", lambda question, wait_s=0.0: asked.append(question))
    sound(opened("layers", frozen=("conv_2",)))
    sound(opened("layers", frozen=("conv_1", "conv_2", "dense_1", "dense_2")))
    assert asked and not [question for question in asked if isinstance(question, Move)]


def test_a_source_is_chosen_by_its_card_with_pictures_of_what_it_learned_from(lab):
    app = opened("layers")
    pictures = [element.proto.body for element in app.get("html") if "learned-from" in element.proto.body]
    assert [strip.count("<img") for strip in pictures] == [5, 5, 5, 0, 0, 0]  # untrained, or its images are far
    app.button(key="use_fashion").click().run()
    assert sound(app).session_state["source"] == "fashion" and "Fashion-MNIST training images" in words(app)
    assert "Untrained\\: the control" in words(app) and "92.2 % on its own test images" in words(app)


def test_what_a_source_cannot_forget_is_said_for_its_own_reason():
    untrained, before, gone = (film._no_source(source) for source in ("random", "fashion", "upload-000000000000"))
    assert "has learned nothing yet" in untrained and all("was not measured" in words for words in (before, gone))


def test_a_proof_without_training_says_that_no_weight_was_trained():
    rows = [ProofRow(layer, True, "a", "a", True) for layer in ("conv_1", "dense_1")]
    assert fine_tune._proof_words(rows).startswith("no weight of the network was trained; those of all 2 layers")


def test_a_split_says_the_counts_of_its_target_and_a_limit_is_the_targets_own(lab):
    app = opened("train")
    options = app.selectbox(key="split").options
    assert options == ["26,464 / 2,940 / 4,861", "26,954 / 2,450 / 4,861 (the article's)"]
    app.selectbox(key="target").set_value("mnist").run()
    assert app.selectbox(key="split").options[1] == "55,000 / 5,000 / 10,000 (the article's)"
    app.number_input(key="per_class").set_value(4000).run()
    app.selectbox(key="target").set_value("digits_8x8").run()
    field = app.number_input(key="per_class")
    assert (field.value, field.max) == (125, 125) and "From 1 to 125; usually 5." in field.help
    assert "so 125 are used instead of 4,000." in words(sound(app))


def test_a_deleted_run_comes_back_with_undo(lab):
    run = finished(lab.store, {})
    app = opened("runs", run_run=run.id)
    app.button(key="delete").click().run()
    assert lab.store.count() == 0
    app.button(key="undo_delete").click().run()
    assert lab.store.count() == 1


def test_a_wrong_run_id_is_one_sentence_and_the_page_goes_on(lab):
    app = opened("train", run_ft="nonsense")
    assert "There is no run 'nonsense'" in words(app)
    assert app.button(key="start_ft")


def test_a_data_folder_that_cannot_be_used_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path / "file" / "lab"))
    for name in ("home", "draw", "runs", "train"):
        app = opened(name)
        assert not app.exception and "cannot be used" in words(app)


def test_home_shows_three_answers_the_saving_and_three_doors_before_anything_is_trained(lab):
    app = sound(opened("home"))
    (three,) = [body for element in app.get("html") if "answers three" in (body := element.proto.body)]
    assert [title.split("</h3>")[0] for title in three.split("<h3>")[1:]] == [
        "Before transfer",
        "After transfer",
        "From scratch",
    ]
    (glance,) = [body for element in app.get("html") if "<table>" in (body := element.proto.body)]
    saved = savings_view.recorded_saving(5)
    assert f"The same accuracy with about {saved.k:.1f} times fewer labels" in glance
    assert "<b>5</b>" in glance and f"<b>{saved.needed:.0f}</b>" in glance
    assert [link.proto.page for link in app.get("page_link")][-3:] == ["draw", "train", "how_it_works"]
    assert "Latest runs" not in words(app)
    finished(lab.store, TUNED)
    assert "Latest runs" in words(sound(opened("home")))


@pytest.mark.keras
@pytest.mark.slow
def test_a_finished_run_is_shown_with_test_proof_and_download(lab):
    run = lab.store.create(FineTuneSpec(data=DataSpec(per_class=5), phases=(Phase(epochs=1, frozen=("conv_1",)),)))
    worker.execute(run.id, str(lab.folder))
    app = sound(opened("runs", run_run=run.id))
    assert "Proof: the weights of 1 frozen layers are bit for bit unchanged" in words(app)
    assert "95 % interval" in words(app)


@pytest.mark.slow
def test_no_page_brings_tensorflow_into_the_server(tmp_path):
    """In a process of its own, for the tests around this one may have imported it."""
    script = f"""
import sys
from pathlib import Path
from types import SimpleNamespace
sys.path.insert(0, {str(ROOT)!r})
from pages.ui.session import state
from pages.ui.frame import complain
from tlcore.engine import Status
from tlcore.lab import Lab
from streamlit.runtime.scriptrunner import exec_code
from streamlit.testing.v1 import AppTest
from tlcore.prediction.serving import Serving
from tlcore.store import Store
from tlcore.prediction.what_if import WhatIf
store = Store(Path({str(tmp_path)!r}))
engine = SimpleNamespace(status=lambda: Status(2, 0, 0, True), stop=None)
lab = Lab(store.folder, store, engine, Serving(store.folder), WhatIf(store.folder))
lab.what_if.soon = lambda question, wait_s=0.0: None
state.lab = lambda: lab
for name in {(*NAMES, *WITHOUT_RUNS)!r}:
    app = AppTest.from_file({str(ROOT / "pages" / "menu.py")!r}, default_timeout=60).run()
    if name != "home":
        app.switch_page(name + ".py").run()
    assert not app.exception and app.title[0].value
print(sorted({{"keras", "tensorflow", "sklearn", "skops"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
