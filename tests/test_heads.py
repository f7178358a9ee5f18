import json
import pickle
from dataclasses import asdict

import numpy as np
import pytest

from tlcore import cli, heads, jobs, prediction
from tlcore.errors import DataError, SpecError
from tlcore.evidence import methods
from tlcore.heads import tuning
from tlcore.sentences import Sentence
from tlcore.spec import NOBODY, File, HeadMean, HeadRow, HeadSpec, HeadsResult, Hooks

RNG = np.random.default_rng(0)
CENTRES = RNG.normal(0, 1, (3, 20)).astype(np.float32) * 3


def blobs(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Three clouds in 20 dimensions that every head can tell apart."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    return (CENTRES[y] + rng.normal(0, 1, (n, 20))).astype(np.float32), y


X, Y = blobs(60, 1)
VALIDATION = blobs(60, 2)
TEST = blobs(90, 3)


@pytest.fixture(params=sorted(heads.HEADS), scope="module")
def fitted(request):
    points = []
    head, fit_s = heads.fit(request.param, X, Y, VALIDATION, seed=0, listener=Hooks(on_metric=points.append))
    return head, fit_s, points


def test_a_linear_svm_on_many_more_features_than_rows_is_the_same_in_the_space_of_its_rows(monkeypatch):
    rng = np.random.default_rng(3)
    turn = rng.normal(0, 1, (20, 300)).astype(np.float32)
    x, x_test = (
        np.concatenate([part @ turn, rng.random((len(part), 100), np.float32)], axis=1) for part in (X, TEST[0])
    )
    plain, _s = heads.fit("linear_svm", x, Y, None, seed=0)
    monkeypatch.setattr(heads.linear, "WIDE", 100)
    turned, _s = heads.fit("linear_svm", x, Y, None, seed=0)
    assert turned.estimator.coef_.shape == plain.estimator.coef_.shape and turned.estimator.n_features_in_ == 400
    np.testing.assert_allclose(turned.scores(x_test), plain.scores(x_test), atol=2e-2)
    np.testing.assert_array_equal(turned.predict(x_test), plain.predict(x_test))


@pytest.mark.grid(3)
def test_every_head_learns_the_clouds(fitted):
    head, fit_s, _ = fitted
    assert (head.predict(TEST[0]) == TEST[1]).mean() > 0.95
    assert fit_s > 0


def test_probabilities_are_probabilities_and_agree_with_the_answer(fitted):
    head, *_ = fitted
    p = head.predict_proba(TEST[0])
    assert p.shape == (90, 3) and p.dtype == np.float32
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(p.argmax(axis=1), head.predict(TEST[0]))


def test_a_head_says_whether_a_temperature_makes_its_probabilities(fitted):
    head, *_ = fitted
    assert heads.HEADS[head.name].has_temperature is hasattr(head.estimator, "decision_function")
    assert heads.HEADS[head.name].has_temperature or head.temperature == 1


@pytest.mark.grid(3)
def test_a_saved_head_answers_the_same(fitted, tmp_path):
    head, *_ = fitted
    size = heads.save(head, tmp_path / "heads" / "x.skops")
    again = heads.load(tmp_path / "heads" / "x.skops")
    assert size == (tmp_path / "heads" / "x.skops").stat().st_size
    np.testing.assert_array_equal(again.predict_proba(TEST[0]), head.predict_proba(TEST[0]))
    assert heads.answer_alone(again).predict(TEST[0][:1]) == head.predict(TEST[0][:1])


def test_every_head_draws_its_curve_for_training_and_validation(fitted):
    head, _, points = fitted
    xs = [point.x for point in points if point.part == "validation"]
    assert xs == sorted(xs) and len(xs) >= 5
    assert {point.part for point in points} == {"train", "validation"}
    assert all(0 <= point.accuracy <= 1 and point.loss >= 0 for point in points)
    last = {"images": len(X), "trees": heads.N_TREES, "epochs": heads.N_EPOCHS}[heads.HEADS[head.name].curve]
    assert xs[-1] == last


def test_the_same_seed_gives_the_same_head(fitted):
    head, *_ = fitted
    again, _ = heads.fit(head.name, X, Y, VALIDATION, seed=0)
    np.testing.assert_array_equal(again.predict_proba(TEST[0]), head.predict_proba(TEST[0]))


def test_drawing_the_curve_does_not_change_the_head(fitted):
    head, *_ = fitted  # fitted with its curve
    plain, _ = heads.fit(head.name, X, Y, VALIDATION, seed=0)
    np.testing.assert_array_equal(plain.scores(TEST[0]), head.scores(TEST[0]))


def test_the_forests_curve_is_its_out_of_bag_error():
    points = []
    head, _ = heads.fit("random_forest", X, Y, VALIDATION, seed=0, listener=Hooks(on_metric=points.append))
    last = [point for point in points if point.part == "train"][-1]
    assert (last.x, last.loss) == (heads.N_TREES, pytest.approx(1 - head.estimator.oob_score_))


@pytest.mark.slow
def test_one_label_a_class_is_enough_for_every_head():
    x, y = blobs(3, 5)
    for name in heads.HEADS:
        head, _ = heads.fit(name, x, y, VALIDATION, seed=0, listener=NOBODY)
        assert head.predict(TEST[0]).shape == (90,)


@pytest.mark.parametrize("name", ["random_forest", "knn"])
def test_the_forest_and_the_neighbours_use_all_cores(name):
    assert heads.make(name, (100, 20), 5, 0, {}).n_jobs == -1


def test_two_classes_work_too():
    few = Y < 2
    for name in heads.HEADS:
        head, _ = heads.fit(name, X[few], Y[few], (X[few], Y[few]), seed=0)
        assert head.predict_proba(X[:4]).shape == (4, 2)


def test_an_unknown_head_is_answered_with_the_heads_there_are():
    with pytest.raises(SpecError, match=r"There is no head 'svm'. Pick one of: linear_svm, rbf_svm, random_forest"):
        heads.fit("svm", X, Y, VALIDATION, seed=0)
    with pytest.raises(SpecError, match="No head was chosen"):
        heads.check(())


class Evil:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was run",))


@pytest.mark.parametrize("content", [b"", b"no zip", pickle.dumps(Evil())], ids=["empty", "text", "pickle"])
def test_a_foreign_file_is_refused_and_nothing_in_it_runs(tmp_path, content):
    (tmp_path / "x.skops").write_bytes(content)
    with pytest.raises(DataError, match="damaged or was not made here"):
        heads.load(tmp_path / "x.skops")


def test_a_skops_file_of_other_types_is_refused(tmp_path):
    from skops.io import dump

    dump({"name": "knn", "estimator": print, "scale": 1.0, "temperature": 1.0}, tmp_path / "x.skops")
    with pytest.raises(DataError, match="damaged or was not made here"):
        heads.load(tmp_path / "x.skops")


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(DataError, match="is missing"):
        heads.load(tmp_path / "x.skops")


def test_the_balanced_order_holds_all_classes_in_every_leading_part():
    y = np.array([0] * 30 + [1] * 30 + [2] * 30)
    order = heads.balanced_order(y)
    assert sorted(order) == list(range(90))
    assert set(y[order[:3]]) == {0, 1, 2} and np.bincount(y[order[:30]]).tolist() == [10, 10, 10]


def test_the_temperature_undoes_a_scaling_of_the_scores():
    scores = RNG.normal(0, 1, (4000, 3))
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    y = (p.cumsum(axis=1) > RNG.random((4000, 1))).argmax(axis=1)  # labels drawn from the softmax itself: T = 1
    assert heads.best_temperature(scores * 3, y) == pytest.approx(3, rel=0.2)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_the_rbf_svms_quick_scores_are_those_of_libsvm(n_classes):
    rng = np.random.default_rng(0)
    y = np.arange(120) % n_classes
    x = (rng.normal(size=(120, 20)) + 0.8 * y[:, None]).astype(np.float32)
    head, _ = heads.fit("rbf_svm", x, y, (x, y), seed=0)
    expected = head.estimator.decision_function(x)
    found = head.scores(x)
    if n_classes == 2:
        expected = np.stack([-expected, expected], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_array_equal(head.predict(x), head.estimator.predict(x))


def test_the_rbf_svms_kernel_is_the_one_of_the_features_themselves():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = (5 + rng.normal(size=(60, 30)) + y[:, None]).astype(np.float32)
    head, _ = heads.fit("rbf_svm", x, y, (x, y), seed=0)
    assert head.estimator[-1].gamma == pytest.approx(1 / (30 * x.var()))


class Centroid(heads.Head):
    """A head from outside: the least that one needs."""

    name, title = "centroid", Sentence("Nearest centroid")

    def make(self, shape, n_classes, seed):
        from sklearn.naive_bayes import GaussianNB

        return GaussianNB()


@pytest.fixture
def own(monkeypatch):
    monkeypatch.setitem(heads.HEADS, "centroid", None)
    del heads.HEADS["centroid"]  # undone when the patch is
    heads.register(Centroid())
    return "centroid"


def test_a_head_of_ones_own_needs_a_name_a_title_and_an_estimator(own, tmp_path):
    points = []
    head, _ = heads.fit(own, X, Y, VALIDATION, seed=0, listener=Hooks(on_metric=points.append))
    assert (head.predict(TEST[0]) == TEST[1]).mean() > 0.95
    assert len({point.x for point in points}) >= 5
    heads.save(head, tmp_path / "x.skops")
    np.testing.assert_array_equal(heads.load(tmp_path / "x.skops").scores(TEST[0]), head.scores(TEST[0]))
    assert tuning.choose(own, X, Y, VALIDATION, seed=0) == ({}, ())
    assert heads.HEADS[own].opens is None and own in methods()


def test_a_head_of_ones_own_is_listed_with_the_others(own, capsys):
    assert cli.main(["heads", "--list", "--json"]) == 0
    listed = {card["name"]: card for card in json.loads(capsys.readouterr().out)}
    assert listed[own]["title"] == "Nearest centroid" and listed[own]["curve"] == "training images"


@pytest.mark.parametrize("name", ["linear_svm", "centroid", "scratch"])
def test_a_name_that_is_taken_is_refused(own, name, monkeypatch):
    monkeypatch.setattr(Centroid, "name", name)
    before = dict(heads.HEADS)
    with pytest.raises(SpecError, match=f"The name '{name}' is taken"):
        heads.register(Centroid())
    assert before == heads.HEADS


def test_a_name_that_cannot_stand_in_a_files_name_is_refused(monkeypatch):
    for name in ("a/b", "my head", "k-means", ""):
        monkeypatch.setattr(Centroid, "name", name)
        with pytest.raises(SpecError, match="letters, digits and _"):
            heads.register(Centroid())


def test_a_run_whose_head_is_gone_is_listed_and_reported_by_its_name(store, own, monkeypatch):
    row = HeadRow(accuracy=0.5, n=4, head=own, input="features", file=f"heads/{own}-features.skops")
    line = HeadMean(own, "features", 1, 0.5, None, 0.1, 0.0, 0.0, None, 4)
    run = store.create(HeadSpec(heads=(own,)))
    result = HeadsResult(rows=(row,), table=(line,), class_names=("0", "1"), files={row.file: File("0" * 64)})
    store.finish(run.id, "done", asdict(result))
    found = store.get(run.id)
    assert [str(info.title).partition(",")[0] for info in prediction.of_run(found)] == ["Nearest centroid"]
    monkeypatch.delitem(heads.HEADS, own)
    assert prediction.of_run(found) == []
    assert str(heads.title(own)) == own
    report = jobs.of(found.spec).report(found.result, store.run_folder(run.id))
    assert str(report[0].rows[0][1]) == own


def test_what_a_head_can_be_opened_up_as_is_what_it_can_give(fitted):
    head, *_ = fitted
    kind = heads.HEADS[head.name]
    machine = kind.machine(head.estimator, head.scale)
    assert (kind.opens == "svm") is (machine is not None)
    assert (kind.opens == "forest") is bool(kind.trees(head.estimator))
    if machine:
        k = machine.kernel(machine.prepare(X), machine.prepare(X))
        np.testing.assert_allclose(k, k.T, atol=1e-9)
