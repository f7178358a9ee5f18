"""Keras' own example of transfer, run as it was published."""

from dataclasses import replace
from pathlib import Path

from tlcore.evidence import keras_example
from tlcore.evidence.keras_example import PUBLISHED
from tlcore.sentences import Sentence, percent
from tlcore.spec import ExampleResult, ExampleSpec, check_number
from tlcore.store.checkpoint import Checkpoint

from .job import Job
from .outcome import device
from .report import Report, Table
from .reporter import Reporter

COLUMNS = (
    Sentence("task"),
    Sentence("published"),
    Sentence("here"),
    Sentence("95 % interval"),
    Sentence("training s"),
)


class Example(Job[ExampleSpec, ExampleResult]):
    spec, result = ExampleSpec, ExampleResult

    def check(self, spec: ExampleSpec) -> None:
        check_number("seed", spec.seed)
        check_number("epochs", spec.epochs)

    def run(
        self, spec: ExampleSpec, reporter: Reporter, folder: Path, so_far: ExampleResult, saved: Checkpoint | None
    ) -> ExampleResult:
        return replace(keras_example.run(spec, reporter), device=device())

    def describe(self, spec: ExampleSpec) -> str:
        return "Keras' own example, mnist_transfer_cnn"

    def epochs(self, spec: ExampleSpec) -> int:
        return 2 * spec.epochs

    def report(self, result: ExampleResult, folder: Path) -> Report:
        if result.source_test is None or result.test is None:
            return [Sentence("No result.")]
        tasks = (
            (Sentence("digits 0-4"), PUBLISHED["source_test"], result.source_test, result.source_test_s),
            (Sentence("digits 5-9"), PUBLISHED["test"], result.test, result.test_s),
        )
        rows = tuple(
            (
                title,
                percent(published),
                percent(test.accuracy),
                Sentence("{low} to {high}", low=percent(test.low), high=percent(test.high)),
                f"{seconds:.0f}",
            )
            for title, published, test, seconds in tasks
        )
        return [Table(COLUMNS, rows)]
