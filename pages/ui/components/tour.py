"""A guided tour of a page: one card that goes from stop to stop. The browser remembers who has seen which."""

from collections.abc import Sequence
from pathlib import Path

from streamlit.components.v2 import component

from pages.ui.words.text import _, shown
from tlcore.lessons import Stop

_HERE = Path(__file__)
_tour = component(
    "transfer_lab_tour",
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,  # the card stands over the page, and marks a place in it
)


def tour(page: str, stops: Sequence[Stop], offered: bool = True) -> None:
    """Show the button that begins the tour; to who has not seen it also an offer, in a corner of the screen.

    Parameters
    ----------
    page : its name, under which the browser remembers how far somebody came
    offered : whether a newcomer is asked
    """
    _tour(
        key="tour",
        width="content",
        data={
            "page": page,
            "offered": offered,
            "stops": [{"at": stop.at, "title": shown(stop.title), "text": shown(stop.text)} for stop in stops],
            "words": {
                "tour": _("Tour of this page"),
                "offer": _("New on this page? A tour of {n} stops."),
                "resume": _("You left the tour at stop {n} of {total}."),
                "start": _("Start"),
                "go_on": _("Go on"),
                "no": _("No, thanks"),
                "back": _("Back"),
                "next": _("Next"),
                "done": _("Done"),
                "leave": _("Leave the tour"),
                "place": _("Stop {n} of {total}"),
            },
        },
    )
