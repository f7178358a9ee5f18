"""Hyperparameters of heads by hand: what is set reaches the estimator, the name, the settings and the stored run."""

import numpy as np
import pytest

from tlcore import datasets, heads, prediction
from tlcore.errors import SpecError
from tlcore.evidence import side_by_side
from tlcore.heads import tuning
from tlcore.inspection import forest, svm
from tlcore.jobs import execution as worker
from tlcore.spec import ByHand, DataSpec, HeadSpec, from_json, to_json
from tlcore.store import Store


def clouds(n=90, d=12, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    return (rng.normal(size=(n, d)) + 6 * np.eye(3, d)[y]).astype(np.float32), y


X, Y = clouds()
VALIDATION, TEST = clouds(seed=1), clouds(seed=2)


def fitted(name, **values):
    return heads.fit(name, X, Y, VALIDATION, seed=0, params=heads.info(name).params(values))[0]


@pytest.mark.parametrize("name", tuple(heads.HEADS))
def test_the_defaults_by_hand_give_the_same_head(name):
    defaults = {knob.name: knob.default for knob in heads.HEADS[name].knobs}
    np.testing.assert_array_equal(fitted(name, **defaults).scores(TEST[0]), fitted(name).scores(TEST[0]))


@pytest.mark.parametrize(
    ("name", "values", "held"),
    [
        ("linear_svm", {"C": 0.01}, lambda own: own.C == 0.01),
        ("logistic_regression", {"C": 3.0}, lambda own: own.C == 3.0),
        ("knn", {"k": 3}, lambda own: own.n_neighbors == 3),
        ("random_forest", {"trees": 13, "depth": 2}, lambda own: (len(own.estimators_), own.max_depth) == (13, 2)),
        ("dense", {"units": 7}, lambda own: own.coefs_[0].shape == (12, 7)),
        ("rbf_svm", {"C": 2.0, "gamma": 0.03}, lambda own: (own[-1].C, own[-1]._gamma) == (2.0, 0.03)),
        ("rbf_svm", {"kernel": "poly"}, lambda own: own[-1].kernel == "poly"),
        ("rbf_svm", {"pca": 4}, lambda own: own[0].n_components_ == 4),
        ("rbf_svm", {"pca": None}, lambda own: own[0] == "passthrough" and own[-1].shape_fit_[1] == 12),
    ],
)
def test_what_is_set_reaches_the_estimator_and_outlives_its_file(tmp_path, name, values, held):
    head = fitted(name, **values)
    assert held(head.estimator) and (head.predict(TEST[0]) == TEST[1]).mean() > 0.8
    heads.save(head, tmp_path / "x.skops")
    np.testing.assert_allclose(heads.load(tmp_path / "x.skops").scores(TEST[0]), head.scores(TEST[0]), atol=1e-12)


@pytest.mark.parametrize("kernel", ["rbf", "linear", "poly"])
def test_the_quick_scores_of_every_kernel_are_those_of_scikit_learn(kernel):
    head = fitted("rbf_svm", kernel=kernel, pca=None)
    np.testing.assert_allclose(head.scores(TEST[0]), head.estimator.decision_function(TEST[0]), atol=1e-3)
    machine = heads.info("rbf_svm").machine(head.estimator, 1.0)
    k, own = machine.kernel(machine.prepare(X), machine.prepare(X)), head.estimator[-1]
    pair = Y < 2
    from sklearn.svm import SVC

    two = SVC(**machine.settings).fit(X[pair].astype(float), Y[pair])
    values = k[pair][:, np.flatnonzero(pair)[two.support_]] @ two.dual_coef_[0] + two.intercept_[0]
    np.testing.assert_allclose(values, two.decision_function(X[pair].astype(float)), atol=1e-6)
    assert own.kernel == kernel


@pytest.mark.parametrize("name", [name for name in heads.HEADS if name != "rbf_svm"])
def test_a_pca_in_front_is_that_of_scikit_learn_and_is_saved(tmp_path, name):
    from sklearn.decomposition import PCA

    head = fitted(name, pca=4)
    own = PCA(4, random_state=0).fit(X)
    np.testing.assert_allclose(np.abs(head.reduced(TEST[0])), np.abs(own.transform(TEST[0])), atol=1e-4)
    assert head.estimator.n_features_in_ == 4 and (head.predict(TEST[0]) == TEST[1]).mean() > 0.8
    heads.save(head, tmp_path / "x.skops")
    loaded = heads.load(tmp_path / "x.skops")
    np.testing.assert_allclose(loaded.predict_proba(TEST[0]), head.predict_proba(TEST[0]), atol=1e-12)


def test_tuning_leaves_alone_what_is_set():
    fixed = heads.info("random_forest").params({"trees": 5})
    params, tried = tuning.choose("random_forest", X, Y, VALIDATION, 0, fixed=fixed)
    assert params["n_estimators"] == 5 and len(tried) == 5 and {each.params["n_estimators"] for each in tried} == {5}
    assert tuning.choose("linear_svm", X, Y, VALIDATION, 0, fixed={"C": 0.3}) == ({"C": 0.3}, ())


SET = (ByHand("linear_svm", "C", 0.1), ByHand("random_forest", "depth", 8), ByHand("linear_svm", "pca", 20))


def test_the_name_of_a_head_says_what_differs_from_its_default():
    assert str(heads.title("linear_svm", SET)) == "Linear SVM (C = 0.1, PCA = 20)"
    assert str(heads.title("random_forest", SET)) == "Random forest (largest depth = 8)"
    assert str(heads.title("knn", SET)) == "k-nearest neighbours"
    assert str(heads.title("rbf_svm", [ByHand("rbf_svm", "pca", None)])) == "RBF SVM (PCA = off)"


def test_settings_are_stored_told_and_told_apart():
    plain, hand = HeadSpec(), HeadSpec(by_hand=SET)
    assert from_json(to_json(hand)) == hand
    assert from_json(to_json(plain).replace(', "by_hand": []', "").replace('"by_hand": [], ', "")) == plain
    found = {str(name): str(value) for name, value in side_by_side.settings(hand).items()}
    assert (found["Linear SVM: C"], found["Linear SVM: PCA"], found["Random forest: largest depth"]) == (
        "0.1",
        "20",
        "8",
    )
    assert [str(s.name) for s in side_by_side.side_by_side([plain, hand]) if s.differs] == [
        "Linear SVM: C",
        "Random forest: largest depth",
        "Linear SVM: PCA",
    ]
    assert side_by_side.marks([plain, HeadSpec(by_hand=SET[:1])]) == ["Linear SVM: C –", "Linear SVM: C 0.1"]
    (again,) = hand.repeated("random_forest-features", (3,))
    assert again.by_hand == (SET[1],)


@pytest.mark.parametrize("name", tuple(heads.HEADS))
def test_every_knob_has_a_default_in_its_range_a_line_of_help_and_refuses_what_it_cannot_be(name):
    assert heads.HEADS[name].knobs
    for knob in heads.HEADS[name].knobs:
        assert knob.check(knob.default) == knob.default or knob.name == "k"
        assert 20 < len(str(knob.help)) < 100 and knob.title
        assert knob.read(str(knob.words(knob.default)).replace(",", "")) == knob.default or knob.choices
        for wrong in ("x", True, knob.high + 1, [1]):
            with pytest.raises(SpecError):
                knob.check(wrong)


@pytest.mark.keras
def test_a_run_by_hand_is_fitted_named_and_opened_so(tmp_path):
    store = Store(tmp_path)
    spec = HeadSpec(
        data=DataSpec(per_class=8),
        curves=False,
        inputs=("pixels",),
        by_hand=(ByHand("linear_svm", "C", 0.1), ByHand("linear_svm", "pca", 10), ByHand("random_forest", "trees", 7)),
    )
    run = store.create(spec, owner="me")
    worker.execute(run.id, str(tmp_path))
    run = store.get(run.id)
    assert [row.params for row in run.result.rows] == [{"C": 0.1, "pca": 10}, {"n_estimators": 7}]
    assert [str(info.title) for info in prediction.of_run(run)] == [
        "Linear SVM (C = 0.1, PCA = 10) on pixels, 8 labels",
        "Random forest (trees = 7) on pixels, 8 labels",
    ]
    first, second = (row.file for row in run.result.rows)
    found = svm.opened(run.id, first, (0, 1), 0, str(tmp_path))
    assert found.C == 0.1 and found.shown_sum == pytest.approx(found.decision, abs=1e-6)
    assert forest.opened(run.id, second, 0, str(tmp_path)).trees.shape == (7, 5)
    items, _labels = datasets.samples(spec.data.target, 2)
    head = prediction.predictor(prediction.of_run(run)[0].name, tmp_path)
    assert head.predict_proba(items).shape == (len(items), 5)
