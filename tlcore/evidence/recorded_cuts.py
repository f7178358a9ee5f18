"""What every cut reaches with the draft that ships, measured once: Layers shows it until its own answer is there."""

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from tlcore import sources
from tlcore.datasets import read_card
from tlcore.errors import SpecError
from tlcore.prediction.what_if import Cuts, CutScores
from tlcore.spec import DataSpec, Evaluation, FineTuneSpec
from tlcore.store import versions

from .recorded import FOLDER, damaged, origin, short, write_card

FILE = FOLDER / "cuts.json"
COMMAND = "python -m tlcore what-if --record"


@dataclass(frozen=True)
class RecordedCuts:
    """The scores, the SHA-256 of the source's file that they hold for, and where they come from."""

    scores: CutScores
    sha256: str
    date: str
    machine: str
    command: str


def default() -> Cuts:
    """Return the question that is recorded: that of the draft that ships."""
    draft, data = FineTuneSpec(), DataSpec()
    return Cuts(draft.source, data.target, data.seed, data.per_class)


def write(scores: CutScores, path: Path = FILE) -> Path:
    """Write the answer to ``default()`` as the file that ships; return its path.

    Raises
    ------
    SpecError
        It is the answer to another question.
    """
    if scores.cuts != default():
        raise SpecError("Only the default source, target, labels and seed can be recorded. Leave out their flags.")
    card = {
        **origin(COMMAND, versions()),
        "sha256": sources.info(scores.cuts.source).sha256,
        "cuts": asdict(scores.cuts),
        "tests": [[cut, short(test.accuracy), short(test.low), short(test.high), test.n] for cut, test in scores.tests],
        "n_images": scores.n_images,
        "seconds": round(scores.seconds, 3),
    }
    write_card(path, card)
    load.cache_clear()
    return path


@lru_cache
def load(path: Path = FILE) -> RecordedCuts:
    """Return the recording that ships.

    Raises
    ------
    DataError
        Its file is missing or damaged.
    """
    card = read_card(path)
    try:
        tests = tuple((cut, Evaluation(*numbers)) for cut, *numbers in card["tests"])
        scores = CutScores(Cuts(**card["cuts"]), tests, card["n_images"], card["seconds"])
        return RecordedCuts(scores, **{name: card[name] for name in ("sha256", "date", "machine", "command")})
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path) from error


def of(cuts: Cuts) -> RecordedCuts | None:
    """Return the recording where it answers this very question; None for every other."""
    card = load()
    return card if card.scores.cuts == cuts and card.sha256 == sources.info(cuts.source).sha256 else None
