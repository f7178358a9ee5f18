"""The label-savings curve: transfer against from scratch, how many labels it saves, and where the lead ends."""

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from math import inf

import streamlit as st

from pages.ui import frame
from pages.ui.charts import sweep_charts
from pages.ui.charts.figure import show_figure
from pages.ui.session import state
from pages.ui.words.numbers import percent
from pages.ui.words.text import _
from tlcore.evidence import recorded, savings
from tlcore.evidence.once import once
from tlcore.spec import FINE_TUNE, PIXELS, SCRATCH, Cell, SweepSpec

from . import sweep as sweep_view

STUDY = "label_savings"
SLOT = "savings"
CUT, SOURCE = "flatten", "digits_0_4"


def live_spec() -> SweepSpec:
    """Return the study as the button runs it: with fewer seeds than the recorded one."""
    return replace(recorded.STUDIES[STUDY][0], seeds=recorded.FIVE)


def curves(cells: Sequence[Cell]) -> dict[str, savings.Curve]:
    """Return the three lines, transfer first."""
    return {
        _("Linear SVM on the source's features"): savings.curve(cells, "linear_svm", SOURCE, CUT),
        _("Fine-tuning after frozen convolutions"): savings.curve(cells, FINE_TUNE, SOURCE, CUT),
        _("From scratch"): savings.curve(cells, SCRATCH, None, PIXELS),
    }


def headline(cells: Sequence[Cell]) -> savings.Saving | None:
    """Say in one line how many times fewer labels give the same accuracy; return that."""
    found = saved(cells, int(state.get("saving_at")))
    if found is None:
        st.info(_("The curve needs both lines at the chosen number of labels. It fills as experiments finish."))
        return None
    frame.finding(sentence(found))
    return found


@once
def saved(cells: Sequence[Cell], per_class: int) -> savings.Saving | None:
    """Return what transfer saves at one number of labels."""
    transfer, _tuned, scratch = curves(cells).values()
    return savings.saving(transfer, scratch, per_class)


def recorded_saving(per_class: int) -> savings.Saving | None:
    """Return what transfer saves at one number of labels in the recorded study."""
    return saved(recorded.load(STUDY).cells, per_class)


def glance(per_class: int) -> None:
    """Show the message of the recorded study with how many labels either way needs, and the way to all of it."""
    found = recorded_saving(per_class)
    if found is None:
        return
    with st.container(key="glance"):
        st.html(bars(found))
        st.page_link("evidence.py", label=_("All curves, intervals and numbers"), icon=":material/query_stats:")


def bars(found: savings.Saving) -> str:
    """Return the message and, as two bars, how many labels per class each way needs for the same accuracy."""
    most = found.most if found.open_ended else found.needed
    ways = (
        (_("With transfer"), found.per_class, f"{found.per_class}"),
        (_("From scratch"), most, _("more than {n:,}").format(n=most) if found.open_ended else f"{found.needed:.0f}"),
    )
    rows = "".join(
        f'<tr><th scope="row">{escape(title)}</th><td><i style="width:calc((100% - 6.5rem) * {n / most:.3f})"></i>'
        f"<b>{escape(words)}</b></td></tr>"
        for title, n, words in ways
    )
    caption = _("Examples of each digit needed to read {accuracy} of the digits 5 to 9 correctly").format(
        accuracy=percent(found.accuracy)
    )
    return (
        f"<h2>{escape(sentence(found))}</h2><table><caption>{escape(caption)}</caption><tbody>{rows}</tbody></table>"
        f"<p>{escape(interval(found))}</p>"
    )


def interval(found: savings.Saving) -> str:
    """Return how sure the factor is, and what was compared."""
    high = _("no upper end") if found.high == inf else f"{found.high:.1f}"
    return _(
        "Measured over {seeds} seeds: a linear SVM on what the network learned from digits 0 to 4, against the same "
        "network from scratch. The 95 % interval of the factor is {low:.1f} to {high}."
    ).format(seeds=found.n_seeds, low=found.low, high=high)


def sentence(found: savings.Saving) -> str:
    """Return the message: never more than the interval allows."""
    if found.low <= 1.0:
        return _("No clear saving here: the difference is within the noise")
    if found.open_ended:
        return _("The same accuracy with more than {k:.0f} times fewer labels").format(k=found.most / found.per_class)
    return _("The same accuracy with about {k:.1f} times fewer labels").format(k=found.k)


def details(found: savings.Saving) -> str:
    """Return what stands behind the message: labels, accuracy, interval, seeds."""
    return details_of(
        found,
        _(
            "With **{n} labels per class** a linear SVM on what the network learned from digits 0-4 reads digits 5-9 "
            "with **{accuracy}**; a network from scratch needs {needed}. The 95 % interval of the factor is {low:.1f} "
            "to {high}, over {seeds} seeds."
        ),
    )


def details_of(found: savings.Saving, words: str, **more: object) -> str:
    """Return a sentence with what stands behind a message; ``more`` are further values that it names."""
    needed = (
        _("more than the {most:,} that were tried").format(most=found.most)
        if found.needed == inf
        else _("about {needed:.0f}").format(needed=found.needed)
    )
    return words.format(
        n=found.per_class,
        accuracy=percent(found.accuracy),
        needed=needed,
        low=found.low,
        high=_("no upper end") if found.high == inf else f"{found.high:.1f}",
        seeds=found.n_seeds,
        **more,
    )


def chart(cells: Sequence[Cell], key: str, found: savings.Saving | None) -> None:
    """Show the lines with the saving marked, and in words where the control catches up."""
    measured = zip(curves(cells).items(), ("linear_svm", FINE_TUNE, SCRATCH), strict=True)
    lines = {title: (curve, way) for (title, curve), way in measured if curve}
    mark = None
    if found and not found.open_ended and found.k > 1:
        words = _("{k:.1f} times fewer labels").format(k=found.k)
        mark = (found.accuracy, found.per_class, found.needed, words)
    figure = sweep_charts.label_curves(
        {title: savings.bands(curve) for title, (curve, _way) in lines.items()},
        mark,
        [way for _curve, way in lines.values()],
    )
    show_figure(
        figure,
        key=f"savings_{key}",
        alt=_("Test accuracy of transfer and from scratch by labels"),
    )
    transfer, _tuned, scratch = curves(cells).values()
    st.markdown(crossover_words(transfer, scratch))


def numbers(cells: Sequence[Cell], key: str, found: savings.Saving | None) -> None:
    """Show what stands behind the curve: the factor with its interval, every mean, and the file."""
    if found is not None:
        st.markdown(details(found))
    st.caption(_("Bands: 95 % interval of the mean over seeds, which draw other training images and first weights."))
    st.dataframe(sweep_view.table(cells), hide_index=True, alt=_("Means over seeds, by labels"))
    transfer, *_others = curves(cells).values()
    factors = [found for n in sorted(transfer) if (found := saved(cells, n)) is not None]
    st.dataframe(_factors(factors), hide_index=True, alt=_("Labels saved at each size"))
    sweep_view.csv_button(cells, "label-savings.csv", f"savings_{key}")


def _factors(found: Sequence[savings.Saving]) -> list[dict[str, str]]:
    def number(value: float) -> str:
        return "∞" if value == inf else f"{value:.1f}"

    return [
        {
            _("labels per class"): f"{one.per_class}",
            _("accuracy of transfer"): percent(one.accuracy),
            _("labels from scratch needs"): number(one.needed),
            _("times fewer"): number(one.k),
            _("95 % interval"): _("{low} to {high}").format(low=number(one.low), high=number(one.high)),
        }
        for one in found
    ]


def crossover_words(transfer: savings.Curve, scratch: savings.Curve) -> str:
    """Return where the control catches up, and what is left of the lead at the most labels."""
    leads = savings.differences(transfer, scratch)
    if not leads:
        return _("The crossover appears once both lines have been measured.")
    most = max(leads)
    mean, low, high = savings.mean_interval(leads[most])
    at = savings.crossover(transfer, scratch)
    first = (
        _("**No crossover up to {most} labels per class.**").format(most=most)
        if at is None
        else _("**Crossover at about {at:.0f} labels per class**: from there on scratch is as good.").format(at=at)
    )
    if mean >= 0:
        last = _("At {most} the SVM on features is {mean:.1f} points ahead ({low:.1f} to {high:.1f}).")
    else:
        mean, low, high = -mean, -high, -low
        last = _("At {most} the SVM on features is {mean:.1f} points behind ({low:.1f} to {high:.1f}).")
    return f"{first} {last.format(most=most, mean=100 * mean, low=100 * low, high=100 * high)}"
