"""What is said of which model is better: the test, what it covers, and what few labels leave open."""

import hashlib
from dataclasses import asdict, replace

import numpy as np
import pytest
from tiny_results import fine_tuned

from tlcore.datasets import Data
from tlcore.datasets.mnist import FORM
from tlcore.evaluation import compare, evaluate, outputs
from tlcore.evaluation.ranking import by_images
from tlcore.evidence import ways
from tlcore.evidence.contest import Contest, Entrant, contest, repetitions, under_way
from tlcore.spec import DataSpec, FineTuneSpec, HeadRow, HeadSpec, Phase, Way

N = 400
SPEC = FineTuneSpec(data=DataSpec(per_class=100))
FEW = FineTuneSpec(data=DataSpec(per_class=5))


def trained(store, spec, n_right, kept=True, start=0, n=N):
    """A finished fine-tuning that answered ``n_right`` of ``n`` images rightly, from the image ``start`` on."""
    labels = np.arange(n) % 2
    right = (np.arange(n) - start) % n < n_right
    predicted = np.where(right, labels, 1 - labels)
    p = np.full((n, 2), 0.1, np.float32)
    p[np.arange(n), predicted] = 0.9
    images = np.zeros((n, *FORM.shape), np.uint8)
    data = Data(images, labels, images, labels, images, labels, ("5", "6"), FORM, "")
    run, files = store.create(spec), {}
    if kept:
        noise = np.full((2 * outputs.N_NOISE, 2), 0.5, np.float32)
        path = outputs.save(store.run_folder(run.id, create=True), store.folder, data, {"model": (p, noise)})
        files = {path.name: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": 1}}
    assert store.claim(run.id)
    store.finish(run.id, "done", fine_tuned(asdict(evaluate(labels, predicted, 2)), files=files))
    return store.get(run.id)


def test_the_same_pair_gets_the_same_verdict_in_any_order_and_the_test_is_paired(store):
    better, worse = trained(store, SPEC, 390), trained(store, replace(SPEC, seed=1), 380)
    for pair in ((better, worse), (worse, better)):
        found = contest([Entrant({better.id: "A", worse.id: "B"}[run.id], run) for run in pair], store.folder)
        assert str(found.verdict) == (
            "A is better than B: 97.5 % against 95.0 % (McNemar's exact test on 400 test images, p = 0.002)."
        )
    assert "these networks on these test images" in str(found.scope) and not found.offer
    assert str(found.headline) == "A is better than B: 97.5 % against 95.0 %"
    assert str(found.tested) == "Tested: McNemar's exact test on 400 test images, p = 0.002."


def test_without_kept_answers_the_intervals_decide_and_that_is_said(store):
    runs = trained(store, SPEC, 390, kept=False), trained(store, replace(SPEC, seed=1), 380)
    found = contest(list(map(Entrant, "AB", runs)), store.folder)
    assert str(found.headline) == "A tie: A 97.5 %, B 95.0 %"
    assert str(found.verdict) == (
        "A tie: A 97.5 %, B 95.0 % (by their 95 % intervals; their answers to the same images were not kept)."
    )


def test_answers_to_different_images_are_not_said_to_be_missing(store):
    runs = trained(store, SPEC, 390), trained(store, replace(SPEC, seed=1), 380, n=N - 1)
    found = contest(list(map(Entrant, "AB", runs)), store.folder)
    assert str(found.tested) == "Tested: by their 95 % intervals; they were tested on different images."


def test_three_say_how_several_tests_are_handled(store):
    runs = [trained(store, replace(SPEC, seed=seed), right) for seed, right in enumerate((380, 390, 300))]
    found = contest(list(map(Entrant, "ABC", runs)), store.folder)
    assert found.clear and "against each of the 2 others" in str(found.scope) and "(Holm)" in str(found.scope)
    alone = contest(list(map(Entrant, "AB", runs)), store.folder)
    assert found.ranking.rivals[0].p == pytest.approx(alone.ranking.rivals[0].p)  # the last of Holm's steps
    assert "Holm" not in str(alone.scope)


def test_few_labels_call_nothing_better_before_the_seeds_do(store):
    other = replace(FEW, phases=(Phase(3),))
    runs = trained(store, FEW, 390), trained(store, other, 300)
    entrants = list(map(Entrant, "AB", runs))
    found = contest(entrants, store.folder)
    assert str(found.verdict).startswith("With these 10 images A got more right than B: 97.5 % against 75.0 %")
    assert str(found.headline) == "With these 10 images A got more right than B: 97.5 % against 75.0 %"
    assert str(found.tested).endswith("Only more seeds can tell which method is better.")
    assert str(found.verdict).endswith("Only more seeds can tell which method is better.")
    assert found.offer and not found.clear
    missing = repetitions(entrants)
    assert sorted((spec.seed, spec.data.seed, len(spec.phases[0].frozen)) for spec in missing) == sorted(
        (seed, seed, n) for seed in (1, 2, 3, 4) for n in (0, 2)
    )
    queued = store.create(missing[0])
    assert under_way(entrants, [queued]) == [queued] and missing[0] not in repetitions(entrants, [queued])
    repeated = [trained(store, spec, 385 - spec.seed if spec.phases[0].frozen else 310 + spec.seed) for spec in missing]
    found = contest(entrants, store.folder, repeated)
    assert found.clear and not found.offer and repetitions(entrants, repeated) == []
    assert str(found.verdict).startswith("A is better than B: 96.0 % against 77.5 % (over 5 seeds; the lead's 95 %")


def test_seeds_that_disagree_are_a_tie_however_clear_the_first_was(store):
    other = replace(FEW, phases=(Phase(3),))
    runs = trained(store, FEW, 390), trained(store, other, 300)
    repeated = [
        trained(store, replace(spec, seed=seed, data=replace(spec.data, seed=seed)), right)
        for spec, rights in ((FEW, (300, 310)), (other, (380, 320)))
        for seed, right in zip((1, 2), rights, strict=True)
    ]
    found = contest(list(map(Entrant, "AB", runs)), store.folder, repeated)
    assert str(found.verdict).startswith("A tie: ") and found.offer


def test_a_stopped_run_is_not_pooled_with_whole_ones(store):
    whole = trained(store, replace(FEW, seed=1, data=replace(FEW.data, seed=1)), 300)
    short = store.create(FEW)
    assert store.claim(short.id)
    store.finish(short.id, "stopped", whole.stored)
    other = trained(store, replace(FEW, phases=(Phase(3),)), 300)
    found = contest([Entrant("A", store.get(short.id)), Entrant("B", other)], store.folder, [whole])
    assert found.ranking.tested != "seeds"


def test_heads_of_one_run_are_compared_over_its_seeds(store):
    rows = [
        HeadRow(head=head, input="features", seed=seed, accuracy=base + 0.01 * seed, n=N)
        for head, base in (("knn", 0.9), ("dense", 0.8))
        for seed in (0, 1, 2)
    ]
    run = store.create(HeadSpec(heads=("knn", "dense"), seeds=(0, 1, 2)))
    assert store.claim(run.id)
    store.finish(run.id, "done", {"rows": list(map(asdict, rows)), "table": list(map(asdict, compare(rows)))})
    entrants = [Entrant(head, store.get(run.id), f"{head}-features") for head in ("dense", "knn")]
    found = contest(entrants, store.folder)
    assert str(found.verdict).startswith("knn is better than dense: 91.0 % against 81.0 % (over 3 seeds;")
    assert [line.best for line in store.get(run.id).result.table] == [True, False]


def test_one_run_is_no_contest(store):
    assert contest([Entrant("A", trained(store, SPEC, 390))], store.folder) is None


LOPSIDED = np.repeat([0, 1], (80, 320))


def lopsided(store, spec, n_small, n_large):
    """As ``trained``, on 80 images of 5 and 320 of 6, of which so many are answered rightly."""
    labels, predicted = LOPSIDED, LOPSIDED.copy()
    predicted[n_small:80] = 1
    predicted[80 + n_large :] = 0
    p = np.full((N, 2), 0.1, np.float32)
    p[np.arange(N), predicted] = 0.9
    images = np.zeros((N, *FORM.shape), np.uint8)
    data = Data(images, labels, images, labels, images, labels, ("5", "6"), FORM, "")
    run = store.create(spec)
    noise = np.full((2 * outputs.N_NOISE, 2), 0.5, np.float32)
    path = outputs.save(store.run_folder(run.id, create=True), store.folder, data, {"model": (p, noise)})
    files = {path.name: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": 1}}
    assert store.claim(run.id)
    store.finish(run.id, "done", fine_tuned(asdict(evaluate(labels, predicted, 2)), files=files))
    return store.get(run.id)


def test_where_classes_are_lopsided_the_balanced_accuracy_decides_and_guessing_stands_beside_it(store):
    runs = lopsided(store, SPEC, 20, 318), lopsided(store, replace(SPEC, seed=1), 70, 262)
    found = contest(list(map(Entrant, "AB", runs)), store.folder)  # A has more right in all, B of the small class
    assert found.ranking.best == "B" and found.clear
    assert str(found.headline) == "B is better than A: 84.7 % against 62.2 % in balanced accuracy"
    assert "each class counting alike" in str(found.verdict)
    assert "Always guessing 6 would reach 50.0 %, and be right in 80.0 % of the images." in str(found.verdict)
    tie = contest([Entrant("A", runs[1]), Entrant("B", lopsided(store, replace(SPEC, seed=2), 69, 263))], store.folder)
    assert str(tie.headline).startswith("A tie in balanced accuracy: A 84.7 %, B ")


@pytest.mark.parametrize(
    ("scratch", "spec", "words"),
    [
        (384, SPEC, "Transfer gains little on this task: scratch reaches 96.0 %, tuned 95.0 %, and the difference is"),
        (399, SPEC, "Transfer does not help on this task: scratch reaches 99.8 %, tuned 95.0 %."),
        (300, SPEC, ""),
        (365, SPEC, ""),  # 3.8 points, and clear
        (300, FEW, ""),
        # Few labels: only seeds may say more than how it was with these images.
        (384, FEW, "With these 10 images transfer gains little or nothing: scratch reaches 96.0 %, tuned 95.0 %, and"),
        (399, FEW, "With these 10 images transfer does not help: scratch reaches 99.8 %, tuned 95.0 %."),
    ],
)
def test_that_transfer_gains_little_is_said_where_it_was_measured(store, scratch, spec, words):
    runs = {"tuned": trained(store, spec, 380), "scratch": trained(store, replace(spec, seed=1), scratch)}
    found = contest([Entrant(name, run) for name, run in runs.items()], store.folder)
    ways_ = {name: Way("scratch" if name == "scratch" else "fine_tune", run.id) for name, run in runs.items()}
    said = ways.little_gained(found, ways_)
    assert str(said).startswith(words) if words else said is None


def test_a_large_lead_that_few_test_images_do_not_show_leaves_open_whether_transfer_helps():
    ranking = by_images({"tuned": np.arange(15) < 15, "scratch": np.arange(15) < 13})
    ways_ = {name: Way("scratch" if name == "scratch" else "fine_tune", "") for name in ranking.accuracies}
    for few in (True, False):
        said = ways.little_gained(Contest(ranking, few, 51), ways_)
        assert str(said) == (
            "Whether transfer helps is left open: scratch reaches 86.7 %, tuned 100.0 %, and the difference is within "
            "the noise."
        )
