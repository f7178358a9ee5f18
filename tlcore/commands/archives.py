"""The commands on what comes as a file: train an archived run again, bring one in."""

import json
import os
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tlcore import archives, exports, jobs
from tlcore.archives import Again, Reached, kinds, reading, repeating
from tlcore.errors import SpecError
from tlcore.store import Run, Store
from tlcore.translation import _

from . import catalogues, console, history, local_run
from .flags import several
from .options import add_command, add_json


def reproduce(commands: Any) -> None:
    words = _("train a run of an archive again, in this process, and say whether the result is the same")
    examples = ("reproduce 1a2b3c.zip", "reproduce 1a2b3c --json")
    added = add_command(commands, "reproduce", reproduce_run, words, *examples)
    words = _("what export ID --what zip wrote, or the id of a run here")
    added.add_argument("what", metavar="FILE|ID", help=words)
    added.add_argument("--name", default="", help=_("what the run is called"))
    add_json(added)


def reproduce_run(options: Namespace) -> int:
    """Train a run again and say in one line whether the result is the same; the exit code is 1 where it is not."""
    store = Store(options.home)
    run, before, repeats = _asked(options.what, store)
    repeating.check(run)
    jobs.check(run.spec)
    found: list[Again] = []

    def tell(options: Namespace, store: Store, run: Run) -> None:
        if run.state != "done":
            local_run.say_result(options, store, run)
            return
        now = archives.of_store(run, store)
        found.append(archives.compare(before, now))
        if options.json:
            again = {**asdict(found[0]), "run": run.id, "same": found[0].same}
            console.say(console.as_json(again | {"before": before.accuracies, "now": now.accuracies}, indent=2))
        else:
            console.say(console.ended(run))
            console.say(found[0].sentence)

    code, _run = local_run.execute_made(
        options, store, lambda: store.create(run.spec, name=options.name, repeats=repeats), tell
    )
    return code or (console.OK if found and found[0].same else console.FAILED)


def _asked(what: str, store: Store) -> tuple[Run, Reached, str]:
    """Return the run that is to be trained again, what it reached, and its id where it is one of this store."""
    path = Path(what)
    if not os.path.isfile(path):
        try:
            run = history.find_run(store, what)
        except SpecError as error:
            raise SpecError(
                "There is neither a file nor a run {what!r}. Name the ZIP that export --what zip wrote, or a run's id.",
                what=what,
            ) from error
        return run, archives.of_store(run, store), run.id
    found = archives.look_at(catalogues.read_file(path, reading.MOST_BYTES, ".zip"))
    return found.run, archives.of_archive(found), ""


def bring_in(commands: Any) -> None:
    words = _("bring in what a lab exported: the ZIP of a run, a model, a head; settings are trained here")
    examples = ("import 1a2b3c.zip", "import settings.json --name again")
    added = add_command(commands, "import", bring_file_in, words, *examples)
    words = _("a ZIP, .keras, .skops or .json file, up to {n} MB").format(n=reading.MOST_BYTES // 2**20)
    added.add_argument("file", type=Path, metavar="FILE", help=words)
    added.add_argument("--name", default="", help=_("what the run is called"))
    added.add_argument(
        "--classes", type=several(str), default=(), metavar="NAME,NAME", help=_("what its outputs stand for")
    )
    added.set_defaults(black=None, white=None)
    add_json(added)


def bring_file_in(options: Namespace) -> int:
    """Bring a file in as what it is."""
    content = catalogues.read_file(options.file, reading.MOST_BYTES, ".zip")
    kind = kinds.look_at(content)
    if kind == "network":
        return catalogues.add_source(options)
    if kind == "head":
        options.add = options.file
        return catalogues.add_head(options)
    if kind == "settings":
        return local_run.run_here(options, kinds.settings(content))
    store = Store(options.home)
    found = archives.look_at(content)
    with console.quiet():
        run = archives.take(found, store)
    if options.name:
        store.annotate(run.id, name=options.name)
        run = store.get(run.id)
    lines = [
        _("Run {id} was imported: {title}").format(id=run.id, title=console.title(run)),
        *map(console.words, run.provenance.left_out),
    ]
    return console.show(options, json.loads(exports.run_json(run)), "\n".join(lines))
