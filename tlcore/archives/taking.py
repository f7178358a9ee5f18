"""Take an archived run into this lab: its files are tried in a process of their own, and it gets an id of this lab."""

import re
import secrets
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tlcore import datasets, jobs, prediction, sources
from tlcore.errors import LabError, StoreError
from tlcore.evaluation import outputs
from tlcore.sentences import Sentence
from tlcore.sources.foreign.guarded import guarded
from tlcore.spec import (
    NETWORK,
    ComparisonResult,
    EvaluateSpec,
    ExampleResult,
    FineTuneSpec,
    HeadsResult,
    Provenance,
    Result,
    SweepSpec,
    from_json,
    result_from,
    to_json,
)
from tlcore.store import Run, Store
from tlcore.store.arrivals import Arrival

from . import examining, record
from .examining import Asked, Head, Taken
from .reading import Archived, refuse

SECONDS, START_S = 120.0, 60.0
FAILED = Sentence("one of its files is damaged. Export the run again")
HEAD = re.compile(r"heads/[A-Za-z0-9_]{1,64}-[a-z]{1,16}\.skops")


def take(found: Archived, store: Store, owner: str = "") -> Run:
    """Add an archived run to a store, with its points, files and ways, and return it. Takes some seconds.

    Its network is made anew, as its settings say, with the numbers of its file; its heads and answers are tried. What
    of it cannot be had here is left out, and its ``provenance`` says so.

    Raises
    ------
    DataError
        A file is not what the run says, or the run needs a task or a network that this lab does not have.
    StoreError
        The data folder has no room.
    """
    parts = (found, *found.ways)
    for part in parts:
        _check(part.run)
    ids = {part.run.id: secrets.token_hex(8) for part in parts}
    if len(ids) < len(parts):
        raise refuse("two runs in it have one id. Export the run again")
    whole = ids[found.run.id]
    try:
        with tempfile.TemporaryDirectory(prefix="import-", dir=store.shared) as place:
            taken = _tried(parts, Path(place), store)
            for part, each in zip(parts, taken, strict=True):
                _put(Path(place) / part.run.id, store.run_folder(ids[part.run.id]), each)
        for id in ids.values():
            store.files.publish(id)
        arrivals = [
            _arrival(part, each, ids, owner, "" if part is found else whole)
            for part, each in zip(parts, taken, strict=True)
        ]
        store.bring_in(arrivals)
    except BaseException as error:
        for id in ids.values():
            store.files.remove(id)
        if isinstance(error, OSError):
            raise StoreError(
                "The run could not be kept in the data folder ({reason}). Free some space there and try again.",
                reason=error.strerror or "no reason given",
            ) from error
        raise
    return store.get(whole)


def _check(run: Run) -> None:
    """Raise a DataError where a run cannot be shown here."""
    if isinstance(run.spec, EvaluateSpec):
        raise refuse("it only tested a finished model. Import the run that trained that model, and test it here")
    try:
        sources.info(run.spec.source)
        datasets.info(run.spec.data.target)
        jobs.check(run.spec)
    except LabError as error:
        raise refuse(
            "it needs what this lab does not have: {reason} Bring that first, or take the archive's files by hand",
            reason=error.sentence,
        ) from error
    _check_task(run)


def _check_task(run: Run) -> None:
    """Raise a DataError where a result is of other classes, or other items, than its task has here."""
    task, result = datasets.info(run.spec.data.target), run.result
    if isinstance(result, ExampleResult) or not result.class_names:
        return
    if result.class_names != task.class_names or result.form not in (None, task.form):
        raise refuse("{task} has other classes or other pictures here. Export the run again", task=task.title)


# -- its files -------------------------------------------------------------------------------------------------------


def _tried(parts: Sequence[Archived], place: Path, store: Store) -> list[Taken]:
    """Return what can be taken of each run; its files lie then in the folder of its old id."""
    asked = [_asked(part, place / part.run.id, store) for part in parts]
    for part, each in zip(parts, asked, strict=True):
        for name in each.files:
            path = Path(each.place) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(part.read(_archived(name)))
    if not any(each.files for each in asked):  # no process for nothing
        return [Taken({}) for _each in asked]
    return guarded(examining.examine, (asked,), examining.begin, examining.because, FAILED, SECONDS, START_S)


def _asked(part: Archived, place: Path, store: Store) -> Asked:
    run, result = part.run, part.run.result
    named = result.files if result.class_names else {}  # without classes no model can be tried
    there = [name for name in named if _is_file(name) and _archived(name) in part.files]
    heads = ()
    if isinstance(result, HeadsResult):
        heads = tuple(Head(row.file, row.head, row.input) for row in result.heads if row.file in there)
    seeded = run.spec.data if isinstance(run.spec, FineTuneSpec) else replace(run.spec.data, seed=run.seed)
    return Asked(
        place=str(place),
        folder=str(store.folder),
        files=tuple(name for name in there if name in (NETWORK, outputs.FILE) or name in {head.file for head in heads}),
        source=run.spec.source,
        seed=run.seed,
        layer=result.layer,
        data=seeded,
        data_hash=run.data_hash,
        class_names=result.class_names,
        form=prediction.form_of(run),
        heads=heads,
    )


def _is_file(name: str) -> bool:
    return name in (NETWORK, outputs.FILE) or HEAD.fullmatch(name) is not None


def _archived(name: str) -> str:
    """Return what a file of a run's folder is called in an archive."""
    return name.rpartition("/")[2]


def _put(place: Path, folder: Path, taken: Taken) -> None:
    for name in taken.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(place / name, folder / name)


# -- its row ---------------------------------------------------------------------------------------------------------


def _arrival(part: Archived, taken: Taken, ids: Mapping[str, str], owner: str, parent: str) -> Arrival:
    run = part.run
    spec = replace(run.spec, resumes="") if isinstance(run.spec, SweepSpec) else run.spec
    stored = _stored(run.result, taken, ids) if run.stored else {}
    missing = [name for name in run.result.files if name not in taken.files]
    left_out = taken.left_out or tuple(Sentence("{file} is not in the archive.", file=name) for name in missing)
    provenance = Provenance(run.id, part.made_with, part.record.processor, left_out)
    arrived = replace(
        run,
        id=ids[run.id],
        spec=from_json(to_json(spec)),
        stored=stored,
        result=result_from(run.kind, stored),
        owner=owner,
        parent=parent,
        provenance=provenance,
    )
    return Arrival(arrived, part.record.points, part.record.cells)


def _stored(result: Result, taken: Taken, ids: Mapping[str, str]) -> dict[str, Any]:
    """Return a result with the files that were taken, and its ways under the ids of this lab."""
    values = record.encoded(result)
    if "files" in values:
        values["files"] = {name: {"sha256": each, "bytes": n} for name, (each, n) in taken.files.items()}
    if isinstance(result, ComparisonResult):
        # A way that is not in the archive must not lead to a run of that id that is here already.
        for way in values["ways"]:
            way["run"] = ids.get(way["run"]) or secrets.token_hex(8)
    return values
