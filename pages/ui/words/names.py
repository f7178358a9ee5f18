"""What the fixed choices of a run are called, in the reader's language. Functions: nothing is translated at import."""

from collections.abc import Iterable, Sequence

from pages.ui.words.text import _, shown
from tlcore.evidence import methods as sweep_methods
from tlcore.heads import HEADS
from tlcore.heads import title as head_title
from tlcore.inputs import modality
from tlcore.spec import ByHand, InputForm


def kind(form: InputForm) -> str:
    """Return what a person calls items of a form: photographs, drawings."""
    return shown(modality(form.modality).title) or form.modality


def colouring(form: InputForm) -> str:
    """Return whether pictures of a form are grey or in colour: an X-ray is no drawing, whatever reads it."""
    return _("grey") if form.shape[-1] == 1 else _("colour")


def some(names: Sequence[str], most: int) -> str:
    """Return the first names of a list and how many more there are."""
    if (more := len(names) - most) <= 0:
        return ", ".join(names)
    return _("{names} and {n} more").format(names=", ".join(names[:most]), n=more)


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


def head(name: str, by_hand: Iterable[ByHand] = ()) -> str:
    """Return what a head is called, with what was set of it; one that nothing here registers has only its name."""
    return shown(head_title(name, by_hand))


def inputs() -> dict[str, str]:
    """Return what a head can be fitted on."""
    return {"features": _("features"), "pixels": _("raw pixels")}


def methods() -> dict[str, str]:
    """Return what every method of a sweep is called."""
    return {name: shown(method.title) for name, method in sweep_methods().items()}


def head_on(name: str, input: str, by_hand: Iterable[ByHand] = ()) -> str:
    """Return a head with what was set of it and what it was fitted on."""
    return _("{head} on {input}").format(head=head(name, by_hand), input=inputs()[input])
