"""Every formula of How it works, held against the code that trains and against Keras and scikit-learn."""

from dataclasses import asdict, dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from branched_networks import residual

from tlcore import datasets, features, sources, training
from tlcore.errors import DataError
from tlcore.inspection import lesson
from tlcore.spec import DataSpec, FineTuneSpec, Hooks, Phase
from tlcore.spec import jobs as spec_jobs

SPEC = FineTuneSpec(
    data=DataSpec(per_class=8), phases=(Phase(epochs=2, frozen=("conv_1", "conv_2")),), optimizer="sgd", seed=3
)
KERAS = pytest.mark.keras


def fresh():
    data = datasets.load(SPEC.data)
    return sources.load(SPEC.source, n_classes=len(data.class_names), seed=SPEC.seed), data


@pytest.fixture(scope="module")
def made():
    model, data = fresh()
    training.fit(model, data, SPEC)
    return lesson.compute(SPEC, model)


@KERAS
def test_the_objective_is_keras_own_loss_over_the_batch():
    import keras

    model, data = fresh()
    answers = model.predict(data.x_train, verbose=0)
    theirs = keras.losses.SparseCategoricalCrossentropy()(data.y_train, answers)
    ours = lesson.cross_entropy(answers[np.arange(len(answers)), data.y_train])
    assert ours == pytest.approx(float(theirs), rel=1e-5)
    assert lesson.cost(0.0) == pytest.approx(
        float(keras.losses.SparseCategoricalCrossentropy()(np.array([0]), np.array([[0.0, 1.0]]))), rel=1e-4
    )


@KERAS
@pytest.mark.parametrize("frozen", [(), ("conv_1",), ("conv_1", "conv_2", "dense_1")])
def test_the_step_is_the_one_that_training_takes_first(frozen):
    spec = replace(SPEC, phases=(Phase(epochs=1, frozen=frozen, learning_rate=0.1),))
    model, data = fresh()
    training.fit(model, data, spec, Hooks(should_stop=lambda: True), use_cache=False)  # stops after its first batch
    ours, _ = fresh()
    rows = np.random.default_rng((spec.seed, 0)).permutation(len(data.x_train))[: spec.batch_size]
    _, gradient = lesson.gradients(ours, data.x_train[rows], data.y_train[rows])
    start = ours.get_weights()
    lesson.descend(ours, start, gradient, 0.1, set(frozen))
    for a, b in zip(ours.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    moved = {layer.name: not all(map(np.array_equal, layer.get_weights(), old)) for layer, old in layers(ours, start)}
    assert moved == {name: name not in frozen for name in moved}


def layers(model, weights):
    """Pair every layer with its own arrays of ``weights``."""
    rest = iter(weights)
    return [(layer, [next(rest) for _ in layer.weights]) for layer in model.layers if layer.weights]


@KERAS
def test_a_gradient_is_the_slope_of_the_objective():
    """The head's gradient by hand, ∂J/∂W = Hᵀ(P − Y)/B, and J's difference quotient along the whole gradient."""
    model, data = fresh()
    x, y = data.x_train[:16], data.y_train[:16]
    _, gradient = lesson.gradients(model, x, y)
    hidden = features.extract(model, x, "dense_1")
    residual = model.predict(x, verbose=0) - np.eye(len(data.class_names))[y]
    np.testing.assert_allclose(gradient[-2], hidden.T @ residual / len(y), atol=1e-5)
    start, eta = model.get_weights(), 1e-3
    around = []
    for rate in (-eta, eta):
        lesson.descend(model, start, gradient, rate, set())
        around.append(lesson._loss(model, x, y))
    slope = sum(float((g.astype(float) ** 2).sum()) for g in gradient)
    assert (around[0] - around[1]) / (2 * eta) == pytest.approx(slope, rel=0.02)


@KERAS
def test_frozen_layers_have_a_gradient_and_do_not_move(made):
    for step in made.layers:
        assert step.gradient > 0
        assert (set(step.moved) == {0.0}) == step.frozen == (step.layer in ("conv_1", "conv_2"))
        if not step.frozen:
            assert step.moved[-1] == pytest.approx(lesson.RATES[-1] * step.gradient, rel=1e-3)


@KERAS
def test_a_short_step_lowers_the_loss_by_the_squared_gradient(made):
    assert made.losses[0] - made.loss == pytest.approx(-made.expected_fall(lesson.RATES[0]), rel=0.1)
    assert made.trained_loss < made.loss == lesson.cross_entropy(np.array(made.shares))


@KERAS
def test_the_walk_is_gradient_descent_on_the_loss_of_the_batch_and_begins_with_the_step_that_training_takes(made):
    assert made.walk is not None
    length = made.expected_fall(1.0) ** 0.5
    for rate, loss, steps in zip(lesson.RATES, made.losses, made.walk.steps, strict=True):
        assert (steps[0].at, steps[0].slope) == (0.0, pytest.approx(-length, rel=1e-4))
        assert steps[1].at == pytest.approx(rate * length, rel=1e-4)
        assert (steps[0].loss, steps[1].loss) == (made.loss, pytest.approx(loss, rel=1e-4))
        for one, after in zip(steps, steps[1:], strict=False):
            assert after.at == pytest.approx(one.at - rate * one.slope)
    places, losses = np.array(made.walk.places), np.array(made.walk.losses)
    step = made.walk.steps[1][5]
    assert step.loss == pytest.approx(np.interp(step.at, places, losses), rel=0.02)
    assert step.slope == pytest.approx(np.interp(step.at, places, np.gradient(losses, places)), rel=0.15, abs=0.1)


@KERAS
def test_the_excerpt_of_the_matrix_is_its_first_rows(made):
    model, data = fresh()
    features_ = features.extract(model, data.x_train, made.layer)[: lesson.N_ROWS]
    assert made.row_labels == tuple(data.y_train[: lesson.N_ROWS])
    assert len(made.rows) == lesson.N_ROWS and {len(row) for row in made.rows} == {lesson.N_COLUMNS}
    shown = features_[:, np.flatnonzero(features_.any(axis=0))[: lesson.N_COLUMNS]]
    np.testing.assert_allclose(np.array(made.rows), shown, atol=1e-3)


@KERAS
def test_the_matrix_has_a_row_for_every_training_image_and_a_column_for_every_activation(made):
    model, data = fresh()
    assert made.matrix == (len(data.x_train), int(np.prod(model.get_layer("pool_2").output.shape[1:]))) == (40, 1600)


@KERAS
def test_the_dual_at_scikit_learns_solution_meets_the_primal_and_both_constraints():
    from sklearn.svm import SVC

    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 5))
    y = np.where(x @ rng.normal(size=5) + 0.5 * rng.normal(size=60) > 0, 1, -1)
    dual, alphas, decisions = lesson.svm_dual(x, y)
    machine = SVC(kernel="linear", C=lesson.C, tol=1e-6).fit(x, y)
    w, b = machine.coef_[0], machine.intercept_[0]
    primal = 0.5 * w @ w + lesson.C * np.maximum(0, 1 - y * (x @ w + b)).sum()
    assert dual.value == pytest.approx(primal, rel=1e-3) and dual.value <= dual.primal + 1e-6
    assert dual.quadratic == pytest.approx(w @ w, rel=1e-2)
    assert dual.balance == pytest.approx(0, abs=1e-6)
    assert dual.smallest >= 0 and dual.largest <= lesson.C + 1e-9
    assert (alphas > 0).sum() == pytest.approx(len(machine.support_), abs=2)
    np.testing.assert_allclose(decisions, x @ w + b, atol=0.01)


def test_the_recorded_lesson_is_whole_and_says_where_it_comes_from():
    found = lesson.recorded()
    assert found.settings == FineTuneSpec() and found.made and found.command == "python -m tlcore.inspection.lesson"
    assert dict(found.versions)["keras"]
    assert len(found.losses) == len(lesson.RATES) == len(found.layers[0].moved)
    assert found.loss == pytest.approx(lesson.cross_entropy(np.array(found.shares)))
    assert found.svm.dual.value == pytest.approx(found.svm.dual.primal, rel=1e-2)
    assert sum(found.svm.alphas) == pytest.approx(found.svm.dual.sum_alpha, abs=1e-2)
    assert len(found.svm.sides) == len(found.svm.decisions) == found.svm.n
    assert found.walk is not None and [steps[1].loss for steps in found.walk.steps] == pytest.approx(list(found.losses))
    assert lesson.RECORDED.stat().st_size < 100_000


def test_a_damaged_recording_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(lesson, "RECORDED", tmp_path / "lesson.json")
    for content in ("", "[]", '{"spec": 1}', '{"svm": {"dual": 3}, "layers": []}'):
        (tmp_path / "lesson.json").write_text(content)
        with pytest.raises(DataError):
            lesson.recorded()


@KERAS
@pytest.mark.slow
def test_recording_again_gives_the_numbers_that_ship():
    again, shipped = asdict(lesson.record()), asdict(lesson.recorded())
    assert again["labels"] == shipped["labels"] and again["matrix"] == shipped["matrix"]
    np.testing.assert_allclose(again["shares"], shipped["shares"], rtol=1e-3)
    np.testing.assert_allclose(again["losses"], shipped["losses"], rtol=1e-2)
    assert again["svm"]["dual"]["sum_alpha"] == pytest.approx(shipped["svm"]["dual"]["sum_alpha"], rel=1e-2)


@KERAS
def test_a_lesson_is_made_of_a_network_with_branches_averages_and_dropout(monkeypatch):
    """Its numbers are those of inference: dropout off, averages as stored, which have no gradient and do not move."""
    frozen = ("stem_conv", "stem_bn", "block_1_conv_1", "block_1_bn_1", "block_1_conv_2", "block_1_bn_2")
    monkeypatch.setattr(sources, "load", lambda *_, **__: residual(rescaled=True))
    spec = replace(SPEC, source="random", phases=(Phase(epochs=1, frozen=frozen),))
    found = lesson.compute(spec, residual(rescaled=True))
    assert found.layer == "pool" and found.matrix == (40, 4)
    steps = {step.layer: step for step in found.layers}
    assert set(frozen) == {name for name, step in steps.items() if step.frozen}
    assert all((max(step.moved) == 0) == step.frozen and step.gradient > 0 for step in steps.values())
    assert found.loss == pytest.approx(found.trained_loss, rel=1e-5)  # "trained" was not trained
    fall, rate = found.loss - found.losses[0], lesson.RATES[0]
    assert fall == pytest.approx(found.expected_fall(rate), rel=0.05)
    model, data = residual(rescaled=True), datasets.load(spec.data)
    _, gradient = lesson.gradients(model, data.x_train[:8], data.y_train[:8])
    still = {weight.path: g for weight, g in zip(model.weights, gradient, strict=True) if "moving" in weight.path}
    assert len(still) == 10 and not any(g.any() for g in still.values())


def test_a_lesson_is_made_of_every_kind_that_takes_gradient_steps(monkeypatch):
    assert lesson.kinds() == ("fine_tune",)

    @dataclass(frozen=True)
    class Adapt(FineTuneSpec):
        strength: float = 0.5

        kind: ClassVar[str] = "adapt"

    monkeypatch.setitem(spec_jobs.SPECS, "adapt", Adapt)
    assert lesson.kinds() == ("fine_tune", "adapt")
