"""Heads that were downloaded are uploaded again: they answer as before, or are refused in one sentence."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hostile.asked import refusal

from tlcore import cli, datasets, heads, prediction, sources
from tlcore.errors import DataError, SpecError
from tlcore.inspection import models
from tlcore.jobs import execution as worker
from tlcore.prediction import ModelName, own_heads
from tlcore.prediction.outside import detector
from tlcore.spec import ByHand, DataSpec, HeadSpec
from tlcore.store import Store

pytestmark = pytest.mark.keras

SPEC = HeadSpec(
    layer="dense_1",
    data=DataSpec(per_class=12, seed=3),
    seeds=(3,),
    heads=tuple(heads.HEADS),
    curves=False,
    by_hand=(ByHand("random_forest", "trees", 20), ByHand("linear_svm", "pca", 6), ByHand("rbf_svm", "pca", None)),
)
ON_PIXELS = replace(SPEC, heads=("knn",), inputs=("pixels",), by_hand=())
FILES = [*(f"{head}-features" for head in SPEC.heads), "knn-pixels"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("trained"))
    ids = [store.create(spec).id for spec in (SPEC, ON_PIXELS)]
    for id in ids:
        worker.execute(id, str(store.folder))
    return store, *map(store.get, ids)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Another lab, which knows no run, and looks at files in this process: starting one takes seconds."""
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path / "here"))
    monkeypatch.setattr(own_heads, "guarded", lambda function, arguments, *_: function(*arguments))
    return tmp_path / "here"


def kept(trained, file: str):
    store, run, on_pixels = trained
    return store.run_folder((on_pixels if file.endswith("pixels") else run).id) / "heads" / f"{file}.skops"


def content(trained, file: str) -> bytes:
    return kept(trained, file).read_bytes()


def loaded(trained, file: str) -> heads.FittedHead:
    return heads.load(kept(trained, file))


def saved(head: heads.FittedHead, folder) -> bytes:
    heads.save(head, folder / "x.skops")
    return (folder / "x.skops").read_bytes()


@pytest.mark.parametrize("file", FILES)
def test_an_uploaded_head_answers_in_another_lab_as_it_did_where_it_was_trained(trained, here, file):
    store = trained[0]
    card = own_heads.add(content(trained, file), f"my {file}.skops")
    items = datasets.load(SPEC.data).x_test[:50]
    before = prediction.predictor(str(ModelName.head(kept(trained, file).parts[-3], f"{file}.skops")), store.folder)
    after = prediction.predictor(str(ModelName.own(card.name)), here)
    np.testing.assert_allclose(after.predict_proba(items), before.predict_proba(items), atol=1e-6)
    assert after.class_names == before.class_names == ("5", "6", "7", "8", "9")
    assert card.source == ("digits_0_4" if file.endswith("features") else "")
    (info,) = prediction.of_own(own_heads.cards())
    assert str(info.title).endswith(f"uploaded: my {file}") and info.name == f"own:{card.name}"
    assert info.transfer == ("after" if card.source else "without")


def test_it_says_what_it_was_trained_on_and_can_be_looked_into(trained, here):
    card = own_heads.add(content(trained, "linear_svm-features"), "x.skops")
    assert (card.origin.data.target, card.origin.data.per_class, card.origin.layer) == ("mnist_5_9", 12, "dense_1")
    assert str(prediction.of_own([card])[0].title) == "Linear SVM (PCA = 6), uploaded: x"
    model = models.opened(f"own:{card.name}", str(here))
    assert model.layer == "dense_1" and model.training == replace(SPEC.data, seed=3)
    drawn = datasets.load(SPEC.data).x_test[:3]
    assert detector(f"own:{card.name}", here).predict_proba(drawn).shape == (3, 2)


def test_a_head_of_an_older_version_is_known_by_its_run_and_refused_elsewhere(trained, here, tmp_path, monkeypatch):
    head = loaded(trained, "knn-features")
    head.origin = None
    old = saved(head, tmp_path)
    with pytest.raises(DataError, match="does not say which network its features come from") as caught:
        own_heads.add(old, "x.skops")
    assert refusal(caught.value)
    run = trained[1]
    row = next(row for row in run.result.rows if row.file == "heads/knn-features.skops")
    result = SimpleNamespace(
        **{**vars(run.result), "heads": [row], "files": {row.file: SimpleNamespace(sha256=sha(old))}}
    )
    there = SimpleNamespace(list=lambda **_: [SimpleNamespace(spec=run.spec, result=result)])
    monkeypatch.setattr(own_heads, "Store", lambda _folder: there)
    card = own_heads.add(old, "x.skops")
    assert (card.source, card.origin.layer, card.origin.class_names) == (
        "digits_0_4",
        "dense_1",
        run.result.class_names,
    )


def sha(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()


def test_its_network_is_found_by_its_weights_whatever_it_is_called_here(trained, here, tmp_path):
    head = loaded(trained, "knn-features")
    assert head.origin
    head.origin = replace(head.origin, source="upload-0123456789ab")
    assert own_heads.add(saved(head, tmp_path), "x.skops").source == "digits_0_4"
    head.origin = replace(head.origin, title="My network", weights="0" * 64)
    with pytest.raises(
        DataError, match="comes? from the network My network up to dense_1, which is not here. Add"
    ) as caught:
        own_heads.add(saved(head, tmp_path), "x.skops")
    assert refusal(caught.value) and len(own_heads.cards()) == 1


def forest_that_never_ends(own):
    tree = own.estimators_[3].tree_
    state = tree.__getstate__()
    state["nodes"]["left_child"][0] = 0
    tree.__setstate__(state)


def forest_that_asks_for_a_feature_beyond_the_last(own):
    tree = own.estimators_[0].tree_
    state = tree.__getstate__()
    state["nodes"]["feature"][0] = 10**6
    tree.__setstate__(state)


def svm_with_more_support_vectors_than_it_has(own):
    own[-1]._n_support = own[-1]._n_support + np.int32(1000)


DOCTORED = {
    "random_forest-features": [
        forest_that_never_ends,
        forest_that_asks_for_a_feature_beyond_the_last,
        lambda own: own.estimators_.clear(),
        lambda own: setattr(own, "classes_", np.arange(7)),
    ],
    "rbf_svm-features": [
        svm_with_more_support_vectors_than_it_has,
        lambda own: setattr(own[-1], "dual_coef_", own[-1].dual_coef_[:, :-1]),
        lambda own: setattr(own[-1], "kernel", "precomputed"),
    ],
    "knn-features": [
        lambda own: setattr(own, "_y", own._y + 100),
        lambda own: setattr(own, "effective_metric_", "precomputed"),
        lambda own: setattr(own, "n_neighbors", 10**6),
    ],
    "linear_svm-features": [lambda own: setattr(own, "coef_", own.coef_[:, :3])],
    "logistic_regression-features": [lambda own: setattr(own, "coef_", own.coef_ * np.nan)],
    "dense-features": [lambda own: setattr(own, "coefs_", own.coefs_[:1])],
}


@pytest.mark.parametrize(("file", "change"), [(file, change) for file in DOCTORED for change in DOCTORED[file]])
def test_a_head_whose_arrays_do_not_fit_is_refused_before_compiled_code_reads_them(
    trained, here, tmp_path, file, change
):
    head = loaded(trained, file)
    change(head.estimator)
    with pytest.raises(DataError, match="what is in it is not a ") as caught:
        own_heads.add(saved(head, tmp_path), "x.skops")
    assert refusal(caught.value) and not own_heads.cards() and not list((here / "own_heads").iterdir())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"class_names": ("5",)}, "its description is not valid"),
        ({"class_names": ("5", "6", "7", "8", "\x00")}, "its description is not valid"),
        ({"input": "sounds"}, "its description is not valid"),
        ({"source": None}, "its description is not valid"),
        ({"data": DataSpec("cats")}, "it was trained on 'cats', which this lab does not have"),
        ({"class_names": ("a", "b", "c")}, "what is in it is not a k-nearest neighbours for these features"),
        ({"by_hand": (ByHand("knn", "k", "x" * 999),)}, "what is in it is not a k-nearest neighbours"),
    ],
)
def test_a_head_that_says_of_itself_what_cannot_be_is_refused(trained, here, tmp_path, change, sentence):
    head = loaded(trained, "knn-features")
    assert head.origin
    head.origin = replace(head.origin, **change)
    with pytest.raises(DataError, match=sentence) as caught:
        own_heads.add(saved(head, tmp_path), "x.skops")
    assert refusal(caught.value)


def test_in_a_process_of_its_own_an_honest_head_is_kept(trained, tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path))
    card = own_heads.add(content(trained, "random_forest-features"), "a.skops", owner="me")
    assert card.head == "random_forest" and [each.name for each in own_heads.cards(["me"])] == [card.name]
    assert not own_heads.cards([""])


def test_types_that_no_head_has_are_refused(here):
    from skops.io import dumps

    foreign = dumps({"name": "knn", "estimator": pytest.approx, "scale": 1.0, "temperature": 1.0})
    with pytest.raises(DataError, match="it contains types that no head of this lab has") as caught:
        own_heads.add(foreign, "x.skops")
    assert refusal(caught.value)


def test_a_head_is_removed_put_back_and_its_file_swept(trained, here):
    card = own_heads.add(content(trained, "knn-pixels"), "x.skops")
    own_heads.remove(card.name)
    assert not own_heads.cards() and own_heads.checked_file(card)
    own_heads.remove(card.name, removed=False)
    own_heads.sweep()
    assert own_heads.cards() == (card,) and own_heads.checked_file(card)
    own_heads.remove(card.name)
    own_heads.sweep()
    with pytest.raises(DataError, match="was removed or is damaged. Upload it again"):
        prediction.predictor(f"own:{card.name}", here)
    with pytest.raises(SpecError, match="There is no model 'own-zzz'"):
        own_heads.info("own-zzz")


def test_a_person_may_keep_so_many(trained, here, monkeypatch):
    monkeypatch.setattr(own_heads, "MOST_MODELS_PERSON", 1)
    own_heads.add(content(trained, "knn-pixels"), "x.skops", owner="me")
    own_heads.add(content(trained, "knn-pixels"), "again.skops", owner="me")  # the same one
    with pytest.raises(SpecError, match="There are 1 uploaded heads, and the limit is 1"):
        own_heads.add(content(trained, "linear_svm-features"), "x.skops", owner="me")
    own_heads.add(content(trained, "linear_svm-features"), "x.skops", owner="you")


def test_an_uploaded_network_stays_what_the_other_upload_takes(here):
    with pytest.raises(DataError, match="it is a whole Keras network. Add it on the Layers page"):
        own_heads.add(sources.get("digits").folder().joinpath("digits.keras").read_bytes(), "x.skops")


def test_the_command_line_adds_asks_and_removes_one(trained, here, tmp_path, capsys, monkeypatch):
    from hostile.pictures import honest

    (tmp_path / "mine.skops").write_bytes(content(trained, "linear_svm-features"))
    line = ["--home", str(here)]
    assert cli.main([*line, "heads", "--add", str(tmp_path / "mine.skops")]) == 0
    said = capsys.readouterr().out
    name = said.partition(":")[0]
    assert own_heads.is_own(name) and "Linear SVM (PCA = 6), uploaded: mine; classes 5 6 7 8 9" in said
    assert cli.main([*line, "predict", "--list", "--json"]) == 0
    assert name in {row["name"] for row in json.loads(capsys.readouterr().out)}
    (tmp_path / "seven.png").write_bytes(honest("PNG"))
    assert cli.main([*line, "predict", "--model", name, str(tmp_path / "seven.png")]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["model"] == name and set(answer["probabilities"]) == set("56789")
    assert cli.main([*line, "heads", "--remove", name]) == 0 and not own_heads.cards()
    assert cli.main([*line, "heads", "--add", str(tmp_path / "none.skops")]) == 2
    assert "none.skops cannot be read (No such file or directory). Name a .skops file." in capsys.readouterr().err
