"""What a person looks for in the list of runs: kept through page changes, and in the address."""

from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from tlcore.evidence.history import SORTS, Filter

ADDRESS = "list"  # the query parameter; one for all of it, so that it takes no name that a page's settings have
MOST_PAGES = 10**6


@dataclass(frozen=True)
class Choice:
    """The filter, the order, the page, and which lines are unfolded."""

    filter: Filter = Filter()
    by: str = "created"
    descending: bool = True
    page: int = 1
    unfolded: frozenset[str] = frozenset()


def chosen() -> Choice:
    """Return what was chosen in this session, else what the address says."""
    choice = st.session_state.get("runs_list")
    if choice is None:
        choice = st.session_state["runs_list"] = read(st.query_params.get(ADDRESS, ""))
    _write(choice)  # moving between pages drops the address's part
    return choice


def choose(**changes: object) -> None:
    """Change the choice; another filter or order begins at its first page."""
    if {"filter", "by", "descending"} & set(changes):
        changes = {"page": 1, **changes}
    st.session_state["runs_list"] = replace(chosen(), **changes)  # type: ignore[arg-type]
    _write(st.session_state["runs_list"])


def read(text: str) -> Choice:
    """Return the choice that the address says; what nobody could have chosen is left out.

    Examples
    --------
    >>> read("state=done&by=accuracy&up=1&page=2")
    Choice(filter=Filter(source='', target='', method='', labels='', state='done', text=''), by='accuracy', \
descending=False, page=2, unfolded=frozenset())
    >>> read("by=luck&page=-1&page=x") == Choice()
    True
    """
    values = dict(parse_qsl(text[:2000]))
    by, page = values.get("by", ""), values.get("page", "")
    return Choice(
        Filter.of(values),
        by if by in SORTS else Choice.by,
        values.get("up") != "1",
        int(page) if page.isascii() and page.isdigit() and 0 < len(page) < 7 and int(page) else 1,
    )


def written(choice: Choice) -> str:
    """Return the choice as the address says it; "" where it is the first one."""
    usual = Choice()
    values = {**choice.filter.asked}
    values |= {} if choice.by == usual.by else {"by": choice.by}
    values |= {} if choice.descending else {"up": "1"}
    values |= {} if choice.page == 1 else {"page": str(choice.page)}
    return urlencode(values)


def _write(choice: Choice) -> None:
    text = written(choice)
    if text and st.query_params.get(ADDRESS) != text:
        st.query_params[ADDRESS] = text
    elif not text and ADDRESS in st.query_params:
        del st.query_params[ADDRESS]


def compared() -> tuple[str, ...]:
    """Return the ids of the runs that the Runs page holds side by side, the session's, else the address's."""
    ids = st.session_state.get("runs_compared")
    if ids is None:
        ids = tuple(dict.fromkeys(st.query_params.get("compare", "").split(",")))[:6]
        ids = tuple(each for each in ids if each and len(each) < 20)
    compare(ids)
    return ids


def compare(ids: tuple[str, ...]) -> None:
    """Hold these side by side; none goes back to the list."""
    st.session_state["runs_compared"] = ids
    if ids:
        st.query_params["compare"] = ",".join(ids)
    elif "compare" in st.query_params:
        del st.query_params["compare"]
