"""What a lesson plan is: steps with a link each, that add up to the minutes there are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tlcore.people import presenting
from tlcore.people.presenting import Presentation
from tlcore.sentences import NOTHING, Sentence


@dataclass(frozen=True)
class Step:
    """One step of a lesson.

    Attributes
    ----------
    minutes : how long it takes, talking included
    page : name of the page it takes place on, "home" for the first
    click, say, sees : what the presenter does, what they tell, and what the room then has before its eyes
    otherwise : what to do where the live run cannot be had; NOTHING where the step needs none
    settings : parameters of the address that set the lab to it, as the pages write them
    """

    minutes: float
    page: str
    title: Sentence
    click: Sentence
    say: Sentence
    sees: Sentence
    otherwise: Sentence = NOTHING
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A lesson: for whom it is, and its steps."""

    name: str
    minutes: int
    title: Sentence
    about: Sentence
    steps: tuple[Step, ...]


def address(step: Step, presentation: Presentation | None = None) -> str:
    """Return the link of a step, relative to the lab's own address: a fresh session with its settings and seed.

    Parameters
    ----------
    presentation : how it is presented; None for as everybody sees it

    Examples
    --------
    >>> words = Sentence("")
    >>> address(Step(1, "train", words, words, words, words, settings={"labels": "200"}), Presentation())
    'train?labels=200&present=1'
    >>> address(Step(1, "home", words, words, words, words))
    './'
    """
    parameters = {**step.settings, **(presenting.written(presentation) if presentation else {})}
    path = "./" if step.page == "home" else step.page
    return f"{path}?{urlencode(parameters)}" if parameters else path
