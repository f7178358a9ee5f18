"""What the fixed choices of a run are called, in the reader's language. Functions: nothing is translated at import."""

from pages.ui.words.text import _, shown
from tlcore.evidence.transferability import SCORES
from tlcore.heads import HEADS
from tlcore.spec import FINE_TUNE, SCRATCH


def states() -> dict[str, str]:
    """Return the word for every state of a run."""
    return {
        "queued": _("waiting"),
        "running": _("running"),
        "done": _("done"),
        "stopped": _("stopped"),
        "failed": _("failed"),
    }


def heads() -> dict[str, str]:
    """Return what every head is called."""
    return {name: shown(card.title) for name, card in HEADS.items()}


def inputs() -> dict[str, str]:
    """Return what a head can be fitted on."""
    return {"features": _("features"), "pixels": _("raw pixels")}


def methods() -> dict[str, str]:
    """Return what every method of a sweep is called."""
    scores = {name: shown(card.title) for name, card in SCORES.items()}
    return {**heads(), FINE_TUNE: _("Fine-tuning"), SCRATCH: _("From scratch"), **scores}


def head_on(head: str, name: str) -> str:
    """Return a head with what it was fitted on."""
    return _("{head} on {input}").format(head=heads()[head], input=inputs()[name])
