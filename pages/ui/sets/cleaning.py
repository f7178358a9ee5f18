"""Clean a set: give pictures another class or leave them out, which makes a new version beside the old one."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from pages.ui.inputs.answers import gallery
from pages.ui.session import cleaning, sets, state
from pages.ui.words.numbers import percent
from pages.ui.words.text import _, ngettext, plain, tell, titled
from tlcore import datasets, inputs
from tlcore.datasets import own_sets
from tlcore.datasets.own_sets import Card
from tlcore.errors import LabError
from tlcore.evaluation.outputs import Outputs
from tlcore.inspection import doubts
from tlcore.inspection.doubts import Doubt, Where
from tlcore.store import Run

PAGE = 12  # pictures
COLUMNS = 4
KEEP = "keep"


def may_clean(name: str) -> bool:
    """Return whether a target is a set of this person's, or everybody's, that is still there; one that ships too.

    The new version is theirs: nobody's set is changed.
    """
    try:
        card = own_sets.card_of(name)
        return (sets.may_change(card) or not card.owner) and datasets.get(name).at_hand()
    except LabError:
        return False


def of_run(run: Run, said: Outputs, model: str) -> None:
    """Show the pictures that a run's model doubts most, test or training, each with what may be done to it."""
    card = own_sets.card_of(run.spec.data.target)
    if not own_sets.is_own(card.name):
        note = _("{title} ships with the lab and stays as it is. What you mark here makes a set of your own from it.")
        st.markdown(note.format(title=plain(titled(card.title))))
    parts = {"test": _("Test images"), "train": _("Training images")}
    part = st.segmented_control(
        _("Which images"),
        list(parts),
        format_func=parts.__getitem__,
        default="test",
        required=True,
        key=f"doubt_part_{run.id}",
        label_visibility="collapsed",
        wrap=True,
    )
    if part == "test":
        found = doubts.of_test(run, said)
    else:
        with st.spinner(_("Asking the model about the training images …")):
            found = _of_training(model, card.name, str(state.lab().folder))
        st.caption(_("The model learned from these: where it still disagrees with a label, look at the label first."))
    turns = sorted({(each.label, each.answer) for each in found if each.label != each.answer})
    every = _("All, the highest loss first")
    turn = st.selectbox(
        _("Label → answer"),
        [None, *turns],
        format_func=lambda pair: f"{pair[0]} → {pair[1]}" if pair else every,
        key=f"doubt_turn_{run.id}_{part}",
    )
    chosen = [each for each in found if turn in (None, (each.label, each.answer))]
    grid(card, [(each.where, each.label, words(each)) for each in chosen], f"{run.id}_{part}_{turn}")
    bar(card)


def words(doubt: Doubt) -> str:
    """Return what the model says of a picture, under it."""
    return f"{doubt.label} → {doubt.answer}, {percent(doubt.probability, 0)}"


@st.cache_data(max_entries=20, show_spinner=False)
def _of_training(model: str, target: str, folder: str) -> list[Doubt]:
    return state.lab().what_if.ask(doubts.of_training, model, target, folder, timeout_s=120.0)


@st.fragment
def of_set(card: Card) -> None:
    """Show the pictures of a set, class by class, each with what may be done to it."""
    label = _("Look through it and clean it")
    box = st.expander(label, key=f"clean_{card.name}", icon=":material/cleaning_services:", on_change="rerun")
    if not box.open:
        return
    with box:
        left, right = st.columns(2)
        name = left.selectbox(_("Class"), card.class_names, key=f"clean_class_{card.name}")
        parts = {"train": _("Training images"), "test": _("Test images")}
        part = right.selectbox(_("Part"), list(parts), format_func=parts.__getitem__, key=f"clean_part_{card.name}")
        places = doubts.of_class(card.name, name, part)
        grid(card, [(where, name, "") for where in places], f"{card.name}_{name}_{part}")
        bar(card)


def grid(card: Card, shown: Sequence[tuple[Where, str, str]], key: str) -> None:
    """Show a page of pictures with a choice under each.

    Parameters
    ----------
    shown : where a picture stands, its label, and what is said of it
    key : of the choice of page
    """
    if not shown:
        st.info(_("No picture here."))
        return
    n_pages = -(-len(shown) // PAGE)
    page = 1
    if n_pages > 1:
        page = int(st.number_input(_("Page (1 to {n})").format(n=n_pages), 1, n_pages, key=f"clean_page_{key}"))
    shown = shown[PAGE * (page - 1) : PAGE * page]
    pictures = _pictures(card, [where for where, _label, _words in shown])
    for at in range(0, len(shown), COLUMNS):
        row = zip(st.columns(COLUMNS), shown[at : at + COLUMNS], pictures[at : at + COLUMNS], strict=False)
        for column, (where, label, said), picture in row:
            with column:
                st.html(f'<div class="doubted">{gallery([picture], [said or label])}</div>')
                _choice(card, where, label)


def _pictures(card: Card, places: Sequence[Where]) -> list[np.ndarray]:
    source, modality = datasets.get(card.name), inputs.modality(card.form.modality)
    return [modality.preview(source.items(part, np.array([row]))[0]) for part, row in places]


def _choice(card: Card, where: Where, label: str) -> None:
    """Show what may be done to one picture."""
    part, row = where
    key = f"mark_{card.name}_{part}_{row}"
    titles = {KEEP: _("Keep as {name}").format(name=label), cleaning.OUT: _("Leave out")}
    titles |= {f"={name}": _("It is {name}").format(name=name) for name in card.class_names if name != label}
    marked = cleaning.marks(card.name).get(where)
    state.put(**{key: KEEP if marked is None else f"={marked}" if marked else cleaning.OUT})
    st.selectbox(
        _("Picture {part}/{n}").format(part=part, n=row + 1),
        list(titles),
        format_func=titles.__getitem__,
        key=key,
        label_visibility="collapsed",
        on_change=_mark,
        args=(card.name, where, key),
    )


def _mark(name: str, where: Where, key: str) -> None:
    chosen = str(state.get(key))
    cleaning.mark(name, where, None if chosen == KEEP else chosen.removeprefix("="))


def bar(card: Card) -> None:
    """Show what is marked, the button that makes the new version, and the way back."""
    if error := state.take("clean_error"):
        st.error(error, icon=":material/error:")
    if new := cleaning.made_of(card.name):
        _made(card, new)
    found = cleaning.marks(card.name)
    if not found:
        return
    n_out = sum(label == cleaning.OUT for label in found.values())
    said = _("**Marked:** {n:,} for another class, {m:,} to leave out.").format(n=len(found) - n_out, m=n_out)
    st.markdown(said)
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"clean_bar_{card.name}"):
        key = f"clean_title_{card.name}"
        st.text_input(
            _("Name of the new version"), key=key, max_chars=60, placeholder=_("the old name with a number"), width=260
        )
        st.button(
            _("Make the new version"),
            key=f"clean_make_{card.name}",
            type="primary",
            icon=":material/cleaning_services:",
            on_click=_make,
            args=(card.name, key),
        )
        st.button(
            _("Take all marks back"), key=f"clean_forget_{card.name}", on_click=cleaning.forget, args=(card.name,)
        )
    st.caption(_("The old set stays as it is, and so do the runs that learned from it."))


def _make(name: str, key: str) -> None:
    try:
        cleaning.make(name, str(state.get(key) or ""))
    except LabError as error:
        state.put(clean_error=tell(error))


def _made(card: Card, name: str) -> None:
    """Say what was made, with the way on and the way back."""
    new = own_sets.card(name)
    text = ngettext(
        "{title} is ready: {n:,} picture. The next run learns from it.",
        "{title} is ready: {n:,} pictures. The next run learns from it.",
        new.n,
    )
    st.success(text.format(title=plain(new.title), n=new.n), icon=":material/check:")
    with st.container(horizontal=True, key=f"cleaned_{card.name}"):
        if st.button(_("Train with it"), key=f"clean_train_{card.name}", type="primary", icon=":material/play_arrow:"):
            st.switch_page("train.py")
        st.button(
            _("Undo"), key=f"clean_undo_{card.name}", icon=":material/undo:", on_click=cleaning.undo, args=(card.name,)
        )
