"""Whether a training that was done again reached the same: to the bit, within a tolerance, or not, and what differs."""

import io
import socket
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from tlcore.errors import DataError, SpecError
from tlcore.evaluation import outputs
from tlcore.evidence import sweeps, ways
from tlcore.machine.processor import processor
from tlcore.sentences import NOTHING, Sentence, join, percent, verbatim
from tlcore.spec import ComparisonResult, EvaluateSpec, ExampleResult, FineTuneResult, HeadsResult
from tlcore.store import Run, Store

from .reading import Archived

TOLERANCE = 0.002  # of an accuracy: what the same seed gives on another machine
MOST_BYTES = 256 * 2**20  # of unpacked answers
NETWORK = "model"  # as ``outputs`` calls what a network answered
LIMITED = {"tensorflow-cpu": "tensorflow"}  # one package under two names

State = Literal["same", "close", "other"]


@dataclass(frozen=True, eq=False)
class Answers:
    """What one model answered: the class of each test image, and float16 probabilities, shape (n, k)."""

    predicted: np.ndarray
    probabilities: np.ndarray


@dataclass(frozen=True, eq=False)
class Reached:
    """What a run reached, and with what.

    Attributes
    ----------
    accuracies : of each thing that was tested, by its name in a sentence
    answers : of those whose answers were kept, by the same names
    made_with : versions, device, processor and data, each by its name; "" where it is not known
    """

    accuracies: Mapping[str, float]
    answers: Mapping[str, Answers]
    made_with: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Again:
    """What a repetition gave: ``sentence`` says it in one line."""

    state: State
    sentence: Sentence
    largest: float  # difference of two accuracies
    n_answers: int
    n_differ: int  # of these
    differences: tuple[Sentence, ...] = ()

    @property
    def same(self) -> bool:
        """Whether the result is the same within the tolerance."""
        return self.state != "other"


def check(run: Run) -> None:
    """Raise a SpecError where a run cannot be done again to see whether its result is the same."""
    if run.state != "done":
        raise SpecError(
            "Run {run_id} is {state}: only a run that is done has a whole result to compare with.",
            run_id=run.id,
            state=run.state,
        )
    if isinstance(run.spec, EvaluateSpec):
        raise SpecError(
            "Run {run_id} only tested a finished model. Reproduce the run that trained that model.", run_id=run.id
        )


def of_archive(found: Archived) -> Reached:
    """Return what an archived run reached.

    Raises
    ------
    DataError
        Its answers are damaged.
    """
    content = found.read(outputs.FILE) if outputs.FILE in found.files else None
    reached = _of_run(found.run, content, found.record.cells, found.run.provenance.processor)
    by_id = {each.run.id: each for each in found.ways}
    return _with_ways(reached, found.run, lambda id: of_archive(by_id[id]) if id in by_id else None)


def of_store(run: Run, store: Store) -> Reached:
    """Return what a run of a store reached; raises as ``of_archive``."""
    path = store.run_folder(run.id) / outputs.FILE
    kept = outputs.FILE in run.result.files and path.exists()
    here = run.provenance.processor or (processor() if run.host == socket.gethostname() else "")
    reached = _of_run(run, path.read_bytes() if kept else None, store.cells(run.id), here)
    there = {}
    if isinstance(run.result, ComparisonResult):
        there = {each.run.id: each.run for each in ways.trained(run.result, store)}
    return _with_ways(reached, run, lambda id: of_store(there[id], store) if id in there else None)


def compare(before: Reached, now: Reached) -> Again:
    """Return whether two runs of one setting reached the same, and what differs between them where they did not.

    Raises
    ------
    SpecError
        There is nothing that both have tested.
    """
    names = [name for name in before.accuracies if name in now.accuracies]
    if not names:
        raise SpecError("The two runs have no tested model in common, so there is nothing to compare.")
    gaps = {name: abs(before.accuracies[name] - now.accuracies[name]) for name in names}
    worst = max(names, key=lambda name: gaps[name])
    pairs = [
        (before.answers[name], now.answers[name]) for name in names if {name} <= set(before.answers) & set(now.answers)
    ]
    n_answers = sum(len(one.predicted) for one, _other in pairs)
    n_differ = sum(_n_differ(one, other) for one, other in pairs)
    equal = not gaps[worst] and all(np.array_equal(a.probabilities, b.probabilities) for a, b in pairs)
    values = {"a": percent(before.accuracies[worst], 2), "b": percent(now.accuracies[worst], 2), "n": n_answers}
    if equal and not n_differ:
        return Again("same", _same(values, len(names)), 0.0, n_answers, 0)
    differences = _differences(before.made_with, now.made_with)
    state: State = "close" if gaps[worst] <= TOLERANCE + 1e-9 else "other"
    told = _told(state, values | {"m": n_differ, "name": verbatim(worst)}, len(names), n_answers)
    return Again(state, join([told, _why(differences)]), gaps[worst], n_answers, n_differ, tuple(differences))


def _same(values: Mapping[str, object], n: int) -> Sentence:
    if n > 1 and values["n"]:
        return Sentence("The same to the bit: {k:,} accuracies and all {n:,} answers.", k=n, **values)
    if n > 1:
        return Sentence("The same to the bit: all {k:,} accuracies.", k=n)
    if values["n"]:
        return Sentence("The same to the bit: accuracy {a}, and all {n:,} answers with their probabilities.", **values)
    return Sentence("The same to the bit: accuracy {a}.", **values)


def _told(state: State, values: Mapping[str, object], n: int, n_answers: int) -> Sentence:
    points = {"points": 100 * TOLERANCE}
    head = Sentence("Not the same:")
    if state == "close":
        head = Sentence("The same within {points:g} points:", **points)
    what = Sentence("accuracy {a} then, {b} now.", **values)
    if n > 1:
        what = Sentence("the largest difference is that of {name}, {a} then, {b} now.", **values)
    answers = Sentence("{m:,} of {n:,} answers differ.", **values) if n_answers else NOTHING
    return join([head, what, *filter(None, (answers,))])


def _why(differences: list[Sentence]) -> Sentence:
    if not differences:
        return Sentence(
            "Versions, processor and data are the same as far as both say, so it is the order in which threads add "
            "numbers up."
        )
    return Sentence("What differs: {what}.", what=join(differences, "; "))


def _differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[Sentence]:
    """Return what differs of what both say of themselves."""
    found = []
    for name in dict.fromkeys([*before, *now]):
        one, other = before.get(name, ""), now.get(name, "")
        if one != other and one and other:
            title = TITLES.get(name) or verbatim(name)
            found.append(Sentence("{what}: {before} then, {now} now", what=title, before=one, now=other))
    return found


TITLES = {
    "data": Sentence("data"),
    "processor": Sentence("processor"),
    "device": Sentence("device"),
    "bfloat16": Sentence("frozen layers in bfloat16"),
    "interrupted": Sentence("continued after an interruption"),
}


# -- what a run reached ----------------------------------------------------------------------------------------------


def _of_run(run: Run, content: bytes | None, cells: tuple, processor_name: str) -> Reached:
    result = run.result
    accuracies: dict[str, float] = {}
    made_with = {LIMITED.get(name, name): each for name, each in run.versions.items()}
    made_with |= {"processor": processor_name, "device": result.device, "data": run.data_hash[:12]}
    if isinstance(result, HeadsResult):
        accuracies = {_head_name(row.head, row.input, row.seed): row.accuracy for row in result.rows}
    elif isinstance(result, ExampleResult):
        tests = {"0-4": result.source_test, "5-9": result.test}
        accuracies = {name: test.accuracy for name, test in tests.items() if test}
    elif isinstance(result, ComparisonResult):
        accuracies = {}
    elif cells:
        accuracies = {str(sweeps.describe(cell)): cell.score for cell in cells if cell.score is not None}
    elif result.test:
        accuracies = {NETWORK: result.test.accuracy}
    if isinstance(result, FineTuneResult):
        made_with["bfloat16"] = "yes" if result.bfloat16 else "no"
        made_with["interrupted"] = "yes" if result.resumed_after else "no"
    answers = {} if content is None else read_answers(content)
    named = {_model_name(name, run.seed): each for name, each in answers.items()}
    return Reached(accuracies, {name: each for name, each in named.items() if name in accuracies}, made_with)


def _model_name(kept: str, seed: int) -> str:
    """Return what a model is called here whose answers are kept under a name."""
    head, dash, name = kept.partition("-")
    return _head_name(head, name, seed) if dash else kept


def _with_ways(reached: Reached, run: Run, part: Callable[[str], Reached | None]) -> Reached:
    """Return what a run reached with what its ways did, where it is a comparison."""
    if not isinstance(run.result, ComparisonResult):
        return reached
    accuracies, answers, made_with = {}, {}, dict(reached.made_with)
    for way in run.result.ways:
        if found := part(way.run):
            accuracies |= {_way_name(way.name, name): each for name, each in found.accuracies.items()}
            answers |= {_way_name(way.name, name): each for name, each in found.answers.items()}
            made_with = {name: each for name, each in found.made_with.items() if each} | made_with
    return Reached(accuracies, answers, made_with)


def _head_name(head: str, name: str, seed: int) -> str:
    return f"{head} on {name}, seed {seed}"


def _way_name(way: str, name: str) -> str:
    return way if name == NETWORK else name


def _n_differ(one: Answers, other: Answers) -> int:
    if one.predicted.shape != other.predicted.shape:
        return max(len(one.predicted), len(other.predicted))
    return int((one.predicted != other.predicted).sum())


def read_answers(content: bytes) -> dict[str, Answers]:
    """Return what each model answered, of an ``outputs`` file that a stranger may have made.

    Raises
    ------
    DataError
        It is damaged, unpacks to too much, or does not hold answers.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(info.file_size for info in archive.infolist()) > MOST_BYTES:
                raise ValueError("it unpacks to too much")
            for info in archive.infolist():
                with archive.open(info) as file:
                    _check_head(file, info.file_size)
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            names = [name.removesuffix("/test") for name in arrays.files if name.endswith("/test")]
            found = {name: Answers(arrays[f"{name}/predicted"], arrays[f"{name}/test"]) for name in names}
        for each in found.values():
            n, k = each.probabilities.shape
            if (
                each.predicted.shape != (n,)
                or each.predicted.dtype.kind != "i"
                or each.probabilities.dtype != np.float16
            ):
                raise ValueError("arrays that do not fit")
    except Exception as error:  # NumPy and zipfile raise whatever they come upon
        raise DataError("The kept answers ({file}) are damaged. Export the run again.", file=outputs.FILE) from error
    return found


def _check_head(file: object, size: int) -> None:
    """Raise a ValueError where an array is described as larger than its file: NumPy would make room for it first."""
    version = np.lib.format.read_magic(file)  # type: ignore[arg-type]
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _fortran, dtype = read(file, max_header_size=10_000)  # type: ignore[arg-type]
    n = dtype.itemsize
    for side in shape:
        n *= int(side)
    if dtype.hasobject or not 0 <= n <= size:
        raise ValueError("an array that is larger than its file")
