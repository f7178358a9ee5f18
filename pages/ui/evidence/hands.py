"""What transfer saves on photographs of hands: every way over the labels, and what it is held against."""

from collections.abc import Mapping, Sequence

import streamlit as st

from pages.ui import frame
from pages.ui.charts import sweep_charts
from pages.ui.charts.figure import show_figure
from pages.ui.session import state
from pages.ui.words.numbers import percent
from pages.ui.words.text import _
from tlcore.evidence import recorded, savings
from tlcore.evidence.once import together
from tlcore.spec import FINE_TUNE, PIXELS, SCRATCH, Cell

from . import sweep as sweep_view
from .savings import details_of, sentence

STUDY, NETWORKS = "hands", "hands_networks"
SOURCE = recorded.PHOTOGRAPHS
WAYS = {  # by which each line has its colour
    "svm": "linear_svm",
    "forest": "random_forest",
    "thaw_13": FINE_TUNE,
    "thaw_6": "all_but_head",
    "pixels": "dense",
    "scratch": SCRATCH,
}


def curves(cells: Sequence[Cell]) -> dict[str, savings.Curve]:
    """Return the line of every way, by its key."""
    return {
        "svm": savings.curve(cells, "linear_svm", SOURCE, "average"),
        "forest": savings.curve(cells, "random_forest", SOURCE, "average"),
        "thaw_13": savings.curve(cells, FINE_TUNE, SOURCE, "block_12_add"),
        "thaw_6": savings.curve(cells, FINE_TUNE, SOURCE, "block_5_add"),
        "pixels": savings.curve(cells, "linear_svm", None, PIXELS),
        "scratch": savings.curve(cells, SCRATCH, None, PIXELS),
    }


def titles() -> dict[str, str]:
    return {
        "svm": _("Linear SVM on features"),
        "forest": _("Random forest on features"),
        "thaw_13": _("Trained from block_13 on"),
        "thaw_6": _("Trained from block_6 on"),
        "pixels": _("Linear SVM on raw pixels"),
        "scratch": _("The network from scratch"),
    }


def at() -> int:
    """Return the number of labels at which the saving is read off: of those measured the nearest to the chosen one."""
    wanted = int(state.get("saving_at"))
    return min(recorded.HANDS_LABELS, key=lambda n: abs(n - wanted))


def show() -> None:
    """Show the message, every line, what came of it from scratch, and the numbers behind a fold."""
    studies = [recorded.load(study) for study in (STUDY, NETWORKS) if recorded.is_recorded(study)]
    cells = together(*(study.cells for study in studies))
    lines = curves(cells)
    found = savings.saving(lines["svm"], lines["pixels"], at())
    if found is not None:
        frame.finding(sentence(found))
    sweep_view.provenance(*studies)
    measured = [key for key in titles() if lines[key]]
    named = {titles()[key]: savings.bands(lines[key]) for key in measured}
    mark = None
    if found and not found.open_ended and found.low > 1:
        mark = (found.accuracy, found.per_class, found.needed, _("{k:.1f} times fewer labels").format(k=found.k))
    show_figure(
        sweep_charts.label_curves(named, mark, [WAYS[key] for key in measured]),
        key="savings_hands",
        alt=_("Test accuracy on photographs of hands by labels, for every way"),
    )
    if words := lesson(lines):
        st.markdown(words)
    st.segmented_control(
        _("Labels per class that transfer gets"),
        recorded.HANDS_LABELS,
        help=_("At which size the saving is read off."),
        default=at(),
        required=True,
        key="hands_at",
        wrap=True,
        on_change=lambda: state.put(saving_at=state.get("hands_at")),
    )
    if box := sweep_view.for_researchers("hands"):
        with box:
            numbers(cells, found)


def lesson(lines: Mapping[str, savings.Curve]) -> str:
    """Return what thawing and starting from nothing came to at the most labels that all ways have."""
    means = {key: savings.means(curve) for key, curve in lines.items() if curve}
    common = set.intersection(*(set(found) for found in means.values())) if means else set()
    if len(means) < len(lines) or not common:
        return ""
    n = max(common)
    values = {key: percent(found[n]) for key, found in means.items()}
    return _(
        "With **{n} photographs of each sign** the SVM on features reads {svm}, the network trained from block_6 on "
        "{thaw_6}. The same network from scratch, for as many steps, reads **{scratch}**."
    ).format(n=n, **values)


def numbers(cells: Sequence[Cell], found: savings.Saving | None) -> None:
    """Show what stands behind the lines: the factor with its interval, how it was measured, every mean, the file."""
    if found is not None:
        st.markdown(
            details_of(
                found,
                _(
                    "With **{n} labels per class** a linear SVM on MobileNetV2's features reads **{accuracy}** of "
                    "{n_test:,} test photographs; the same SVM on the raw pixels needs {needed}. The 95 % interval of "
                    "the factor is {low:.1f} to {high}, over {seeds} seeds."
                ),
                n_test=max(cell.n_test for cell in cells),
            )
        )
    st.caption(
        _(
            "The test photographs show people who are in no other part. Bands: 95 % interval of the mean over seeds, "
            "which draw other training photographs and first weights."
        )
    )
    if any(cell.method in (FINE_TUNE, SCRATCH) for cell in cells):
        words = _(
            "Every network takes about {steps} steps of up to 16 photographs at each size: the head first, then what "
            "is thawed at a tenth of the rate, every BatchNormalization frozen; from scratch everything trains at once."
        )
        st.caption(words.format(steps=recorded.HANDS_STEPS))
    st.dataframe(sweep_view.table(cells), hide_index=True, alt=_("Means over seeds by labels"))
    sweep_view.csv_button(cells, "label-savings-hands.csv", "savings_hands")
