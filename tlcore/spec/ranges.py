"""Which numbers and names a setting takes: the pages' fields and the checks read the same table."""

from typing import Any

from tlcore.errors import SpecError
from tlcore.sentences import Sentence, noun

# name -> (lowest, highest, default).
RANGES: dict[str, tuple[float, float, float]] = {
    "per_class": (1, 7000, 5),
    "epochs": (1, 100, 30),
    "batch_size": (1, 4096, 16),
    "learning_rate": (1e-6, 10.0, 1e-3),
    "rate_factor": (0.01, 1.0, 1.0),
    "patience": (0, 100, 0),  # epochs
    "thaw_every": (1, 100, 5),  # epochs
    "seed": (0, 2**31 - 1, 0),
    "label_noise": (0.0, 1.0, 0.0),
    "imbalance": (1.0, 100.0, 1.0),
    "time_budget": (5, 86_400, 300),  # seconds
    "test_images": (100, 70_000, 2000),
    "training_steps": (1, 10_000, 300),
}

LOPSIDED = 1.5  # times as many images in the largest class as in the smallest: from there on accuracy flatters


def check_number(name: str, value: Any) -> float:
    """Return ``value`` when it is a number within ``RANGES[name]``.

    Raises
    ------
    SpecError
        Not a number, not whole where a whole number is needed, or out of range.
    """
    low, high, default = RANGES[name]
    whole = isinstance(low, int)
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not low <= value <= high:
        raise SpecError(
            "{name} must be a {sort} from {low:,} to {high:,}. Received: {value!r}. Try {default}.",
            name=name.replace("_", " ").capitalize(),
            sort=Sentence("whole number") if whole else Sentence("number"),
            low=low,
            high=high,
            value=value,
            default=default,
        )
    return value


def check_choice(what: str | Sentence, value: object, choices: tuple[str, ...]) -> None:
    """Raise a SpecError that lists ``choices`` when ``value`` is none of them."""
    if value not in choices:
        raise SpecError(
            "There is no {what} {value!r}. Pick one of: {choices}.",
            what=noun(what),
            value=value,
            choices=", ".join(choices),
        )
