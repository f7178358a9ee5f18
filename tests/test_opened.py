"""SVMs and forests from inside, on heads of a real run, against scikit-learn."""

from types import SimpleNamespace

import numpy as np
import pytest

from tlcore import datasets, features, heads, prediction, sources
from tlcore.errors import SpecError
from tlcore.inspection import choices, forest, svm, together
from tlcore.jobs import execution as worker
from tlcore.spec import DataSpec, HeadSpec
from tlcore.store import Store

SPEC = HeadSpec(
    layer="dense_1",
    data=DataSpec(per_class=40, seed=3),
    seeds=(3,),
    heads=("linear_svm", "rbf_svm", "random_forest"),
    inputs=("features", "pixels"),
    curves=False,
)
SVM_FILES = [f"heads/{head}-{name}.skops" for head in ("linear_svm", "rbf_svm") for name in ("features", "pixels")]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("lab"))
    run = store.create(SPEC)
    worker.execute(run.id, str(store.folder))
    return store, store.get(run.id)


def test_a_network_that_takes_the_place_of_another_of_its_name_is_loaded(lab, monkeypatch):
    _store, run = lab
    loaded, answers = [], []
    monkeypatch.setattr(choices.sources, "load", lambda name, **how: loaded.append(name) or len(loaded))
    monkeypatch.setattr(choices.features, "extract", lambda model, *rest: model)
    for sha256 in ("one", "one", "other"):
        monkeypatch.setattr(choices.sources, "info", lambda name, of=sha256: SimpleNamespace(name=name, sha256=of))
        answers.append(choices.feature_rows(run, SVM_FILES[0], np.zeros((1, 28, 28, 1))))
    choices._network.cache_clear()
    assert answers == [1, 1, 2]


def test_the_dual_of_two_points_checked_by_hand():
    # Points at +1 and -1 on a line: w = 1, b = 0, both alphas 1/2, both objectives 1/2.
    x = np.array([[1.0], [-1.0]])
    found = svm.dual(np.array([0.5, 0.5]), np.array([1, -1]), x @ x.T, C=1.0)
    assert (found.sum_alpha, found.quadratic, found.diagonal) == (1.0, 1.0, 0.5)
    assert found.value == found.primal == 0.5
    assert (found.balance, found.residual, found.smallest, found.largest) == (0.0, 0.0, 0.5, 0.5)


def test_a_point_that_is_not_the_solution_has_a_residual_and_a_gap():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), np.where(np.arange(20) % 2, 1, -1)
    away = svm.dual(np.full(20, 0.1), y, x @ x.T, C=1.0)
    assert away.residual > 0.1 and away.primal > away.value + 0.1


@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
def test_at_scikit_learns_solution_the_conditions_hold_and_the_two_objectives_meet(C):
    from sklearn.svm import SVC

    rng = np.random.default_rng(1)
    y = np.where(np.arange(80) % 2, 1, -1)
    x = rng.normal(size=(80, 4)) + 0.8 * y[:, None]
    machine = SVC(kernel="linear", C=C, tol=svm.TOLERANCE).fit(x, y)
    alpha = np.zeros(80)
    alpha[machine.support_] = np.abs(machine.dual_coef_[0])
    found = svm.dual(alpha, y, x @ x.T, C)
    assert found.residual <= 1e-3 and abs(found.balance) < 1e-9
    assert 0 <= found.smallest <= found.largest <= C
    assert found.value <= found.primal == pytest.approx(found.value, rel=1e-3)
    assert found.quadratic == pytest.approx(float((machine.coef_**2).sum()))  # ΣΣ is the squared length of w


@pytest.mark.keras
@pytest.mark.parametrize("file", SVM_FILES)
def test_the_shown_sum_is_the_decision_function_and_the_solution_is_one(lab, file):
    store, run = lab
    for choice in (0, choices.N_CHOICES - 1):
        found = svm.opened(run.id, file, (2, 4), choice, str(store.folder))
        assert found.shown_sum == pytest.approx(found.decision, abs=1e-6)
        assert found.decision == pytest.approx(found.choices.values[choice], abs=1e-6)
        assert found.dual.residual <= 1e-3 and found.dual.value <= found.dual.primal
        assert found.dual.sum_alpha == pytest.approx(np.abs(found.weights).sum())
        assert set(found.labels) == {2, 4} and (np.sign(found.weights) == np.where(found.labels == 2, 1, -1)).all()
    assert found.n == found.n_all == 80 and len(found.vectors) == len(found.weights) <= 80


@pytest.mark.keras
@pytest.mark.parametrize("name", ["features", "pixels"])
def test_the_opened_rbf_machine_is_the_heads_own_for_that_pair(lab, name):
    store, run = lab
    file = f"heads/rbf_svm-{name}.skops"
    found = svm.opened(run.id, file, (1, 3), 0, str(store.folder))
    assert found.exact
    head = heads.load(prediction.checked_file(run, file, store.folder))
    svc = head.estimator[-1]
    svc.decision_function_shape = "ovo"
    data = datasets.load(SPEC.data)
    rows = np.flatnonzero(np.isin(data.y_test, (1, 3)))[: choices.N_CHOICES // 2]
    layer = SPEC.layer if name == "features" else "pixels"
    x = features.extract(sources.load(SPEC.source), data.x_test[rows], layer, data.form)
    pairs = [(i, j) for i in range(5) for j in range(i + 1, 5)]
    own = head.estimator.decision_function(x)[:, pairs.index((1, 3))]
    np.testing.assert_allclose(found.choices.values[: len(rows)], own, atol=0.01)  # each stops within its tolerance


@pytest.mark.keras
def test_the_trees_average_to_what_the_forest_says(lab):
    store, run = lab
    for choice in (0, 11):
        found = forest.opened(run.id, "heads/random_forest-features.skops", choice, str(store.folder))
        assert found.trees.shape == (heads.N_TREES, 5)
        np.testing.assert_allclose(found.trees.mean(axis=0), found.probabilities, atol=1e-12)
        assert found.probabilities.max() == pytest.approx(found.choices.values[choice], abs=1e-6)


@pytest.mark.keras
@pytest.mark.parametrize("head", ["linear_svm", "rbf_svm"])
def test_one_image_goes_through_both_and_each_adds_up_to_its_own_answer(lab, head):
    store, run = lab
    files = f"heads/{head}-features.skops", "heads/random_forest-features.skops"
    known = together.candidates(run.id, *files, str(store.folder))
    assert known.items.shape[1:] == (28, 28, 1) and len(known.labels) == choices.N_CHOICES
    differ = known.svm != known.forest
    assert differ[choices.N_CHOICES // 2 :].any()  # after the first as they come, where the two differ
    for i in (0, 11):
        both = together.together(run.id, *files, known.items[i], str(store.folder))
        assert (both.pair[0], both.forest_label) == (known.svm[i], known.forest[i]) and both.pair[1] != both.pair[0]
        assert both.svm.shown_sum == pytest.approx(both.svm.decision, abs=1e-6)
        assert set(both.svm.labels) == set(both.pair)
        np.testing.assert_allclose(both.forest.trees.mean(axis=0), both.forest.probabilities, atol=1e-12)
    drawn = np.full((28, 28, 1), 7, np.uint8)  # any item of the form, not a test image alone
    assert together.together(run.id, *files, drawn, str(store.folder)).forest.trees.shape == (heads.N_TREES, 5)


@pytest.mark.keras
@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda i, f: svm.opened(i, "heads/knn-features.skops", (0, 1), 0, f), "no head 'heads/knn-features.skops'"),
        (lambda i, f: svm.opened(i, "heads/random_forest-pixels.skops", (0, 1), 0, f), "no head"),
        (lambda i, f: svm.opened(i, SVM_FILES[0], (1, 1), 0, f), "two different classes"),
        (lambda i, f: svm.opened(i, SVM_FILES[0], (0, 5), 0, f), "two different classes"),
        (lambda i, f: svm.opened(i, SVM_FILES[0], (0, 1), 12, f), "12 images to pick from. Received: number 12"),
        (lambda i, f: forest.opened(i, "heads/random_forest-pixels.skops", -1, f), "Received: number -1"),
    ],
)
def test_what_cannot_be_opened_is_refused_in_one_sentence(lab, ask, sentence):
    store, run = lab
    with pytest.raises(SpecError, match=sentence):
        ask(run.id, str(store.folder))


@pytest.mark.keras
def test_a_large_pair_is_cut_evenly_and_says_so(lab, monkeypatch):
    store, run = lab
    monkeypatch.setattr(svm, "MOST_IMAGES", 30)
    found = svm.opened(run.id, SVM_FILES[0], (0, 3), 0, str(store.folder))
    assert (found.n, found.n_all, found.exact) == (30, 80, False)


def test_the_hardest_images_follow_the_first_and_none_comes_twice():
    chosen = choices.chosen(np.array([0.0, *np.linspace(1, 0.1, 30)]))
    assert chosen[:6].tolist() == [0, 1, 2, 3, 4, 5] and chosen[6] == 30
    assert len(set(chosen)) == len(chosen) == 12
    assert len(choices.chosen(np.ones(3))) == 3
