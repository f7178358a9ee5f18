"""Whole runs, executed as a worker process does, in this process."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tlcore import datasets, features, jobs, prediction, sources
from tlcore.errors import DataError, SpecError
from tlcore.evaluation import outputs
from tlcore.jobs import execution as worker
from tlcore.jobs.fine_tune import FineTune
from tlcore.jobs.reporter import Reporter
from tlcore.machine import scratch
from tlcore.spec import DataSpec, FineTuneSpec, HeadSpec, Phase
from tlcore.store import Store

FEW = DataSpec(per_class=5)
FINE_TUNE = FineTuneSpec(data=FEW, phases=(Phase(epochs=2, frozen=("conv_1", "conv_2")),))
HEADS = HeadSpec(data=FEW, heads=("linear_svm", "knn"), inputs=("features", "pixels"), seeds=(0, 1))


def executed(store: Store, spec):
    run = store.create(spec)
    worker.execute(run.id, str(store.folder))
    return store.get(run.id)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """One fine-tuning and one comparison, finished."""
    store = Store(tmp_path_factory.mktemp("lab"))
    return store, executed(store, FINE_TUNE), executed(store, HEADS)


@pytest.mark.keras
def test_a_fine_tuning_ends_done_with_test_proof_and_model(lab):
    store, run, _ = lab
    assert (run.state, str(run.error)) == ("done", "")
    test = run.result.test
    assert test.n == 4861 and test.low < test.accuracy < test.high
    assert sum(map(sum, test.confusion)) == 4861
    assert all(row.ok for row in run.result.proof)
    assert run.result.class_names == ("5", "6", "7", "8", "9")
    assert run.data_hash == datasets.load(FEW).hash
    assert run.versions["keras"] and run.seed == 0
    assert {point.part for _, point in store.points(run.id)} == {"train", "validation"}
    json.dumps(run.stored, allow_nan=False)


@pytest.mark.keras
def test_the_saved_model_has_the_accuracy_the_run_states(lab):
    store, run, _ = lab
    data = datasets.load(FEW)
    model = prediction.predictor(f"run:{run.id}", store.folder)
    right = (model.predict_proba(data.x_test).argmax(axis=1) == data.y_test).mean()
    assert right == pytest.approx(run.result.test.accuracy)


@pytest.mark.keras
def test_every_models_answers_to_the_test_images_and_to_noise_are_kept(lab):
    store, tuned, compared = lab
    data = datasets.load(FEW)
    for run in (tuned, compared):
        path = prediction.checked_file(run, outputs.FILE, store.folder)
        rows = {f"{row.head}-{row.input}": row for row in run.result.heads if row.file}
        assert set(outputs.models(path)) == (set(rows) or {"model"})
        for model in outputs.models(path):
            said = outputs.load(path, model)
            score = rows[model] if rows else run.result.test
            assert (said.predicted == data.y_test).mean() == pytest.approx(score.accuracy)
            name = f"head:{run.id}/{model}.skops" if rows else f"run:{run.id}"
            predict = prediction.predictor(name, store.folder).predict_proba
            np.testing.assert_allclose(
                said.noise[::50], predict(outputs.noise(data.x_test, data.form)[::50]), atol=2e-3
            )


@pytest.mark.keras
def test_the_frozen_layers_of_the_saved_model_are_the_sources(lab):
    store, run, _ = lab
    saved, source = prediction.load_model(run, store.folder), sources.load("digits_0_4")
    for name in ("conv_1", "conv_2"):
        for a, b in zip(saved.get_layer(name).get_weights(), source.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.keras
def test_heads_end_with_a_row_for_every_head_input_and_seed(lab):
    _, _, run = lab
    assert (run.state, str(run.error)) == ("done", "")
    cells = {(row.head, row.input, row.seed) for row in run.result.rows}
    assert len(cells) == len(run.result.rows) == 8
    assert run.result.n_features == 1600 and run.result.features_mb > 0
    assert len(run.result.table) == 4 and all(line.n_seeds == 2 for line in run.result.table)


@pytest.mark.keras
def test_the_heads_of_a_comparison_share_one_extraction(store, monkeypatch):
    extracted, extract = [], features.cached_extract
    monkeypatch.setattr(
        features, "cached_extract", lambda model, x, *rest: extracted.append(len(x)) or extract(model, x, *rest)
    )
    few = HeadSpec(data=FEW, heads=("linear_svm", "knn", "logistic_regression"), inputs=("features",))
    assert len(executed(store, few).result.rows) == 3
    assert 25 in extracted and len(extracted) == len(set(extracted))  # training, validation and test images


@pytest.mark.keras
def test_features_beat_pixels_at_five_labels_a_class(lab):
    _, _, run = lab
    mean = {(line.head, line.input): line.mean for line in run.result.table}
    assert mean["linear_svm", "features"] > mean["linear_svm", "pixels"]


@pytest.mark.keras
def test_saved_heads_have_the_accuracy_their_rows_state(lab):
    store, _, run = lab
    data = datasets.load(FEW)
    for row in run.result.rows:
        if row.file:
            head = prediction.predictor(f"head:{run.id}/{row.file.removeprefix('heads/')}", store.folder)
            right = (head.predict_proba(data.x_test).argmax(axis=1) == data.y_test).mean()
            assert right == pytest.approx(row.accuracy)


@pytest.mark.keras
def test_everything_that_can_answer_is_listed(lab):
    store, tuned, compared = lab
    names = [info.name for info in prediction.available(store.list())]
    assert names[:3] == ["source:digits_0_4", "source:digits", "source:fashion"]
    assert f"run:{tuned.id}" in names
    assert f"head:{compared.id}/linear_svm-pixels.skops" in names


@pytest.mark.keras
def test_the_same_spec_gives_the_same_result(lab):
    store, run, compared = lab
    assert executed(store, FINE_TUNE).result.test == run.result.test
    again = executed(store, HEADS)
    assert [row.accuracy for row in again.result.rows] == [row.accuracy for row in compared.result.rows]


@pytest.mark.keras
@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not a model"])
def test_a_damaged_model_file_is_named_and_not_loaded(lab, damage):
    store, *_ = lab
    run = executed(store, replace(FINE_TUNE, phases=(Phase(epochs=1, frozen=("conv_1", "conv_2")),)))
    (store.run_folder(run.id) / "model.keras").write_bytes(damage)
    with pytest.raises(DataError, match="model.keras of run .* is damaged"):
        prediction.predictor(f"run:{run.id}", store.folder)
    (store.run_folder(run.id) / "model.keras").unlink()
    with pytest.raises(DataError, match="is missing"):
        prediction.predictor(f"run:{run.id}", store.folder)


@pytest.mark.keras
def test_a_model_trained_on_unscaled_pixels_answers_unscaled_pixels(store):
    run = executed(store, replace(FINE_TUNE, data=replace(FEW, scale=False)))
    data = datasets.load(run.spec.data)
    model = prediction.predictor(f"run:{run.id}", store.folder)
    right = (model.predict_proba(data.x_test).argmax(axis=1) == data.y_test).mean()
    assert right == pytest.approx(run.result.accuracy)


@pytest.mark.keras
def test_what_a_head_costs_counts_the_backbone_for_features_and_not_for_pixels(lab):
    result = lab[2].result
    whole = {line.input: (result.whole_cost(line), line) for line in result.table}
    (ms, mb), line = whole["features"]
    assert ms == line.ms_per_image + result.backbone_ms > line.ms_per_image
    assert mb == pytest.approx(line.mb + 4 * 18_816 / 2**20)  # both convolutions
    (ms, mb), line = whole["pixels"]
    assert (ms, mb) == (line.ms_per_image, line.mb)
    assert result.n_validation == 1000


@pytest.mark.keras
def test_a_stop_keeps_the_weights_and_says_stopped(store, monkeypatch):
    long = replace(FINE_TUNE, batch_size=1, phases=(Phase(epochs=100),))
    run = store.create(long)
    original = Reporter.on_metric

    def stop_at_the_first_point(self, point):
        original(self, point)
        self.store.request_stop(self.run_id)

    monkeypatch.setattr(Reporter, "on_metric", stop_at_the_first_point)
    worker.execute(run.id, str(store.folder))
    found = store.get(run.id)
    assert found.state == "stopped" and found.result.epochs < 100
    # 25 images in batches of 1: it says how far it came, not that all is done.
    assert found.progress.n_steps == 2500 and found.progress.step == round(25 * found.result.epochs) < 2500
    said = jobs.of(found.spec).report(found.result, store.run_folder(found.id))
    assert str(said[0]) == f"Stopped after {found.result.epochs:.2g} of 100 epochs."
    assert found.result.test.n == 4861
    assert prediction.checked_file(found, "model.keras", store.folder).stat().st_size > 400_000


@pytest.mark.keras
def test_a_diverging_run_fails_with_its_reason(store):
    run = executed(store, replace(FINE_TUNE, phases=(Phase(epochs=40, learning_rate=10.0),)))
    assert run.state == "failed" and "learning rate is probably too high" in str(run.error)


@pytest.mark.keras
def test_a_bug_becomes_a_failed_run_with_a_log_id(store, monkeypatch, caplog):
    monkeypatch.setattr(FineTune, "run", lambda *_: 1 / 0)
    run = executed(store, FINE_TUNE)
    assert run.state == "failed" and "ZeroDivisionError" not in str(run.error)
    log_id = str(run.error).split("(log id ")[1].split(")")[0]
    assert log_id in caplog.text and "ZeroDivisionError" in caplog.text


@pytest.mark.keras
def test_a_full_disk_becomes_a_failed_run_in_words(store, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scratch, "write_whole", full)
    run = executed(store, FINE_TUNE)
    assert run.state == "failed" and "No space left on device" in str(run.error)


def test_a_run_that_was_claimed_already_is_left_alone(store):
    run = store.create(FINE_TUNE)
    assert Store(store.folder).claim(run.id, "somebody else")
    worker.execute(run.id, str(store.folder))
    assert store.get(run.id).state == "running"


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (replace(FINE_TUNE, source="vgg"), "no source model 'vgg'"),
        (replace(FINE_TUNE, data=DataSpec(target="letters")), "letters"),
        (replace(FINE_TUNE, data=DataSpec(per_class=7000)), "at most"),
        (replace(FINE_TUNE, data=DataSpec(per_class=0)), "Per class must be a whole number"),
        (replace(FINE_TUNE, phases=(Phase(epochs=0),)), "Epochs must be"),
        (replace(HEADS, heads=("svm",)), "no head 'svm'"),
        (replace(HEADS, heads=()), "No head was chosen"),
        (replace(HEADS, layer="conv_9"), "no layer 'conv_9'"),
        (replace(HEADS, seeds=()), "at least one seed"),
        (replace(HEADS, inputs=("sound",)), "no input 'sound'"),
        (replace(HEADS, seeds=(-1,)), "Seed must be"),
        (
            replace(HEADS, layer="conv_1", data=DataSpec(target="mnist", per_class=None)),
            "conv_1 for 60,000 images",
        ),
    ],
)
def test_what_cannot_run_is_refused_in_one_sentence(spec, sentence):
    with pytest.raises(SpecError, match=sentence):
        jobs.check(spec)


@pytest.mark.parametrize("name", ["", "digits", "source:vgg", "run:../../etc/passwd", "head:0123456789abcdef", "x:y"])
def test_a_predictor_that_is_none_is_refused(store, name):
    with pytest.raises(SpecError, match="There is no"):
        prediction.predictor(name, store.folder)
