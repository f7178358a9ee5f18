"""Without a new ``compile`` after changing ``trainable`` the old weights go on training: Keras' rule, and ours."""

from dataclasses import replace

import numpy as np
import pytest

from tlcore import datasets, sources, training
from tlcore.errors import SpecError
from tlcore.evidence import side_by_side
from tlcore.features import freezing
from tlcore.features.freezing import Freezing
from tlcore.jobs.fine_tune import proof_words
from tlcore.spec import DataSpec, FineTuneSpec, Hooks, Phase, ProofRow, from_json
from tlcore.store import Run, checkpoint
from tlcore.training.planning import plans

CONVOLUTIONS = ("conv_1", "conv_2")
HEAD_ALONE = (*CONVOLUTIONS, "dense_1")
PHASES = (Phase(2, HEAD_ALONE, 0.01, "warm_up"), Phase(2, CONVOLUTIONS, 0.01, recompiled=False))
SPEC = FineTuneSpec(data=DataSpec(per_class=4), phases=PHASES, batch_size=8)


def test_a_phase_that_is_not_compiled_takes_the_step_of_the_last_one_that_was():
    first, second, third = Phase(1), Phase(2, recompiled=False), Phase(3, recompiled=False)
    spec = replace(SPEC, phases=(first, second, third, Phase(4)))
    assert [spec.compiled(number).epochs for number in (1, 2, 3, 4)] == [1, 1, 1, 4]
    assert from_json('{"kind": "fine_tune", "phases": [{"epochs": 4}]}').phases[0].recompiled, "as in stored runs"


def test_the_first_phase_has_no_step_to_go_on_with():
    with pytest.raises(SpecError, match="The first phase has no step to go on with."):
        training.check(replace(SPEC, phases=PHASES[1:]), sources.info(SPEC.source).layers)


def test_the_plan_counts_what_really_trains():
    data = datasets.load(SPEC.data)
    first, second = plans(sources.info(SPEC.source).layers, SPEC, data, None, True)
    assert second.step_work == first.step_work and second.prefix_work == 0 < first.prefix_work


def row(layer, frozen, moved, compiled=False):
    return ProofRow(layer, frozen, "a", "b" if moved else "a", frozen != moved, 2, compiled)


def test_the_proof_says_which_layers_did_not_follow_and_a_real_failure_is_still_one():
    thawed, frozen = row("dense_1", False, False), row("conv_1", True, True)
    assert str(freezing.uncompiled([thawed])).startswith(
        "dense_1 should have trained but did not change: the model was not"
    )
    assert str(freezing.uncompiled([frozen])).startswith("conv_1 should have stayed the same but changed")
    assert not freezing.uncompiled([row("dense_1", False, True), row("conv_1", True, False)])
    assert str(proof_words([thawed, frozen])) == str(freezing.uncompiled([thawed, frozen]))
    assert str(proof_words([row("conv_1", True, True, compiled=True)])).startswith("Proof failed: conv_1")


# -- with networks


@pytest.fixture(scope="module")
def data():
    return datasets.load(SPEC.data)


def trained(spec, data, *listener, **options):
    model = sources.load(spec.source, n_classes=5, seed=spec.seed)
    return model, training.fit(model, data, spec, *listener, **options)


@pytest.mark.keras
@pytest.mark.parametrize(("thaws", "moves"), [(True, False), (False, True)])
def test_keras_itself_trains_what_it_trained_before_until_it_is_compiled_again(data, thaws, moves):
    """Thawed without ``compile`` a layer stays as it is; frozen without it, it goes on moving. Nothing is raised."""
    model = sources.load("digits_0_4", n_classes=5)
    layer = model.get_layer("dense_1")
    Freezing(sources.describe(model), HEAD_ALONE if thaws else CONVOLUTIONS).apply(model)

    def moved():
        start = layer.get_weights()[0]
        model.fit(data.x_train, data.y_train, batch_size=10, verbose=0)
        return bool(np.abs(layer.get_weights()[0] - start).max() > 0)

    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    assert moved() is not thaws
    layer.trainable = thaws
    assert moved() is moves, "the step that was traced is the one that is taken"
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    assert moved() is thaws


@pytest.mark.keras
def test_without_compiling_the_run_is_the_one_that_never_thawed(data):
    stale, fitted = trained(SPEC, data)
    never, _ = trained(replace(SPEC, phases=(PHASES[0], replace(PHASES[0], recompiled=False))), data)
    fresh, _ = trained(replace(SPEC, phases=(PHASES[0], replace(PHASES[1], recompiled=True))), data)
    assert freezing.hashes(stale) == freezing.hashes(never)
    assert freezing.hashes(stale)["dense_1"] != freezing.hashes(fresh)["dense_1"]
    assert [row.layer for row in fitted.proof if not row.ok] == ["dense_1"]
    assert [row.compiled for row in fitted.proof] == [True] * 4 + [False] * 4


@pytest.mark.keras
def test_the_optimizer_goes_on_with_what_it_remembers(data):
    """Two phases of which the second is not compiled are one phase: Keras keeps its optimizer too."""
    phases = (replace(PHASES[0], schedule="constant"), Phase(2, HEAD_ALONE, 0.01, recompiled=False))
    whole = (replace(phases[0], epochs=4),)
    hashes = [freezing.hashes(trained(replace(SPEC, phases=each), data)[0]) for each in (phases, whole)]
    assert hashes[0] == hashes[1]


@pytest.mark.keras
@pytest.mark.parametrize("after", [2, 3])
def test_a_resumed_run_ends_with_the_same_weights(data, tmp_path, after):
    def on_checkpoint(snapshot):
        if (found := snapshot()).state["clock"]["epoch"] == after:
            checkpoint.save(tmp_path, found)

    whole, fitted = trained(SPEC, data, Hooks(on_checkpoint=on_checkpoint))
    resumed, later = trained(SPEC, data, resume=checkpoint.load(tmp_path))
    assert freezing.hashes(resumed) == freezing.hashes(whole) and later.proof == fitted.proof


def test_runs_side_by_side_say_it(store):
    run = store.create(SPEC)
    store.claim(run.id)
    store.finish(run.id, "done", {"proof": [vars(row("dense_1", False, False))]})
    found: Run = store.get(run.id)
    assert "was not compiled again" in str(side_by_side.proof(found))
    assert {str(name): str(value) for name, value in side_by_side.settings(SPEC).items()}[
        "Phase 2: Compiled again"
    ] == "no"
