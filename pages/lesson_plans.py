"""Lesson plans: three ready scripts, each step with a link that sets a lab to it."""

import streamlit as st

from pages.ui import frame
from pages.ui.components.stage_links import stage_links
from pages.ui.lessons import steps
from pages.ui.session import state
from pages.ui.words.text import _, shown
from tlcore.lessons import PLANS
from tlcore.people.presenting import Presentation

frame.heading(
    _("Lesson plans"),
    _("What to click, what to say, what the room sees. Each step opens a lab that is set to it, in a window beside."),
)
state.begin("lesson_plan", "five")
chosen = st.segmented_control(
    _("Time there is"),
    list(PLANS),
    format_func=lambda name: shown(PLANS[name].title),
    required=True,
    key="lesson_plan",
    wrap=True,
    persist_state="session",
    label_visibility="collapsed",
)
plan = PLANS[chosen or next(iter(PLANS))]
st.markdown(shown(plan.about))
state.begin("lesson_presents", True)
presents = st.toggle(
    _("Open the steps as a presentation"),
    key="lesson_presents",
    persist_state="session",
    help=_(
        "Large type, high contrast, settings hidden. Page Down and Page Up turn the pages, B makes the screen black."
    ),
)
with st.container(key="plan_steps"):
    st.html(steps.as_html(plan, Presentation() if presents else None))
stage_links(steps.LINKS)
st.caption(
    _(
        "Every link starts again from the same seed, the same pictures and an empty pad. To repeat a step, press its "
        "link again, or Reset at the foot of the presented page."
    )
)
frame.next_page("home.py", _("Next: home"))
