"""Keras' own example of transfer: its published numbers beside those of a run."""

import streamlit as st

from pages.ui.words.numbers import percent
from pages.ui.words.text import _
from tlcore.evidence.keras_example import PUBLISHED
from tlcore.spec import Evaluation, ExampleResult, ExampleSpec
from tlcore.store import Run

from .view import View


class ExampleView(View[ExampleSpec, ExampleResult]):
    def title(self, spec: ExampleSpec) -> str:
        return _("Keras' own example, mnist_transfer_cnn")

    def stopping(self) -> str:
        return _("Stopping after the current batch. The example has a result only at its end.")

    def chart(self, spec: ExampleSpec) -> None:
        return None

    def result(self, run: Run, result: ExampleResult) -> None:
        if result.test is not None:
            tasks(result)


def _titles() -> dict[str, str]:
    return {"source_test": _("digits 0-4, learned first"), "test": _("digits 5-9, convolutions frozen")}


def tasks(result: ExampleResult) -> None:
    """Show both tasks: what was published, what was reached, and how long it took."""
    st.dataframe(
        [row(name, title, result) for name, title in _titles().items()],
        hide_index=True,
        height="content",
        alt=_("Published and measured accuracy of both tasks"),
    )
    outside = [title for name, title in _titles().items() if not _holds(getattr(result, name), PUBLISHED[name])]
    share = result.n_trainable / result.n_weights
    words = _("Both published numbers lie within the intervals.")
    if outside:
        words = _("The published number lies outside the interval here: {tasks}.").format(tasks="; ".join(outside))
    frozen = _("In the second task {share} of {n:,} weights trained.").format(share=percent(share), n=result.n_weights)
    st.caption(f"{words} {frozen}")


def _holds(test: Evaluation, accuracy: float) -> bool:
    return test.low <= accuracy <= test.high


def row(name: str, title: str, result: ExampleResult) -> dict[str, str]:
    test: Evaluation = getattr(result, name)
    return {
        _("task"): title,
        _("published"): percent(PUBLISHED[name]),
        _("here"): percent(test.accuracy),
        _("95 % interval"): _("{low} to {high}").format(low=percent(test.low), high=percent(test.high)),
        _("test images"): f"{test.n:,}",
        _("training seconds"): f"{getattr(result, f'{name}_s'):.0f}",
    }
