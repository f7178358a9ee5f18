"""How a lab is presented, as a link says it: what it looks like, and which pages are shown in which order."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

LOOK, PAGES = "present", "pages"  # parameters of the address
LOOKS = ("large", "contrast", "plain")
ALL, NONE = "1", "none"
MOST_PAGES = 30
LONGEST = 500  # characters of a parameter that is read


@dataclass(frozen=True)
class Presentation:
    """What a presenter has chosen.

    Attributes
    ----------
    looks : of ``LOOKS``: "large" type, high "contrast", "plain" (what is set is out of sight)
    pages : names of the pages that are shown, in their order; all of them where there are none
    """

    looks: frozenset[str] = frozenset(LOOKS)
    pages: tuple[str, ...] = ()

    def order(self, every: Collection[str]) -> tuple[str, ...]:
        """Return the names of the pages to turn, in their order; all there are where none of the chosen is left.

        Examples
        --------
        >>> Presentation(pages=("train", "gone", "home")).order(["home", "train", "draw"])
        ('train', 'home')
        >>> Presentation().order(["home", "train"])
        ('home', 'train')
        """
        return tuple(name for name in self.pages if name in every) or tuple(every)


def read(parameters: Mapping[str, str]) -> Presentation | None:
    """Return how an address wants the lab presented; None where it does not. What nobody could mean is left out.

    Examples
    --------
    >>> read({}) is None, read({"present": "1"}) == Presentation()
    (True, True)
    >>> sorted(read({"present": "large,plain", "pages": "train,home,train"}).looks)
    ['large', 'plain']
    >>> read({"present": "none", "pages": "train,home,train"})
    Presentation(looks=frozenset(), pages=('train', 'home'))
    """
    look = parameters.get(LOOK, "")
    if not look:
        return None
    looks = frozenset(look[:LONGEST].split(",")) & frozenset(LOOKS)
    names = parameters.get(PAGES, "")[:LONGEST].split(",")
    pages = tuple(dict.fromkeys(name for name in names if name.isidentifier()))[:MOST_PAGES]
    return Presentation(looks if looks or look == NONE else frozenset(LOOKS), pages)


def written(presentation: Presentation) -> dict[str, str]:
    """Return the parameters of a presentation; ``read`` gives it back.

    Examples
    --------
    >>> written(Presentation()), written(Presentation(frozenset(), ("home",)))
    ({'present': '1'}, {'present': 'none', 'pages': 'home'})
    """
    looks = [name for name in LOOKS if name in presentation.looks]
    look = ALL if len(looks) == len(LOOKS) else ",".join(looks) or NONE
    return {LOOK: look} | ({PAGES: ",".join(presentation.pages)} if presentation.pages else {})
