"""The claims that the recorded studies of photographs try too: which of them hold for hands and not for digits."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import exp, log

from tlcore.evaluation import mean_interval
from tlcore.sentences import Sentence
from tlcore.spec import FINE_TUNE, PIXELS, SCRATCH, Cell

from . import savings
from .claims import CLAIMS, Claim, Finding, Verdict, finding, points, verdict
from .once import once
from .recorded import HANDS_LABELS, PHOTOGRAPHS
from .savings import Curve

STUDIES = ("hands", "hands_networks")  # whose experiments they need together
TARGET, FEATURES, THAWED, DEEPER_THAWED = "hands", "average", "block_12_add", "block_5_add"


@dataclass(frozen=True)
class Trial:
    """How a claim is tried on photographs: as on digits, but for what ``experiment`` says."""

    experiment: Sentence
    findings: Callable[[Sequence[Cell], float], list[Finding]]


@once
def judge_all(cells: Iterable[Cell]) -> list[Verdict]:
    """Return the verdicts of the claims that were tried on photographs, in the order of ``claims.CLAIMS``."""
    chosen = [cell for cell in cells if cell.target == TARGET and not cell.error]
    return [
        verdict(claim, TRIALS[claim.name].findings(chosen, claim.threshold)) for claim in CLAIMS if claim.name in TRIALS
    ]


def apart(digits: Iterable[Verdict], hands: Iterable[Verdict]) -> tuple[list[Claim], list[Claim]]:
    """Return the claims that are supported on hands alone, and those that are on digits alone."""
    on_digits = {one.claim.name: one.word for one in digits}
    both = [(one.claim, one.word, on_digits[one.claim.name]) for one in hands if one.claim.name in on_digits]
    measured = [(claim, hand, digit) for claim, hand, digit in both if "not measured" not in (hand, digit)]
    return (
        [claim for claim, hand, digit in measured if hand == "supported" and digit != "supported"],
        [claim for claim, hand, digit in measured if digit == "supported" and hand != "supported"],
    )


def _svm(cells: Sequence[Cell]) -> Curve:
    return savings.curve(cells, "linear_svm", PHOTOGRAPHS, FEATURES)


def _tuned(cells: Sequence[Cell], cut: str) -> Curve:
    return savings.curve(cells, FINE_TUNE, PHOTOGRAPHS, cut)


def _scratch(cells: Sequence[Cell]) -> Curve:
    return savings.curve(cells, SCRATCH, None, PIXELS)


def _less_compute(cells: Sequence[Cell], threshold: float) -> list[Finding]:
    def amounts(method: str, cut: str) -> dict[tuple[int, int], float]:
        chosen = [cell for cell in cells if (cell.method, cell.cut) == (method, cut)]
        return {(cell.per_class, cell.seed): cell.multiply_adds for cell in chosen if cell.multiply_adds}

    whole, tail = amounts(SCRATCH, PIXELS), amounts(FINE_TUNE, THAWED)
    logs = {
        n: [log(whole[n, seed] / tail[n, seed]) for m, seed in whole if m == n and (n, seed) in tail]
        for n in HANDS_LABELS
    }
    intervals = {n: mean_interval(values) for n, values in logs.items() if values}
    return [
        finding(n, PHOTOGRAPHS, (exp(mean), exp(low), exp(high)), len(logs[n]), threshold)
        for n, (mean, low, high) in intervals.items()
    ]


def _fewer_labels(cells: Sequence[Cell], threshold: float) -> list[Finding]:
    return [
        finding(one.per_class, PHOTOGRAPHS, (one.k, one.low, one.high), one.n_seeds, threshold)
        for one in savings.savings(_svm(cells), _scratch(cells), HANDS_LABELS)
    ]


def _generalises(cells: Sequence[Cell], threshold: float) -> list[Finding]:
    return points(_tuned(cells, DEEPER_THAWED), _scratch(cells), threshold, PHOTOGRAPHS, labels=HANDS_LABELS)


def _svm_suffices(cells: Sequence[Cell], threshold: float) -> list[Finding]:
    """Against the better of the two fine-tunings at each size."""
    tuned = [_tuned(cells, cut) for cut in (THAWED, DEEPER_THAWED)]
    best = {}
    for n in HANDS_LABELS:
        there = [curve[n] for curve in tuned if n in curve]
        if len(there) == len(tuned):
            best[n] = max(there, key=lambda by_seed: savings.means({n: by_seed})[n])
    return points(_svm(cells), best, threshold, PHOTOGRAPHS, labels=HANDS_LABELS)


TRIALS = {  # by the claim's name
    "less_compute": Trial(
        Sentence("Multiply-adds of a training from scratch, divided by those of one from block_13 on, as many steps."),
        _less_compute,
    ),
    "fewer_labels": Trial(
        Sentence("Labels that the network from scratch needs, divided by those of a linear SVM on its features."),
        _fewer_labels,
    ),
    "generalises": Trial(
        Sentence("Accuracy of the network trained from block_6 on minus accuracy from scratch, as many steps."),
        _generalises,
    ),
    "svm_suffices": Trial(
        Sentence("The linear SVM minus the better of two fine-tunings, from block_13 and from block_6 on."),
        _svm_suffices,
    ),
}
