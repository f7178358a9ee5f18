"""What a run was asked to do, as a table in words; as JSON for who wants it."""

from collections.abc import Callable

import streamlit as st

from pages.ui.runs import tables
from pages.ui.session import state
from pages.ui.words.text import _, plain, shown
from tlcore import exports
from tlcore.evidence import side_by_side
from tlcore.store import Run

from .words import when

LONGEST_NAME, LONGEST_NOTE = 80, 2000  # characters


def settings(run: Run) -> None:
    """Show a run's settings, versions and data in words, and let its owner name it and write a note."""
    with st.expander(_("Settings, versions and data"), key=f"settings_{run.id}"):
        asked = side_by_side.settings(run.spec)
        rows = [(shown(name), shown(value)) for name, value in asked.items()]
        tables.show([], [*rows, *_facts(run)], _("Settings of this run"))
        as_json = st.expander(_("As JSON"), key=f"json_{run.id}", on_change="rerun")
        if as_json.open:
            as_json.code(exports.run_json(run, result=False), language="json")
    if not state.person().owns(run):
        st.caption(plain(run.note) or _("No note."))
        return
    with st.expander(_("Name and note"), expanded=bool(run.note)):
        _field(st.text_input, _("Name"), run, "name", LONGEST_NAME)
        _field(st.text_area, _("Note"), run, "note", LONGEST_NOTE)


def _field(widget: Callable[..., object], label: str, run: Run, field: str, longest: int) -> None:
    key = f"{field}_{run.id}"
    widget(label, getattr(run, field), key=key, max_chars=longest, on_change=_change, args=(run.id, field))


def _change(run_id: str, field: str) -> None:
    state.access().annotate(run_id, **{field: state.get(f"{field}_{run_id}", "")})


def _facts(run: Run) -> list[tuple[str, str]]:
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    facts = {
        _("Id"): run.id,
        _("Created"): when(run.created),
        _("Began"): when(run.started),
        _("Ended"): when(run.finished),
        _("Time"): _("{n:.1f} s").format(n=run.took_s) if run.took_s is not None else "",
        _("Computed on"): run.result.device,
        # On this machine it is the number of a process, which tells nobody anything.
        _("Worker"): "" if run.worker.isdigit() or not run.worker else f"{run.worker} ({run.host})",
        _("Data (SHA-256)"): run.data_hash,
        _("Versions"): versions,
    }
    return [(name, text) for name, text in facts.items() if text and text != "–"]
