"""A person's own sets of pictures in a session: what is on its way, the draft that is looked at, and what is kept."""

from contextlib import suppress
from typing import Any

import streamlit as st

from tlcore import datasets
from tlcore.datasets import arriving, own_sets
from tlcore.datasets.looks import Look
from tlcore.datasets.own_sets import Card, Choices, Report
from tlcore.errors import LabError

from . import state

SENDING, DRAFT = "sending", "draft"  # parameters of the address: a reload goes on there


def stand_in() -> str | None:
    """Return what shows the routes whose account sends, "" where the cookie says it; None without a cookie."""
    keys = state.lab().keys
    browser = keys.person(st.context.cookies.get(keys.person_name))
    if browser is None:
        return None
    return "" if browser == state.person().id else keys.stand_in(browser, state.person().id)


def signed(address: str) -> str:
    """Return the address of a route with what shows it whose account asks."""
    return f"{address}?as={shown}" if (shown := stand_in()) else address


def arrived(sending: str) -> None:
    """Have what has arrived looked at.

    Raises
    ------
    LabError
        It is not this browser's, or not whole.
    """
    state.lab().looks.start(arriving.get(state.person().id, sending), state.person().id)
    _keep(SENDING, sending)


def looking() -> Look | None:
    """Return the look that goes on, or has failed; where it is done its draft is shown from now on."""
    look, sending = None, _kept(SENDING)
    if sending:
        look = state.lab().looks.find(sending, state.person().id)
        if look is None:
            with suppress(LabError):  # it is over for long; else the server was started again meanwhile
                look = state.lab().looks.start(arriving.get(state.person().id, sending), state.person().id)
    if look is not None and look.report:
        show(look.report)
    if look is None or look.report:
        _keep(SENDING, "")
        return None
    return look


def cancel(look: Look) -> None:
    """End a look, and show where files go."""
    state.lab().looks.cancel(look)
    _keep(SENDING, "")


def show(draft: str) -> None:
    """Show this draft from now on; "" none."""
    _keep(DRAFT, draft)


def draft() -> Report | None:
    """Return the draft that this page shows, the session's, else the address's; None when there is none."""
    if not (name := _kept(DRAFT)):
        return None
    try:
        report = own_sets.report(name, state.person().id)
    except LabError:
        show("")
        raise
    show(name)  # moving between pages drops the address's part
    return report


def key(report: Report, name: str) -> str:
    """Return the key of a widget of a draft's."""
    return f"set_{report.id[:12]}_{name}"


def keyed(report: Report, name: str, value: Any) -> dict[str, Any]:
    """Return the keywords of a widget that begins with ``value`` and keeps what is chosen through page changes."""
    state.begin(key(report, name), value)
    return {"key": key(report, name), "persist_state": "session"}


def chosen(report: Report, name: str, value: Any) -> Any:
    """Return what was chosen of a draft, ``value`` where nothing was."""
    return st.session_state.get(key(report, name), value)


def choices(report: Report) -> Choices:
    """Return what a person has chosen of a draft."""
    names = []
    for at, each in enumerate(report.classes):
        name = chosen(report, f"name_{at}", each.name).strip()
        used = chosen(report, f"use_{at}", True)
        if not used or name != each.name:
            names.append((each.name, name if used else ""))
    mends = {each.mend: chosen(report, f"mend_{each.mend}", each.default) for each in report.findings if each.mend}
    return Choices(
        form=chosen(report, "form", report.form),
        names=tuple(names),
        mends=tuple(mend for mend, wanted in mends.items() if wanted),
        own_split=not chosen(report, "their_split", report.split),
        test_share=chosen(report, "test_share", 20) / 100,
        per_class=chosen(report, "per_class", None),
        seed=int(state.get("seed")),
    )


def kept(removed: bool = False) -> tuple[Card, ...]:
    """Return the sets that this person sees, the newest first."""
    return tuple(sorted(own_sets.kept(state.owners(), removed=removed), key=lambda card: -card.created))


def may_change(card: Card) -> bool:
    somebody = state.person()
    return somebody.host or card.owner == somebody.id


def use(name: str) -> None:
    """Make a set the target of the draft, with a source that reads it and no more labels than it has."""
    state.put(target=name)
    state.use_target()
    with suppress(LabError):  # a set that is fetched first
        state.put(per_class=min(state.get("per_class"), datasets.max_per_class(name, state.get("split"))))


def _kept(name: str) -> str:
    kept = st.session_state.get(f"sets_{name}")
    return st.query_params.get(name, "") if kept is None else kept


def _keep(name: str, value: str) -> None:
    st.session_state[f"sets_{name}"] = value
    if value:
        st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]
