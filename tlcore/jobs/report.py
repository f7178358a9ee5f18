"""What a job tells of a result where no view of its own shows it: sentences and tables, in order."""

from collections.abc import Sequence
from dataclasses import dataclass

from tlcore.sentences import Sentence

Entry = str | Sentence | int | None  # None: nothing was measured


@dataclass(frozen=True)
class Table:
    """Rows under their heads; numbers are texts in the form that is shown, or integers."""

    heads: tuple[str | Sentence, ...]
    rows: tuple[tuple[Entry, ...], ...]


Report = Sequence[str | Sentence | Table]
