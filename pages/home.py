"""Transfer at a glance: three answers of one network to a drawn digit, what that saves, and three ways on."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui.components.pad import check_value
from pages.ui.evidence import savings
from pages.ui.inputs import board, hand_answers, three_answers
from pages.ui.runs.run import run_rows
from pages.ui.session import state
from pages.ui.words.text import _, tell
from tlcore import sources
from tlcore.errors import DataError, LabError
from tlcore.evidence import shown_hands
from tlcore.prediction import taught
from tlcore.prediction.taught import Taught

SAVING_AT = 5  # labels per class

DOORS = {"draw": _("Draw a digit"), "hand": _("Show a hand")}

shown = taught.card()
known = sources.info(shown.source).class_names
st.title(_("See transfer learning work"), anchor=False)
lead = st.empty()
door = "draw"
if shown_hands.is_recorded():
    state.begin("door", "draw")
    door = st.segmented_control(
        _("What the networks are shown"),
        list(DOORS),
        format_func=DOORS.__getitem__,
        required=True,
        key="door",
        wrap=True,
        label_visibility="collapsed",
    )


@st.fragment(key="pen")
def pad(card: Taught, at: DeltaGenerator) -> None:
    """Show the pad here and the three answers in ``at``, an ``st.empty()``: a stroke runs this alone."""
    hint = _("Draw a 7, or any other digit")
    try:
        item = board.drawn_item(card.form, True, drew)
    except DataError as error:
        item, hint = None, tell(error)
    state.put(on_easel=item)
    answers = {}
    if item is not None:
        models = [one.model for one in three_answers.cards(card, known, None).values()]
        try:
            answers = state.lab().serving.predict(item, models)
        except LabError as error:
            hint = tell(error)
    at.html(three_answers.panel(card, known, answers, item, state.get("meant"), hint))


def drew() -> None:
    """Forget which digit was meant when the pad is blank again."""
    if not check_value(state.get("pad", {}).get("drawing"))["strokes"] and state.get("meant"):
        state.put(meant=None)
        board.run_with("pen", "meant")


@st.fragment(key="meant")
def meant(card: Taught) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(_("I drew a"), width="content")
        st.pills(
            _("The digit that I drew"),
            card.class_names,
            key="meant",
            label_visibility="collapsed",
            width="stretch",
            on_change=lambda: board.run_with("pen", "meant"),
            wrap=True,
        )


def digits() -> None:
    """Show the pad and beside it the three answers."""
    left, right = st.container(key="opening").columns([2, 3], gap="large")
    answers_at = right.container(key="three").empty()
    with left:
        pad(shown, answers_at)  # before what stands below the answers, which would move when these come
    with right:
        meant(shown)
        with st.container(horizontal=True, vertical_alignment="center", key="learned"):
            st.html(three_answers.learned_from(taught.images(shown.images_sha256), shown), width="stretch")
            with st.popover(_("Recorded"), icon=":material/info:", type="tertiary"):
                st.markdown(three_answers.provenance(shown))
        st.caption(three_answers.over_seeds(shown))


if door == "hand":
    lead.markdown(hand_answers.lead())
    hand_answers.opening(hand_answers.load())
else:
    words = _(
        "A network that reads {first} to {last} learns all ten digits from {n} examples of each. Draw a 7 and see."
    )
    lead.markdown(words.format(first=known[0], last=known[-1], n=shown.per_class))
    digits()

savings.glance(SAVING_AT)


doors = [
    ("draw.py", _("Draw digits"), _("Every model answers, yours too, and says why.")),
    (
        "train.py",
        _("Train your own"),
        _("Watch it learn and read the verdict; set how many examples, and what is frozen."),
    ),
    ("how_it_works.py", _("How it works"), _("Every step in pictures and numbers from a real run.")),
]
for column, (page, title, words) in zip(st.columns(3), doors, strict=True):
    with column.container(border=True, height="stretch"):
        st.page_link(page, label=f"**{title}**", icon=":material/arrow_forward:", icon_position="right")
        st.write(words)

if runs := state.access().runs(limit=5):
    st.subheader(_("Latest runs"), anchor=False)
    run_rows(runs)
