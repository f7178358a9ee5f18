"""What every page has in common: the strip of current choices, the way on, and empty states."""

import logging
import secrets
from contextlib import suppress
from html import escape

import streamlit as st

from pages.ui.runs.chip import chip
from pages.ui.runs.words import balanced
from pages.ui.session import state
from pages.ui.words.numbers import between, percent
from pages.ui.words.text import _, plain, shown, tell, titled, whole_words
from tlcore import datasets, sources
from tlcore.errors import LabError
from tlcore.features.freezing import Freezing

log = logging.getLogger(__name__)


def top(page: str, strip: bool) -> None:
    """Show what stands above a page: the choices in one line where asked for, and who is logged in."""
    state.settle()
    if strip:
        choices()
    address_wrong(page)
    with suppress(LabError):  # the page says it where it needs the lab
        who()
        chip()


def address_wrong(page: str) -> None:
    """Say which settings of the address cannot be used, on the page that it opened, however often that runs again."""
    if wrong := state.take("address_wrong"):
        state.put(address_said=(page, wrong))
    on, wrong = state.get("address_said") or (page, ())
    if on != page:
        state.take("address_said")
    elif wrong:
        words = _("This address has settings that cannot be used here: {names}. Their defaults are used.")
        st.warning(words.format(names=", ".join(wrong)))


def choices() -> None:
    """Say in one line what would run: source, frozen layers, target, labels, seed, last accuracy."""
    spec = state.draft()
    source = sources.info(spec.source)
    target = datasets.info(spec.data.target)
    frozen = Freezing(source.layers_for(len(target.class_names)), spec.phases[-1].frozen, source.name)
    per_class = _("all") if spec.data.per_class is None else f"{spec.data.per_class}"
    parts = [
        _("**{source}**").format(source=titled(source.title)),
        _("{n} of {total} layers frozen ({share} of weights train)").format(
            n=len(frozen.names),
            total=sum(layer.can_freeze for layer in source.layers),
            share=percent(frozen.cost.n_trainable / frozen.cost.n_weights, 0),
        ),
        _("{target}, {n} per class").format(target=plain(titled(target.title)), n=per_class),
        *map(shown, datasets.spoiled(spec.data)),
        _("seed {seed}").format(seed=spec.seed),
    ]
    last = state.last_result()
    if last is not None and last.accuracy is not None:
        words = _("last accuracy {accuracy} ({interval})") if last.interval else _("last accuracy {accuracy}")
        accuracy = balanced(percent(last.accuracy), last.balanced)
        parts.append(words.format(accuracy=accuracy, interval=between(*(last.interval or (0, 1)))))
    st.container(key="strip").caption(" · ".join(parts))


def who() -> None:
    """Show the way into an account where the lab has them, and say so when a browser keeps no cookie."""
    person = state.person()  # also notes that they are here
    if state.has_accounts():
        with st.container(horizontal=True, vertical_alignment="center", key="account"):
            if state.account():
                st.caption(_("Logged in as {name}.").format(name=plain(state.account_name())))
                st.button(_("Log out"), key="log_out", icon=":material/logout:", on_click=st.logout)
            else:
                st.caption(_("Log in to find your runs again in another browser."))
                st.button(_("Log in"), key="log_in", icon=":material/login:", on_click=st.login)
    elif person.passing:
        st.caption(_("This browser blocks cookies: you lose access to your runs when you reload the page."))


def complain(error: Exception) -> bool:
    """Say what a page or a callback raised: a LabError in its sentence, a bug in one line with the log's id for it."""
    if isinstance(error, LabError):
        st.error(tell(error))
        return True
    log_id = secrets.token_hex(4)
    log.exception("a page failed, log id %s", log_id, exc_info=error)
    words = _("Something went wrong on this page (log id {log_id}). Reload, or try another page.")
    st.error(words.format(log_id=log_id))
    return True


def heading(title: str, lead: str) -> None:
    """Show a page's title and the one sentence that says what it is for."""
    st.title(title, anchor=False)
    st.markdown(lead)


def finding(words: str, more: str = "", say: str = "") -> None:
    """Show the one line that says what was found, and under it what belongs to it; ``say``: what is told instead."""
    below = f"<p>{escape(more)}</p>" if more else ""
    st.html(f'<div class="found" data-say="{escape(say or words)}"><h2>{escape(whole_words(words))}</h2>{below}</div>')


def next_page(page: str, label: str) -> None:
    """Show the button that leads on."""
    st.divider()
    if st.button(label, key="next", type="secondary", icon=":material/arrow_forward:", icon_position="right"):
        st.switch_page(page)
