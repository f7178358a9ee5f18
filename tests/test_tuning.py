import numpy as np
import pytest

from tlcore import datasets, heads
from tlcore.errors import SpecError
from tlcore.heads import tuning
from tlcore.jobs import execution as worker
from tlcore.people import Access, Limits, Person
from tlcore.spec import DataSpec, ExampleSpec, FineTuneSpec, HeadSpec, Hooks, SweepSpec
from tlcore.store import Store


def clouds(n=60, d=6, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    return (rng.normal(size=(n, d)) + 1.5 * np.eye(3, d)[y]).astype(np.float32), y


def test_every_head_has_a_grid_of_settings_that_it_knows():
    for name, head in heads.HEADS.items():
        assert len(head.grid) > 2
        for params in head.grid:
            own = heads.make(name, (60, 6), 3, seed=0, params=params)
            assert all(own.get_params()[key] == value for key, value in params.items())
            assert " = " in str(tuning.describe(name, params))


@pytest.mark.grid(2)
@pytest.mark.parametrize("name", tuple(heads.HEADS))
def test_the_chosen_setting_is_the_best_on_validation_and_a_tie_goes_to_the_simpler(name):
    (x, y), validation = clouds(), clouds(seed=1)
    params, tried = tuning.choose(name, x, y, validation, seed=0)
    best = max(one.accuracy for one in tried)
    assert params == next(one.params for one in tried if one.accuracy == best)
    assert [one.params for one in tried] == list(heads.HEADS[name].grid)
    first = heads.fit(name, x, y, validation, seed=0, params=tried[0].params)[0]
    assert tried[0].accuracy == pytest.approx((first.predict(validation[0]) == validation[1]).mean())


def test_the_values_are_those_that_scikit_learns_search_finds_best():
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, PredefinedSplit

    (x, y), (v, w) = clouds(seed=3), clouds(seed=4)
    _params, tried = tuning.choose("logistic_regression", x, y, (v, w), seed=0)
    scale = 1.0 / np.linalg.norm(x, axis=1).mean()
    search = GridSearchCV(
        LogisticRegression(max_iter=300, tol=1e-3, random_state=0),
        {"C": [one.params["C"] for one in tried]},
        cv=PredefinedSplit([-1] * len(x) + [0] * len(v)),
    ).fit(np.concatenate([x, v]) * np.float32(scale), np.concatenate([y, w]))
    np.testing.assert_allclose([one.accuracy for one in tried], search.cv_results_["mean_test_score"])


def test_neighbours_that_there_are_not_are_not_asked_for():
    x, y = clouds(n=6)
    _params, tried = tuning.choose("knn", x, y, clouds(seed=1), seed=0)
    assert [one.params["n_neighbors"] for one in tried] == [5, 3, 1]


def test_a_stop_ends_the_search_with_what_was_tried():
    _params, tried = tuning.choose(
        "linear_svm", *clouds(), clouds(seed=1), seed=0, listener=Hooks(should_stop=lambda: True)
    )
    assert len(tried) == 1


def test_an_unknown_head_is_one_sentence():
    with pytest.raises(SpecError, match="There is no head 'tree'"):
        tuning.choose("tree", *clouds(), clouds(seed=1), seed=0)


@pytest.mark.keras
def test_a_run_stores_what_was_tried_and_fits_and_keeps_the_chosen(tmp_path, monkeypatch):
    monkeypatch.setattr(heads.HEADS["knn"], "grid", ({"n_neighbors": 50}, {"n_neighbors": 1}))
    store = Store(tmp_path)
    spec = HeadSpec(data=DataSpec(per_class=10), heads=("knn",), inputs=("pixels",), curves=False, tune=True)
    run = store.create(spec, owner="me")
    worker.execute(run.id, str(tmp_path))
    (row,) = store.get(run.id).result.rows
    assert [tried.params for tried in row.tried] == [{"n_neighbors": 50}, {"n_neighbors": 1}]
    assert row.params == {"n_neighbors": 1}
    kept = heads.load(store.run_folder(run.id) / row.file)
    assert kept.estimator.n_neighbors == 1
    assert store.test_uses(["mnist_5_9"], "me") == 1


def test_every_measurement_on_the_test_images_of_a_target_is_counted_deleted_runs_too(store):
    def ended(spec, result, owner="me"):
        run = store.create(spec, owner=owner)
        store.claim(run.id)
        store.finish(run.id, "done", result)
        return run.id

    ended(FineTuneSpec(), {"test": {"accuracy": 0.9}})
    store.delete(ended(HeadSpec(), {"rows": [{"head": "knn", "input": "pixels", "accuracy": 0.5}] * 3}))
    ended(FineTuneSpec(data=DataSpec(target="mnist")), {"test": {"accuracy": 0.9}})
    ended(SweepSpec(), {"n_cells": 20, "n_before": 12, "n_failed": 1})  # of an older version
    ended(SweepSpec(), {"n_cells": 20, "n_before": 4, "n_failed": 1, "n_tested": 6})  # the others are scores
    ended(ExampleSpec(), {"source_test": {"accuracy": 0.9}, "test": {"accuracy": 0.9}})
    ended(FineTuneSpec(), {"test": {"accuracy": 0.9}}, owner="you")
    store.create(FineTuneSpec(), owner="me")
    assert store.test_uses(["mnist_5_9"], "me") == 1 + 3 + 7 + 6 + 1
    assert (store.test_uses(["mnist"], "me"), store.test_uses(["mnist_5_9"], "you")) == (1, 1)
    assert store.test_uses(["digits_8x8"], "me") == 0
    assert store.test_uses(["mnist_0_4"], "me") == 1
    me = Access(store, Person("me"), Limits(), lambda run_id: None)
    assert (me.test_uses("mnist"), me.test_uses("mnist_0_4")) == (1 + 18 + 1, 1 + 1)  # mnist has the images of both


@pytest.mark.parametrize("name", [card.name for card in datasets.catalogue() if card.offline])
def test_tasks_are_said_to_share_test_images_exactly_where_they_do(name):
    images = {card.name: {item.tobytes() for item in datasets.get(card.name).read().x_test}
              for card in datasets.catalogue() if card.offline}  # fmt: skip
    assert {other for other in images if images[other] & images[name]} == set(datasets.sharing(name))


def test_a_sweep_counts_the_experiments_that_saw_test_images_and_no_scores(tmp_path):
    store = Store(tmp_path)
    spec = SweepSpec(methods=("knn", "loo_1nn", "h_score"), cuts=("pixels", "flatten"), per_class=(2,), seeds=(0, 1))
    run = store.create(spec, owner="me")
    worker.execute(run.id, str(tmp_path))
    cells = store.cells(run.id)
    assert len(cells) == store.get(run.id).result.n_cells > 4
    assert store.get(run.id).result.n_tests == sum(cell.method == "knn" for cell in cells) == 4
