"""What a person has marked in a set of theirs: another class for some pictures, others left out, until it is made."""

from collections.abc import Mapping

import streamlit as st

from tlcore.datasets import own_sets
from tlcore.datasets.own_sets import Card
from tlcore.inspection.doubts import Where

from . import sets, state

OUT = ""  # in place of a class: the picture is left out


def marks(name: str) -> Mapping[Where, str]:
    """Return what is marked of a set: the class that a picture gets, or ``OUT``."""
    return st.session_state.setdefault(f"marks_{name}", {})


def mark(name: str, where: Where, label: str | None) -> None:
    """Mark a picture; None takes the mark back."""
    kept = {place: each for place, each in marks(name).items() if place != where}
    st.session_state[f"marks_{name}"] = kept if label is None else {**kept, where: label}


def forget(name: str) -> None:
    """Take back all marks of a set."""
    st.session_state[f"marks_{name}"] = {}


def make(name: str, title: str) -> Card:
    """Make the new version of a set, and the target of the draft; raises as ``own_sets.revise``."""
    found = marks(name)
    relabelled = {where: label for where, label in found.items() if label != OUT}
    left_out = {where for where, label in found.items() if label == OUT}
    made = own_sets.revise(name, relabelled, left_out, title.strip(), state.person().id)
    forget(name)
    sets.use(made.name)
    st.session_state["cleaned"] = (name, made.name)
    return made


def made_of(name: str) -> str:
    """Return the version that was made of a set last in this session; "" where none was."""
    old, new = st.session_state.get("cleaned", ("", ""))
    return new if name == old else ""


def undo(name: str) -> None:
    """Remove the version that was made of a set last, and choose the set itself again."""
    new = made_of(name)
    if new and sets.may_change(own_sets.card(new)):
        own_sets.remove(new)
        sets.use(name)
        st.session_state["cleaned"] = ("", "")
