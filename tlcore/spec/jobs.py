"""What a run is asked to do: one spec for each kind of run, and how specs and results are stored."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal, Protocol

from tlcore.errors import SpecError

from .codec import decode
from .data import DataSpec, Split
from .results import ComparisonResult, ExampleResult, FineTuneResult, HeadsResult, Result, SweepResult

RunState = Literal["queued", "running", "done", "stopped", "failed"]
FINAL_STATES: frozenset[str] = frozenset({"done", "stopped", "failed"})

Input = Literal["features", "pixels"]
OPTIMIZERS: tuple[str, ...] = ("adam", "rmsprop", "sgd")
SCHEDULES: tuple[str, ...] = ("constant", "warm_up", "cosine", "warm_up_cosine")
BALANCED = "balanced"
CLASS_WEIGHTS: tuple[str, ...] = (BALANCED,)  # beside None: each image counts alike

PIXELS = "pixels"  # the pseudo-layer of a head that sees raw pixels: the control
FINE_TUNE, SCRATCH = "fine_tune", "scratch"  # methods of a sweep beside the heads
UNTRAINED = "random"  # the source that has learned nothing


class Spec(Protocol):
    """What a run is asked to do: a frozen dataclass of JSON values, a type for each kind of run."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    kind: ClassVar[str]

    @property
    def seed(self) -> int: ...

    @property
    def source(self) -> str: ...

    @property
    def data(self) -> DataSpec: ...


@dataclass(frozen=True)
class Phase:
    """Some epochs with one choice of frozen layers and one learning rate."""

    epochs: int = 30
    frozen: tuple[str, ...] = ()
    learning_rate: float = 1e-3
    schedule: str = "constant"  # how the rate moves through the phase's steps: see ``training.schedules``
    rate_factor: float = 1.0  # a block's rate is this times the next block's; the last block has the rate itself
    recompiled: bool = True  # False: a mistake on purpose, see ``FineTuneSpec.compiled``


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
    patience: int = 0  # epochs without a better validation loss that end the last phase; 0: it is never cut short
    augment: bool = False  # train on slightly changed copies of the images, others in every epoch
    class_weight: str | None = None  # "balanced": each class counts alike in the loss, however few images it has

    kind: ClassVar[str] = "fine_tune"

    @property
    def epochs(self) -> int:
        return sum(phase.epochs for phase in self.phases)

    def repeated(self, model: str, seeds: Sequence[int]) -> "tuple[FineTuneSpec, ...]":
        """Return what trains the same network with other seeds, each with other images and first weights."""
        return tuple(replace(self, film=False, seed=seed, data=replace(self.data, seed=seed)) for seed in seeds)

    def from_scratch(self, untrained: str) -> "FineTuneSpec":
        """Return the same training of a network that learned nothing before: nothing frozen, one rate for all layers.

        Parameters
        ----------
        untrained : the source that is this one's network untrained
        """
        phases = tuple(replace(phase, frozen=(), rate_factor=1.0) for phase in self.phases)
        return replace(self, source=untrained, phases=phases)

    def compiled(self, number: int) -> Phase:
        """Return the phase whose training step a phase, counted from 1, takes.

        That is itself, or, where a phase is not compiled again, the last one before it that was: what trains, its rate
        and its schedule were fixed when that step was traced, as with Keras' ``compile`` and ``fit``.
        """
        return next((phase for phase in self.phases[number - 1 :: -1] if phase.recompiled), self.phases[0])

    def phase_of(self, epoch: int) -> Phase:
        """Return the phase that epoch belongs to, counted from 1 over all phases; 0 belongs to the first."""
        for phase in self.phases:
            if epoch <= phase.epochs:
                return phase
            epoch -= phase.epochs
        return self.phases[-1]


@dataclass(frozen=True)
class ByHand:
    """One hyperparameter of a head that a person set: ``name`` is that of one of the head's knobs (``heads.Knob``)."""

    head: str
    name: str
    value: float | str | None


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
    by_hand: tuple[ByHand, ...] = ()  # hyperparameters that differ from the heads' own; tuning leaves these alone
    class_weight: str | None = None  # as in ``FineTuneSpec``; a head that knows no class weights learns without

    kind: ClassVar[str] = "heads"

    @property
    def seed(self) -> int:
        return self.seeds[0]

    def repeated(self, model: str, seeds: Sequence[int]) -> "tuple[HeadSpec, ...]":
        """Return what fits one head (``linear_svm-pixels``) with other seeds, each on other images."""
        head, _dash, name = model.partition("-")
        if not seeds or head not in self.heads or name not in self.inputs:
            return ()
        data, by_hand = replace(self.data, seed=seeds[0]), self.by_hand_of(head)
        again = replace(self, heads=(head,), inputs=(name,), seeds=tuple(seeds), data=data, curves=False)
        return (replace(again, by_hand=by_hand),)

    def by_hand_of(self, head: str) -> tuple[ByHand, ...]:
        """Return what was set of one head."""
        return tuple(each for each in self.by_hand if each.head == head)


@dataclass(frozen=True)
class ComparisonSpec:
    """Ways to learn one task from the same images with the same seed, each trained alone, one after the other.

    A way is ``fine_tune`` (``tuning`` as it is), ``scratch`` (its control), or a head fitted on the activations of
    ``layer``. Each is a run of its own, which the comparison starts: see ``recipes.comparison``.
    """

    tuning: FineTuneSpec = FineTuneSpec()
    layer: str = "flatten"
    ways: tuple[str, ...] = (FINE_TUNE, "linear_svm", SCRATCH)

    kind: ClassVar[str] = "comparison"

    @property
    def seed(self) -> int:
        return self.tuning.seed

    @property
    def source(self) -> str:
        return self.tuning.source

    @property
    def data(self) -> DataSpec:
        return self.tuning.data


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

    kind: ClassVar[str] = "sweep"

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

    kind: ClassVar[str] = "example"

    @property
    def source(self) -> str:
        return "random"

    @property
    def data(self) -> DataSpec:
        return DataSpec("mnist_5_9", per_class=None, seed=self.seed)


SPECS: dict[str, type[Spec]] = {}  # the spec of each kind of run
RESULTS: dict[str, type[Result]] = {}  # and its result


def register(spec: type[Spec], result: type[Result]) -> None:
    """Let specs and results of a further kind be stored and read."""
    SPECS[spec.kind], RESULTS[spec.kind] = spec, result


register(FineTuneSpec, FineTuneResult)
register(HeadSpec, HeadsResult)
register(ComparisonSpec, ComparisonResult)
register(SweepSpec, SweepResult)
register(ExampleSpec, ExampleResult)


def methods(spec: Spec) -> tuple[str, ...]:
    """Return the ways to learn that a spec tries: heads, ``fine_tune``, ``scratch``; of another kind its name.

    Examples
    --------
    >>> methods(HeadSpec()), methods(FineTuneSpec()), methods(ExampleSpec())
    (('linear_svm', 'random_forest'), ('fine_tune',), ('example',))
    """
    if isinstance(spec, FineTuneSpec):
        fresh = spec.source == UNTRAINED and not any(phase.frozen for phase in spec.phases)
        return (SCRATCH,) if fresh else (FINE_TUNE,)
    named = (getattr(spec, name, None) for name in ("methods", "ways", "heads"))
    return tuple(next(filter(None, named), (spec.kind,)))


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
        if kind not in SPECS:
            raise ValueError(f"unknown kind {kind!r}")
        if not fields:
            raise ValueError("no settings")
        return decode(SPECS[kind], fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]  # it may quote the text, which may hold anything
        raise SpecError("These settings cannot be read ({reason}). Start the run again.", reason=reason) from error


def result_from(kind: str, values: Mapping[str, Any]) -> Result:
    """Return what a run of that kind stored as its result; what its version knew and this one does not is left out.

    Raises
    ------
    SpecError
        The values are not those of a result of that kind.
    """
    try:
        return decode(RESULTS[kind], values, strict=False)
    except (TypeError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise SpecError("This result cannot be read ({reason}). Start the run again.", reason=reason) from error
