"""A finished model, tested on a set of its own: what is asked, and what came out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from .data import DataSpec
from .forms import InputForm
from .jobs import register
from .results import Evaluation, File, Result

Part = Literal["test", "all"]
TESTED_PARTS: tuple[Part, ...] = ("test", "all")


@dataclass(frozen=True)
class EvaluateSpec:
    """Test a finished model on a set that has its classes.

    Attributes
    ----------
    model : the name of a ``prediction.ModelName``: of a run's network or head, of a source, of an uploaded head
    target : the set; "test" are its test items, "all" its training items too
    source, per_class, seed : of the run that trained the model
    """

    model: str = "source:digits_0_4"
    target: str = "mnist_0_4"
    part: Part = "test"
    source: str = "digits_0_4"
    per_class: int | None = None
    seed: int = 0

    kind: ClassVar[str] = "evaluate"

    @property
    def data(self) -> DataSpec:
        return DataSpec(self.target, per_class=self.per_class, seed=self.seed)


@dataclass(frozen=True)
class EvaluateResult(Result):
    """How the model did on items that it did not learn from."""

    test: Evaluation | None = None
    n_learned: int = 0  # items of the set that it had learned from, and that were left out
    checked: bool = True  # False: what it learned from is not at hand, so nothing could be left out
    total_s: float = 0.0
    class_names: tuple[str, ...] = ()
    form: InputForm | None = None
    files: Mapping[str, File] = field(default_factory=dict)


register(EvaluateSpec, EvaluateResult)
