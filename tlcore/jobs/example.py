"""Keras' own example of transfer, run as it was published."""

from pathlib import Path
from typing import Any

from tlcore.evidence import keras_example
from tlcore.spec import ExampleSpec, check_number

from .job import Job, Left
from .outcome import device
from .reporter import Reporter


class Example(Job[ExampleSpec]):
    spec = ExampleSpec

    def check(self, spec: ExampleSpec) -> None:
        check_number("seed", spec.seed)
        check_number("epochs", spec.epochs)

    def run(self, spec: ExampleSpec, reporter: Reporter, folder: Path, left: Left) -> dict[str, Any]:
        found = keras_example.run(
            spec,
            on_metric=reporter.on_metric,
            on_progress=reporter.on_progress,
            should_stop=reporter.should_stop,
        )
        return found | {"device": device()}

    def describe(self, spec: ExampleSpec) -> str:
        return "Keras' own example, mnist_transfer_cnn"
