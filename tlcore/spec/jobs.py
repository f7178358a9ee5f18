"""What a run is asked to do: one spec for each kind of run, and the codec that stores it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from tlcore.errors import SpecError

from .data import DataSpec, Split
from .ranges import RANGES

RunState = Literal["queued", "running", "done", "stopped", "failed"]
FINAL_STATES: frozenset[str] = frozenset({"done", "stopped", "failed"})

Input = Literal["features", "pixels"]
OPTIMIZERS: tuple[str, ...] = ("adam", "rmsprop", "sgd")

PIXELS = "pixels"  # the pseudo-layer of a head that sees raw pixels: the control
FINE_TUNE, SCRATCH = "fine_tune", "scratch"  # methods of a sweep beside the heads


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
