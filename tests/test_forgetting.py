"""What a source still knows of its own task after it was trained on another, and where that is told."""

from dataclasses import replace

import numpy as np
import pytest

from tlcore import datasets, sources, training
from tlcore.datasets.keras_sets import KerasSet
from tlcore.errors import DataError
from tlcore.evidence import finish
from tlcore.jobs import execution
from tlcore.jobs.fine_tune import FineTune, forgetting_words
from tlcore.sentences import Sentence
from tlcore.spec import NOBODY, DataSpec, FineTuneResult, FineTuneSpec, Forgetting, Phase, Way, result_from
from tlcore.training import film, forgetting

BODY = ("conv_1", "conv_2", "dense_1")
SPEC = FineTuneSpec(data=DataSpec(per_class=4), phases=(Phase(8, learning_rate=0.01),), film=True)


NOTHING_YET = "This source has learned nothing yet, so it can forget nothing."
NOT_MEASURED = "What it forgets of its own task is not measured:"


def test_every_shipped_source_that_has_learned_something_has_test_images_of_its_own_task(monkeypatch):
    monkeypatch.setattr(KerasSet, "at_hand", lambda self: False)  # as on a machine that never fetched anything
    monkeypatch.setenv("TRANSFER_LAB_WEIGHTS", "")
    shipped = {card.name: str(forgetting.why_not(card)) for card in sources.catalogue() if card.trained}
    photographs = ("mobilenet_v2", "mobilenet_v2_128", "mobilenet_v2_224")
    not_here = f"{NOT_MEASURED} the test images of that task are not here."
    assert shipped == dict.fromkeys(("digits_0_4", "digits", "fashion"), "") | dict.fromkeys(photographs, not_here)
    untrained = [card for card in sources.catalogue() if card.name.endswith("random")]
    assert {str(forgetting.why_not(card)) for card in untrained} == {NOTHING_YET}


def test_where_they_are_not_at_hand_one_sentence_says_so(monkeypatch):
    monkeypatch.setattr(KerasSet, "at_hand", lambda self: False)
    card = sources.info("digits")
    far, own = replace(card, task="cifar10"), replace(card, task="", dataset="", title="Mine")
    assert "the test images of CIFAR-10 in grey are not on this computer" in str(forgetting.why_not(far))
    assert "it is not known which images Mine learned from" in str(forgetting.why_not(own))


def test_the_few_garments_that_ship_have_labels_and_are_the_same_on_every_computer(monkeypatch):
    def refuse(self):
        raise DataError("No network.")

    monkeypatch.setattr(KerasSet, "read", refuse)
    images, labels = datasets.own_test("fashion_mnist", 1000)
    assert images.shape == (1000, 28, 28, 1) and labels.dtype == np.int64 and np.bincount(labels).min() > 80
    first, second = datasets.own_test("mnist_0_4", 1000), datasets.samples("mnist_0_4", 1000)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    with pytest.raises(DataError, match="No network"):
        datasets.own_test("cifar10", 10)


LOST = Forgetting("Digits", 1000, before=0.99, after=0.9)


def test_it_is_told_in_a_sentence_and_older_results_tell_nothing():
    told = str(forgetting_words(FineTuneResult(forgetting=LOST)))
    right = "99.0 % before training, 90.0 % now (1,000 test images, with its original head)"
    assert told == f"It forgot 9.0 points of its own task, Digits: {right}."
    assert "forgot nothing" in str(forgetting_words(FineTuneResult(forgetting=replace(LOST, after=0.99))))
    assert str(forgetting_words(FineTuneResult(not_measured=Sentence("Not here.")))) == "Not here."
    old = result_from("fine_tune", {"test": {"accuracy": 0.5}})
    assert old.forgetting is None and not forgetting_words(old)
    assert Way("scratch", "a").forgetting is None


def test_a_race_tells_it_of_runs_that_were_not_filmed_too(store):
    run = store.create(SPEC)
    store.claim(run.id)
    store.finish(run.id, "done", {"forgetting": vars(LOST)})
    assert finish.memory(store.get(run.id), store) == finish.Memory("Digits", 0.99, 0.9)


# -- with networks


def trained(spec, folder=None):
    data = datasets.load(spec.data)
    model = sources.load(spec.source, n_classes=5, seed=spec.seed, scale=spec.data.scale)
    watching = film.Monitor(model, spec, data.class_names, folder) if folder else NOBODY
    training.fit(model, data, spec, watching)
    return model


@pytest.mark.keras
def test_it_is_the_old_head_on_the_trained_layers_as_a_film_measures_it_too(tmp_path):
    model = trained(SPEC, tmp_path)
    found = forgetting.measure(model, SPEC)
    assert (found.task, found.n) == ("MNIST digits 0-4", 1000)
    frames = film.frames(tmp_path)
    assert (found.before, found.after) == pytest.approx((frames[0].source, frames[-1].source), abs=0.002)

    images, labels = datasets.samples("mnist_0_4", 1000)
    old = sources.load("digits_0_4")
    assert found.before == pytest.approx((old.predict(images, verbose=0).argmax(axis=1) == labels).mean(), abs=0.002)
    for name in BODY:  # the trained layers under the old head, by hand
        old.get_layer(name).set_weights(model.get_layer(name).get_weights())
    assert found.after == pytest.approx((old.predict(images, verbose=0).argmax(axis=1) == labels).mean(), abs=0.002)
    assert found.lost > 0.01


@pytest.mark.keras
@pytest.mark.parametrize("source", ["digits_0_4", "digits", "fashion"])
def test_with_all_but_the_head_frozen_nothing_is_forgotten(source):
    spec = replace(SPEC, source=source, phases=(Phase(1, BODY),))
    found = forgetting.measure(trained(spec), spec)
    assert found.lost == 0 and found.before == pytest.approx(sources.info(source).accuracy, abs=0.02)


@pytest.mark.keras
def test_pixels_that_were_not_scaled_on_purpose_are_scaled_for_the_old_task():
    spec = replace(SPEC, data=replace(SPEC.data, scale=False), phases=(Phase(1, BODY),))
    assert forgetting.measure(trained(spec), spec).lost == 0


@pytest.mark.keras
def test_a_run_keeps_it_and_images_that_cannot_be_read_do_not_fail_it(store, monkeypatch):
    spec = replace(SPEC, film=False, phases=(Phase(1),))

    def done(spec):
        run = store.create(spec)
        execution.execute(run.id, str(store.folder))
        return store.get(run.id)

    run = done(spec)
    assert run.state == "done" and run.result.forgetting.n == 1000
    assert any("of its own task, MNIST digits 0-4" in str(line) for line in FineTune().report(run.result, store.folder))
    scratch = done(spec.from_scratch("random")).result
    assert scratch.forgetting is None and not forgetting_words(scratch)

    def damaged(task, n):
        raise DataError("The file {file} is damaged.", file="x.npz")

    monkeypatch.setattr(datasets, "own_test", damaged)
    run = done(spec)
    assert (run.state, run.result.forgetting, str(forgetting_words(run.result))) == (
        "done",
        None,
        "The file x.npz is damaged.",
    )
