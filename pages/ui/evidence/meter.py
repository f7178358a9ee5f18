"""The best-cut meter: scores of every cut before training, held against what training then gave."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from pages.ui import frame
from pages.ui.charts import sweep_charts
from pages.ui.charts.figure import show_figure
from pages.ui.charts.markup import show_markup
from pages.ui.session import state
from pages.ui.words.text import _, shown, titled
from tlcore import datasets, sources
from tlcore.evidence import meter, recorded
from tlcore.evidence.meter import Standing, Trial
from tlcore.evidence.transferability import SCORES
from tlcore.spec import Cell, SweepSpec

STUDY = "best_cut"
SLOT = "meter"
MOST_LABELS = 100  # the meter is for the time before training; more labels make it slow and no better


def title(name: str) -> str:
    """Return what a score, or the rule that needs none, is called."""
    return _("Always the last convolution") if name == meter.RULE else shown(SCORES[name].title)


def live_spec() -> SweepSpec:
    """Return the sweep that scores every cut for the source, target and labels chosen on the other pages."""
    draft = state.data_draft()
    most = min(MOST_LABELS, datasets.max_per_class(draft.target, draft.split))
    per_class = max(2, min(most, draft.per_class or most))
    names = sources.info(state.get("source")).cut_names
    return SweepSpec(
        sources=(state.get("source"),),
        target=draft.target,
        split=draft.split,
        cuts=recorded.CUTS if set(recorded.CUTS) <= set(names) else names[-len(recorded.CUTS) :],
        methods=(*meter.CUT_SCORES, meter.TRUTH),
        per_class=(per_class,),
        seeds=recorded.FIVE,
    )


def overview(cells: Sequence[Cell]) -> None:
    """Say how often the best score picks the best cut, and show what each score loses against knowing it."""
    found = meter.standings(cells)
    if not found:
        st.info(_("The meter is scored once cuts have both a score and an accuracy."))
        return
    frame.finding(headline(found))
    most = max(100 * one.lost for one in found)
    rows = "".join(
        f'<tr><th scope="row">{escape(title(one.name))}</th>'
        f'<td><i class="{"rule" if one.name == meter.RULE else ""}" '
        f'style="width:calc((100% - 16rem) * {100 * one.lost / (most or 1):.3f})"></i>'
        f"<b>{escape(_lost(one))}</b></td></tr>"
        for one in found
    )
    caption = _("Points of accuracy lost, on average, by taking the cut that a score picks: shorter is better")
    show_markup(
        f'<table class="lost"><caption>{escape(caption)}</caption><tbody>{rows}</tbody></table>',
        "meter_lost",
        caption,
        (_("score"), _("points lost"), _("best cut"), _("settings")),
        [(title(one.name), 100 * one.lost, one.hits, one.n) for one in found],
    )


def _lost(one: Standing) -> str:
    return _("{points:.2f} points, best cut in {hits} of {n}").format(points=100 * one.lost, hits=one.hits, n=one.n)


def headline(found: Sequence[Standing]) -> str:
    """Return in a line whether a score before training picks a better cut than the rule that needs none."""
    best = found[0]
    if best.name == meter.RULE:
        return _("Take the last convolution: no score picks a better cut here")
    return _("{name} picks the best cut in {hits} of {n} settings, before any training").format(
        name=title(best.name), hits=best.hits, n=best.n
    )


def scoreboard(cells: Sequence[Cell]) -> None:
    """Show how every score did over all settings, the rule that needs no score among them."""
    found = meter.standings(cells)
    if not found:
        return
    st.markdown(verdict(found))
    st.dataframe(
        [row(one) for one in found],
        hide_index=True,
        height="content",
        alt=_("How often each score picked the best cut"),
    )
    for one in found:
        if one.name in meter.COMPARED and one.n_wide:
            st.warning(comparison(one))
    right, tried = meter.source_ranking(cells)
    if tried:
        words = _(
            "LEEP gives one number per source, so it cannot rank cuts. It put the better source first in {k} of {n} "
            "settings."
        )
        st.caption(words.format(k=right, n=tried))


def comparison(one: Standing) -> str:
    """Return the warning that goes with a score which is only there to compare, with how it did here."""
    return _(
        "{name} is shown for comparison. Where features outnumber images, as in {wide} of {n} settings here, it is "
        "known to pick wrong layers; here it picked the best cut in {hits} of {n}."
    ).format(name=title(one.name), wide=one.n_wide, n=one.n, hits=one.hits)


def verdict(found: Sequence[Standing]) -> str:
    """Return in a sentence whether the best score beats the rule that needs none."""
    scores = [one for one in found if one.name not in (meter.RULE, *meter.COMPARED)]
    rule = next((one for one in found if one.name == meter.RULE), None)
    if not scores:
        return _("None of the meter's own scores was measured.")
    best = scores[0]
    words = _("**{name}** picked the best cut in {hits} of {n} settings and lost {lost:.2f} points on average.").format(
        name=title(best.name), hits=best.hits, n=best.n, lost=100 * best.lost
    )
    if rule is None:
        return words
    beside = _("Always taking the last convolution, without any score: {hits} of {n}, {lost:.2f} points lost.").format(
        hits=rule.hits, n=rule.n, lost=100 * rule.lost
    )
    if rule.lost <= best.lost:
        return f"{words} {beside} " + _("**Just taking the last convolution did as well.**")
    return f"{words} {beside}"


def row(one: Standing) -> dict[str, str]:
    rank = (
        "–"
        if one.spearman is None
        else _("{mean:.2f} ({low:.2f} to {high:.2f})").format(
            mean=one.spearman[0], low=one.spearman[1], high=min(one.spearman[2], 1.0)
        )
    )
    return {
        _("score"): title(one.name),
        _("best cut picked"): _("{hits} of {n}").format(hits=one.hits, n=one.n),
        _("Spearman, mean (95 %)"): rank,
        _("points lost"): f"{100 * one.lost:.2f}",
        _("settings with d > n"): f"{one.n_wide}",
    }


def setting(cells: Sequence[Cell], key: str) -> None:
    """Show one setting: what each score gave every cut beside the accuracy that came out."""
    by_score = {name: {trial.setting: trial for trial in meter.trials(cells, name)} for name in meter.CUT_SCORES}
    by_score = {name: found for name, found in by_score.items() if found}
    settings = list(dict.fromkeys(one for found in by_score.values() for one in found))
    if not settings:
        return
    a, b = st.columns([2, 1])
    at = a.selectbox(_("Setting"), settings, format_func=setting_words, key=f"setting_{key}")
    name = b.selectbox(_("Score"), list(by_score), format_func=title, key=f"score_{key}")
    trial = by_score[name].get(at)
    if trial is None:
        st.info(_("This score was not measured in this setting."))
        return
    show_figure(
        sweep_charts.meter(trial.scores, by_depth(trial), title(name)),
        key=f"meter_{key}",
        alt=_("Score and accuracy of every cut"),
    )
    st.markdown(words(trial, name))
    if name in SCORES:
        st.caption(_("{note} {reference}.").format(note=shown(SCORES[name].note), reference=SCORES[name].reference))


def by_depth(trial: Trial) -> dict[str, float]:
    """Return the accuracies in the order of the network's layers."""
    return {cut: trial.truth[cut] for cut in sources.info(trial.setting[1]).cut_names if cut in trial.truth}


def setting_words(one: meter.Setting) -> str:
    target, source, n = one
    return _("{source} → {target}, {n} per class").format(
        source=titled(sources.info(source).title), target=titled(datasets.info(target).title), n=n
    )


def words(trial: Trial, name: str) -> str:
    if trial.hit:
        return _("✓ {name} picks **{cut}**, which turned out best.").format(name=title(name), cut=trial.picked)
    return _("✗ {name} picks **{cut}**; **{best}** turned out {lost:.2f} points better.").format(
        name=title(name), cut=trial.picked, best=trial.best, lost=100 * trial.lost
    )
