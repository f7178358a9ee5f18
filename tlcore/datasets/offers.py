"""Which target tasks one person may choose: those that everybody has, and their own pictures."""

from tlcore.errors import LabError
from tlcore.sentences import Sentence, percent
from tlcore.spec import DataSpec, check_choice

from .own_sets.card import is_own
from .own_sets.kept import card, kept
from .own_sets.kept import find as find_own
from .source import SOURCES, DatasetInfo, catalogue


def offered(owner: str | None = None) -> tuple[DatasetInfo, ...]:
    """Return every target task that a person may choose; ``None``: every one there is, as the host sees them."""
    return (*catalogue(), *(card.info for card in kept(owner)))


def spoiled(spec: DataSpec) -> tuple[Sentence, ...]:
    """Return what was done to the training images of a run on purpose, in a few words each; nothing for most.

    >>> [str(words) for words in spoiled(DataSpec(label_noise=0.2, imbalance=10.0))]
    ['20 % of the training labels shuffled', 'classes 10 to 1']
    """
    noise = Sentence("{share} of the training labels shuffled", share=percent(spec.label_noise, 0))
    lopsided = Sentence("classes {ratio:g} to 1", ratio=spec.imbalance)
    return tuple(words for words, there in ((noise, spec.label_noise), (lopsided, spec.imbalance > 1)) if there)


def called(name: str) -> str:
    """Return how a line names a task: by its name, own pictures by title and name.

    >>> called("mnist")
    'mnist'
    """
    if not is_own(name):
        return name
    try:
        return f"{card(name).title} ({name})"
    except LabError:
        return name


def find(text: str, owner: str | None = None) -> str:
    """Return the name of the task with that name, or of the own pictures with that name or title.

    Raises
    ------
    SpecError
        There is none; the message lists them.
    """
    name = text if text in SOURCES else find_own(text, owner)
    if not is_own(name):
        check_choice("target", name, (*SOURCES, *(card.title for card in kept(owner))))
    return name
