"""The claims: a headline, one plot of every interval with its verdict, and a card of the numbers behind each."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import inf, log2
from typing import Any

import streamlit as st

from pages.ui import frame
from pages.ui.charts.markup import show_markup
from pages.ui.words.text import _, ngettext, shown, titled
from tlcore import sources
from tlcore.evidence import claims, hand_claims, recorded
from tlcore.evidence.claims import Claim, Finding, Verdict
from tlcore.evidence.once import together
from tlcore.spec import Cell, SweepSpec

from . import intervals
from . import sweep as sweep_view

SLOTS = ("claims_1", "claims_2", "claims_3")


def live_specs() -> list[tuple[SweepSpec, str]]:
    """Return the grids that all claims need together, as the button runs them."""
    specs = [replace(spec, seeds=recorded.FIVE) for study in claims.STUDIES for spec in recorded.STUDIES[study]]
    return list(zip(specs, SLOTS, strict=True))


KINDS = {"supported": "good", "refuted": "bad"}  # of the other verdicts none is for or against
TIMES = (1, 2, 4, 8, 16, 32)
POINTS = (-5, 0, 5, 10, 15)
WIDE = (-10, 0, 10, 20, 30, 40, 50)  # of photographs

BADGES: dict[str, tuple[Any, str]] = {
    "supported": ("green", ":material/check_circle:"),
    "refuted": ("red", ":material/cancel:"),
    "not shown": ("gray", ":material/remove:"),
    "depends": ("violet", ":material/help:"),
    "not measured": ("gray", ":material/pending:"),
}


def verdicts() -> dict[str, str]:
    """Return what every verdict is called."""
    return {
        "supported": _("supported"),
        "refuted": _("refuted"),
        "not shown": _("not shown"),
        "depends": _("depends"),
        "not measured": _("not measured yet"),
    }


def overview(cells: Sequence[Cell]) -> None:
    """Say how many claims hold, and show every interval that decides it on two axes: of times, and of points."""
    judged = claims.judge_all(cells)
    frame.finding(headline(judged))
    axis = intervals.Axis([(n / 100, f"{n:+}" if n else "0") for n in POINTS], lambda x: _place(x, -0.07, 0.18))
    plots("claims", judged, axis)


def plots(name: str, judged: Sequence[Verdict], points: intervals.Axis) -> None:
    """Draw the intervals of what was measured; ``points`` is the axis of those that are differences of accuracies."""
    measured = [verdict for verdict in judged if verdict.word != "not measured"]
    if found := [verdict for verdict in measured if verdict.claim.unit == "times"]:
        axis = intervals.Axis([(n, f"{n}×") for n in TIMES], lambda value: _place(log2(max(value, 0.5)), -1, 5.2))
        caption = _("How many times less, or fewer: a claim holds to the right of the dashed line")
        plot(f"{name}_times", caption, _("times, with 95 % interval"), axis, [_row(one) for one in found])
    if found := [verdict for verdict in measured if verdict.claim.unit == "points"]:
        caption = _("How many points of accuracy more: a claim holds to the right of its dashed line")
        plot(f"{name}_points", caption, _("points, with 95 % interval"), points, [_row(one) for one in found])


def plot(key: str, caption: str, found: str, axis: intervals.Axis, rows: Sequence[intervals.Row]) -> None:
    """Show rows of intervals, with the buttons that save them."""
    head = (_("Claim"), _("Verdict"), _("holds above"), _("measured at"), _("value"), *_ends())
    lines = [
        (row.title, row.word, row.line, mark.label, mark.value, mark.low, mark.high)
        for row in rows
        for mark in row.marks
    ]
    show_markup(intervals.table(caption, found, axis, rows), key, caption, head, lines)


def _ends() -> tuple[str, str]:
    return _("95 % interval from"), _("95 % interval to")


def on_hands(cells: Sequence[Cell]) -> None:
    """Show which claims hold for photographs of hands and not for digits, and the reverse; recorded, both of them.

    Parameters
    ----------
    cells : of digits
    """
    if not all(map(recorded.is_recorded, hand_claims.STUDIES)):
        return
    studies = [recorded.load(study) for study in hand_claims.STUDIES]
    judged = hand_claims.judge_all(together(*(study.cells for study in studies)))
    st.subheader(_("The same claims on photographs of hands"), anchor=False)
    st.markdown(apart(claims.judge_all(cells), judged))
    axis = intervals.Axis([(n / 100, f"{n:+}" if n else "0") for n in WIDE], lambda x: _place(x, -0.15, 0.55))
    plots("hands", judged, axis)
    tried = [f"{shown(one.claim.sentence)} {shown(hand_claims.TRIALS[one.claim.name].experiment)}" for one in judged]
    with st.expander(_("How they were tried on hands"), icon=":material/science:"):
        st.markdown("\n".join(f"- {words}" for words in tried))
    sweep_view.provenance(*studies)


def apart(digits: Sequence[Verdict], hands: Sequence[Verdict]) -> str:
    """Return in words which claims hold on hands alone, and which on digits alone."""
    on_hands, on_digits = hand_claims.apart(digits, hands)
    lines = []
    if on_hands:
        lines.append(_("**Supported on hands, not on digits:** {claims}").format(claims=_sentences(on_hands)))
    if on_digits:
        lines.append(_("**Supported on digits, not on hands:** {claims}").format(claims=_sentences(on_digits)))
    return "\n\n".join(lines) or _("Each claim that was tried on both has the same verdict on hands as on digits.")


def _sentences(listed: Sequence[Claim]) -> str:
    return " ".join(shown(claim.sentence) for claim in listed)


def _place(value: float, low: float, high: float) -> float:
    return inf if value == inf else (value - low) / (high - low)


def headline(judged: Sequence[Verdict]) -> str:
    """Return in a sentence how many of the claims hold."""
    counts = Counter(verdict.word for verdict in judged)
    n, held = len(judged) - counts["not measured"], counts["supported"]
    if not n:
        return _("No claim has been measured yet")
    parts = [ngettext("{k} of {n} claims holds here", "{k} of {n} claims hold here", held).format(k=held, n=n)]
    if k := counts["depends"]:
        words = ngettext("{k} depends on how many labels there are", "{k} depend on how many labels there are", k)
        parts.append(words.format(k=k))
    if k := counts["not shown"]:
        parts.append(ngettext("{k} is not shown", "{k} are not shown", k).format(k=k))
    if k := counts["refuted"]:
        parts.append(ngettext("{k} is refuted", "{k} are refuted", k).format(k=k))
    return "; ".join(parts)


def _row(verdict: Verdict) -> intervals.Row:
    """Return one claim as the plot draws it."""
    claim = verdict.claim
    marks = [
        intervals.Mark(
            ngettext("{n} label", "{n} labels", finding.per_class).format(n=finding.per_class),
            finding.value,
            finding.low,
            finding.high,
            _found(finding, claim.unit),
            finding.supports,
        )
        for finding in verdict.findings
        if not finding.control
    ]
    kind = KINDS.get(verdict.word, "open")
    return intervals.Row(shown(claim.sentence), verdicts()[verdict.word], kind, claim.threshold, marks)


def _found(finding: Finding, unit: str) -> str:
    value = amount(finding.value, unit) + ("×" if unit == "times" and finding.value != inf else "")
    counted = amount(finding.low, unit) == amount(finding.high, unit)
    return value if counted else f"{value} ({interval(finding, unit)})"


def cards(cells: Sequence[Cell]) -> None:
    """Show every claim with its verdict, two side by side."""
    judged = claims.judge_all(cells)
    for first in range(0, len(judged), 2):
        for column, verdict in zip(st.columns(2), judged[first : first + 2], strict=False):
            with column.container(border=True, height="stretch", key=f"claim_{verdict.claim.name}"):
                card(verdict)
    st.caption(
        _(
            "One rule for all: supported where the whole 95 % interval over seeds is on the claim's side at {labels} "
            "labels per class, refuted where it is on the other side at all of them, not shown if no interval "
            "supports it and at least one is undecided; otherwise it depends. The intervals show how much other "
            "training images would change; all seeds share one set of test images."
        ).format(labels=", ".join(map(str, claims.LABELS)))
    )


def card(verdict: Verdict) -> None:
    colour, icon = BADGES[verdict.word]
    claim = verdict.claim
    st.badge(verdicts()[verdict.word], color=colour, icon=icon)
    st.markdown(f"**{shown(claim.sentence)}**")
    st.caption(shown(claim.experiment))
    counted = [finding for finding in verdict.findings if not finding.control]
    controls = [finding for finding in verdict.findings if finding.control]
    if counted:
        table(counted, claim.unit)
    else:
        st.info(_("No experiments for this claim yet. The button below measures them."))
    if controls:
        with st.expander(_("Controls")):
            table(controls, claim.unit)
    st.caption(_("Published: {words} {source}").format(words=shown(claim.published), source=claim.reference))


def table(findings: Sequence[Finding], unit: str) -> None:
    st.dataframe(
        [row(finding, unit) for finding in findings],
        hide_index=True,
        height="content",
        alt=_("Result for each number of labels"),
    )


def row(finding: Finding, unit: str) -> dict[str, str]:
    """Return one finding as the table shows it."""
    found = _("times") if unit == "times" else _("points")
    line = {
        _("labels"): f"{finding.per_class}",
        _("source"): titled(sources.info(finding.source).title),
        found: amount(finding.value, unit),
        _("95 % interval"): interval(finding, unit),
        _("seeds"): f"{finding.n_seeds}",
    }
    if not finding.control:
        line[_("supports it")] = {True: "✓", False: "✗", None: "?"}[finding.supports]
    return line


def interval(finding: Finding, unit: str) -> str:
    if finding.low == finding.high:  # counted, not measured; or never reached, whatever the seeds
        return "–"
    return _("{low} to {high}").format(low=amount(finding.low, unit), high=amount(finding.high, unit))


def amount(value: float, unit: str) -> str:
    """Return a ratio, or a difference of accuracies in points; a ratio without end says why.

    Examples
    --------
    >>> amount(0.0123, "points"), amount(float("inf"), "times")
    ('+1.2', 'not reached')
    """
    if value == float("inf"):
        return _("not reached")
    return f"{value:.1f}" if unit == "times" else f"{100 * value:+.1f}"
