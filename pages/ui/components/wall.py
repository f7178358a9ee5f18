"""The wall of a room: what everybody sent, as it comes. It asks a route of this server, and runs no page."""

from pathlib import Path
from typing import Any

from streamlit.components.v2 import component

from pages.ui.room import phone_words
from pages.ui.session import sets
from pages.ui.words.text import _, language
from server.address import base_path

_HERE = Path(__file__)

_wall = component(
    "transfer_lab_wall",
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js="\n".join(
        path.read_text(encoding="utf-8") for path in (_HERE.with_name("wall_parts.js"), _HERE.with_suffix(".js"))
    ),
    isolate_styles=False,  # its counts are text of the page
)


def wall(key: str, *, code: str, place: str, qr: str) -> None:
    """Show a room's wall.

    Parameters
    ----------
    code : of the room
    place : the address that phones open, as people read it; "" where none reaches this server
    qr : that address as SVG, with the room's key
    """
    _wall(
        key=key,
        data={
            "url": base_path() + sets.signed(f"/api/rooms/{code}/wall"),
            "code": code,
            "place": place,
            "qr": qr,
            "language": language(),
            "words": _words(),
        },
    )


def _words() -> dict[str, Any]:
    return {
        "label": _("The wall of the room"),
        "comma": phone_words.comma(),
        "tasks": {
            "draw": _("Draw a {label}"),
            "hands": _("Show a {label} with your hand"),
            "teach": _("Teach the network: {classes}"),
            "bet": _("Which one will win? Bet on your phone"),
            "begun": _("Which one will win?"),
            "over": _("The race is over"),
            "free": _("Explore the lab on your phone"),
        },
        "tiles": {
            "draw": _("{label} by {name}. Before transfer: {before}. After transfer: {after}."),
            "hands": _("{label} by {name}. Without transfer: {before}. With transfer: {after}."),
            "teach": _("{label} by {name}. Before it learned from this the network read: {guess}."),
        },
        "right_of": _("Right about {n} of {total} drawings it had not seen: {share}"),
        "interval": _(
            "95 % interval: {low} to {high}. Always answering the largest class would reach {guess}. Each drawing is "
            "left out in turn and read by a head that learned from the others."
        ),
        "interval_of": _("95 % interval"),
        "accuracy": _("Accuracy"),
        "table": _("Data table"),
        "x": _("Drawings that the room has shown it"),
        "join": _("Join"),
        "code": _("Code"),
        "scan": _("Scan to join, no name needed"),
        "type": _("or open {place} and type the code"),
        "here": _("{n} here"),
        "ways": {
            "draw": {"before": _("Before transfer"), "after": _("After transfer")},
            "hands": {"before": _("Without transfer (pixels)"), "after": _("With transfer (features)")},
        },
        "right": _("{n} of {total} right"),
        "none": _("No drawing yet"),
        "by_class": _("By digit"),
        "digit": _("Digit"),
        "drawings": _("Drawings"),
        "somebody": _("somebody"),
        "silent": _("no answer"),
        "remove": _("Remove this drawing"),
        "hide_name": _("Hide this nickname"),
        "show_name": _("Show the nickname again"),
        "remove_person": _("Remove this person"),
        "cancel": _("Cancel"),
        "empty": _("Drawings appear here as they are sent."),
        "paused": _("Paused"),
        "closed": _("This room is closed."),
        "lost": _("Connection lost, trying again."),
        "full": _("Full screen"),
        "qr": _("QR code of the address to join"),
        "lanes": phone_words.lanes(),
        "voted": _("Bets so far: {n}. They stay secret until the race begins."),
        "racing": _("The race is on. Bets placed: {n}."),
        "won": _("{lanes} wins: {n} of {total} bet on it. {names}"),
        "tie": _("A tie of {lanes}: {n} of {total} bet on one of them. {names}"),
        "no_winner": _("The race ended without a result."),
        "bets": _("{n} bet on it"),
        "on_test": _("{share} on the test images"),
        "states": {
            "queued": _("Waiting"),
            "running": _("Running"),
            "done": _("Done"),
            "stopped": _("Stopped"),
            "failed": _("Failed"),
        },
        "new": _("Drawings on the wall: {n}"),
        "newest": _("The newest {n} of {total} drawings stand here. The counts have all of them."),
    }
