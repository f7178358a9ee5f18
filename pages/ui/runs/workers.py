"""The workers of a cluster, for the host: what each does, and why one gets no runs."""

import streamlit as st

from pages.ui.session import state
from pages.ui.words.text import _, plain, shown
from tlcore.engine import Status, Worker

from . import tables


def show() -> None:
    """Show a table of them, where this lab has a cluster and this person is its host."""
    if not state.person().host:
        return
    status = state.lab().engine.status()
    if not status.alive:
        st.warning(_("The scheduler of the cluster does not answer: new runs wait until it does. What runs goes on."))
    if not status.workers:
        return
    refused = [at for at, worker in enumerate(status.workers) if worker.refusal]
    with st.expander(_summary(status), expanded=bool(refused)):
        heads = [_("Worker"), _("State"), _("Runs"), _("What it has"), _("Machine")]
        tables.show(heads, [_row(worker) for worker in status.workers], _("Workers"), refused)
        for at in refused:
            worker = status.workers[at]
            words = _("**{worker}** gets no runs. {reason}")
            st.warning(words.format(worker=plain(worker.name), reason=plain(shown(worker.refusal))))


def _summary(status: Status) -> str:
    words = _("Workers: {busy} of {n} busy, {queued} runs wait")
    return words.format(busy=status.busy, n=status.n_workers, queued=status.queued)


def _row(worker: Worker) -> list[str]:
    what = ", ".join(f"{name} {amount:g}" for name, amount in worker.resources.items()) or "–"
    doing = _("gets no runs") if worker.refusal else _("working") if worker.runs else _("free")
    return [worker.name, doing, ", ".join(worker.runs) or "–", what, worker.host]
