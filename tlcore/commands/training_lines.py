"""The command lines of what trains: one network, ways beside each other, heads, grids, mistakes, races."""

from pathlib import Path
from typing import Any

from tlcore import sources
from tlcore.evidence import STUDIES, methods
from tlcore.heads import HEADS
from tlcore.recipes import comparison, thawing
from tlcore.recipes import race as racing
from tlcore.recipes.break_it import BREAKS
from tlcore.spec import (
    CLASS_WEIGHTS,
    OPTIMIZERS,
    PIXELS,
    RANGES,
    SCHEDULES,
    SPLITS,
    ComparisonSpec,
    FineTuneSpec,
    HeadSpec,
    Phase,
    SweepSpec,
)
from tlcore.translation import _

from . import evidence, local_run, looking
from .flags import Parser, all_or, by_hand, choice, number, several, source
from .options import add_command, add_frozen, add_json, add_number, add_target, add_task, add_word, add_words

RECIPES = ("one-phase", "two-phase", "gradual", "article")


def train(commands: Any) -> None:
    words = _("fine-tune a source model on a target task, in this process, and tell how it goes")
    examples = ("train --per-class 200 --freeze conv_1,conv_2", "train --scratch --seed 1", "train --recipe article")
    added = add_command(commands, "train", local_run.train, words, *examples)
    add_training(added)
    added.add_argument(
        "--scratch", action="store_true", help=_("the control: random weights, nothing frozen, all else equal")
    )
    added.add_argument("--film", action="store_true", help=_("watch every epoch: drift, forgetting, a map of features"))
    add_json(added)


def add_training(added: Parser) -> None:
    """Add the settings of a fine-tuning."""
    default = FineTuneSpec()
    add_task(added, default.source)
    add_frozen(added)
    add_number(added, "epochs", _("how often every training image is seen"))
    add_number(added, "batch_size", _("images per step"))
    add_word(added, "--optimizer", "optimizer", OPTIMIZERS, default.optimizer)
    add_number(added, "learning_rate", _("too high diverges, too low crawls"))
    add_number(added, "seed", _("of the images, the new layer and the order"))
    add_word(added, "--recipe", "recipe", RECIPES, RECIPES[0])
    _advanced(added)
    added.add_argument("--name", default="", help=_("what the run is called"))


def find_rate(commands: Any) -> None:
    words = _("try rising learning rates for a few steps, and name the one at which the loss falls fastest")
    added = add_command(commands, "find-rate", looking.find_rate, words, "find-rate --per-class 20 --freeze conv_1")
    add_training(added)
    add_json(added)


def _advanced(added: Parser) -> None:
    """Add what few need: when layers thaw, how the rate moves, when to end by itself."""
    words = _("after which epoch the layers up to which one are frozen: 0:conv_2,10:conv_1,20:nothing")
    added.add_argument("--thaw", type=thawing.read, metavar="EPOCH:LAYER,...", help=words)
    words = _("train on copies that are slightly shifted, turned and zoomed, others in every epoch")
    added.add_argument("--augment", action="store_true", default=None, help=words)
    add_class_weight(added)
    words = _("with --recipe gradual: the head first, then one more block each so many epochs")
    add_number(added, "thaw_every", words)
    add_word(added, "--schedule", "schedule", SCHEDULES, Phase.schedule, _("of the learning rate over a phase's steps"))
    add_number(added, "rate_factor", _("each block learns at so many times the rate of the block after it"))
    add_number(
        added, "patience", _("end after so many epochs without a lower validation loss, keep the best; 0: never")
    )


def add_class_weight(added: Parser) -> None:
    words = _(
        "each class counts alike in the loss, however few images it has; a head whose classifier has no class weights "
        "learns without"
    )
    add_word(added, "--class-weight", "class weight", CLASS_WEIGHTS, words=words)


def compare(commands: Any) -> None:
    words = _("compare ways to learn one task on the same images, each trained alone: fine-tuning, heads, from scratch")
    examples = ("compare", "compare --per-class 20 --ways fine_tune,random_forest,scratch --seed 1")
    added = add_command(commands, "compare", local_run.compare, words, *examples)
    default = ComparisonSpec()
    add_training(added)
    add_words(added, "--ways", choice("way", comparison.ways()), comparison.ways(), default.ways)
    added.add_argument(
        "--layer", help=_("whose activations the heads learn from; default {layer}").format(layer=default.layer)
    )
    added.add_argument("--record", action="store_true", help=_("record it as what Train shows first"))
    add_json(added)


def heads(commands: Any) -> None:
    words = _("compare classifiers on the activations of one layer, in this process")
    examples = ("heads --heads linear_svm,random_forest --inputs features,pixels --seeds 0,1,2", "heads --list")
    examples += ("heads --set linear_svm.C=0.1,random_forest.trees=50",)
    added = add_command(commands, "heads", local_run.compare_heads, words, *examples)
    default = HeadSpec()
    add_task(added, default.source)
    added.add_argument(
        "--layer", help=_("whose activations are the features; default {layer}").format(layer=default.layer)
    )
    add_words(added, "--heads", choice("head", (*HEADS, "all")), (*HEADS, "all"), default.heads)
    inputs = ("features", "pixels")
    add_words(added, "--inputs", choice("input", inputs), inputs, default.inputs)
    added.add_argument(
        "--seeds",
        type=several(number("seed")),
        metavar="N,N",
        help=_("repetitions with other training images; default {default}").format(
            default=",".join(map(str, default.seeds))
        ),
    )
    added.add_argument(
        "--tune", action="store_true", help=_("choose each head's hyperparameters on the validation images first")
    )
    add_class_weight(added)
    words = _("hyperparameters by hand, as in linear_svm.C=0.1,random_forest.depth=8; --list tells which there are")
    added.add_argument("--set", type=several(by_hand), metavar="HEAD.NAME=VALUE,...", help=words)
    added.add_argument("--name", default="", help=_("what the run is called"))
    added.add_argument("--record", action="store_true", help=_("record it as what Compare heads shows first"))
    added.add_argument("--list", action="store_true", help=_("list the available heads instead"))
    words = _("add a head that was downloaded here or elsewhere (.skops) to the models that answer, instead")
    added.add_argument("--add", type=Path, metavar="FILE", help=words)
    added.add_argument("--remove", metavar="NAME", help=_("take an added head off the list instead"))
    add_json(added)


def sweep(commands: Any) -> None:
    words = _("measure every combination of a grid: sources, cuts, methods, labels per class, seeds")
    examples = (
        "sweep --methods linear_svm,scratch --per-class 1,5,20 --seeds 0,1,2 --csv cells.csv",
        "sweep --study label_savings --budget 300",
        "sweep --study label_savings --resume last",
    )
    added = add_command(commands, "sweep", evidence.sweep, words, *examples)
    default = SweepSpec()
    added.add_argument(
        "--study",
        type=choice("study", tuple(STUDIES)),
        help=_("a grid by name: {names}").format(names=", ".join(STUDIES)),
    )
    add_words(added, "--sources", source, (*sources.names(), _("what sources add made")), default.sources)
    add_target(added, default.target)
    add_word(added, "--split", "split", SPLITS, default.split)
    cuts = (PIXELS, *sources.info(default.source).cut_names, _("or the layers of another source"))
    add_words(added, "--cuts", str, cuts, default.cuts)
    add_words(added, "--methods", choice("method", tuple(methods())), tuple(methods()), default.methods)
    for flag, name, words, usual in (
        ("--per-class", "per_class", _("labels of each class"), default.per_class),
        ("--seeds", "seed", _("repetitions with other images"), default.seeds),
    ):
        words += _("; default {default}").format(default=",".join(map(str, usual)))
        added.add_argument(flag, type=several(number(name)), metavar="N,N", help=words)
    low, high, usual = RANGES["test_images"]
    words = _("a fixed draw of the test images, {low:,} to {high:,}, or all there are; default {usual:,}").format(
        low=low, high=high, usual=usual
    )
    added.add_argument("--n-test", type=all_or("test_images"), metavar="N|all", help=words)
    add_number(added, "training_steps", _("least gradient steps of a network"), dest="n_steps")
    add_number(added, "time_budget", _("seconds after which it ends with what it has"), default=False, flag="--budget")
    words = _("take over what a sweep has measured: a run's id, or last for the newest of the same grid")
    added.add_argument("--resume", metavar="ID|last", help=words)
    added.add_argument("--csv", type=Path, metavar="FILE", help=_("write the experiments there"))
    added.add_argument("--record", action="store_true", help=_("write a study's result where the app ships it"))
    added.add_argument("--name", default="", help=_("what the run is called"))
    add_json(added)


def claims(commands: Any) -> None:
    words = _("say what is claimed of transfer learning, and what finished experiments make of it")
    added = add_command(
        commands, "claims", evidence.judge, words, "claims", "claims --mine", "claims --example --seed 1"
    )
    added.add_argument("--mine", action="store_true", help=_("judge by this folder's sweeps, not by the recorded ones"))
    words = _("run Keras' own example, mnist_transfer_cnn, whole instead; some minutes")
    added.add_argument("--example", action="store_true", help=words)
    add_number(added, "seed", _("of the example's weights and order"))
    added.add_argument("--record", action="store_true", help=_("write the example's result where the app ships it"))
    added.add_argument("--name", default="", help=_("what the example's run is called"))
    add_json(added)


def break_it(commands: Any) -> None:
    words = _("make one of six mistakes, and hold the run against its healthy twin")
    added = add_command(
        commands, "break-it", evidence.break_one, words, "break-it labels", "break-it wrong_source --seed 3"
    )
    added.add_argument(
        "mistake", type=choice("mistake", tuple(BREAKS)), help=_("one of {names}").format(names=", ".join(BREAKS))
    )
    add_number(added, "seed", _("of the images, the new layer and the order"))
    added.add_argument("--name", default="", help=_("what the two runs are called"))
    add_json(added)


def race(commands: Any) -> None:
    words = _("train two to four settings on the same images with the same seed, and say which did better")
    examples = ("race --per-class 5", "race --lanes convolutions,all_but_head --epochs 20")
    added = add_command(commands, "race", looking.race, words, *examples)
    listed = ", ".join(racing.LANES)
    words = _("of {names}; default {default}").format(names=listed, default=",".join(looking.DEFAULT_LANES))
    added.add_argument("--lanes", type=several(choice("lane", racing.LANES)), metavar="NAME,NAME", help=words)
    added.add_argument("--record", action="store_true", help=_("record it as what Race shows first"))
    add_training(added)
    add_json(added)
