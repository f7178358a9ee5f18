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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, get_args

from tlcore import datasets, extensions, sources
from tlcore.errors import DataError, LabError, TrainingError
from tlcore.evidence import STUDIES, methods
from tlcore.evidence.history import SORTS
from tlcore.exports import EXPORTERS
from tlcore.features import freezing
from tlcore.heads import HEADS
from tlcore.inspection import maps
from tlcore.jobs import JOBS
from tlcore.machine import scratch
from tlcore.prediction.what_if import TAILS, Move
from tlcore.recipes import comparison
from tlcore.recipes import race as racing
from tlcore.recipes.break_it import BREAKS
from tlcore.sources import making
from tlcore.sources.foreign.archive import MOST_BYTES
from tlcore.spec import (
    OPTIMIZERS,
    PIXELS,
    RANGES,
    SPLITS,
    ComparisonSpec,
    DataSpec,
    FineTuneSpec,
    HeadSpec,
    RunState,
    SweepSpec,
)
from tlcore.store import home

from .commands import answers, catalogues, closer, console, evidence, history, launch, local_run, looking
from .commands.flags import Parser, all_or, choice, folder, limit, number, pixel_value, several, source

log = logging.getLogger(__name__)

LOG = "commands.log"
NAME = "python -m tlcore"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what a command line says and return its exit code; nothing is raised."""
    extensions.load(console.tell)  # before the flags list what there is
    try:
        options = parser().parse_args(arguments)
    except SystemExit as done:  # --help
        return int(done.code or 0)
    except LabError as error:
        console.tell(str(error))
        return console.BAD
    options.home = options.home or home()
    with _logged(options.home), _at(options.home):
        scratch.settle(options.home)
        return _do(options)


def _do(options: argparse.Namespace) -> int:
    try:
        with scratch.needed():
            return options.do(options)
    except LabError as error:
        console.tell(str(error))
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
        told = f"{where} has it under {log_id}" if where.exists() else f"{options.home} has no room for the details"
        console.tell(f"Something went wrong inside; {told}. Please report it.")
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

HOME = "the data folder; default: TRANSFER_LAB_HOME, else var beside the program"
EXIT_CODES = """exit codes:
  0    done
  1    a run failed, a saved or shipped file is missing or damaged, or data could not be reached
  2    what was given cannot be used: a flag, a name, an id, a picture, a folder, an address
  130  ended by Ctrl+C"""

PRESETS = tuple(freezing.presets(()))
RECIPES = ("one-phase", "two-phase", "article")


def parser() -> Parser:
    """Return the parser of a whole line; ``do`` of what it returns takes that and gives the exit code."""
    words = "Transfer Lab from the command line: every action of the dashboard, on the same runs."
    top = Parser(prog=NAME, description=words, epilog=EXIT_CODES)
    top.add_argument("--home", type=folder, metavar="FOLDER", help=HOME)
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for add in (
        _sources,
        _datasets,
        _describe,
        _train,
        _compare,
        _heads,
        _sweep,
        _claims,
        _break_it,
        _race,
        _what_if,
        _predict,
        _explain,
        _look,
        _inside,
        _map,
        _lesson,
        _runs,
        _export,
        _serve,
    ):
        add(commands)
    return top


def _command(commands: Any, name: str, do: Callable[[argparse.Namespace], int], words: str, *examples: str) -> Parser:
    lines = "\n".join(f"  {NAME} {example}" for example in examples)
    epilog = f"{'examples' if examples[1:] else 'example'}:\n{lines}"
    added = commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.", epilog=epilog)
    added.set_defaults(do=do)
    # Without SUPPRESS the command's own default would take back what stood before the command.
    added.add_argument("--home", type=folder, metavar="FOLDER", default=argparse.SUPPRESS, help=HOME)
    return added


def _sources(commands: Any) -> None:
    words = "list the source models"
    listed = _command(commands, "sources", catalogues.list_sources, words, "sources --json", "sources rebuild digits")
    _json(listed)
    words = "train a shipped source model anew and write it with its card"
    actions = listed.add_subparsers(metavar="ACTION")
    added = _command(actions, "rebuild", catalogues.rebuild_source, words, "sources rebuild digits --folder new")
    _word(added, "source", "source model", tuple(making.RECIPES))
    added.add_argument("--data", type=folder, help="folder of the four Fashion-MNIST files; default: keras.datasets")
    added.add_argument("--folder", type=folder, default=sources.FOLDER, help="where to; default: where the app reads")
    _number(added, "epochs", "in place of the recipe's own number", default=False)
    words = "check a .keras file of your own and add it to the source models"
    examples = ("sources add model.keras", "sources add model.keras --classes cat,dog --white 255")
    added = _command(actions, "add", catalogues.add_source, words, *examples)
    added.add_argument("file", type=Path, metavar="FILE", help=f"of Keras 3, up to {MOST_BYTES // 2**20} MB")
    added.add_argument(
        "--classes", type=several(str), default=(), metavar="NAME,NAME", help="what its outputs stand for"
    )
    for flag, default in (("--black", 0), ("--white", 1)):
        words = f"value of a {flag[2:]} pixel in its training, default {default}; without both it is found by trying"
        added.add_argument(flag, type=pixel_value, metavar="N", help=words)
    words = "take an added source model off the list, or with --undo put it back"
    added = _command(actions, "remove", catalogues.remove_source, words, "sources remove upload-0123456789ab")
    _source(added, "source")
    added.add_argument("--undo", action="store_true", help="until the server starts the next time")


def _datasets(commands: Any) -> None:
    _json(_command(commands, "datasets", catalogues.list_datasets, "list the target tasks", "datasets"))


def _describe(commands: Any) -> None:
    words = "show a network's layers, which of them stay frozen, and what that saves"
    examples = ("describe digits --preset all_but_head", "describe digits_0_4 --target mnist")
    added = _command(commands, "describe", catalogues.describe, words, *examples)
    _source(added, "source")
    words = "count the network that trains on this task: its last layer is new"
    _word(added, "--target", "target", tuple(datasets.SOURCES), words=words)
    _frozen(added)
    _json(added)


def _train(commands: Any) -> None:
    words = "fine-tune a source model on a target task, in this process, and tell how it goes"
    examples = ("train --per-class 200 --freeze conv_1,conv_2", "train --scratch --seed 1", "train --recipe article")
    added = _command(commands, "train", local_run.train, words, *examples)
    _training(added)
    added.add_argument(
        "--scratch", action="store_true", help="the control: random weights, nothing frozen, all else equal"
    )
    added.add_argument("--film", action="store_true", help="watch every epoch: drift, forgetting, a map of features")
    _json(added)


def _training(added: Parser) -> None:
    """Add the settings of a fine-tuning."""
    default = FineTuneSpec()
    _task(added, default.source)
    _frozen(added)
    _number(added, "epochs", "how often every training image is seen")
    _number(added, "batch_size", "images per step")
    _word(added, "--optimizer", "optimizer", OPTIMIZERS, default.optimizer)
    _number(added, "learning_rate", "too high diverges, too low crawls")
    _number(added, "seed", "of the images, the new layer and the order")
    _word(added, "--recipe", "recipe", RECIPES, RECIPES[0])
    added.add_argument("--name", default="", help="what the run is called")


def _compare(commands: Any) -> None:
    words = "compare ways to learn one task on the same images, each trained alone: fine-tuning, heads, from scratch"
    examples = ("compare", "compare --per-class 20 --ways fine_tune,random_forest,scratch --seed 1")
    added = _command(commands, "compare", local_run.compare, words, *examples)
    default = ComparisonSpec()
    _training(added)
    _words(added, "--ways", choice("way", comparison.ways()), comparison.ways(), default.ways)
    added.add_argument("--layer", help=f"whose activations the heads learn from; default {default.layer}")
    _json(added)


def _heads(commands: Any) -> None:
    words = "compare classifiers on the activations of one layer, in this process"
    examples = ("heads --heads linear_svm,random_forest --inputs features,pixels --seeds 0,1,2", "heads --list")
    added = _command(commands, "heads", local_run.compare_heads, words, *examples)
    default = HeadSpec()
    _task(added, default.source)
    added.add_argument("--layer", help=f"whose activations are the features; default {default.layer}")
    _words(added, "--heads", choice("head", (*HEADS, "all")), (*HEADS, "all"), default.heads)
    inputs = ("features", "pixels")
    _words(added, "--inputs", choice("input", inputs), inputs, default.inputs)
    added.add_argument(
        "--seeds",
        type=several(number("seed")),
        metavar="N,N",
        help="repetitions with other training images; default " + ",".join(map(str, default.seeds)),
    )
    added.add_argument(
        "--tune", action="store_true", help="choose each head's hyperparameters on the validation images first"
    )
    added.add_argument("--name", default="", help="what the run is called")
    added.add_argument("--list", action="store_true", help="list the heads there are instead")
    _json(added)


def _sweep(commands: Any) -> None:
    words = "measure every combination of a grid: sources, cuts, methods, labels per class, seeds"
    examples = (
        "sweep --methods linear_svm,scratch --per-class 1,5,20 --seeds 0,1,2 --csv cells.csv",
        "sweep --study label_savings --budget 300",
        "sweep --study label_savings --resume last",
    )
    added = _command(commands, "sweep", evidence.sweep, words, *examples)
    default = SweepSpec()
    added.add_argument("--study", type=choice("study", tuple(STUDIES)), help=f"a grid by name: {', '.join(STUDIES)}")
    _words(added, "--sources", source, (*sources.names(), "what sources add made"), default.sources)
    _target(added, default.target)
    _word(added, "--split", "split", SPLITS, default.split)
    cuts = (PIXELS, *sources.info(default.source).cut_names, "or the layers of another source")
    _words(added, "--cuts", str, cuts, default.cuts)
    _words(added, "--methods", choice("method", tuple(methods())), tuple(methods()), default.methods)
    for flag, name, words, usual in (
        ("--per-class", "per_class", "labels of each class", default.per_class),
        ("--seeds", "seed", "repetitions with other images", default.seeds),
    ):
        words += f"; default {','.join(map(str, usual))}"
        added.add_argument(flag, type=several(number(name)), metavar="N,N", help=words)
    low, high, usual = RANGES["test_images"]
    words = f"a fixed draw of the test images, {low:,} to {high:,}, or all there are; default {usual:,}"
    added.add_argument("--n-test", type=all_or("test_images"), metavar="N|all", help=words)
    _number(added, "training_steps", "least gradient steps of a network", dest="n_steps")
    _number(added, "time_budget", "seconds after which it ends with what it has", default=False, flag="--budget")
    words = "take over what a sweep has measured: a run's id, or last for the newest of the same grid"
    added.add_argument("--resume", metavar="ID|last", help=words)
    added.add_argument("--csv", type=Path, metavar="FILE", help="write the experiments there")
    added.add_argument("--record", action="store_true", help="write a study's result where the app ships it")
    added.add_argument("--name", default="", help="what the run is called")
    _json(added)


def _claims(commands: Any) -> None:
    words = "say what is claimed of transfer learning, and what finished experiments make of it"
    added = _command(commands, "claims", evidence.judge, words, "claims", "claims --mine", "claims --example --seed 1")
    added.add_argument("--mine", action="store_true", help="judge by this folder's sweeps, not by the recorded ones")
    words = "run Keras' own example, mnist_transfer_cnn, whole instead; some minutes"
    added.add_argument("--example", action="store_true", help=words)
    _number(added, "seed", "of the example's weights and order")
    added.add_argument("--record", action="store_true", help="write the example's result where the app ships it")
    added.add_argument("--name", default="", help="what the example's run is called")
    _json(added)


def _break_it(commands: Any) -> None:
    words = "make one of five mistakes, and hold the run against its healthy twin"
    added = _command(
        commands, "break-it", evidence.break_one, words, "break-it labels", "break-it wrong_source --seed 3"
    )
    added.add_argument("mistake", type=choice("mistake", tuple(BREAKS)), help=f"one of {', '.join(BREAKS)}")
    _number(added, "seed", "of the images, the new layer and the order")
    added.add_argument("--name", default="", help="what the two runs are called")
    _json(added)


def _predict(commands: Any) -> None:
    words = "say what files show, pictures of digits for example: one JSON line for each"
    examples = ("predict --model digits seven.png photo.jpg", "predict --model 1a2b3c/linear_svm-features seven.png")
    added = _command(commands, "predict", answers.predict, words, *examples, "predict --list")
    added.add_argument(
        "files", type=Path, nargs="*", metavar="FILE", help="PNG, JPEG, HEIC, AVIF, WebP, TIFF, BMP or GIF"
    )
    model = (
        "a source model, a run's id, RUNID/HEAD-INPUT of a comparison, or Home's taught:transfer; default %(default)s"
    )
    added.add_argument("--model", default=answers.MODEL, metavar="NAME", help=model)
    added.add_argument(
        "--no-normalise",
        dest="normalise",
        action="store_false",
        help="scale the whole picture down as it lies, without MNIST's crop and centring",
    )
    added.add_argument("--list", action="store_true", help="list the models there are instead")
    added.add_argument("--json", action="store_true", help="with --list: print JSON (answers always are)")


def _explain(commands: Any) -> None:
    words = "say why a model answers as it does: where it looks, and the nearest training images"
    added = _command(commands, "explain", looking.explain, words, "explain seven.png --model digits")
    added.add_argument("file", type=Path, metavar="FILE", help="as predict takes it")
    added.add_argument(
        "--model", default=answers.MODEL, metavar="NAME", help="as predict takes it; default %(default)s"
    )
    added.add_argument("--no-normalise", dest="normalise", action="store_false", help="as predict takes it")
    words = "write the heat map, the nearest images and every layer's activations there, as NumPy arrays (.npz)"
    added.add_argument("--arrays", type=Path, metavar="FILE", help=words)
    _json(added)


KEPT = "a run's id, or RUNID/HEAD-INPUT of a comparison"


def _look(commands: Any) -> None:
    words = "look closer at every answer of a finished run: classes, mixed-up pairs, calibration, noise, rivals"
    examples = (
        "look 1a2b3c",
        "look 1a2b3c/knn-features --against 1a2b3c/linear_svm-features",
        "look 1a2b3c --against 4d5e6f --repeat",
    )
    added = _command(commands, "look", closer.look, words, *examples)
    added.add_argument("model", metavar="MODEL", help=KEPT)
    words = "say instead which is better, tested image by image or over seeds"
    added.add_argument("--against", type=several(str), metavar="MODEL,MODEL", help=words)
    added.add_argument("--repeat", action="store_true", help="first train each of them with 5 seeds, in this process")
    added.add_argument("--name", default="", help="what the repetitions are called")
    _json(added)


def _inside(commands: Any) -> None:
    words = "open a finished SVM or forest: the sum and the dual problem, or the trees' answers"
    examples = ("inside 1a2b3c/rbf_svm-features --pair 5,6", "inside 1a2b3c/random_forest-features --image 7")
    added = _command(commands, "inside", closer.inside, words, *examples)
    added.add_argument(
        "model", metavar="MODEL", help="RUNID/HEAD-INPUT of a comparison, or its id where it has one head"
    )
    added.add_argument(
        "--pair", type=several(str), metavar="CLASS,CLASS", help="of an SVM; default: the first two classes"
    )
    added.add_argument(
        "--image", type=limit, default=1, metavar="N", help="of the test images on offer; default %(default)s"
    )
    _json(added)


def _map(commands: Any) -> None:
    words = "lay the features of test images on a plane, before and after a fine-tuning"
    added = _command(commands, "map", looking.feature_map, words, "map 1a2b3c --layer dense_1 --csv points.csv")
    added.add_argument("id", metavar="ID", help=ID)
    added.add_argument("--layer", default="dense_1", help="whose features; default %(default)s")
    added.add_argument(
        "--method",
        type=choice("method", maps.METHODS),
        default=maps.METHODS[0],
        help=f"one of {', '.join(maps.METHODS)}",
    )
    added.add_argument("--csv", type=Path, metavar="FILE", help="write the points there")
    _json(added)


def _lesson(commands: Any) -> None:
    words = "show the mathematics of fine-tuning with the numbers of a run, or of the recorded one"
    added = _command(commands, "lesson", looking.teach, words, "lesson", "lesson 1a2b3c")
    added.add_argument("id", nargs="?", metavar="ID", help=ID)
    _json(added)


def _what_if(commands: Any) -> None:
    words = "freeze up to a layer and train what comes after it on 1,000 images, at once"
    added = _command(commands, "what-if", looking.move_boundary, words, "what-if --cut conv_2 --tail dense")
    _source(added, "--source", Move.source)
    _target(added, Move.target)
    added.add_argument("--cut", metavar="LAYER|nothing", help=f"the last frozen layer; default {Move.cut}")
    _word(added, "--tail", "tail", TAILS, Move.tail)
    _number(added, "seed", "of the images and the first weights")
    _number(added, "per_class", "training images of each class; default as many as 1,000 images are", default=False)
    words = "ask for the linear tail at every cut at once; --cut and --tail are then of no account"
    added.add_argument("--every-cut", action="store_true", help=words)
    _json(added)


def _race(commands: Any) -> None:
    words = "train two to four settings on the same images with the same seed, and say which did better"
    examples = ("race --per-class 5", "race --lanes convolutions,all_but_head --epochs 20")
    added = _command(commands, "race", looking.race, words, *examples)
    listed = ", ".join(racing.LANES)
    words = f"of {listed}; default {','.join(looking.DEFAULT_LANES)}"
    added.add_argument("--lanes", type=several(choice("lane", racing.LANES)), metavar="NAME,NAME", help=words)
    _training(added)
    _json(added)


def _runs(commands: Any) -> None:
    examples = ("runs --state done --limit 10", "runs --method linear_svm --sort accuracy", "runs delete 1a2b3c")
    listed = _command(commands, "runs", history.list_runs, "list the runs, or do something with one", *examples)
    _word(listed, "--state", "state", get_args(RunState))
    _word(listed, "--kind", "kind", tuple(JOBS))
    listed.add_argument("--source", metavar="SOURCE", help="the network they started from")
    listed.add_argument("--target", metavar="TARGET", help="the task they learned")
    listed.add_argument("--method", metavar="METHOD", help="fine_tune, scratch, or the name of a head")
    listed.add_argument("--per-class", type=all_or("per_class"), metavar="N|all", help="with so many labels")
    listed.add_argument("--search", metavar="TEXT", help="words of their names, notes and settings")
    _word(listed, "--sort", "order", tuple(SORTS))
    listed.add_argument("--ascending", action="store_true", help="the least, or the oldest, first")
    listed.add_argument("--limit", type=limit, default=50, metavar="N", help="the newest so many; default %(default)s")
    listed.add_argument("--deleted", action="store_true", help="those that can be restored")
    _json(listed)
    actions = listed.add_subparsers(metavar="ACTION")
    for name, do, words in (
        ("show", history.show_run, "show one run: settings, state, result"),
        ("delete", history.delete_run, "take a run off the list, and stop it if it still goes on"),
        ("restore", history.restore_run, "put a deleted run back on the list"),
        ("stop", history.stop_run, "stop a run within one batch; what it learned so far is kept"),
    ):
        added = _command(actions, name, do, words, f"runs {name} 1a2b3c")
        added.add_argument("id", metavar="ID", help=ID)
        if name == "show":
            _json(added)
    for field, words in (("name", "call a run something"), ("note", "write a note about a run")):
        added = _command(actions, field, looking.annotate, words, f"runs {field} 1a2b3c frozen")
        added.add_argument("id", metavar="ID", help=ID)
        added.add_argument("text", metavar="TEXT", help=f"its new {field}; '' takes it away")
        added.set_defaults(field=field)
    words = "bring back what can be read of a damaged list of runs; the damaged file is kept"
    _command(actions, "recover", history.recover_runs, words, "runs recover")


def _export(commands: Any) -> None:
    words = "write what a run left into a folder: its model, heads, curve points and settings"
    added = _command(commands, "export", history.export_run, words, "export 1a2b3c --to results --what model,metrics")
    added.add_argument("id", metavar="ID", help=ID)
    added.add_argument("--to", type=folder, required=True, metavar="FOLDER", help="made when missing")
    _words(added, "--what", choice("part", tuple(EXPORTERS)), tuple(EXPORTERS), ("all there is",))


def _serve(commands: Any) -> None:
    words = "start the dashboard, after a look at what would keep it from starting"
    added = _command(commands, "serve", launch.serve_command, words, "serve --port 8600")
    added.add_argument("--host", help=f"default: HOST of the environment, else {launch.HOST}")
    added.add_argument("--port", help=f"default: PORT of the environment, else {launch.PORT}")


# -- flags that several commands have ------------------------------------------------------------------------------

ID = "a run's id, or its first 6 characters or more"


def _task(added: Parser, source_name: str) -> None:
    data = DataSpec()
    _source(added, "--source", source_name)
    _target(added, data.target)
    _word(added, "--split", "split", SPLITS, data.split)
    low, high, default = RANGES["per_class"]
    words = f"training images of each class, {low:,} to {high:,}, or all there are; default {default:,}"
    added.add_argument("--per-class", type=all_or("per_class"), metavar="N|all", help=words)


def _target(added: Parser, default: str) -> None:
    _word(added, "--target", "target", tuple(entry.name for entry in datasets.catalogue()), default)


def _source(added: Parser, flag: str, default: str | None = None) -> None:
    words = f"one of {', '.join(sources.names())}, or what sources add made"
    words += f"; default {default}" if default else ""
    added.add_argument(flag, type=source, metavar="SOURCE", help=words)


def _frozen(added: Parser) -> None:
    default = ",".join(FineTuneSpec().phases[0].frozen)
    group = added.add_mutually_exclusive_group()
    words = f"the layers that stay as they are; default {default}"
    group.add_argument("--freeze", type=several(str), metavar="LAYER,LAYER", help=words)
    _word(group, "--preset", "preset", PRESETS)


def _number(added: Parser, name: str, words: str, default: bool = True, flag: str = "", dest: str = "") -> None:
    low, high, usual = RANGES[name]
    words += f"; {low:,} to {high:,}" + (f", default {usual:,}" if default else "")
    flag = flag or f"--{name.replace('_', '-')}"
    dest = dest or flag.strip("-").replace("-", "_")
    added.add_argument(flag, dest=dest, type=number(name), metavar="N", help=words)


def _word(
    added: Any, flag: str, what: str, choices: Sequence[str], default: str | None = None, words: str = ""
) -> None:
    listed = f"one of {', '.join(choices)}" + (f"; default {default}" if default else "")
    added.add_argument(
        flag, type=choice(what, choices), metavar=flag.strip("-").upper(), help="; ".join(filter(None, (words, listed)))
    )


def _words(
    added: Parser, flag: str, read: Callable[[str], str], choices: Sequence[str], default: Sequence[str]
) -> None:
    words = f"of {', '.join(choices)}; default {','.join(default)}"
    added.add_argument(flag, type=several(read), metavar="NAME,NAME", help=words)


def _json(added: Parser) -> None:
    added.add_argument("--json", action="store_true", help="print JSON")
