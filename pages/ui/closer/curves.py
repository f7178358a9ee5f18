"""ROC and precision-recall curves of a run's model: one class against the rest, or all together."""

from collections.abc import Sequence

import streamlit as st

from pages.ui.charts import curve_charts
from pages.ui.charts.figure import show_figure
from pages.ui.session import state
from pages.ui.words.text import PERCENT, _
from tlcore.evaluation import curves, outputs
from tlcore.evaluation.curves import MACRO, Curve, Curves
from tlcore.store import Run

from .inside import asked


def show(run: Run, path: str, model: str, names: Sequence[str]) -> None:
    """Show both curves of the class that a person picks, the areas of all, and the points as a file."""
    found = _found(run, path, model)
    if not found:
        st.info(_("Curves need test images of two classes or more."))
        return
    titles = {each.label: _title(each, names) for each in found}
    first = MACRO if MACRO in titles else found[-1].label
    chosen = st.selectbox(
        _("Class against the rest"),
        sorted(titles),
        format_func=titles.__getitem__,
        index=sorted(titles).index(first),
        key=f"curve_{run.id}_{model}",
    )
    each = next(each for each in found if each.label == chosen)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(_("Area under the ROC curve: **{area}** ({interval})").format(**_area(each.roc)))
        show_figure(
            curve_charts.roc(each.roc),
            key=f"roc_{run.id}_{model}",
            alt=_("True-positive rate against false-positive rate"),
        )
    with right:
        st.markdown(_("Average precision: **{area}** ({interval})").format(**_area(each.precision_recall)))
        show_figure(
            curve_charts.precision_recall(each.precision_recall, each.share),
            key=f"pr_{run.id}_{model}",
            alt=_("Precision against recall"),
        )
    st.caption(_about(each))
    _table(found, titles)
    st.download_button(
        _("Curves (CSV)"),
        curves.curves_csv(found, names),
        file_name=f"{run.id[:6]}-{model}-curves.csv",
        mime="text/csv",
        key=f"curves_csv_{run.id}_{model}",
        icon=":material/download:",
        on_click="ignore",
    )


def _found(run: Run, path: str, model: str) -> tuple[Curves, ...]:
    """Return the curves, which are computed once for each model of a finished run."""
    kept = state.get("curves_found", {})
    key = (run.id, run.result.files[outputs.FILE].sha256, model)
    if key not in kept:
        kept = {**dict(list(kept.items())[-4:]), key: asked(curves.of_outputs, path, model)}
        state.put(curves_found=kept)
    return kept[key]


def _title(each: Curves, names: Sequence[str]) -> str:
    return _("All classes together (macro average)") if each.label == MACRO else names[each.label]


def _area(curve: Curve) -> dict[str, str]:
    return {"area": f"{curve.area:.3f}", "interval": f"{curve.low:.3f} – {curve.high:.3f}"}


def _about(each: Curves) -> str:
    words = _(
        "Left: of the images of the class, the share that is found, against the share of the others that is taken for "
        "it, as the threshold falls. Guessing gives the dashed line, an area of 0.5. Right: of the images called the "
        "class, the share that is; guessing gives {share:.2f}. Intervals: 95 %, from {n:,} bootstrap draws of the test "
        "images, each class as often as it is there (seed {seed})."
    )
    return words.format(share=each.share, n=each.n_draws, seed=each.seed)


def _table(found: Sequence[Curves], titles: dict[int, str]) -> None:
    with st.expander(_("Table: the areas of every class")):
        st.dataframe(
            [
                {
                    _("class"): titles[each.label],
                    _("area under the ROC curve"): each.roc.area,
                    _("95 % interval"): _area(each.roc)["interval"],
                    _("average precision"): each.precision_recall.area,
                    _("its 95 % interval"): _area(each.precision_recall)["interval"],
                    _("share of the test images"): 100 * each.share,
                }
                for each in found
            ],
            hide_index=True,
            column_config={
                _("area under the ROC curve"): st.column_config.NumberColumn(format="%.3f"),
                _("average precision"): st.column_config.NumberColumn(format="%.3f"),
                _("share of the test images"): st.column_config.NumberColumn(format=PERCENT),
            },
            alt=_("Areas under the curves of every class, with their intervals"),
        )
