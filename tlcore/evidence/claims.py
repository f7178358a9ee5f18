"""What is said of transfer learning, each sentence with the verdict that finished experiments give it. Pure functions.

One rule for all: the same three sizes of training set, a 95 % interval over seeds for each, and what they add up to.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, log
from typing import Literal

from tlcore.evaluation import mean_interval
from tlcore.sentences import Sentence
from tlcore.spec import FINE_TUNE, PIXELS, SCRATCH, Cell

from . import savings
from .once import once
from .savings import Curve

STUDIES = ("label_savings", "claims")  # whose experiments the claims need together
LABELS = (5, 50, 500)  # few, some and many labels per class: where every claim is tried
TARGET, SOURCE, OTHER, UNTRAINED = "mnist_5_9", "digits_0_4", "fashion", "random"
CUT, DEEPER = "flatten", "dense_1"
EXACT = 1e-9  # closer than this two numbers are equal
MARGIN = 0.01  # of accuracy, that features and an SVM may lose and still suffice

Word = Literal["supported", "refuted", "not shown", "depends", "not measured"]
Unit = Literal["times", "points"]


@dataclass(frozen=True)
class Finding:
    """One comparison over seeds: a ratio or a difference of accuracies, with its 95 % interval.

    ``supports`` is None where the interval holds the threshold. A control is shown and does not count.
    """

    per_class: int
    source: str
    value: float
    low: float
    high: float
    n_seeds: int
    supports: bool | None
    control: bool = False


@dataclass(frozen=True)
class Claim:
    """A sentence, how it is tried, and what others published; ``findings`` tries it on experiments."""

    name: str
    sentence: Sentence
    experiment: Sentence
    unit: Unit
    threshold: float
    published: Sentence
    reference: str
    findings: Callable[[Sequence[Cell], float], list[Finding]]


@dataclass(frozen=True)
class Verdict:
    claim: Claim
    word: Word
    findings: tuple[Finding, ...]

    @property
    def n_seeds(self) -> int:
        return min((finding.n_seeds for finding in self.findings), default=0)


def judge(claim: Claim, cells: Iterable[Cell]) -> Verdict:
    """Return a claim's verdict from its findings on digits. One seed has no interval and gives no finding."""
    chosen = [cell for cell in cells if cell.target == TARGET and not cell.error]
    return verdict(claim, claim.findings(chosen, claim.threshold))


def verdict(claim: Claim, findings: Iterable[Finding]) -> Verdict:
    """Return what findings say of a claim.

    A finding is for a claim when its whole interval lies above the threshold, against it when all of that lies below.
    Supported: all are for it; refuted: all are against it; not shown: none is for it, and some could not tell; else
    it depends.
    """
    findings = [finding for finding in findings if finding.n_seeds > 1]
    counted = [finding.supports for finding in findings if not finding.control]
    word: Word = "depends"
    if not counted:
        word = "not measured"
    elif all(counted):
        word = "supported"
    elif not any(counted):
        word = "refuted" if None not in counted else "not shown"
    return Verdict(claim, word, tuple(findings))


@once
def judge_all(cells: Iterable[Cell]) -> list[Verdict]:
    cells = list(cells)
    return [judge(claim, cells) for claim in CLAIMS]


# -- comparisons -----------------------------------------------------------------------------------------------------


def finding(
    per_class: int, source: str, interval: tuple[float, float, float], n: int, threshold: float, control: bool = False
) -> Finding:
    value, low, high = interval
    # What is equal to the threshold in every seed is no doubtful case: nothing was gained.
    supports = True if low > threshold + EXACT else False if high <= threshold + EXACT else None
    return Finding(per_class, source, value, low, high, n, supports, control)


def points(
    first: Curve,
    second: Curve,
    threshold: float,
    source: str = SOURCE,
    control: bool = False,
    labels: Sequence[int] = LABELS,
) -> list[Finding]:
    """Return the differences of two accuracies, seed by seed: both learned from the same images."""
    found = savings.differences(first, second)
    return [
        finding(n, source, mean_interval(found[n]), len(found[n]), threshold, control) for n in labels if n in found
    ]


def _ratios(cells: Sequence[Cell], amount: Callable[[Cell], float | None], threshold: float) -> list[Finding]:
    """Return how many times more training from scratch takes than training what lies after the frozen convolutions."""
    whole, tail = (_amounts(cells, method, cut, amount) for method, cut in ((SCRATCH, PIXELS), (FINE_TUNE, CUT)))
    logs = {
        n: [log(whole[n, seed] / tail[n, seed]) for m, seed in whole if m == n and (n, seed) in tail] for n in LABELS
    }
    return [
        finding(n, SOURCE, tuple(map(exp, mean_interval(values))), len(values), threshold)  # type: ignore[arg-type]
        for n, values in logs.items()
        if values
    ]


def _amounts(
    cells: Sequence[Cell], method: str, cut: str, amount: Callable[[Cell], float | None]
) -> Mapping[tuple[int, int], float]:
    source = UNTRAINED if method == SCRATCH else SOURCE
    return {
        (cell.per_class, cell.seed): found
        for cell in cells
        if (cell.method, cell.source, cell.cut) == (method, source, cut) and (found := amount(cell))
    }


def _svm(cells: Sequence[Cell], source: str = SOURCE, cut: str = CUT) -> Curve:
    return savings.curve(cells, "linear_svm", source, cut)


def _scratch(cells: Sequence[Cell]) -> Curve:
    return savings.curve(cells, SCRATCH)


def _less_time(cells: Sequence[Cell], threshold: float) -> list[Finding]:
    return _ratios(cells, lambda cell: cell.fit_s, threshold)


def _less_compute(cells: Sequence[Cell], threshold: float) -> list[Finding]:
    return _ratios(cells, lambda cell: cell.multiply_adds, threshold)


def _fewer_labels(cells: Sequence[Cell], threshold: float) -> list[Finding]:
    return [
        finding(one.per_class, SOURCE, (one.k, one.low, one.high), one.n_seeds, threshold)
        for one in savings.savings(_svm(cells), _scratch(cells), LABELS)
    ]


def _generalises(cells: Sequence[Cell], threshold: float) -> list[Finding]:
    tuned = savings.curve(cells, FINE_TUNE, SOURCE, PIXELS)
    other = savings.curve(cells, FINE_TUNE, OTHER, PIXELS)
    scratch = _scratch(cells)
    return points(tuned, scratch, threshold) + points(other, scratch, threshold, OTHER, control=True)


def _specialise(cells: Sequence[Cell], threshold: float) -> list[Finding]:
    """Two sources of one architecture are compared at both cuts: the dense layer is narrower for both alike.

    What one source loses from cut to cut is no evidence: an untrained network, which has nothing to specialise in,
    loses as much. It is shown as the control.
    """
    deeper, shallower = (
        savings.differences(_svm(cells, SOURCE, cut), _svm(cells, OTHER, cut)) for cut in (DEEPER, CUT)
    )
    found = []
    for n in (n for n in LABELS if n in deeper and len(deeper[n]) == len(shallower.get(n, ()))):
        gaps = [a - b for a, b in zip(deeper[n], shallower[n], strict=True)]
        found.append(finding(n, SOURCE, mean_interval(gaps), len(gaps), threshold))
    for source in (SOURCE, OTHER, UNTRAINED):
        pair = _svm(cells, source, CUT), _svm(cells, source, DEEPER)
        found += points(*pair, threshold, source, control=True)
    return found


def _related(cells: Sequence[Cell], threshold: float) -> list[Finding]:
    control = points(_svm(cells, OTHER), _svm(cells, UNTRAINED), threshold, OTHER, control=True)
    return points(_svm(cells), _svm(cells, OTHER), threshold) + control


def _svm_suffices(cells: Sequence[Cell], threshold: float) -> list[Finding]:
    """Against the better of the two fine-tunings at each size: with frozen convolutions, and of everything."""
    tuned = [savings.curve(cells, FINE_TUNE, SOURCE, cut) for cut in (CUT, PIXELS)]
    best = {}
    for n in LABELS:
        there = [curve[n] for curve in tuned if n in curve]
        if len(there) == len(tuned):
            best[n] = max(there, key=lambda by_seed: savings.means({n: by_seed})[n])
    return points(_svm(cells), best, threshold)


YOSINSKI = "Yosinski et al. (2014), How transferable are features in deep neural networks?"
KERAS = "Keras examples, mnist_transfer_cnn"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "less_time",
        Sentence("Transfer takes less training time."),
        Sentence(
            "Seconds of training from scratch, divided by seconds of training after frozen convolutions, for the same "
            "number of epochs."
        ),
        "times",
        1.0,
        Sentence("No number was published for a network of this size."),
        "Chollet, Transfer learning and fine-tuning (Keras guide), for the expectation",
        _less_time,
    ),
    Claim(
        "less_compute",
        Sentence("Transfer takes less compute."),
        Sentence(
            "Multiply-adds of a whole training from scratch, divided by those of one after frozen convolutions (which "
            "run only once, not in every epoch), for the same number of epochs. The Layers page counts one step on one "
            "image instead."
        ),
        "times",
        1.0,
        Sentence("No number was published for a network of this size."),
        "Goodfellow et al. (2016), Deep Learning, section 6.5, for how it is counted",
        _less_compute,
    ),
    Claim(
        "fewer_labels",
        Sentence("Transfer needs fewer labels for the same accuracy."),
        Sentence(
            "Labels that a network from scratch needs, divided by those that a linear SVM on the source's features "
            "needs."
        ),
        "times",
        1.0,
        Sentence(
            "99.2 % on digits 5-9 with all their labels, after learning 0-4; with few labels no number was published."
        ),
        KERAS,
        _fewer_labels,
    ),
    Claim(
        "generalises",
        Sentence("Starting from a source generalises better, even when every layer is trained further."),
        Sentence("Accuracy of full fine-tuning minus accuracy from scratch. Control: garments as the source."),
        "points",
        0.0,
        Sentence("+1.6 points on average over the layers kept, between halves of ImageNet (table 1)."),
        YOSINSKI,
        _generalises,
    ),
    Claim(
        "specialise",
        Sentence("Deeper layers are more specialised to their source."),
        Sentence(
            "How many points digits 0-4 are ahead of garments as the source on the dense layer, minus the same lead on "
            "the last convolution. Controls: what each source and an untrained network lose between these two layers, "
            "because the dense layer is narrower."
        ),
        "points",
        0.0,
        Sentence("Accuracy falls as more layers are kept frozen, most in the last ones (figure 2)."),
        YOSINSKI,
        _specialise,
    ),
    Claim(
        "related",
        Sentence("A related source task helps more than an unrelated one."),
        Sentence(
            "A linear SVM on features of digits 0-4 minus one on features of garments. Control: garments minus an "
            "untrained network."
        ),
        "points",
        0.0,
        Sentence("Features transfer less well the further apart two tasks are (figure 3)."),
        YOSINSKI,
        _related,
    ),
    Claim(
        "svm_suffices",
        Sentence("Features and a linear SVM are enough: fine-tuning adds at most a point."),
        Sentence("The linear SVM minus the better fine-tuning; it is enough where it loses less than 1 point."),
        "points",
        -MARGIN,
        Sentence("An RBF SVM on raw pixels reaches 98.57 % of all ten digits, a simple network 99.06 %."),
        "scikit-learn and Keras examples on MNIST",
        _svm_suffices,
    ),
)


def is_open(finding: Finding) -> bool:
    """Return whether a ratio has no upper end: the control never got there."""
    return finding.value == inf
