"""What came out of a run: one result for each kind of run, and the experiments of a sweep.

A field has a default where a run may not have come so far, or where older versions did not store it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tlcore.sentences import NOTHING, Sentence, percent

from .forms import InputForm
from .scores import Balanced, Evaluation

NETWORK = "model.keras"  # the file of a network that a run trained


@dataclass(frozen=True)
class ProofRow:
    """Whether one layer did what freezing promised: ``ok`` when frozen means equal and trainable means changed."""

    layer: str
    frozen: bool
    before: str  # sha256 of the weights, first 12 hex digits
    after: str
    ok: bool
    phase: int = 1
    compiled: bool = True  # False: its phase went on with the step of the one before, whatever was frozen or thawed


@dataclass(frozen=True)
class Forgetting:
    """How well a network knows its source's own task: test images of that under the source's own head.

    ``before`` is the accuracy of the source as it was, ``after`` that of the trained layers, both in [0, 1].
    """

    task: str  # its title
    n: int  # images
    before: float
    after: float

    @property
    def change(self) -> str:
        """Both accuracies, for a cell or a caption."""
        return f"{percent(self.before)} → {percent(self.after)}"

    @property
    def lost(self) -> float:
        """What was forgotten, as a difference of accuracies; below 0 where the training helped."""
        return self.before - self.after


@dataclass(frozen=True)
class File:
    """A file that a run left, as it was when it was written."""

    sha256: str
    bytes: int = 0


@dataclass(frozen=True)
class Tried:
    """One setting of a head and how it did on the validation images."""

    params: Mapping[str, Any]
    accuracy: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class HeadRow(Evaluation):
    """One head, fitted on one input with one seed, and tested."""

    head: str
    input: str  # "features" or "pixels"
    seed: int = 0
    fit_s: float = 0.0
    fit_cpu_s: float = 0.0  # of all processors together; 0: stored by an older version
    ms_per_image: float = 0.0
    mb: float | None = None  # of the file; None where the head was not kept
    n_features: int = 0
    file: str = ""  # in the run's folder; only the first seed's head is kept
    params: Mapping[str, Any] = field(default_factory=dict)
    tried: tuple[Tried, ...] = ()


@dataclass(frozen=True)
class HeadMean:
    """One head on one input: means over seeds. ``best`` marks the best and all that are not clearly worse.

    ``low`` and ``high`` bound the 95 % interval of the mean: over seeds by Student's t, the test's noise included.
    """

    head: str
    input: str
    n_seeds: int
    mean: float
    sd: float | None  # sample standard deviation of the accuracy; None with one seed
    error: float  # standard error of the mean, the test's own noise included
    fit_s: float
    ms_per_image: float
    mb: float | None
    n_features: int
    best: bool = False
    low: float | None = None  # None: stored by an older version
    high: float | None = None
    balanced: bool = False  # whether it is the mean of balanced accuracies

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the mean."""
        if self.low is None or self.high is None:
            return max(0.0, self.mean - 1.96 * self.error), min(1.0, self.mean + 1.96 * self.error)
        return self.low, self.high


class Result:
    """What came out of a run, as far as it came; each kind of run has a frozen dataclass of its own.

    What other parts of the house ask of any run stands here; a kind that has it says so with a field of that name.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    class_names: tuple[str, ...] = ()
    form: InputForm | None = None  # of what its models read; None: MNIST's, before there were others
    files: Mapping[str, File] = {}
    test: Evaluation | None = None
    layer: str = ""  # whose activations its heads were fitted on
    device: str = ""
    total_s: float = 0.0
    # Of learning alone, features of the training images included: as long as these took when they were computed.
    learn_s: float = 0.0
    # The same in seconds of all processors together, which compare whatever else the machine did; 0: not counted.
    cpu_s: float = 0.0
    from_cache: bool = False  # whether they had been kept
    forgetting: Forgetting | None = None  # of the source's own task, where the source itself was trained further

    @property
    def accuracy(self) -> float | None:
        """The test accuracy in [0, 1], balanced where the classes are lopsided; None where nothing was tested."""
        return self.test.headline if self.test else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of ``accuracy``; None where nothing was tested, or an older version kept no count."""
        return self.test.interval if self.test and self.test.n else None

    @property
    def balanced(self) -> Balanced | None:
        """What ``accuracy`` is a balanced one against; None where it is the plain one."""
        return self.test.balanced if self.test else None

    @property
    def n_tests(self) -> int:
        """How often something was measured on the test images of its target."""
        return int(self.test is not None)

    def test_uses(self, target: str) -> Mapping[str, int]:
        """Return how often something was measured on the test images, by the task they belong to.

        Parameters
        ----------
        target : the task of its spec
        """
        return {target: self.n_tests}

    def tests(self, model: str, seed: int) -> Mapping[int, Evaluation]:
        """Return how one of its models did on the test images, by seed.

        Parameters
        ----------
        model : "model" for a network, ``linear_svm-features`` for a head
        seed : of the run
        """
        return {seed: self.test} if self.test else {}

    @property
    def complete(self) -> bool:
        """Whether all is there that was asked for, so that nothing is left to go on with."""
        return True

    @property
    def network(self) -> str:
        """The file of the network that was trained; "" where there is none."""
        return NETWORK if NETWORK in self.files else ""

    @property
    def heads(self) -> tuple[HeadRow, ...]:
        """The heads that were kept as files."""
        return ()


@dataclass(frozen=True)
class FineTuneResult(Result):
    """What training, testing and proving gave."""

    test: Evaluation | None = None
    proof: tuple[ProofRow, ...] = ()
    n_trained: int = 0  # images
    n_weights: int = 0
    n_trainable: int = 0
    fit_s: float = 0.0  # with validation
    learn_s: float = 0.0
    cpu_s: float = 0.0
    first_step_s: float = 0.0  # tracing and compiling, with the first batch
    images_per_s: float = 0.0
    epochs: float = 0.0  # finished; a stop may leave a fraction
    n_epochs: int = 0  # that were asked for; 0: stored by an older version
    stopped: bool = False
    best_epoch: int = 0  # whose weights were kept, where early stopping watched; 0: it did not
    waited: int = 0  # epochs without a better validation loss, after which it ended by itself; 0: it did not
    forgetting: Forgetting | None = None
    not_measured: Sentence = NOTHING  # why there is no ``forgetting``; an older version kept neither
    cached: bool = False  # whether only the rest was trained, on what a frozen prefix makes of the images
    from_cache: bool = False
    prefix_s: float = 0.0
    bfloat16: bool = False  # whether that part was computed in bfloat16, as processors that have it do
    reason: Sentence = NOTHING  # why the frozen layers ran once, or did not
    total_s: float = 0.0
    resumed_after: tuple[int, ...] = ()  # epochs: where a later process went on
    device: str = ""
    class_names: tuple[str, ...] = ()
    form: InputForm | None = None
    files: Mapping[str, File] = field(default_factory=dict)
    keras: str = ""  # the version

    @property
    def cut_short(self) -> bool:
        """Whether it was stopped before all epochs were done."""
        return self.stopped and self.epochs < self.n_epochs


@dataclass(frozen=True)
class HeadsResult(Result):
    """What fitting and testing heads gave, so far."""

    rows: tuple[HeadRow, ...] = ()
    n_planned: int = 0  # heads that were to be fitted; 0: stored by an older version
    table: tuple[HeadMean, ...] = ()  # best mean first
    layer: str = ""
    n_trained: int = 0  # images
    n_validation: int = 0  # labelled images beside them
    extract_s: float = 0.0
    learn_s: float = 0.0
    cpu_s: float = 0.0
    from_cache: bool = False
    n_features: int = 0
    features_mb: float = 0.0
    backbone_ms: float = 0.0  # an image takes through the network up to the layer; 0: not measured, or no features
    backbone_mb: float = 0.0  # of that part's weights
    total_s: float = 0.0
    device: str = ""
    class_names: tuple[str, ...] = ()
    form: InputForm | None = None
    files: Mapping[str, File] = field(default_factory=dict)

    @property
    def accuracy(self) -> float | None:
        """The best mean over seeds."""
        return max((line.mean for line in self.table), default=None)

    @property
    def interval(self) -> tuple[float, float] | None:
        best = max(self.table, key=lambda line: line.mean, default=None)
        return best.interval if best else None

    @property
    def balanced(self) -> Balanced | None:
        return self.rows[0].balanced if self.rows else None

    @property
    def n_tests(self) -> int:
        return len(self.rows)

    def whole_cost(self, line: HeadMean) -> tuple[float, float | None]:
        """Return the ms an image takes and the MB of a head with the backbone whose features it needs."""
        if line.input != "features":
            return line.ms_per_image, line.mb
        return line.ms_per_image + self.backbone_ms, None if line.mb is None else line.mb + self.backbone_mb

    def tests(self, model: str, seed: int) -> Mapping[int, Evaluation]:
        return {row.seed: row for row in self.rows if f"{row.head}-{row.input}" == model}

    @property
    def heads(self) -> tuple[HeadRow, ...]:
        return tuple(row for row in self.rows if row.file in self.files)


@dataclass(frozen=True)
class Way:
    """One way of a comparison, and the run that trains it."""

    name: str
    run: str  # its id
    ended: bool = False
    accuracy: float | None = None  # None: not yet tested, or failed
    learn_s: float = 0.0  # see Result; nothing else of the comparison ran meanwhile
    cpu_s: float = 0.0
    from_cache: bool = False
    forgetting: Forgetting | None = None
    balanced: Balanced | None = None  # what ``accuracy`` is a balanced one against


@dataclass(frozen=True)
class ComparisonResult(Result):
    """The ways of a comparison that have begun, in their order."""

    ways: tuple[Way, ...] = ()
    n_planned: int = 0
    total_s: float = 0.0
    device: str = ""

    @property
    def accuracy(self) -> float | None:
        """The best of its ways."""
        return max((way.accuracy for way in self.ways if way.accuracy is not None), default=None)

    @property
    def balanced(self) -> Balanced | None:
        return next((way.balanced for way in self.ways if way.balanced), None)

    @property
    def n_tests(self) -> int:
        """None: its runs count their own."""
        return 0

    @property
    def complete(self) -> bool:
        return sum(way.ended for way in self.ways) == self.n_planned


@dataclass(frozen=True)
class SweepResult(Result):
    """How many experiments were measured, how it ended and what it cost; the experiments are ``Cell``s."""

    n_cells: int = 0
    n_planned: int = 0
    n_before: int = 0  # taken over
    n_failed: int = 0
    ended: str = ""  # "complete", "budget" or "stopped"
    n_test: int = 0  # images
    n_images: int = 0
    extract_s: float = 0.0
    total_s: float = 0.0
    device: str = ""
    n_tested: int | None = None  # experiments of its own that saw test images; None: stored by an older version
    lopsided: bool = False  # whether its accuracies are balanced ones, because the test classes are lopsided

    @property
    def n_tests(self) -> int:
        return self.n_cells - self.n_before - self.n_failed if self.n_tested is None else self.n_tested

    @property
    def complete(self) -> bool:
        return self.ended == "complete"


@dataclass(frozen=True)
class ExampleResult(Result):
    """Both tasks of Keras' own example: the source, then the target with frozen convolutions."""

    source_test: Evaluation | None = None
    test: Evaluation | None = None
    source_test_s: float = 0.0
    test_s: float = 0.0
    n_weights: int = 0
    n_trainable: int = 0  # in the second task
    device: str = ""
    class_names: tuple[str, ...] = ()

    def test_uses(self, target: str) -> Mapping[str, int]:
        return {"mnist_0_4": int(self.source_test is not None), target: self.n_tests}


@dataclass(frozen=True)
class Cell:
    """One experiment of a sweep, and what came out once it was done.

    ``score`` is the test accuracy in [0, 1], balanced where the test classes are lopsided, of a transferability score
    its own number; None where the experiment failed, which ``error`` explains. ``multiply_adds`` counts the training's
    arithmetic, None where nothing counts it.
    """

    target: str
    source: str  # "random" where nothing was learned before: from scratch, or on raw pixels
    cut: str
    method: str
    per_class: int
    seed: int
    score: float | None = None
    train_score: float | None = None  # accuracy on the training images
    n_test: int = 0
    n_features: int = 0
    fit_s: float = 0.0
    seconds: float = 0.0  # all of it: drawing, fitting, testing
    multiply_adds: float | None = None
    error: Sentence = NOTHING

    @property
    def key(self) -> tuple[str, str, str, str, int, int]:
        """What was asked, without the outcome."""
        return self.target, self.source, self.cut, self.method, self.per_class, self.seed
