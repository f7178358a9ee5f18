"""What was seen in a person's files, what to do about it, and the button that makes a set of them."""

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from pages.ui import frame
from pages.ui.session import sets, state
from pages.ui.words import names
from pages.ui.words.text import _, ngettext, plain, shown, tell
from tlcore import inputs
from tlcore.datasets import own_sets
from tlcore.datasets.own_sets import ClassCount, Finding, Plan, Report
from tlcore.errors import LabError
from tlcore.inputs.embedded import thumbnail

N_PICTURES = 5  # of a class
MOST_CLASSES = 40  # that can be renamed here
NAMED = 3  # files that a finding's sentence names itself
LONGEST = 40  # characters of a class name


def show(report: Report) -> None:
    """Show the draft: its headline, its name with the button, then classes and findings."""
    choices = sets.choices(report)
    plan = own_sets.plan(report.id, state.person().id, choices)
    frame.finding(headline(plan), about(report, plan))
    top(report, plan)
    left, right = st.columns([2, 1], gap="large")  # a class is a line
    with left:
        classes(report)
    with right:
        findings(report)
        details(report)


def headline(plan: Plan) -> str:
    """Return what a set of these choices would hold, in one line."""
    n, k = sum(each.n for each in plan.classes), len(plan.classes)
    pictures = ngettext("{n:,} picture", "{n:,} pictures", n).format(n=n)
    return ngettext("{pictures} in {k} class", "{pictures} in {k} classes", k).format(pictures=pictures, k=k)


def about(report: Report, plan: Plan) -> str:
    """Return where they come from and how they are kept."""
    files = names.some(given_names(report), 3)
    (w, h), (most_w, most_h) = report.sizes.least, report.sizes.most
    sizes = f"{w} × {h}" if (w, h) == (most_w, most_h) else _("{w} × {h} to {most_w} × {most_h}")
    words = _("From {files}. Sizes as given: {sizes}; kept as {form}.")
    sizes = sizes.format(w=w, h=h, most_w=most_w, most_h=most_h)
    return words.format(files=files, sizes=sizes, form=f"{plan.form} ({names.colouring(plan.form)})")


def top(report: Report, plan: Plan) -> None:
    """Show the name of the set, the button that adds it, and why it cannot be."""
    if error := state.take("add_error"):
        st.error(error, icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="bottom", key="add_set_line"):
        st.text_input(_("Name of the set"), max_chars=60, width=340, **sets.keyed(report, "title", title_of(report)))
        st.button(
            _("Add this set"),
            key="add_set",
            type="primary",
            icon=":material/add:",
            disabled=bool(plan.problems),
            on_click=_add,
            args=(report,),
        )
        st.button(_("Discard"), key="discard_set", icon=":material/close:", on_click=_discard, args=(report,))
    for problem in plan.problems:
        st.warning(plain(shown(problem)), icon=":material/warning:")


def title_of(report: Report) -> str:
    """Return how the set is called at first: as its first file or folder."""
    given = given_names(report)
    first = given[0] if len(given) == 1 else ""
    return first.rpartition(".")[0][:60] or first[:60] or _("My pictures")


def given_names(report: Report) -> list[str]:
    """Return what a person gave: files, and folders as one each."""
    return list(dict.fromkeys(name.partition("/")[0] for name in report.files))


def classes(report: Report) -> None:
    """Show every class with some pictures, a field for its name, and whether it is used."""
    st.header(_("Classes"), anchor=False)
    st.caption(_("Switch off what you do not want to train on. Two classes of the same name become one."))
    listed = report.classes[:MOST_CLASSES]
    strips = thumbnails(report, [each.rows[:N_PICTURES] for each in listed])
    for at, (each, strip) in enumerate(zip(listed, strips, strict=True)):
        a_class(report, at, each, strip)
    if more := len(report.classes) - len(listed):
        st.caption(
            ngettext("{n} more class is used as it is.", "{n} more classes are used as they are.", more).format(n=more)
        )


def a_class(report: Report, at: int, each: ClassCount, strip: Sequence[str]) -> None:
    used = sets.chosen(report, f"use_{at}", True)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"class_{at}"):
        st.html(pictures(strip, _("Some pictures of {name}").format(name=each.name)), width="content")
        st.text_input(
            _("Name of the class {name}").format(name=each.name),
            max_chars=max(LONGEST, len(each.name)),
            disabled=not used,
            label_visibility="collapsed",
            width=160,
            **sets.keyed(report, f"name_{at}", each.name),
        )
        st.markdown(count(each), width="content")
        st.toggle(
            _("Use {name}").format(name=plain(each.name)),
            label_visibility="collapsed",
            **sets.keyed(report, f"use_{at}", True),
        )


def count(each: ClassCount) -> str:
    """Return how many pictures a class has."""
    words = ngettext("{n:,} picture", "{n:,} pictures", each.n).format(n=each.n)
    return _("{pictures}, {n:,} to test").format(pictures=words, n=each.n_test) if each.n_test else words


def findings(report: Report) -> None:
    """Show what was seen, each with the switch that mends it."""
    st.header(_("What was seen"), anchor=False)
    if not report.findings:
        st.markdown(":material/check: " + _("Nothing to mend."))
    strips = thumbnails(report, [each.rows[:6] for each in report.findings])
    for at, (each, strip) in enumerate(zip(report.findings, strips, strict=True)):
        with st.container(border=True, gap="small", key=f"finding_{at}"):
            a_finding(report, each, strip)


def a_finding(report: Report, each: Finding, strip: Sequence[str]) -> None:
    st.markdown(plain(shown(each.sentence)))
    if strip:
        st.html(pictures(strip, _("Some of the pictures concerned")))
    if len(each.names) > NAMED:
        with st.popover(_("Their names")):
            st.text("\n".join(each.names) + ("\n…" if each.n > len(each.names) else ""))
    if each.mend:
        st.toggle(plain(shown(each.mend_words)), **sets.keyed(report, f"mend_{each.mend}", each.default))


def details(report: Report) -> None:
    """Show what one rarely changes: the form, the test part, how many of each class."""
    with st.expander(_("Size, colour and test part"), icon=":material/tune:"):
        st.selectbox(
            _("Kept as"),
            report.forms,
            format_func={
                "image": _("28 × 28, grey: for the digit and garment sources"),
                "photo": _("96 × 96, colour: for MobileNetV2"),
            }.__getitem__,
            **sets.keyed(report, "form", report.form),
        )
        if report.split:
            st.toggle(_("Keep their own test part"), **sets.keyed(report, "their_split", True))
        st.slider(
            _("Share kept to test (%)"),
            5,
            50,
            disabled=report.split and sets.chosen(report, "their_split", True),
            help=_("Drawn from each class; no training ever sees these pictures."),
            **sets.keyed(report, "test_share", 20),
        )
        st.number_input(
            _("Pictures of each class at most"),
            min_value=3,
            max_value=20_000,
            value=None,
            placeholder=_("all"),
            **sets.keyed(report, "per_class", None),
        )


def pictures(addresses: Sequence[str], words: str) -> str:
    """Return small pictures side by side."""
    shown_ = "".join(f'<img src="{address}" alt="">' for address in addresses)
    return f'<div class="thumbnails" role="img" aria-label="{escape(words)}">{shown_}</div>'


def thumbnails(report: Report, groups: Sequence[Sequence[int]]) -> list[list[str]]:
    """Return the addresses of pictures, group by group."""
    rows = tuple(row for group in groups for row in group)
    found = dict(zip(rows, _thumbnails(report.id, state.person().id, rows), strict=True)) if rows else {}
    return [[found[row] for row in group] for group in groups]


@st.cache_data(max_entries=50, ttl=600, show_spinner=False)
def _thumbnails(draft: str, owner: str, rows: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(thumbnail(np.asarray(each)) for each in own_sets.thumbnails(draft, owner, rows))


def of_set(name: str, n: int) -> tuple[str, ...]:
    """Return some pictures of a kept set; none where it cannot be read."""
    try:
        items, _labels = state.samples(name, n)
    except LabError:
        return ()
    previews = inputs.modality(own_sets.card(name).form.modality).previews(items)
    return tuple(thumbnail(np.asarray(each)) for each in previews)


def _add(report: Report) -> None:
    title = sets.chosen(report, "title", "").strip() or title_of(report)
    try:
        card = own_sets.add(report.id, title, sets.choices(report), state.person().id)
    except LabError as error:
        state.put(add_error=tell(error))
        return
    sets.show("")
    sets.use(card.name)
    state.put(added_set=card.name)


def _discard(report: Report) -> None:
    sets.show("")
    own_sets.discard(report.id, state.person().id)
