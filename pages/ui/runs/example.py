"""Keras' own example of transfer: its published numbers beside those of a run."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.ui.words.text import _
from tlcore.evidence.keras_example import PUBLISHED

TASKS = {"source_test": _("digits 0-4, learned first"), "test": _("digits 5-9, convolutions frozen")}


def result(found: Mapping[str, Any]) -> None:
    """Show both tasks: what was published, what was reached, and how long it took."""
    st.dataframe(
        [row(name, title, found) for name, title in TASKS.items()],
        hide_index=True,
        height="content",
        alt=_("Published and measured accuracy of both tasks"),
    )
    outside = [
        title for name, title in TASKS.items() if not found[name]["low"] <= PUBLISHED[name] <= found[name]["high"]
    ]
    share = found["n_trainable"] / found["n_weights"]
    words = _("Both published numbers lie within the intervals.")
    if outside:
        words = _("The published number lies outside the interval here: {tasks}.").format(tasks="; ".join(outside))
    frozen = _("In the second task {share:.1%} of {n:,} weights trained.").format(share=share, n=found["n_weights"])
    st.caption(f"{words} {frozen}")


def row(name: str, title: str, found: Mapping[str, Any]) -> dict[str, str]:
    test = found[name]
    return {
        _("task"): title,
        _("published"): f"{PUBLISHED[name]:.1%}",
        _("here"): f"{test['accuracy']:.2%}",
        _("95 % interval"): _("{low:.2%} to {high:.2%}").format(low=test["low"], high=test["high"]),
        _("test images"): f"{test['n']:,}",
        _("training seconds"): f"{found[f'{name}_s']:.0f}",
    }
