"""The steps of a lesson plan as one list: a heading, three sentences and a link each."""

from html import escape

from pages.ui.words.text import _, shown
from tlcore.lessons import Plan, Step, address
from tlcore.people.presenting import Presentation

LINKS = "ol.lesson a"  # by which a script finds them


def as_html(plan: Plan, presentation: Presentation | None) -> str:
    """Return the steps of a plan; ``presentation`` is how their links open, None for as everybody sees a page."""
    begins, items = 0.0, []
    for number, step in enumerate(plan.steps, start=1):
        items.append(_step(number, step, begins, presentation))
        begins += step.minutes
    return f'<ol class="lesson">{"".join(items)}</ol>'


def _step(number: int, step: Step, begins: float, presentation: Presentation | None) -> str:
    title = _("{n}. {title}").format(n=number, title=shown(step.title))
    time = _("minute {first:g} to {last:g}").format(first=begins, last=begins + step.minutes)
    parts = {_("Click"): step.click, _("Say"): step.say, _("The room sees"): step.sees, _("If not"): step.otherwise}
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(shown(part))}</dd>" for name, part in parts.items() if part)
    label = _("Open step {n}").format(n=number)
    return (
        f"<li><h2>{escape(title)}</h2><small>{escape(time)}</small><dl>{rows}</dl>"
        f'<a href="{escape(address(step, presentation))}">{escape(label)}</a></li>'
    )
