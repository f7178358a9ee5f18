"""The commands on runs: list, show, delete, restore, stop, recover, export."""

import json
import re
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace

from tlcore import datasets, exports
from tlcore.errors import SpecError
from tlcore.evidence import contest, side_by_side, ways
from tlcore.evidence.history import Filter, single
from tlcore.exports import mlflow
from tlcore.machine import is_alive
from tlcore.sentences import Sentence, between
from tlcore.store import Run, Store
from tlcore.store import connection as database
from tlcore.store.recovery import recover
from tlcore.translation import _, shown

from . import console
from .console import table

ALL = 1_000_000  # runs: every one there is


def list_runs(options: Namespace) -> int:
    store = Store(options.home)
    runs = _listed(store, options)
    rows = [
        [
            run.id,
            run.kind,
            run.state,
            console.accuracy(run.result.accuracy, run.result.balanced),
            between(*run.result.interval) if run.result.interval else None,
            console.when(run.created),
            console.title(run),
        ]
        for run in runs
    ]
    text = (
        table([_("id"), _("kind"), _("state"), _("accuracy"), _("95 % interval"), _("created"), _("what")], rows)
        if runs
        else _("No runs.")
    )
    return console.show(options, [json.loads(exports.run_json(run, result=False)) for run in runs], text)


def _listed(store: Store, options: Namespace) -> Sequence[Run]:
    """Return the runs that the flags ask for, in their order."""
    labels = {None: "", "all": "all"}.get(options.per_class, str(options.per_class))
    target = datasets.own_sets.find(options.target) if options.target else ""
    wanted = Filter(options.source or "", target, options.method or "", labels, text=options.search or "")
    if options.deleted or not (wanted.asked or options.sort or options.ascending):
        if wanted.asked or options.sort:
            raise SpecError("Deleted runs are listed newest first and whole: --deleted takes --state, --kind, --limit.")
        states = [options.state] if options.state else None
        return store.list(kind=options.kind, states=states, deleted=options.deleted, limit=options.limit)
    entries = [entry for entry in store.listing() if options.kind in (None, entry.kind)]
    wanted = replace(wanted, state=options.state or "")
    found = single(entries, wanted, options.sort or "created", not options.ascending)
    ids = [entry.id for entry in found[: options.limit]]
    runs = {run.id: run for run in store.list(ids=ids, limit=len(ids))}
    return [runs[run_id] for run_id in ids if run_id in runs]


def show_run(options: Namespace) -> int:
    store = Store(options.home)
    run = find_run(store, options.id, deleted=True)
    values, text = json.loads(exports.run_json(run)), console.run_text(run, store.run_folder(run.id))
    if found := ways.verdict(run, store):
        values["verdict"], text = str(found), f"{text}\n{shown(found)}"
    return console.show(options, values, text)


def compare_runs(options: Namespace) -> int:
    """Hold runs side by side: which is better, what each reached, and the settings that differ."""
    store = Store(options.home)
    named = list(dict.fromkeys(find_run(store, text).id for text in options.ids))
    runs = side_by_side.expanded(map(store.get, named), store)
    if not 1 < len(runs) <= side_by_side.MOST:
        raise SpecError(
            "Name two runs or more to compare, {most} at most; a comparison counts as the runs of its ways.",
            most=side_by_side.MOST,
        )
    ids = [run.id[:6] for run in runs]
    settings = [setting for setting in side_by_side.side_by_side([run.spec for run in runs]) if setting.differs]
    entrants = side_by_side.entrants(runs, ids)
    found = contest.contest(entrants, store.folder, store.list(limit=ALL)) if entrants else None
    reached = [_reached(run) for run in runs]
    rows = [[_named(name), *(each[name] for each in reached)] for name in reached[0]]
    rows += [[shown(setting.name), *(console.words(value or "–") for value in setting.values)] for setting in settings]
    lines = [
        table(["", *ids], rows),
        shown(found.verdict) if found else _why(entrants),
    ]
    values = {
        "runs": [{"id": run.id, **each} for run, each in zip(runs, reached, strict=True)],
        "differ": {str(setting.name): [value and str(value) for value in setting.values] for setting in settings},
        "verdict": str(found.verdict) if found else "",
    }
    return console.show(options, values, "\n".join(lines))


def _reached(run: Run) -> dict[str, str]:
    score = side_by_side.score(run)
    return {
        "state": run.state,
        "accuracy": (score and console.accuracy(score.headline, score.balanced)) or "–",
        "95 % interval": between(*score.interval) if score else "–",
        "learning s": f"{run.result.learn_s:.2f}" if run.result.learn_s else "–",
        "processor s": f"{run.result.cpu_s:.2f}" if run.result.cpu_s else "–",
        "own task": side_by_side.forgot(run) or "–",
        "freezing": str(side_by_side.proof(run) or "–"),
    }


def _named(what: str) -> str:
    """Return what a row of figures is called."""
    names = {
        "state": _("state"),
        "accuracy": _("accuracy"),
        "95 % interval": _("95 % interval"),
        "learning s": _("learning s"),
        "processor s": _("processor s"),
        "own task": _("own task"),
        "freezing": _("freezing"),
    }
    return names[what]


def _why(entrants: Sequence[contest.Entrant]) -> str:
    if entrants:
        return _("Which is better cannot be said: fewer than two have a tested model.")
    return _("Which is better cannot be said: they learned different tasks.")


def delete_run(options: Namespace) -> int:
    store = Store(options.home)
    run = find_run(store, options.id)
    store.delete(run.id)
    print(_("Run {id} was deleted; `runs restore {id}` undoes it.").format(id=run.id))
    return console.OK


def restore_run(options: Namespace) -> int:
    store = Store(options.home)
    run = find_run(store, options.id, deleted=True)
    store.restore(run.id)
    print(_("Run {id} is on the list.").format(id=run.id))
    return console.OK


def stop_run(options: Namespace) -> int:
    store = Store(options.home)
    run = find_run(store, options.id)
    store.request_stop(run.id)
    if run.state == "running" and is_alive(run.process) is False:  # nobody is left who would see the request
        store.finish(run.id, "stopped", attempt=run.attempt)
    state = store.get(run.id).state
    print(
        _("Run {id} stops after the current batch.").format(id=run.id)
        if state == "running"
        else _("Run {id} is {state}.").format(id=run.id, state=state)
    )
    return console.OK


def recover_runs(options: Namespace) -> int:
    path = database.file(options.home)
    found = recover(path)
    if found is None:
        print(_("The run store {path} is sound. Nothing was changed.").format(path=path))
    else:
        print(
            _("{runs} runs and {points} points were brought back into {path}.").format(
                runs=found.runs, points=found.points, path=path
            )
        )
        print(_("The damaged file is kept as {kept}.").format(kept=found.kept))
    return console.OK


def export_run(options: Namespace) -> int:
    store = Store(options.home)
    run = find_run(store, options.id)
    for path in exports.write(run_files(store, run, options.what), options.to):
        print(path)
    return console.OK


def send_run(options: Namespace) -> int:
    store, to = Store(options.home), mlflow.address(options.to)
    console.say(mlflow.send(find_run(store, options.id), store, to))
    return console.OK


def run_files(store: Store, run: Run, what: Sequence[str] | None) -> dict[str, bytes]:
    """Return what a run left, by file name; the names begin with the id, so that runs can share a folder.

    Parameters
    ----------
    what : names of exporters; None for all that there is

    Raises
    ------
    SpecError
        The run has nothing of one of those.
    DataError
        A file is missing or damaged.
    """
    there = exports.offers(run, store)
    if missing := [name for name in what or () if name not in there]:
        raise SpecError(
            "Run {run_id} has no {missing}. It has: {there}.",
            run_id=run.id,
            missing=", ".join(missing),
            there=", ".join(there),
        )
    wanted = what or [name for name in there if not exports.EXPORTERS[name].only_by_name]
    return {f"{run.id}{part.suffix}": _content(part) for name in wanted for part in there[name]}


def _content(part: exports.Part) -> bytes:
    """Return a file's content; of one that is made and tried, say what trying it gave."""
    if part.make is None:
        return part.read()
    content, told = part.make()
    console.tell(f"{part.title}: {told}")
    return content


def find_run(store: Store, text: str, deleted: bool = False) -> Run:
    """Return the run of an id or of its first six characters or more.

    Parameters
    ----------
    deleted : whether it may be a deleted one

    Raises
    ------
    SpecError
        There is none, there are several, or it was deleted.
    """
    if re.fullmatch("[0-9a-f]{6,15}", text):
        runs = [run for gone in (False, True) for run in store.list(deleted=gone, limit=ALL) if run.id.startswith(text)]
    else:
        runs = _exactly(store, text)
    if len(runs) > 1:
        raise SpecError(
            "Several runs begin with {text!r}: {ids}. Give more of the id.",
            text=text,
            ids=", ".join(run.id for run in runs),
        )
    if not runs:
        newest = ", ".join(run.id for run in store.list(limit=5)) or Sentence("none so far")
        raise SpecError(
            "There is no run {text!r}. Give an id or its first 6 characters or more; the newest are: {newest}.",
            text=text,
            newest=newest,
        )
    if runs[0].deleted and not deleted:
        raise SpecError("Run {run_id} was deleted. Bring it back first: runs restore {run_id}.", run_id=runs[0].id)
    return runs[0]


def _exactly(store: Store, text: str) -> list[Run]:
    try:
        return [store.get(text)]
    except SpecError as error:
        if (
            "run_id" in error.sentence.values
        ):  # no such run; else there is one that this version cannot read, which it says
            return []
        raise
