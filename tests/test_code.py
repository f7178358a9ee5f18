"""Runs as code: what the scripts reach is what the lab reached, with this project and without it."""

import contextlib
import io
import json
import runpy
import zipfile
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from few_pictures import looked_at, set_of_own

from tlcore import cli, exports, heads, sources
from tlcore.datasets import own_sets
from tlcore.errors import SpecError
from tlcore.exports.code import bundle
from tlcore.exports.code.cells import Cell, notebook, script, written
from tlcore.exports.code.estimators import WRITTEN
from tlcore.exports.code.variants import PLAIN, VARIANTS, of_run
from tlcore.features.freezing import presets
from tlcore.jobs import execution
from tlcore.recipes import two_phases
from tlcore.spec import (
    ByHand,
    ComparisonSpec,
    DataSpec,
    ExampleSpec,
    FineTuneSpec,
    HeadSpec,
    Phase,
    SweepSpec,
)

CONVOLUTIONS = ("conv_1", "conv_2")
FEW = DataSpec(per_class=15, seed=2)
TUNINGS = {
    "convolutions frozen": FineTuneSpec(data=FEW, phases=(Phase(6, CONVOLUTIONS),)),
    "nothing frozen": FineTuneSpec(data=FEW, phases=(Phase(4),), optimizer="rmsprop", seed=1),
    "head first": FineTuneSpec(
        data=FEW, phases=(Phase(4, (*CONVOLUTIONS, "dense_1"), 3e-3), Phase(3, ("conv_1",), 1e-3, "warm_up_cosine"))
    ),
    "from scratch": FineTuneSpec("random", data=FEW, phases=(Phase(5, schedule="cosine"),), seed=4),
    "weighed, stopped early": FineTuneSpec(
        data=DataSpec(per_class=15, imbalance=3.0),
        phases=(Phase(8, CONVOLUTIONS),),
        patience=2,
        class_weight="balanced",
    ),
    "pixels as they are": FineTuneSpec(
        data=DataSpec(per_class=15, scale=False, label_noise=0.1),
        phases=(Phase(4, CONVOLUTIONS, 1e-4),),
        optimizer="sgd",
    ),
}
HEADS = {
    "features and pixels": HeadSpec(
        data=FEW, heads=("linear_svm", "random_forest"), inputs=("features", "pixels"), curves=False
    ),
    "others, two seeds": HeadSpec(
        data=FEW, heads=("rbf_svm", "logistic_regression", "knn", "dense"), layer="dense_1", seeds=(0, 1), curves=False
    ),
    "by hand": HeadSpec(
        data=FEW,
        heads=("rbf_svm", "linear_svm", "random_forest"),
        curves=False,
        by_hand=(ByHand("rbf_svm", "pca", 500), ByHand("linear_svm", "pca", 8), ByHand("random_forest", "trees", 30)),
        class_weight="balanced",
    ),
    "tuned": HeadSpec(data=FEW, heads=("logistic_regression", "dense"), layer="dense_1", tune=True, curves=False),
}
WAYS = {
    "three ways": ComparisonSpec(replace(TUNINGS["convolutions frozen"], seed=2)),  # that of its images
    "heads alone, weighed": ComparisonSpec(
        FineTuneSpec(data=DataSpec(per_class=15, imbalance=3.0), class_weight="balanced"),
        layer="dense_1",
        ways=("logistic_regression", "random_forest", "rbf_svm"),
    ),
    "two phases": ComparisonSpec(TUNINGS["head first"], ways=("fine_tune", "scratch")),
}
SWEEPS = {
    "heads": SweepSpec(
        sources=("digits_0_4", "fashion"),
        cuts=("flatten", "dense_1", "pixels"),
        methods=("linear_svm", "random_forest"),
        per_class=(2, 10),
        seeds=(0, 1),
        n_test=500,
    ),
    "networks": SweepSpec(methods=("fine_tune", "scratch", "knn"), per_class=(5,), seeds=(1,), n_test=500, n_steps=40),
}
ALL = {**TUNINGS, **HEADS, **WAYS, **SWEEPS}


def ran(store, spec):
    run = store.create(spec)
    execution.execute(run.id, str(store.folder))
    run = store.get(run.id)
    assert run.state == "done", run.error
    return run


def names_of(path):
    """Return what a script that was run in its own folder leaves."""
    with contextlib.chdir(path.parent), contextlib.redirect_stdout(io.StringIO()) as said:
        left = runpy.run_path(str(path))
    assert "est accuracy" in said.getvalue()
    return left


def unpacked(run, store, folder):
    with zipfile.ZipFile(io.BytesIO(bundle.content_of(run.id, str(store.folder)))) as file:
        file.extractall(folder)
    return folder / "plain.py"


def own_script(run, folder):
    path = folder / "own.py"
    path.write_text(dict((variant.name, text) for variant, text in exports.texts(run))["with_tlcore"], encoding="utf-8")
    return path


@pytest.mark.keras
@pytest.mark.grid(1, sample=2)
@pytest.mark.parametrize("case", TUNINGS)
def test_the_scripts_of_a_fine_tuning_reach_its_accuracy(store, tmp_path, case):
    run = ran(store, TUNINGS[case])
    reached = run.result.test.accuracy
    assert abs(names_of(own_script(run, tmp_path))["accuracy"] - reached) <= 0.002
    assert abs(names_of(unpacked(run, store, tmp_path))["accuracy"] - reached) <= 0.01


def hold_near(own, plain, reached):
    """Hold the accuracies of both scripts against those of the run, all by the same keys."""
    assert own.keys() == plain.keys() == reached.keys()
    assert max(abs(own[key] - reached[key]) for key in reached) <= 0.002
    assert max(abs(plain[key] - reached[key]) for key in reached) <= 0.01


@pytest.mark.keras
@pytest.mark.grid(1, sample=2)
@pytest.mark.parametrize("case", HEADS)
def test_the_scripts_of_heads_reach_their_accuracies(store, tmp_path, case):
    run = ran(store, HEADS[case])
    own, plain = (names_of(path)["accuracies"] for path in (own_script(run, tmp_path), unpacked(run, store, tmp_path)))
    rows = {(row.head, row.input, row.seed): row.accuracy for row in run.result.rows}
    hold_near(own, plain, rows)


@pytest.mark.keras
@pytest.mark.grid(1, sample=1)
@pytest.mark.parametrize("case", WAYS)
def test_the_scripts_of_a_comparison_reach_the_accuracy_of_each_way(store, tmp_path, case):
    run = ran(store, WAYS[case])
    own, plain = (names_of(path)["accuracies"] for path in (own_script(run, tmp_path), unpacked(run, store, tmp_path)))
    reached = {}
    for way in run.result.ways:
        result = store.get(way.run).result
        reached[way.name] = result.test.accuracy if result.test else result.rows[0].accuracy
    hold_near(own, plain, reached)


@pytest.mark.keras
@pytest.mark.grid(1, sample=1)
@pytest.mark.parametrize("case", SWEEPS)
def test_the_scripts_of_a_sweep_reach_the_accuracy_of_each_experiment(store, tmp_path, case):
    run = ran(store, SWEEPS[case])
    own, plain = (names_of(path)["accuracies"] for path in (own_script(run, tmp_path), unpacked(run, store, tmp_path)))
    reached = {cell.key[1:]: cell.score for cell in store.cells(run.id)}
    assert len(reached) >= 3
    hold_near(own, plain, reached)


@pytest.mark.keras
@pytest.mark.grid(0, sample=0)
@pytest.mark.parametrize("case", ["fine-tuning", "heads"])
def test_the_scripts_of_own_pictures_reach_their_accuracy(store, tmp_path, case):
    data = DataSpec(set_of_own("", case, {"disc": 12, "square": 12}).name, per_class=4)
    layers = presets(sources.info("mobilenet_v2").layers)
    phase = Phase(4, layers["last_stage"], 2e-3)
    specs = {
        "fine-tuning": two_phases(FineTuneSpec("mobilenet_v2", data, (phase,)), layers["all_but_head"]),
        "heads": HeadSpec("mobilenet_v2", "average", ("logistic_regression",), data=data, curves=False),
    }
    run = ran(store, specs[case])
    tested = run.result.test or run.result.rows[0]
    for path, tolerance in ((own_script(run, tmp_path), 0.002), (unpacked(run, store, tmp_path), 0.01)):
        left = names_of(path)
        one = left["accuracy"] if case == "fine-tuning" else left["accuracies"]["logistic_regression", "features", 0]
        assert abs(one - tested.accuracy) <= tolerance


@pytest.mark.keras
def test_the_scripts_of_a_comparison_on_lopsided_classes_reach_the_balanced_accuracy_that_leads(store, tmp_path):
    report = looked_at("", {"disc": 40, "square": 12})
    target = own_sets.add(report.id, "lopsided", own_sets.Choices(form="image"), "").name
    tuning = FineTuneSpec(data=DataSpec(target, per_class=4), phases=(Phase(2, CONVOLUTIONS),))
    run = ran(store, ComparisonSpec(tuning, ways=("fine_tune", "linear_svm")))
    reached = {way.name: way.accuracy for way in run.result.ways}
    assert run.result.balanced and reached["linear_svm"] != store.get(run.result.ways[1].run).result.rows[0].accuracy
    own, plain = (names_of(path)["accuracies"] for path in (own_script(run, tmp_path), unpacked(run, store, tmp_path)))
    assert own == pytest.approx(reached, abs=0.002) and plain == pytest.approx(reached, abs=0.01)


def test_scores_and_extensions_are_not_written_in_plain_code(store):
    for method in ("logme", "no_such_head"):
        run = store.create(SweepSpec(methods=("knn", method), per_class=(5,)))
        assert "not written in plain code." in str(PLAIN.not_had(run)), method


def test_a_sweep_whose_source_is_gone_says_so_and_keeps_its_other_code(store):
    run = store.create(SweepSpec(sources=("upload-0123456789ab",)))
    assert str(PLAIN.not_had(run)) and [variant.name for variant in of_run(run)] == ["with_tlcore"]


@pytest.mark.parametrize("name", [head for head in heads.HEADS if head in WRITTEN])
def test_a_written_head_is_the_head_itself(name):
    rng = np.random.default_rng(0)
    x, y = rng.random((40, 30), np.float32), np.arange(40) % 2
    known: dict[str, Any] = {"np": np}
    exec("\n".join(WRITTEN[name].imports), known)
    if WRITTEN[name].scales:
        from tlcore.exports.code.estimators import TO_MEAN_LENGTH

        exec(TO_MEAN_LENGTH, known)
    exec(WRITTEN[name].code, known)
    fitted = heads.fit(name, x, y, None, seed=3)[0]
    assert (known[name](x, y, 3).predict(x) == fitted.predict(x)).mean() >= 0.95


def test_every_head_that_ships_is_written():
    assert set(WRITTEN) >= {name for name, head in heads.HEADS.items() if type(head).__module__.startswith("tlcore.")}


def test_the_archive_holds_all_that_the_plain_script_names_and_only_the_images_used(store):
    run = store.create(HeadSpec(data=DataSpec(per_class=2), inputs=("pixels",), seeds=(0, 1)))
    with zipfile.ZipFile(io.BytesIO(bundle.content_of(run.id, str(store.folder)))) as file:
        assert sorted(file.namelist()) == ["data.npz", "plain.ipynb", "plain.py"]  # no network: it sees pixels alone
        arrays = np.load(io.BytesIO(file.read("data.npz")))
        assert arrays["x_train_0"].shape == arrays["x_train_1"].shape == (10, 28, 28, 1)
        assert not np.array_equal(arrays["x_train_0"], arrays["x_train_1"])
        assert "source.keras" not in file.read("plain.py").decode().partition("import")[2]


@pytest.mark.parametrize("spec", ALL.values(), ids=list(ALL))
def test_a_notebook_has_the_code_of_the_script(store, spec):
    for variant in of_run(store.create(spec)):
        cells = variant.cells(store.list()[0])
        document = json.loads(notebook(cells))
        assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
        assert len({cell["id"] for cell in document["cells"]}) == len(document["cells"])
        code = ["".join(cell["source"]) for cell in document["cells"] if cell["cell_type"] == "code"]
        assert all(text in script(cells) for text in code)
        compile("\n".join(code), "notebook", "exec")
        compile(script(cells), "script", "exec")


@pytest.mark.parametrize("spec", ALL.values(), ids=list(ALL))
def test_a_spec_is_written_as_code_that_makes_it_again(spec):
    from tlcore import spec as nouns

    assert eval(written(spec), dict(vars(nouns))) == spec


@pytest.mark.parametrize(
    "spec",
    [
        FineTuneSpec(augment=True),
        FineTuneSpec(phases=(Phase(1, rate_factor=0.5),)),
        FineTuneSpec(phases=(Phase(1), Phase(1, recompiled=False))),
    ],
)
def test_what_plain_keras_would_do_otherwise_is_said_and_not_written(store, spec):
    run = store.create(spec)
    assert [variant.name for variant in of_run(run)] == ["with_tlcore"]
    assert str(PLAIN.not_had(run)).endswith(".")
    assert "code" in exports.offers(run, store)


def test_other_kinds_of_runs_have_no_code(store):
    assert of_run(store.create(ExampleSpec())) == () and len(VARIANTS) == 2


def test_the_archive_of_images_that_are_gone_is_refused_in_a_sentence(store):
    run = store.create(FineTuneSpec(data=DataSpec("own_gone")))
    with pytest.raises(SpecError):
        bundle.content_of(run.id, str(store.folder))


def test_text_is_wrapped_and_headings_lose_their_marks_in_a_script():
    assert script([Cell("## Two\n\n" + "long " * 40)]).splitlines()[:2] == ["# Two", "#"]
    assert all(len(line) <= 88 for line in script([Cell("long " * 100)]).splitlines())


def test_a_command_writes_scripts_notebooks_and_the_archive(store, tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "apart", lambda function, arguments, *_: function(*arguments))
    run = store.create(HeadSpec(data=DataSpec(per_class=2), inputs=("pixels",)))
    asked = ["export", run.id, "--to", str(tmp_path / "to"), "--what", "code,notebook", "--home", str(store.folder)]
    assert cli.main(asked) == 0
    endings = ("plain.ipynb", "plain.py", "plain.zip", "with_tlcore.ipynb", "with_tlcore.py")
    assert sorted(path.name for path in (tmp_path / "to").iterdir()) == [f"{run.id}-{ending}" for ending in endings]
