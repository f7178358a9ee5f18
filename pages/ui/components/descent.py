"""A point that walks down a loss curve, one gradient step at a time, by a button or played."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from streamlit.components.v2 import component

from pages.ui.charts import saving
from pages.ui.words.text import _, language
from tlcore.inspection.walk import Walk

_HERE = Path(__file__)

_descent = component(
    "transfer_lab_descent",
    css=saving.with_style(_HERE.with_suffix(".css")),
    js=saving.with_script(_HERE.with_suffix(".js")),
)


def descent(walk: Walk, rates: Sequence[float], place: int, key: str) -> None:
    """Show the curve, and the walk of the rate ``rates[place]`` from its start; another rate begins again."""
    _descent(key=key, data=payload(walk, rates, place))


def payload(walk: Walk, rates: Sequence[float], place: int) -> dict[str, Any]:
    """Return what the component shows, ready for JSON."""
    steps = walk.steps[place]
    return {
        "places": walk.places,
        "losses": walk.losses,
        "steps": [asdict(step) for step in steps],
        "rate": rates[place],
        "language": language(),
        "words": _words(),
        "save": saving.words(_("the walk down the loss")),
    }


def _words() -> dict[str, str]:
    return {
        "step": _("Step"),
        "play": _("Play"),
        "pause": _("Pause"),
        "restart": _("Back to the start"),
        "loss": _("Loss of the batch"),
        "place": _("how far the weights have moved"),
        "start": _("Start: loss {loss}. The slope is {slope}, so a step of η = {rate} moves the weights by {move}."),
        "at": _("Step {n}: loss {loss}. The slope is {slope} here, so the next step moves by {move}."),
        "end": _("Step {n}: loss {loss}."),
        "settled": _("It has arrived: the slope is nearly 0."),
        "rose": _("The loss rose: the step was too long and landed on the other side."),
        "bounces": _("It jumps from side to side and does not arrive: this rate is too large."),
        "creeps": _("Still on its way: this rate is safe, but slow."),
        "out": _("Step {n} has left the picture: the loss is {loss}. This rate is far too large."),
        "label": _("The loss along one line of the network's weights, with the steps taken so far"),
    }
