"""A comparison of all heads as it was measured once, for who has not run one yet: what was found, and every error."""

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from tlcore import heads
from tlcore.datasets import read_card
from tlcore.errors import SpecError
from tlcore.sentences import Sentence, decode, encode
from tlcore.spec import HeadMean, HeadSpec, HeadsResult, codec, from_json, to_json
from tlcore.store import Run, Store

from . import contest
from .contest import Entrant
from .recorded import FOLDER, damaged, origin, write_card

FILE = FOLDER / "heads.json"
COMMAND = "python -m tlcore heads --heads all --inputs features,pixels --seeds 0,1,2 --record"


@dataclass(frozen=True)
class RecordedHeads:
    """What was compared, the mean of every head on every input, and which is better.

    ``clear``: the best on features and the best on pixels differ by more than noise. Seconds and milliseconds in
    ``lines`` are those of another machine.
    """

    spec: HeadSpec
    lines: tuple[HeadMean, ...]
    clear: bool
    verdict: Sentence
    date: str
    machine: str
    command: str


def write(run: Run, store: Store, path: Path = FILE) -> Path:
    """Write a whole comparison of heads on features and pixels as the file that ships; return its path.

    Raises
    ------
    SpecError
        It is not whole, or not of both inputs.
    """
    result = run.result
    lines = result.table if isinstance(result, HeadsResult) and run.state == "done" else ()
    best = {line.input: line for line in reversed(lines)}  # the lines are in order, the best first
    found = contest.contest([_entrant(run, line) for line in lines], store.folder)
    pair = contest.contest([_entrant(run, line) for line in best.values()], store.folder)
    if found is None or pair is None or set(best) != {"features", "pixels"}:
        raise SpecError("Only a whole comparison on features and pixels can be recorded. Run it to its end.")
    card = {
        **origin(COMMAND, run.versions),
        "spec": json.loads(to_json(run.spec)),
        "lines": [
            {name: round(value, 6) if isinstance(value, float) else value for name, value in asdict(line).items()}
            for line in lines
        ],
        "clear": pair.clear,
        "verdict": encode(found.verdict),
    }
    write_card(path, card)
    load.cache_clear()
    return path


def _entrant(run: Run, line: HeadMean) -> Entrant:
    on = "raw pixels" if line.input == "pixels" else line.input
    return Entrant(f"{heads.title(line.head)} on {on}", run, f"{line.head}-{line.input}")


@lru_cache
def load(path: Path = FILE) -> RecordedHeads:
    """Return the comparison that ships.

    Raises
    ------
    DataError
        Its file is missing or damaged.
    """
    card = read_card(path)
    try:
        spec = from_json(json.dumps(card["spec"]))
        if not isinstance(spec, HeadSpec):
            raise TypeError(spec.kind)
        lines = codec.decode(tuple[HeadMean, ...], card["lines"], strict=False)
        told = {name: card[name] for name in ("clear", "date", "machine", "command")}
        return RecordedHeads(spec, lines, verdict=decode(card["verdict"]), **told)
    except (KeyError, TypeError, ValueError, SpecError) as error:
        raise damaged(path) from error
