"""Class weights: each class counts alike in the loss, of networks as with Keras and of heads as with scikit-learn."""

from dataclasses import replace

import numpy as np
import pytest

from tlcore import datasets, heads, jobs, sources, training
from tlcore.errors import SpecError
from tlcore.evidence import side_by_side
from tlcore.features.freezing import Freezing
from tlcore.heads import HEADS, tuning
from tlcore.inspection import lesson
from tlcore.recipes import comparison
from tlcore.spec import BALANCED, ComparisonSpec, DataSpec, FineTuneSpec, HeadSpec, Hooks, Phase, from_json, to_json
from tlcore.training import class_weights

FROZEN = ("conv_1", "conv_2")
SPEC = FineTuneSpec(data=DataSpec(per_class=8), phases=(Phase(3, FROZEN),), class_weight=BALANCED)


@pytest.fixture(scope="module")
def data():
    """Five classes, the first of which has 2 training images and the others 8."""
    whole = datasets.load(SPEC.data)
    rows = np.argsort(whole.y_train, kind="stable")[6:]
    return replace(whole, x_train=whole.x_train[rows], y_train=whole.y_train[rows])


def trained(spec, data, **options):
    model = sources.load(spec.source, n_classes=len(data.class_names), seed=spec.seed)
    return model, training.fit(model, data, spec, **options)


def test_the_weights_are_scikit_learns():
    from sklearn.utils.class_weight import compute_class_weight

    y = np.array([0, 0, 0, 1, 2, 2])
    theirs = compute_class_weight("balanced", classes=np.arange(3), y=y)
    np.testing.assert_allclose(class_weights.balanced(y, 3), theirs, rtol=1e-6)
    assert class_weights.balanced(y, 3)[y].mean() == pytest.approx(1.0)


@pytest.mark.keras
def test_training_takes_the_steps_that_keras_takes_with_class_weight(data):
    import keras

    spec = replace(SPEC, batch_size=4096, optimizer="sgd", phases=(Phase(5, FROZEN, learning_rate=0.05),))
    ours, fitted = trained(spec, data)
    assert fitted.cached  # on what the frozen layers made of the images
    theirs = sources.load(spec.source, n_classes=5, seed=spec.seed)
    Freezing(sources.describe(theirs), FROZEN, spec.source).apply(theirs)
    start = theirs.get_weights()
    theirs.compile(optimizer=keras.optimizers.SGD(0.05), loss="sparse_categorical_crossentropy")
    weights = dict(enumerate(class_weights.balanced(data.y_train, 5).tolist()))
    theirs.fit(data.x_train, data.y_train, batch_size=4096, epochs=5, verbose=0, class_weight=weights)
    plain, _ = trained(replace(spec, class_weight=None), data)
    for a, b, c, d in zip(*(m.get_weights() for m in (ours, theirs)), start, plain.get_weights(), strict=True):
        if np.abs(b - c).mean() > 0:  # it trained
            assert np.abs(a - b).mean() < 1e-2 * np.abs(b - c).mean() < np.abs(a - d).mean() * 10


@pytest.mark.keras
def test_a_resumed_training_with_class_weights_is_the_one_that_was_never_interrupted(data):
    whole, _ = trained(SPEC, data)
    kept = []
    listener = Hooks(on_checkpoint=lambda snapshot: kept.append(snapshot()))
    model = sources.load(SPEC.source, n_classes=5, seed=SPEC.seed)
    training.fit(model, data, SPEC, listener)
    again, _ = trained(SPEC, data, resume=kept[0])
    for a, b in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", [name for name, head in HEADS.items() if head.weighs])
def test_a_head_with_class_weights_finds_more_of_the_small_class(name):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], (12, 240))
    x = (rng.normal(0, 1, (len(y), 8)) + 0.9 * y[:, None]).astype(np.float32)
    y_test = np.repeat([0, 1], 200)
    x_test = (rng.normal(0, 1, (400, 8)) + 0.9 * y_test[:, None]).astype(np.float32)
    # Simple enough that it cannot learn the images by heart: who is right about all of them heeds no weight.
    simple = {"random_forest": {"max_depth": 3}, "rbf_svm": {"svc__C": 0.1}}.get(name, {})
    params = {**simple, HEADS[name].weighs: BALANCED}
    plain, weighted = (heads.fit(name, x, y, None, seed=0, params=each)[0] for each in (simple, params))
    found = [float((head.predict(x_test)[:200] == 0).mean()) for head in (plain, weighted)]
    assert found[1] > found[0] + 0.05
    assert "class weights = balanced" in str(tuning.describe(name, params))


def test_heads_without_class_weights_are_those_whose_estimator_has_none():
    for head in HEADS.values():
        names = head.make((20, 4), 2, 0).get_params()
        assert bool(head.weighs) == any(name.endswith("class_weight") for name in names)
        assert not head.weighs or head.weighs in names


def test_the_setting_is_stored_named_and_part_of_every_way_of_a_comparison():
    for spec in (SPEC, HeadSpec(class_weight=BALANCED), ComparisonSpec(SPEC)):
        assert from_json(to_json(spec)) == spec
        words = {str(name): str(value) for name, value in side_by_side.settings(spec).items()}
        assert words["Class weights"] == "balanced"
    assert {lane.class_weight for lane in comparison.lanes(ComparisonSpec(SPEC)).values()} == {BALANCED}
    words = {str(name): str(value) for name, value in side_by_side.settings(FineTuneSpec()).items()}
    assert words["Class weights"] == "none"


@pytest.mark.parametrize("spec", [SPEC, HeadSpec()])
def test_other_class_weights_are_refused_in_one_sentence(spec):
    with pytest.raises(SpecError, match="There is no class weight 'heavy'. Pick one of: balanced."):
        jobs.check(replace(spec, class_weight="heavy"))


def test_the_lesson_takes_runs_whose_step_it_can_take_again(store):
    files = {"model.keras": {"sha256": "0", "bytes": 1}}
    runs = []
    for spec in (SPEC, replace(SPEC, class_weight=None)):
        run = store.create(spec)
        store.claim(run.id)
        store.finish(run.id, "done", {"files": files})
        runs.append(store.get(run.id))
    assert [lesson.teaches(run) for run in runs] == [False, True]
