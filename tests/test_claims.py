"""Verdicts are computed: doctored experiments make every one of them flip."""

from dataclasses import replace

import pytest

from tlcore.evidence import claims, hand_claims, recorded
from tlcore.evidence.claims import CLAIMS, CUT, DEEPER, LABELS, OTHER, SOURCE, TARGET, UNTRAINED, judge
from tlcore.sentences import Sentence
from tlcore.spec import FINE_TUNE, PIXELS, SCRATCH, Cell

BY_NAME = {claim.name: claim for claim in CLAIMS}
GRID = (1, 2, *LABELS)  # the control needs more places than those where claims are tried
SEEDS = range(5)


def doctored(score=None, **amounts):
    """Return experiments of every kind; what is not said is alike for all.

    Parameters
    ----------
    score : function of (method, source, cut, labels) that gives the accuracy; seeds scatter it a little
    amounts : functions of (method) for the other numbers of an experiment
    """
    kinds = [("linear_svm", source, cut) for source in (SOURCE, OTHER, UNTRAINED) for cut in (CUT, DEEPER)]
    kinds += [(FINE_TUNE, SOURCE, CUT), (FINE_TUNE, SOURCE, PIXELS), (FINE_TUNE, OTHER, PIXELS)]
    kinds += [(SCRATCH, UNTRAINED, PIXELS)]
    cells = []
    for (method, source, cut), n, seed in ((kind, n, seed) for kind in kinds for n in GRID for seed in SEEDS):
        accuracy = score(method, source, cut, n) if score else 0.5
        numbers = {name: amount(method) * (1 + seed / 100) for name, amount in amounts.items()}
        cells.append(Cell(TARGET, source, cut, method, n, seed, score=accuracy + seed / 1000, **numbers))
    return cells


def when(condition, gain=0.05):
    """Return a score that is higher by ``gain`` where a condition on (method, source, cut) holds."""
    return lambda method, source, cut, n: 0.5 + gain * condition(method, source, cut)


def rising(factor):
    """Return a score by which the SVM on features needs ``factor`` times fewer labels than the control."""

    def score(method, source, cut, n):
        n = n * factor if (method, source, cut) == ("linear_svm", SOURCE, CUT) else n
        return 0.3 + 0.1 * n**0.25

    return score


SVM_WINS = when(lambda method, source, cut: method == "linear_svm")
FOR = {
    "less_time": doctored(fit_s=lambda method: 2.0 if method == SCRATCH else 1.0),
    "less_compute": doctored(multiply_adds=lambda method: 9.0 if method == SCRATCH else 1.0),
    "fewer_labels": doctored(rising(4)),
    "generalises": doctored(when(lambda method, source, cut: (method, source, cut) == (FINE_TUNE, SOURCE, PIXELS))),
    "specialise": doctored(when(lambda method, source, cut: (source, cut) == (SOURCE, DEEPER))),
    "related": doctored(when(lambda method, source, cut: source == SOURCE)),
    "svm_suffices": doctored(when(lambda method, source, cut: method == FINE_TUNE, gain=0.005)),
}
AGAINST = {
    "less_time": doctored(fit_s=lambda method: 1.0 if method == SCRATCH else 2.0),
    "less_compute": doctored(multiply_adds=lambda method: 1.0),
    "fewer_labels": doctored(rising(0.25)),
    "generalises": doctored(when(lambda method, source, cut: method == SCRATCH)),
    "specialise": doctored(when(lambda method, source, cut: (source, cut) == (SOURCE, CUT))),
    "related": doctored(when(lambda method, source, cut: source == OTHER)),
    "svm_suffices": doctored(when(lambda method, source, cut: method == FINE_TUNE, gain=0.05)),
}


@pytest.mark.parametrize("name", BY_NAME)
def test_a_verdict_flips_with_the_experiments(name):
    supported, against = judge(BY_NAME[name], FOR[name]), judge(BY_NAME[name], AGAINST[name])
    assert (supported.word, against.word) == ("supported", "refuted")
    assert supported.n_seeds == against.n_seeds == 5
    counted = [finding for finding in supported.findings if not finding.control]
    assert {finding.per_class for finding in counted} == set(LABELS)
    assert all(finding.low <= finding.value <= finding.high for finding in counted)


@pytest.mark.parametrize("name", BY_NAME)
def test_it_depends_where_the_number_of_labels_decides(name):
    few = [cell for cell in FOR[name] if cell.per_class <= LABELS[0]]
    many = [cell for cell in AGAINST[name] if cell.per_class > LABELS[0]]
    found = judge(BY_NAME[name], few + many)
    assert found.word == "depends"
    assert {finding.per_class for finding in found.findings if finding.supports and not finding.control} == {LABELS[0]}


@pytest.mark.parametrize("name", BY_NAME)
def test_without_experiments_or_with_one_seed_there_is_no_verdict(name):
    assert judge(BY_NAME[name], []).word == "not measured"
    assert judge(BY_NAME[name], [cell for cell in FOR[name] if cell.seed == 0]).word == "not measured"
    failed = [replace(cell, error=Sentence("diverged")) for cell in FOR[name]]
    assert judge(BY_NAME[name], failed).word == "not measured"
    assert judge(BY_NAME[name], [replace(cell, target="digits_8x8") for cell in FOR[name]]).word == "not measured"


def test_a_lead_within_the_noise_is_no_support():
    cells = doctored(when(lambda method, source, cut: (method, source, cut) == (FINE_TUNE, SOURCE, PIXELS), gain=0.01))
    scatter = [0.05, -0.05, 0.03, -0.03, 0.0]
    noisy = [replace(c, score=c.score + scatter[c.seed]) if c.method == SCRATCH else c for c in cells]
    found = judge(BY_NAME["generalises"], noisy)
    assert found.word == "not shown"
    assert [finding.supports for finding in found.findings if not finding.control] == [None] * 3


def test_controls_are_shown_and_do_not_count():
    worse_control = when(lambda method, source, cut: source == SOURCE or (source == OTHER and method == FINE_TUNE))
    found = judge(BY_NAME["related"], doctored(worse_control))
    assert found.word == "supported" and any(finding.control for finding in found.findings)
    assert [finding.value for finding in found.findings if finding.control] == pytest.approx([0.0] * 3)


def test_that_every_network_loses_on_the_narrower_layer_is_no_evidence_of_specialising():
    found = judge(BY_NAME["specialise"], doctored(when(lambda method, source, cut: cut == CUT)))
    assert found.word == "refuted"
    lost = {finding.source: finding.value for finding in found.findings if finding.control}
    assert lost == {source: pytest.approx(0.05) for source in (SOURCE, OTHER, UNTRAINED)}


def test_where_scratch_never_gets_there_the_ratio_has_no_end():
    found = judge(BY_NAME["fewer_labels"], doctored(rising(1000)))
    assert found.word == "supported" and all(claims.is_open(finding) for finding in found.findings)


def test_every_claim_says_what_was_published_and_where():
    assert len(BY_NAME) == len(CLAIMS) == 7
    for claim in CLAIMS:
        assert all(str(text).endswith(".") for text in (claim.sentence, claim.experiment, claim.published))
        assert claim.reference


def of_hands(n, seed, svm, thawed, deeper, scratch):
    rows = (
        ("mobilenet_v2", "average", "linear_svm", svm),
        ("mobilenet_v2", "block_12_add", FINE_TUNE, thawed),
        ("mobilenet_v2", "block_5_add", FINE_TUNE, deeper),
        ("mobilenet_v2_random", PIXELS, SCRATCH, scratch),
    )
    work = {FINE_TUNE: 2.0, SCRATCH: 8.0}
    return [
        Cell("hands", source, cut, method, n, seed, score=score + seed / 1000, multiply_adds=work.get(method))
        for source, cut, method, score in rows
    ]


def test_on_photographs_a_claim_can_have_another_verdict_than_on_digits():
    better = [of_hands(n, seed, 0.6, 0.62, 0.7, 0.2) for n in (1, 5, 20, 100) for seed in range(3)]
    words = {one.claim.name: one.word for one in hand_claims.judge_all(sum(better, []))}
    expected = {"less_compute": "supported", "fewer_labels": "supported", "generalises": "supported"}
    assert words == expected | {"svm_suffices": "refuted"}
    worse = [of_hands(n, seed, 0.6, 0.55, 0.5, 0.2) for n in (1, 5, 20, 100) for seed in range(3)]
    hands = hand_claims.judge_all(sum(worse, []))
    assert hands[-1].word == "supported" and hands[0].findings[0].value == pytest.approx(4.0)


def test_of_what_ships_fine_tuning_is_what_hands_need_more_than_digits():
    digits = claims.judge_all(cell for study in claims.STUDIES for cell in recorded.load(study).cells)
    hands = hand_claims.judge_all(cell for study in hand_claims.STUDIES for cell in recorded.load(study).cells)
    on_hands, on_digits = hand_claims.apart(digits, hands)
    assert [claim.name for claim in on_hands] == ["generalises"]
    assert [claim.name for claim in on_digits] == ["svm_suffices"]
