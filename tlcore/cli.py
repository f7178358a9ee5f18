"""The command line: what its words mean, and what its exit codes say.

0: done. 1: what was asked for was clear and did not come about: a run failed, a saved or shipped file is missing or
damaged, data could not be reached. 2: what was given cannot be used: a flag, a name, an id, a picture, a folder, an
address. 130: ended by Ctrl+C. Whatever goes wrong is one sentence on the error stream.

Defaults and ranges come from ``spec`` and are written nowhere else: a flag that was not given stays None.
"""

import argparse
import logging
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, get_args

from tlcore import datasets, extensions, sources
from tlcore.errors import DataError, LabError, TrainingError
from tlcore.evidence.history import SORTS
from tlcore.exports import EXPORTERS
from tlcore.jobs import JOBS
from tlcore.machine import scratch
from tlcore.prediction.what_if import TAILS, Move
from tlcore.sentences import Sentence
from tlcore.sources import making
from tlcore.sources.foreign.archive import MOST_BYTES
from tlcore.spec import RunState
from tlcore.store import home
from tlcore.translation import _, shown

from .commands import (
    answering_lines,
    archives,
    catalogues,
    cluster,
    console,
    history,
    launch,
    local_run,
    looking,
    own_pictures,
    reports,
    rooms,
    tokens,
    training_lines,
)
from .commands.flags import Parser, Task, Trained, all_or, choice, folder, limit, pixel_value, several
from .commands.options import (
    HOME,
    ID,
    NAME,
    add_command,
    add_frozen,
    add_json,
    add_number,
    add_source,
    add_target,
    add_word,
    add_words,
)

log = logging.getLogger(__name__)

LOG = "commands.log"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what a command line says and return its exit code; nothing is raised."""
    extensions.load(console.tell)  # before the flags list what there is
    try:
        options = parser().parse_args(arguments)
    except SystemExit as done:  # --help
        return int(done.code or 0)
    except LabError as error:
        console.tell(error.sentence)
        return console.BAD
    options.home = options.home or home()
    with _logged(options.home), _at(options.home):
        scratch.settle(options.home)
        return _do(options)


def _do(options: argparse.Namespace) -> int:
    try:
        with scratch.needed():
            if isinstance(getattr(options, "target", None), Task):
                options.target = datasets.find(options.target)
            if isinstance(getattr(options, "source", None), Trained):
                options.source = catalogues.trained_source(options.home, options.source)
            return options.do(options)
    except LabError as error:
        console.tell(error.sentence)
        return console.FAILED if isinstance(error, DataError | TrainingError) else console.BAD
    except KeyboardInterrupt:
        return console.INTERRUPTED
    except BrokenPipeError:  # who reads the output has seen enough, as ``head`` does
        with suppress(OSError):  # else the interpreter's last flush would complain
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return console.FAILED
    except Exception:
        log_id = secrets.token_hex(4)
        log.exception("log id %s", log_id)
        where = options.home / LOG
        words = _("Something went wrong; {file} has it under {log_id}. Please report it.")
        if not where.exists():
            words = _("Something went wrong; {folder} has no room for the details. Please report it.")
        console.tell(words.format(file=where, log_id=log_id, folder=options.home))
        return console.FAILED


class _Log(logging.FileHandler):
    """A file that the first line makes; where it cannot be made, the sentence on the screen must do."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):
            Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
            super().emit(record)


@contextmanager
def _logged(folder: Path) -> Iterator[None]:
    """Keep what is logged off the screen, in a file of the data folder that the first line makes."""
    handler = _Log(folder / LOG, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


@contextmanager
def _at(folder: Path) -> Iterator[None]:
    """Let everything that asks for the data folder find this one."""
    before = os.environ.get("TRANSFER_LAB_HOME")
    os.environ["TRANSFER_LAB_HOME"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TRANSFER_LAB_HOME"]
        else:
            os.environ["TRANSFER_LAB_HOME"] = before


# -- the commands --------------------------------------------------------------------------------------------------

EXIT_CODES = Sentence("""exit codes:
  0    done
  1    a run failed, a saved or shipped file is missing or damaged, or data could not be reached
  2    what was given cannot be used: a flag, a name, an id, a picture, a folder, an address
  130  ended by Ctrl+C""")


def parser() -> Parser:
    """Return the parser of a whole line; ``do`` of what it returns takes that and gives the exit code."""
    words = _("Transfer Lab from the command line: every action of the dashboard, on the same runs.")
    top = Parser(prog=NAME, description=words, epilog=shown(EXIT_CODES))
    top.add_argument("--home", type=folder, metavar="FOLDER", help=shown(HOME))
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for add in (
        _sources,
        _datasets,
        _describe,
        training_lines.train,
        training_lines.find_rate,
        training_lines.compare,
        training_lines.heads,
        training_lines.sweep,
        training_lines.claims,
        training_lines.break_it,
        training_lines.race,
        _what_if,
        answering_lines.predict,
        answering_lines.evaluate,
        answering_lines.teach,
        answering_lines.explain,
        answering_lines.look,
        answering_lines.inside,
        answering_lines.map,
        answering_lines.lesson,
        _runs,
        _export,
        archives.reproduce,
        archives.bring_in,
        rooms.rooms,
        tokens.token,
        _serve,
        cluster.lines,
    ):
        add(commands)
    return top


def _sources(commands: Any) -> None:
    words = _("list the source models")
    listed = add_command(
        commands, "sources", catalogues.list_sources, words, "sources --json", "sources rebuild digits"
    )
    add_json(listed)
    words = _("train a shipped source model anew and write it with its card")
    actions = listed.add_subparsers(metavar="ACTION")
    added = add_command(actions, "rebuild", catalogues.rebuild_source, words, "sources rebuild digits --folder new")
    add_word(added, "source", "source model", making.REBUILT)
    words = _("folder of the four Fashion-MNIST files, else keras.datasets; of a backbone, the file of its weights")
    added.add_argument("--data", type=folder, help=words)
    added.add_argument(
        "--folder", type=folder, default=sources.FOLDER, help=_("where to; default: where the app reads")
    )
    add_number(added, "epochs", _("in place of the recipe's own number"), default=False)
    words = _("fetch the published weights of a network of keras.applications, once")
    added = add_command(actions, "fetch", catalogues.fetch_source, words, "sources fetch efficientnet_v2_b0")
    add_word(added, "source", "network", tuple(name for name, b in sources.BACKBONES.items() if not b.shipped))
    words = _("check a .keras file of your own and add it to the source models")
    examples = ("sources add model.keras", "sources add model.keras --classes cat,dog --white 255")
    added = add_command(actions, "add", catalogues.add_source, words, *examples)
    added.add_argument(
        "file", type=Path, metavar="FILE", help=_("of Keras 3, up to {n} MB").format(n=MOST_BYTES // 2**20)
    )
    added.add_argument(
        "--classes", type=several(str), default=(), metavar="NAME,NAME", help=_("what its outputs stand for")
    )
    for flag, colour, default in (("--black", _("black"), 0), ("--white", _("white"), 1)):
        words = _(
            "value of a {colour} pixel in its training, default {default}; without both it is found by trying"
        ).format(colour=colour, default=default)
        added.add_argument(flag, type=pixel_value, metavar="N", help=words)
    words = _("make the network of a finished run a source for the next one, as --source run:ID does")
    added = add_command(actions, "keep", catalogues.keep_source, words, "sources keep 1a2b3c --title mugs")
    added.add_argument("id", metavar="ID", help=shown(ID))
    added.add_argument("--title", default="", help=_("what it is called; default: the run's name, else its task"))
    words = _("take an added source model off the list, or with --undo put it back")
    added = add_command(actions, "remove", catalogues.remove_source, words, "sources remove upload-0123456789ab")
    add_source(added, "source")
    added.add_argument("--undo", action="store_true", help=_("until the server starts the next time"))


def _datasets(commands: Any) -> None:
    words = _("list the target tasks, or bring pictures of your own")
    examples = ("datasets", "datasets report pets.zip", "datasets add pets pets.zip", "train --target pets")
    listed = add_command(commands, "datasets", catalogues.list_datasets, words, *examples)
    add_json(listed)
    own_pictures.add_actions(listed.add_subparsers(metavar="ACTION"))


def _describe(commands: Any) -> None:
    words = _("show a network's layers, which of them stay frozen, and what that saves")
    examples = ("describe digits --preset all_but_head", "describe digits_0_4 --target mnist")
    added = add_command(commands, "describe", catalogues.describe, words, *examples)
    add_source(added, "source")
    words = _("count the network that trains on this task: its last layer is new")
    add_target(added, words=words)
    add_frozen(added)
    add_json(added)


def _what_if(commands: Any) -> None:
    words = _("freeze up to a layer and train what comes after it on 1,000 images, at once")
    added = add_command(commands, "what-if", looking.move_boundary, words, "what-if --cut conv_2 --tail dense")
    add_source(added, "--source", Move.source)
    add_target(added, Move.target)
    added.add_argument(
        "--cut", metavar="LAYER|nothing", help=_("the last frozen layer; default {cut}").format(cut=Move.cut)
    )
    add_word(added, "--tail", "tail", TAILS, Move.tail)
    add_number(added, "seed", _("of the images and the first weights"))
    add_number(
        added, "per_class", _("training images of each class; default as many as 1,000 images are"), default=False
    )
    words = _("ask for the linear tail at every cut at once; --cut and --tail then do not count")
    added.add_argument("--every-cut", action="store_true", help=words)
    words = _("measure every cut of the default draft, and record it as what Layers shows first")
    added.add_argument("--record", action="store_true", help=words)
    add_json(added)


def _runs(commands: Any) -> None:
    examples = ("runs --state done --limit 10", "runs --method linear_svm --sort accuracy", "runs delete 1a2b3c")
    listed = add_command(commands, "runs", history.list_runs, _("list the runs, or do something with one"), *examples)
    add_word(listed, "--state", "state", get_args(RunState))
    add_word(listed, "--kind", "kind", tuple(JOBS))
    listed.add_argument("--source", metavar="SOURCE", help=_("the network they started from"))
    listed.add_argument("--target", metavar="TARGET", help=_("the task they learned"))
    listed.add_argument("--method", metavar="METHOD", help=_("fine_tune, scratch, or the name of a head"))
    listed.add_argument("--per-class", type=all_or("per_class"), metavar="N|all", help=_("with so many labels"))
    listed.add_argument("--search", metavar="TEXT", help=_("words of their names, notes and settings"))
    add_word(listed, "--sort", "order", tuple(SORTS))
    listed.add_argument("--ascending", action="store_true", help=_("the least, or the oldest, first"))
    listed.add_argument(
        "--limit", type=limit, default=50, metavar="N", help=_("the newest so many; default %(default)s")
    )
    listed.add_argument("--deleted", action="store_true", help=_("those that can be restored"))
    add_json(listed)
    actions = listed.add_subparsers(metavar="ACTION")
    for name, do, words in (
        ("show", history.show_run, _("show one run: settings, state, result")),
        ("delete", history.delete_run, _("take a run off the list, and stop it if it still goes on")),
        ("restore", history.restore_run, _("put a deleted run back on the list")),
        ("stop", history.stop_run, _("stop a run within one batch; what it learned so far is kept")),
    ):
        added = add_command(actions, name, do, words, f"runs {name} 1a2b3c")
        added.add_argument("id", metavar="ID", help=shown(ID))
        if name == "show":
            add_json(added)
    words = _("hold runs side by side: which is better, what each reached, and the settings that differ")
    added = add_command(actions, "compare", history.compare_runs, words, "runs compare 1a2b3c 4d5e6f")
    added.add_argument("ids", nargs="+", metavar="ID", help=shown(ID))
    add_json(added)
    words = _("go on with a stopped fine-tuning where it ended, as a run of its own, in this process")
    added = add_command(actions, "resume", local_run.resume, words, "runs resume 1a2b3c")
    added.add_argument("id", metavar="ID", help=shown(ID))
    add_json(added)
    words = _("send a run that has ended to an MLflow server: settings, curves, result and files")
    added = add_command(actions, "send", history.send_run, words, "runs send 1a2b3c --to http://127.0.0.1:5000")
    added.add_argument("id", metavar="ID", help=shown(ID))
    words = _("address of the server; default: MLFLOW_TRACKING_URI")
    added.add_argument("--to", metavar="ADDRESS", default="", help=words)
    for field, words in (("name", _("call a run something")), ("note", _("write a note about a run"))):
        added = add_command(actions, field, looking.annotate, words, f"runs {field} 1a2b3c frozen")
        added.add_argument("id", metavar="ID", help=shown(ID))
        added.add_argument("text", metavar="TEXT", help=_("its new {field}; '' takes it away").format(field=field))
        added.set_defaults(field=field)
    words = _("write one report of several runs: which model did best on each task, and a chapter for each run")
    examples = (
        "runs report --to results",
        "runs report --to results --since 2026-11-29",
        "runs report 1a2b3c 4d5e6f --to results",
    )
    added = add_command(actions, "report", reports.report_runs, words, *examples)
    added.add_argument("ids", nargs="*", metavar="ID", help=shown(ID))
    added.add_argument(
        "--since", type=reports.day, metavar="DAY", help=_("those begun on that day or later; default: today")
    )
    added.add_argument("--to", type=folder, required=True, metavar="FOLDER", help=_("made when missing"))
    words = _("bring back what can be read of a damaged list of runs; the damaged file is kept")
    add_command(actions, "recover", history.recover_runs, words, "runs recover")


def _export(commands: Any) -> None:
    words = _("write what a run left into a folder: its model, heads, curve points and settings")
    added = add_command(
        commands, "export", history.export_run, words, "export 1a2b3c --to results --what model,metrics"
    )
    added.add_argument("id", metavar="ID", help=shown(ID))
    added.add_argument("--to", type=folder, required=True, metavar="FOLDER", help=_("made when missing"))
    add_words(added, "--what", choice("part", tuple(EXPORTERS)), tuple(EXPORTERS), (_("all there is"),))


def _serve(commands: Any) -> None:
    words = _("start the dashboard, after a look at what would keep it from starting")
    added = add_command(commands, "serve", launch.serve_command, words, "serve --port 8600")
    added.add_argument("--host", help=_("default: HOST of the environment, else {host}").format(host=launch.HOST))
    added.add_argument("--port", help=_("default: PORT of the environment, else {port}").format(port=launch.PORT))
