"""Try: draw a digit, one chosen model answers, and the others stand beside it."""

from collections.abc import Sequence

import streamlit as st

from pages.ui import at_a_glance, frame
from pages.ui.closer import inside
from pages.ui.components.pad import check_value
from pages.ui.inputs import answers, kept, live, many, outside, own_head, program, ways
from pages.ui.inputs.answers import Answers
from pages.ui.inputs.board import Panel, run_with
from pages.ui.session import state
from pages.ui.words import names
from pages.ui.words.text import _, titled
from tlcore import datasets, inputs, prediction, sources
from tlcore.datasets.mnist import FORM
from tlcore.prediction import PredictorInfo
from tlcore.spec import InputForm

MOST_BESIDE = 30  # models in the list: each costs the server its answer at every stroke


def key(name: str, form: InputForm) -> str:
    """Return the key of a widget whose choices depend on what is asked about."""
    return name if form == datasets.catalogue()[0].form else f"{name}_{form.modality}_{form}"


def picked_form(infos: Sequence[PredictorInfo]) -> InputForm:
    """Return which kind of items are asked about; where models read several, a person picks."""
    forms = list(dict.fromkeys(info.form for info in infos)) or [datasets.catalogue()[0].form]
    if len(forms) == 1:
        return forms[0]
    reads = sources.info(state.get("source")).form
    return st.selectbox(
        _("Models that read"),
        forms,
        index=forms.index(reads) if reads in forms else 0,
        format_func=lambda form: f"{names.kind(form)} · {form}",
        key="form",
    )


def newest(infos: Sequence[PredictorInfo]) -> str:
    """Return the name of who answers unless somebody chooses: the newest that learned the target, else of all."""
    target = datasets.at_hand(state.get("target"))
    names = target.info.class_names if target else ()
    return prediction.main_choice([i for i in infos if i.class_names == names and i.transfer == "after"] or infos)


def first_of(infos: Sequence[PredictorInfo], form: InputForm) -> PredictorInfo:
    """Return who answers large: the one that was chosen, else the newest."""
    by_name = {info.name: info for info in infos}
    return by_name.get(str(state.get(key("answer_model", form)))) or by_name[newest(infos)]


def lead(infos: Sequence[PredictorInfo], form: InputForm) -> None:
    """Show what transfer did, and what a person does here with items of that form."""
    if "draw" not in inputs.modality(form.modality).ways:
        at_a_glance.hands(
            _("Pick a sample, upload your own or show it to the camera, and see what a model makes of it.")
        )
    elif infos and not first_of(infos, form).knows_digits:
        state.begin(key("way", form), "sample")
        st.markdown(_("Pick a sample, draw or upload something, and see what a model makes of it."))
    else:
        with at_a_glance.digits(_("Draw a digit, and see what a model makes of it, before transfer and after.")):
            if state.get("way", "draw") == "draw":
                words = _("Try a sample digit")
                st.button(words, key="try_sample", type="primary", on_click=state.put, kwargs={"way": "sample"})


def easel(infos: Sequence[PredictorInfo], form: InputForm) -> None:
    """Show where the item comes from, the item and the answers.

    No fragment: the pad's own may write into places only that are made anew by a run of the whole page.
    """
    called = answers.titles(infos)
    by_name = {info.name: info for info in infos}
    model_key, beside_key = key("answer_model", form), key("models", form)
    if (added := state.take("head_chosen")) in by_name:
        state.put(**{model_key: added})
    first = by_name[state.follow(model_key, newest(infos), called)]
    in_list = state.follow(beside_key, prediction.first_choice(infos), called)
    beside = [info for info in infos if info.name in in_list and info != first]
    is_drawn = "draw" in inputs.modality(form.modality).ways
    inks = is_drawn and not state.reads_whole(first.name)
    hint = _("Draw a digit, pick a sample or upload a picture.") if inks else _("Pick a sample or upload your own.")
    if inks and not first.knows_digits:
        hint = _("Pick a sample, draw something or upload a picture.")
    blank = Answers(hint=hint)

    way = state.get(key("way", form), "draw" if is_drawn else "sample")
    is_live = way == "camera"  # then the camera draws the answer itself, beside what it sees
    left, right = st.columns([3, 2] if is_live else [2, 3], gap="large")
    easel_at = left.container(key=f"easel_{way}")  # it comes before what stands below it on a phone
    easel_at.empty()  # a container without anything in it is not there yet, nor is its height
    with right:
        answers_at = st.container(key="answer").empty()
        if is_live:
            answers_at.html(live.examples(first) or "<p></p>")
        else:  # as high as it will be: nothing moves
            answers_at.html(answers.large(first, called[first.name], blank, None))
            alt = _("The answer of {model}").format(model=called[first.name])
            answers.save_buttons("answer_shown", ".st-key-answer", alt)
        st.selectbox(
            _("Answer from"),
            list(called),
            format_func=called.__getitem__,
            key=model_key,
            persist_state="session",
            help=_("Type to search. Every finished run and head is here."),
        )
        why_at, list_at = st.container(), st.empty()
        if not is_live:
            list_at.html(answers.others(beside, called, blank))
        with st.expander(_("Models in the list ({n})").format(n=len(beside))):
            st.multiselect(
                _("Models"),
                list(called),
                format_func=called.__getitem__,
                key=beside_key,
                persist_state="session",
                max_selections=MOST_BESIDE,
                label_visibility="collapsed",
            )
        if form == FORM:  # on which it was recorded
            outside.explained()
        own_head.own_head()
        program.use_from_program([first])
    panel = Panel(first, beside, called, form, blank.hint, answers_at, list_at)
    if state.get("on_easel") is None:  # else they are asked at once
        panel.prepare()
    with easel_at:
        ways.item(panel, key, drew)
    with why_at:
        why(first, infos)
    many.section(first, called[first.name])


@st.fragment(key="why")
def why(first: PredictorInfo, infos: Sequence[PredictorInfo]) -> None:
    item = state.get("on_easel")
    if item is not None:
        kept.that_was(item, first)
        inside.why(item, infos, first)
    kept.mine()


def drew() -> None:
    """Have the explanation follow the pad where it comes, goes or is open; else a stroke runs the pad alone."""
    value = check_value(state.get("pad", {}).get("drawing"))
    comes_or_goes = (not value["strokes"]) != (state.get("on_easel") is None)
    if comes_or_goes or (state.get("why") and value["final"]):
        run_with("pen", "why")


everyone = [info for info in state.models() if not info.broken]
st.title(_("Try"), anchor=False)
form = picked_form(everyone)
lead([info for info in everyone if info.form == form], form)
if (source := sources.info(state.get("source"))).form not in [info.form for info in everyone]:
    words = _("{source} names nothing before it has learned your classes, so it is not among the models here.")
    st.info(words.format(source=titled(source.title)))
    st.page_link("train.py", label=_("Train it first"), icon=":material/arrow_forward:")
if everyone := [info for info in everyone if info.form == form]:
    easel(everyone, form)
else:
    st.info(_("There is no model to answer yet. Train one first."))
frame.next_page("runs.py", _("Next: all runs"))
