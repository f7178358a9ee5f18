"""Label noise and lopsided classes, on purpose: the training images alone, so that the test stays true."""

from collections.abc import Sequence

import streamlit as st

from pages.ui.session import state
from pages.ui.words.text import _, plain, shown
from tlcore import datasets
from tlcore.spec import DataSpec

NOISES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
RATIOS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


def controls() -> None:
    """Show both, for whatever target is chosen."""
    state.keep("label_noise", "imbalance")
    noise, ratio = float(state.get("label_noise")), float(state.get("imbalance"))
    st.select_slider(
        _("Wrong labels"),
        _with(NOISES, noise),
        format_func=lambda share: f"{100 * share:.4g} %",
        help=_("So many of the training labels are shuffled at random. Validation and test labels stay correct."),
        **state.keyed("label_noise"),
    )
    st.select_slider(
        _("Lopsided classes"),
        _with(RATIOS, ratio),
        format_func=lambda value: f"{value:g} : 1" if value > 1 else _("even"),
        help=_("Training images of the first class for one of the last. Validation and test images stay as they are."),
        **state.keyed("imbalance"),
    )


def _with(usual: Sequence[float], value: float) -> list[float]:
    """Return the steps of a slider with one more where a link or a command chose it."""
    return sorted({*usual, value})


def told(data: DataSpec) -> None:
    """Say what was done to a run's training images on purpose; nothing for most."""
    words = [shown(each) for each in datasets.spoiled(data)]
    if words:
        text = _("Spoiled on purpose: {what}. Validation and test images are untouched, so the accuracy is true.")
        st.info(text.format(what=plain("; ".join(words))), icon=":material/science:")


def counts() -> None:
    """Show how many training images of each class the next run learns from."""
    spec = state.data_draft()
    names = datasets.info(spec.target).class_names
    sizes = datasets.training_sizes(spec)
    st.dataframe(
        [{_("class"): name, _("training images"): n} for name, n in zip(names, sizes, strict=True)],
        hide_index=True,
        height="content" if len(names) <= 12 else 420,
        column_config={
            _("training images"): st.column_config.ProgressColumn(format="%d", min_value=0, max_value=max(sizes))
        },
        alt=_("Training images of each class in the next run"),
    )
