"""How an own model wants its images: tried on digits whose class is known, and what it read of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tlcore import datasets

from .network import UNIT, Pixels

PER_CLASS = 10
CLEARLY = 0.05  # of the digits that another way must read more,
SURER = 0.2  # or by which the mean log of the right class's probability must be higher
SAME = 0.02  # of the digits that say nothing
WELL, SURE = 0.96, -0.15  # so many digits, and so sure of them, that nothing else is tried

# What a network may be given for a black and for a white pixel. Digits are white on black.
WAYS: tuple[Pixels, ...] = (
    UNIT,
    (0.0, 255.0),
    (-1.0, 1.0),
    (-0.5, 0.5),
    (-0.4242, 2.8215),  # MNIST less its mean, over its standard deviation
    *((1.0, 0.0), (255.0, 0.0), (1.0, -1.0)),  # black on white
)

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Known:
    """Digits that a model's classes name: uint8, shape (n, 28, 28), and which output each belongs to."""

    images: np.ndarray
    outputs: np.ndarray

    def first(self, n: int) -> "Known":
        """Return about ``n`` of them, equally many for each output and at least one.

        Examples
        --------
        >>> Known(np.zeros((6, 28, 28)), np.array([7, 7, 7, 8, 8, 8])).first(5).outputs.tolist()
        [7, 7, 8, 8]
        """
        each = max(n // max(len(set(self.outputs.tolist())), 1), 1)
        rows = [i for i, output in enumerate(self.outputs) if (self.outputs[:i] == output).sum() < each]
        return Known(self.images[rows], self.outputs[rows])


@dataclass(frozen=True)
class Trial:
    """How many digits were read right in one way, and the mean log of the right class's probability."""

    n_right: int
    log_probability: float


@dataclass(frozen=True)
class Way:
    """How images are given to a model: ``padded`` puts the digit in the middle of a larger image, else it is scaled."""

    pixels: Pixels = UNIT
    padded: bool = False


def known_digits(class_names: Sequence[str]) -> Known:
    """Return ten digits of MNIST's test images for every class that is named after a digit.

    Examples
    --------
    >>> known = known_digits(["cat", "7", "three"])
    >>> known.images.shape, sorted(set(known.outputs.tolist()))
    ((20, 28, 28), [1, 2])
    """
    images, labels = datasets.samples("mnist", 10 * PER_CLASS, seed=0)
    place = {digit: output for output, name in enumerate(class_names) if (digit := digit_of(name)) is not None}
    rows = [i for i, label in enumerate(labels) if int(label) in place]
    outputs = np.array([place[int(labels[i])] for i in rows], dtype=np.int64)
    return Known(images[rows][..., 0], outputs)


def digit_of(name: str) -> int | None:
    """Return the digit that a class is named after.

    Examples
    --------
    >>> digit_of("7"), digit_of("Seven"), digit_of("digit 7"), digit_of("77"), digit_of("shoe")
    (7, 7, 7, None, None)
    """
    word = name.strip().lower().removeprefix("digit").strip(" _-")
    if word in WORDS:
        return WORDS.index(word)
    return int(word) if len(word) == 1 and word in "0123456789" else None


def tried(
    score: Callable[[Way], Trial], n: int, expected: Pixels | None, fits: Iterable[bool] = (False,)
) -> Mapping[Way, Trial]:
    """Try the ways in which images can be given, what the model says it expects first.

    The others are tried only where that does not read the digits well.

    Parameters
    ----------
    score : gives the trial of one way
    n : how many digits there are
    expected : what the model's first layer is made for; None where it does not say
    fits : values of ``padded`` to try
    """
    found = {way: score(way) for way in (Way(expected or UNIT, padded) for padded in fits)}
    if n and not any(trial.n_right >= WELL * n and trial.log_probability >= SURE for trial in found.values()):
        others = (Way(pixels, padded) for pixels in WAYS for padded in fits)
        found |= {way: score(way) for way in others if way not in found}
    return found


def chosen(trials: Mapping[Way, Trial], n: int, n_classes: int) -> Way:
    """Return the first way's values, scaled or padded as reads more, unless it reads clearly better with others.

    Of those that read within two in a hundred of the best the one is taken in which the model is sure where it is
    right: given other values than in its training it is too sure or not sure enough.

    Examples
    --------
    >>> first, other = Way(), Way((0.0, 255.0))
    >>> chosen({first: Trial(88, -0.5), other: Trial(92, -0.4)}, 100, 10) == first
    True
    >>> chosen({first: Trial(88, -0.5), other: Trial(96, -0.2)}, 100, 10) == other
    True
    >>> chosen({first: Trial(96, -0.5), other: Trial(97, -0.2)}, 100, 10) == other
    True
    >>> chosen({first: Trial(8, -2.3), other: Trial(20, -2.0)}, 100, 10) == first
    True
    """
    first = next(iter(trials)).pixels

    def best(ways: Iterable[Way]) -> Way:
        found = list(ways)
        most = max(trials[way].n_right for way in found)
        return max(
            (way for way in found if trials[way].n_right >= most - SAME * n),
            key=lambda way: trials[way].log_probability,
        )

    usual, other = best(way for way in trials if way.pixels == first), best(trials)
    more = trials[other].n_right - trials[usual].n_right
    clearly = more >= CLEARLY * n or (
        more >= 0 and trials[other].log_probability - trials[usual].log_probability >= SURER
    )
    if clearly and not is_poor(trials[other].n_right, n, n_classes):
        return other
    return Way(first) if is_poor(trials[usual].n_right, n, n_classes) else usual  # of guesses none is the better one


def is_poor(n_right: int, n: int, n_classes: int) -> bool:
    """Whether reading so many of ``n`` digits is nearer to guessing than to reading them all.

    Examples
    --------
    >>> is_poor(54, 100, 10), is_poor(55, 100, 10), is_poor(14, 20, 2), is_poor(0, 0, 10)
    (True, False, True, False)
    """
    return 2 * n_right * n_classes < n * (n_classes + 1)
