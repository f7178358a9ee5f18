"""Hyperparameters that were chosen on validation images, and how often the test images were used."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.ui.session import state
from pages.ui.words.names import head_on
from pages.ui.words.text import PERCENT, _, ngettext, plain, shown, titled
from tlcore import datasets
from tlcore.heads import tuning
from tlcore.spec import ByHand, HeadRow, HeadsResult, Tried
from tlcore.store import Run


def tried(run: Run, result: HeadsResult) -> None:
    """Show every setting that was tried for every head, with its validation accuracy; nothing where none was."""
    rows = [row for row in result.rows if row.tried]
    if not rows:
        return
    st.subheader(_("Chosen on validation images"), anchor=False)
    st.dataframe(
        lines(rows, getattr(run.spec, "by_hand", ())),
        hide_index=True,
        column_config={
            _("validation accuracy"): st.column_config.NumberColumn(format=PERCENT),
            _("seconds"): st.column_config.NumberColumn(format="%.2f"),
        },
        height="content",
        alt=_("Settings of every head with their accuracy on validation images"),
    )
    st.caption(
        _(
            "Each setting was fitted on the training images (at most {n:,}) and scored on {v:,} labelled validation "
            "images beside them; the best is marked ★; ties go to the simpler setting. Only the chosen setting was "
            "tested, once per seed."
        ).format(n=tuning.MOST_IMAGES, v=datasets.n_validation(run.spec.data))
    )


def lines(rows: Sequence[HeadRow], by_hand: Sequence[ByHand] = ()) -> list[dict[str, Any]]:
    """Return a line per head, input and setting: means over seeds, and how many seeds chose it."""
    groups: dict[tuple[str, str, str], list[tuple[Tried, bool]]] = {}
    for row in rows:
        for tried in row.tried:
            key = (row.head, row.input, shown(tuning.describe(row.head, tried.params)))
            groups.setdefault(key, []).append((tried, tried.params == row.params))
    return [
        {
            _("chosen"): "★" * sum(chosen for _one, chosen in found),
            _("head"): head_on(head, name, by_hand),
            _("setting"): words,
            _("validation accuracy"): 100 * sum(tried.accuracy for tried, _chosen in found) / len(found),
            _("seconds"): sum(tried.seconds for tried, _chosen in found) / len(found),
        }
        for (head, name, words), found in groups.items()
    ]


def test_uses(run: Run) -> None:
    """Say how often this person measured on the test images of the run's target, what-if moves of now included."""
    target = run.spec.data.target
    moves = state.get("what_if_found", {}).items()
    shared = datasets.sharing(target)
    n = state.access().test_uses(target) + sum(
        len(cuts) for (_source, moved, _seed), tails in moves if moved in shared for cuts in tails.values()
    )
    if not n:
        return
    words = ngettext(
        "You have used the test images of {target} {n:,} time so far.",
        "You have used the test images of {target} {n:,} times so far.",
        n,
    )
    st.caption(
        words.format(target=plain(titled(datasets.info(target).title)), n=n)
        + " "
        + _(
            "Each accuracy measured on them counts, including for other tasks that share some of the images. The more "
            "often you choose by them, the more they flatter your choice: choose by validation accuracy, and look at "
            "the test accuracy last."
        )
    )
