"""The classes as cards: their names, how many examples each has, and the newest of these as pictures to delete."""

from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import streamlit as st
from PIL import Image

from pages.ui.components.picture_buttons import picture_buttons
from pages.ui.session import state
from pages.ui.words.text import _, ngettext, tell
from tlcore import inputs, teaching
from tlcore.errors import LabError
from tlcore.teaching import LEAST_CLASSES, MOST_CLASSES, Examples, OwnClass

MOST_SHOWN = 12  # pictures of a class, the newest
SIDE = 56
IN_A_ROW = 3


def called() -> str:
    """Return what a class is called that nobody has named, with its number as ``{n}``, in the reader's language."""
    return _("Class {n}")


def cards(examples: Examples) -> None:
    """Show every class, and the button that makes another."""
    classes = examples.classes()
    for first in range(0, len(classes), IN_A_ROW):
        for column, one in zip(st.columns(IN_A_ROW), classes[first : first + IN_A_ROW], strict=False):
            with column.container(border=True, height="stretch", key=f"card_{examples.kind.name}_{one.id}"):
                card(examples, one, len(classes))
    with st.container(horizontal=True):
        st.button(
            _("Add a class"),
            key="add_class",
            icon=":material/add:",
            disabled=len(classes) >= MOST_CLASSES,
            on_click=_add_class,
            args=(examples,),
        )
        if any(one.examples for one in classes):
            st.button(
                _("Start over"), key="start_over", icon=":material/delete_sweep:", on_click=_clear, args=(examples,)
            )
        _undo(examples)


def card(examples: Examples, one: OwnClass, n_classes: int) -> None:
    """Show one class."""
    kind, key = examples.kind.name, f"class_{examples.kind.name}_{one.id}"
    if state.get(key) != one.name:  # of a class without a name it is another one in another language
        state.put(**{key: one.name})
    st.text_input(
        _("Name of the class"),
        key=key,
        max_chars=30,
        label_visibility="collapsed",
        on_change=_rename,
        args=(examples, one, key),
    )
    n = len(one.examples)
    st.caption(ngettext("{n} example", "{n} examples", n).format(n=n) if n else _("No example yet"))
    shown = one.examples[::-1][:MOST_SHOWN]
    if shown:
        at = picture_buttons(
            f"examples_{kind}_{one.id}",
            _("Examples of {name}").format(name=one.name),
            [thumbnail(str(examples.folder), kind, example.name) for example in shown],
            [_("Example {n} of {name}").format(n=n - i, name=one.name) for i in range(len(shown))],
            rev=hash(shown[0].name + str(n)) % 2**31,
        )
        st.button(
            _("Delete the selected one"),
            key=f"delete_{kind}_{one.id}",
            icon=":material/delete:",
            type="tertiary",
            on_click=_remove,
            args=(examples, shown[at].name),
        )
    if n_classes > LEAST_CLASSES:
        st.button(
            _("Remove the class"),
            key=f"remove_{kind}_{one.id}",
            icon=":material/close:",
            type="tertiary",
            on_click=_remove_class,
            args=(examples, one),
        )


@lru_cache(maxsize=2000)
def thumbnail(folder: str, kind: str, name: str) -> str:
    """Return an example as a small JPEG inside an address; its file never changes."""
    picture = inputs.modality(kind).preview(Examples(Path(folder), teaching.kind(kind)).item(name))
    content = BytesIO()
    Image.fromarray(picture).resize((SIDE, SIDE)).save(content, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{b64encode(content.getvalue()).decode()}"


def _undo(examples: Examples) -> None:
    """Show the button that takes back what was removed last."""
    what = state.get("teach_removed")
    if what is None or what[0] != examples.kind.name:
        return
    _kind, how, arguments, words = what
    act = {"example": examples.bring_back, "class": examples.put_class, "all": examples.restore}[how]
    st.button(words, key="teach_undo", icon=":material/undo:", on_click=_take_back, args=(act, arguments))


def _take_back(act: Callable[..., object], arguments: tuple) -> None:
    _do(act, *arguments)
    state.take("teach_removed")


def _removed(examples: Examples, how: str, arguments: tuple, words: str) -> None:
    state.put(teach_removed=(examples.kind.name, how, arguments, words))


def _add_class(examples: Examples) -> None:
    _do(examples.add_class)


def _remove(examples: Examples, name: str) -> None:
    if _do(examples.remove, name):
        _removed(examples, "example", (name,), _("Put the example back"))


def _remove_class(examples: Examples, one: OwnClass) -> None:
    if _do(examples.remove_class, one.id):
        _removed(examples, "class", (one.id, one.name), _("Put {name} back").format(name=one.name))


def _clear(examples: Examples) -> None:
    if _do(examples.clear):
        _removed(examples, "all", (), _("Put everything back"))


def _rename(examples: Examples, one: OwnClass, key: str) -> None:
    if not _do(examples.rename, one.id, state.get(key) or ""):
        state.put(**{key: one.name})


def _do(act: Callable[..., object], *arguments: object) -> bool:
    """Do it; what is refused is said where the page shows errors."""
    try:
        act(*arguments)
    except LabError as error:
        state.put(teach_error=tell(error))
        return False
    return True
