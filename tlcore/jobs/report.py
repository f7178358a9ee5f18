"""What a job tells of a result where no view of its own shows it: sentences and tables, in order."""

from collections.abc import Sequence
from dataclasses import dataclass

from tlcore.sentences import percent
from tlcore.spec import Evaluation

Entry = str | int | None  # None: nothing was measured


@dataclass(frozen=True)
class Table:
    """Rows under their heads; numbers are texts in the form that is shown, or integers."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]


Report = Sequence[str | Table]


def accuracy_words(test: Evaluation) -> str:
    """Return a test accuracy with its interval as a sentence."""
    return (
        f"Test accuracy {percent(test.accuracy)} on {test.n:,} images never trained on; 95 % interval "
        f"{percent(test.low)} to {percent(test.high)}."
    )
