"""The nouns: what a source is, what a run is asked to do, what it reports. Standard library only."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from tlcore.errors import SpecError

RunState = Literal["queued", "running", "done", "stopped", "failed"]
FINAL_STATES: frozenset[str] = frozenset({"done", "stopped", "failed"})

Split = Literal["standard", "article"]
Input = Literal["features", "pixels"]
SPLITS: tuple[Split, ...] = ("standard", "article")
OPTIMIZERS: tuple[str, ...] = ("adam", "rmsprop", "sgd")

PIXELS = "pixels"  # the pseudo-layer of a head that sees raw pixels: the control
FINE_TUNE, SCRATCH = "fine_tune", "scratch"  # methods of a sweep beside the heads

# name -> (lowest, highest, default); the pages' fields and the checks below read the same table.
RANGES: dict[str, tuple[float, float, float]] = {
    "per_class": (1, 7000, 200),
    "epochs": (1, 100, 10),
    "batch_size": (1, 4096, 16),
    "learning_rate": (1e-6, 10.0, 1e-3),
    "seed": (0, 2**31 - 1, 0),
    "label_noise": (0.0, 1.0, 0.0),
    "time_budget": (5, 86_400, 300),  # seconds
    "test_images": (100, 70_000, 2000),
    "training_steps": (1, 10_000, 300),
}


@dataclass(frozen=True)
class LayerInfo:
    """One layer as the pages show it.

    ``n_weights`` counts single numbers (parameters), all of them, trainable or not;
    ``flops`` counts multiply-adds of one image's forward pass.
    """

    index: int
    name: str
    type: str  # Keras class name: Conv2D, MaxPooling2D, ...
    output_shape: tuple[int, ...]  # without the batch axis
    n_weights: int
    flops: int = 0

    @property
    def can_freeze(self) -> bool:
        return self.n_weights > 0


@dataclass(frozen=True)
class SourceInfo:
    """A source model's card."""

    name: str
    title: str
    dataset: str  # what it was trained on, in words; "" for random init
    class_names: tuple[str, ...]
    layers: tuple[LayerInfo, ...]
    seed: int
    accuracy: float | None  # on the source's own test images, in [0, 1]; None for random init
    n_train: int
    n_test: int
    rebuild: str  # the command that makes the file again
    sha256: str = ""
    note: str = ""
    measures: Mapping[str, float] = field(default_factory=dict)  # further accuracies, by what was measured
    owner: str = ""  # the person who uploaded it; "" is everybody's
    removed: bool = False  # an uploaded one that is no longer offered

    @property
    def n_weights(self) -> int:
        return sum(layer.n_weights for layer in self.layers)

    @property
    def layer_names(self) -> tuple[str, ...]:
        return tuple(layer.name for layer in self.layers)


@dataclass(frozen=True)
class DataSpec:
    """Which images of the target task are used, and how they are divided.

    The last two spoil the data on purpose, to see what that does.
    """

    target: str = "mnist_5_9"
    split: Split = "standard"
    per_class: int | None = 200  # training images of each class; None: all there are
    seed: int = 0
    scale: bool = True  # False leaves the pixels at 0..255, in every part
    label_noise: float = 0.0  # share of the training labels that is dealt out anew among its images


@dataclass(frozen=True)
class Phase:
    """Some epochs with one choice of frozen layers and one learning rate."""

    epochs: int = 10
    frozen: tuple[str, ...] = ()
    learning_rate: float = 1e-3


@dataclass(frozen=True)
class FineTuneSpec:
    """Take a source network, freeze some layers, go on training the rest on the target."""

    source: str = "digits_0_4"
    data: DataSpec = DataSpec()
    phases: tuple[Phase, ...] = (Phase(frozen=("conv_1", "conv_2")),)
    batch_size: int = 16
    optimizer: str = "adam"
    seed: int = 0
    film: bool = False  # watch every epoch: see ``monitor``

    kind = "fine_tune"

    @property
    def epochs(self) -> int:
        return sum(phase.epochs for phase in self.phases)

    def phase_of(self, epoch: int) -> Phase:
        """Return the phase that epoch belongs to, counted from 1 over all phases; 0 belongs to the first."""
        for phase in self.phases:
            if epoch <= phase.epochs:
                return phase
            epoch -= phase.epochs
        return self.phases[-1]


@dataclass(frozen=True)
class HeadSpec:
    """Train scikit-learn heads on the activations of one layer, with raw pixels as the control.

    Every head of ``heads`` is fitted on every input of ``inputs`` once for every seed of ``seeds``.
    The seed picks the training images and drives the head's own randomness.
    """

    source: str = "digits_0_4"
    layer: str = "flatten"
    heads: tuple[str, ...] = ("linear_svm", "random_forest")
    inputs: tuple[Input, ...] = ("features",)
    data: DataSpec = DataSpec()
    seeds: tuple[int, ...] = (0,)
    curves: bool = True  # measure the learning curve of every head as well
    tune: bool = False  # choose each head's hyperparameters on the validation images first

    kind = "heads"

    @property
    def seed(self) -> int:
        return self.seeds[0]


@dataclass(frozen=True)
class SweepSpec:
    """Measure every combination of source, cut, method, labels per class and seed, one cell each.

    A cut is the last layer that is frozen, or ``pixels`` for none. A method is a head fitted on the activations at
    the cut, ``fine_tune`` (train what comes after the cut), ``scratch`` (the whole network from random weights, once
    whatever the cut and the source), or a transferability score of the features.
    """

    sources: tuple[str, ...] = ("digits_0_4",)
    target: str = "mnist_5_9"
    split: Split = "standard"
    cuts: tuple[str, ...] = ("flatten",)
    methods: tuple[str, ...] = ("linear_svm",)
    per_class: tuple[int, ...] = (1, 5, 20, 100)
    seeds: tuple[int, ...] = (0, 1, 2)
    n_test: int | None = 2000  # a fixed, stratified draw of the test images; None: all
    n_steps: int = 300  # least gradient steps of a network, for at least 10 and at most 100 epochs
    budget_s: int | None = None  # seconds of measuring after which it ends with what it has
    resumes: str = ""  # a run whose finished cells are taken over

    kind = "sweep"

    @property
    def seed(self) -> int:
        return self.seeds[0]

    @property
    def source(self) -> str:
        return self.sources[0]

    @property
    def data(self) -> DataSpec:
        """The images of its largest cells."""
        return DataSpec(self.target, self.split, max(self.per_class), self.seed)


@dataclass(frozen=True)
class ExampleSpec:
    """Keras' own example of transfer, ``mnist_transfer_cnn``, with the network and settings it was published with."""

    seed: int = 0
    epochs: int = 5  # of each of its two tasks

    kind = "example"
    source = "random"

    @property
    def data(self) -> DataSpec:
        return DataSpec("mnist_5_9", per_class=None, seed=self.seed)


Spec = FineTuneSpec | HeadSpec | SweepSpec | ExampleSpec


@dataclass(frozen=True)
class Cell:
    """One experiment of a sweep, and what came out once it was done.

    ``score`` is the test accuracy in [0, 1], of a transferability score its own number; None where the experiment
    failed, which ``error`` explains. ``multiply_adds`` counts the training's arithmetic, None where nothing counts it.
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
    error: str = ""

    @property
    def key(self) -> tuple[str, str, str, str, int, int]:
        """What was asked, without the outcome."""
        return self.target, self.source, self.cut, self.method, self.per_class, self.seed


@dataclass(frozen=True)
class MetricPoint:
    """One measured point of one curve.

    ``x`` is in the unit of the curve's axis: epochs for networks (1.5: half-way through the second),
    training images for learning curves, trees for forests. ``loss`` and ``accuracy`` may each be missing.
    """

    series: str  # "train", "validation", or a head: "linear_svm · features"
    x: float
    loss: float | None = None
    accuracy: float | None = None
    elapsed_s: float = 0.0


@dataclass(frozen=True)
class Progress:
    """How far a run has come, in steps of its own choosing."""

    step: int = 0
    n_steps: int = 0
    message: str = ""
    left_s: float | None = None
    images_per_s: float | None = None
    first_step_s: float | None = None  # tracing and compiling; timed apart


def to_json(spec: Spec) -> str:
    """Return a spec as JSON with its kind; ``from_json`` gives the equal spec back."""
    return json.dumps({"kind": spec.kind, **asdict(spec)}, sort_keys=True)


def from_json(text: str) -> Spec:
    """Rebuild a spec.

    Raises
    ------
    SpecError
        The text is not JSON, names an unknown kind, or has fields this version does not know.
    """
    try:
        fields = json.loads(text)
        kind = fields.pop("kind")
        if kind == SweepSpec.kind:
            return SweepSpec(**_tuples(fields))
        if kind == ExampleSpec.kind:
            return ExampleSpec(**fields)
        fields["data"] = DataSpec(**fields["data"])
        if kind == FineTuneSpec.kind:
            fields["phases"] = tuple(Phase(**{**phase, "frozen": tuple(phase["frozen"])}) for phase in fields["phases"])
            return FineTuneSpec(**fields)
        if kind == HeadSpec.kind:
            return HeadSpec(**_tuples(fields))
        raise ValueError(f"unknown kind {kind!r}")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]  # it may quote the text, which may hold anything
        raise SpecError("These settings cannot be read ({reason}). Make the run again.", reason=reason) from error


def _tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


def check_number(name: str, value: Any) -> float:
    """Return ``value`` when it is a number within ``RANGES[name]``.

    Raises
    ------
    SpecError
        Not a number, not whole where a whole number is needed, or out of range.
    """
    low, high, default = RANGES[name]
    whole = isinstance(low, int)
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not low <= value <= high:
        raise SpecError(
            "{name} must be a {sort} from {low:,} to {high:,}. Received: {value!r}. Try {default}.",
            name=name.replace("_", " ").capitalize(),
            sort="whole number" if whole else "number",
            low=low,
            high=high,
            value=value,
            default=default,
        )
    return value


def check_choice(what: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise a SpecError that lists ``choices`` when ``value`` is none of them."""
    if value not in choices:
        raise SpecError(
            "There is no {what} {value!r}. Pick one of: {choices}.",
            what=what,
            value=value,
            choices=", ".join(choices),
        )


def scratch_control(spec: FineTuneSpec) -> FineTuneSpec:
    """Return the from-scratch control: random init, nothing frozen, all else equal."""
    return replace(spec, source="random", phases=tuple(replace(phase, frozen=()) for phase in spec.phases))


def is_control(control: Spec, spec: Spec) -> bool:
    """Return whether ``control`` is the from-scratch control of ``spec``."""
    return isinstance(spec, FineTuneSpec) and scratch_control(spec) == control


def two_phases(spec: FineTuneSpec, all_but_head: tuple[str, ...]) -> FineTuneSpec:
    """Return ``spec`` with the head trained alone for the first half, then at a tenth of the rate what it trains.

    Parameters
    ----------
    spec : with one phase
    all_but_head : every layer with weights but the last, as in ``freezing.presets``
    """
    phase = spec.phases[0]
    first = max(1, phase.epochs // 2)
    head = replace(phase, epochs=first, frozen=all_but_head)
    rate = max(phase.learning_rate / 10, RANGES["learning_rate"][0])
    rest = replace(phase, epochs=max(1, phase.epochs - first), learning_rate=rate)
    return replace(spec, phases=(head, rest))


def article_recipe(seed: int = 0) -> FineTuneSpec:
    """Return the article's own recipe: 5 epochs of everything, then 5 more with layers 0 and 1 frozen.

    32-64-64-10 network from random init, rmsprop, batch 64, 55,000 training images, 15,000 held out.
    Layer 1 is a pooling layer without weights, so 320 of 121,930 weights are frozen.
    """
    return FineTuneSpec(
        source="random",
        data=DataSpec(target="mnist", split="article", per_class=None, seed=seed),
        phases=(Phase(epochs=5), Phase(epochs=5, frozen=("conv_1", "pool_1"))),
        batch_size=64,
        optimizer="rmsprop",
        seed=seed,
    )
