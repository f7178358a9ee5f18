"""What the phones of a room are asked to do."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from tlcore.errors import SpecError
from tlcore.recipes import race

KINDS = ("draw", "hands", "teach", "bet", "free")
DIGITS = tuple(str(digit) for digit in range(10))
FEWEST_CLASSES, MOST_CLASSES = 2, 8
MOST_LETTERS = 30  # of a class's name


@dataclass(frozen=True)
class Activity:
    """One task for everybody.

    Attributes
    ----------
    kind : one of ``KINDS``
    label : the class that is asked for, such as the digit "5"
    classes : to teach: what the room's drawings are examples of
    lanes : of a bet: the settings that race, as ``recipes.race`` names them
    at_rest : of a bet: whether BatchNormalization stays frozen in the lane in which nothing else is
    runs : of a bet whose race has begun: the run of each lane
    over, winners : whether all lanes have ended; those that nobody was better than, none where none was tested
    """

    kind: str = "draw"
    label: str = "5"
    classes: tuple[str, ...] = ()
    lanes: tuple[str, ...] = ()
    at_rest: bool = False
    runs: tuple[str, ...] = ()
    over: bool = False
    winners: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            names = ", ".join(KINDS)
            raise SpecError("A room cannot do {kind!r}. Choose one of: {kinds}.", kind=self.kind, kinds=names)
        if self.kind in ("draw", "hands") and self.label not in DIGITS:
            raise SpecError("Choose a digit from 0 to 9 for everybody. Received: {label!r}.", label=self.label)
        if self.kind == "teach":
            _check(self.classes)
        if self.kind == "bet" and (
            not race.FEWEST <= len(self.lanes) <= race.MOST or set(self.lanes) - set(race.LANES)
        ):
            raise SpecError(
                "A room bets on {few} to {most} lanes. Received: {n}. Add or remove some.",
                few=race.FEWEST,
                most=race.MOST,
                n=len(self.lanes),
            )

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Activity":
        """Return the activity that a room's row holds."""
        known: dict[str, Any] = {name: stored[name] for name in cls.__dataclass_fields__ if name in stored}
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in known.items()
        }
        return cls(**values)

    def stored(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def to_teach(text: str) -> Activity:
    """Return the task of teaching the classes that somebody typed, separated by commas.

    Raises
    ------
    SpecError
        Too few, too many, the same twice, or one too long.

    Examples
    --------
    >>> to_teach("heart,  star , 一").classes
    ('heart', 'star', '一')
    >>> to_teach("爱心、星星，房子").classes
    ('爱心', '星星', '房子')
    """
    names = (" ".join(name.split()) for name in re.split("[,，、]", text[:1000]))
    return Activity("teach", "", tuple(name for name in names if name))


def _check(classes: tuple[str, ...]) -> None:
    if not FEWEST_CLASSES <= len(classes) <= MOST_CLASSES:
        raise SpecError(
            "A room learns from {few} to {most} classes. Received: {n}. Name them with commas between, such as: heart, "
            "star, house.",
            few=FEWEST_CLASSES,
            most=MOST_CLASSES,
            n=len(classes),
        )
    if len(set(classes)) < len(classes):
        raise SpecError("Two classes have the same name. Give each its own.")
    if long := [name for name in classes if len(name) > MOST_LETTERS or not name.isprintable()]:
        raise SpecError(
            "A class's name has at most {most} letters, and {name!r} has {n}.",
            most=MOST_LETTERS,
            name=long[0][:MOST_LETTERS],
            n=len(long[0]),
        )


def of_class(activity: Activity, name: object) -> Activity:
    """Return the activity with the class that a phone chose; a SpecError where it is none of its classes."""
    if name not in activity.classes:
        raise SpecError("This class is not asked for any more. Choose one of those on the page.")
    return replace(activity, label=str(name))
