"""The command lines of what answers, and of what looks closer at an answer or a run."""

from pathlib import Path
from typing import Any

from tlcore.exports.portable import taught
from tlcore.inspection import maps
from tlcore.sentences import Sentence
from tlcore.teaching import KINDS
from tlcore.translation import _, shown

from . import answers, closer, looking, new_data, teaching
from .flags import choice, limit, several
from .options import ID, add_command, add_json, add_target

KEPT = Sentence("a run's id, or RUNID/HEAD-INPUT of a comparison")


def predict(commands: Any) -> None:
    words = _("say what files show, pictures of digits for example: one JSON line for each")
    examples = (
        "predict --model digits seven.png photo.jpg",
        "predict --model 1a2b3c/linear_svm-features seven.png",
        "predict --model 1a2b3c pictures.zip --csv answers.csv",
    )
    added = add_command(commands, "predict", answers.predict, words, *examples, "predict --list")
    words = _("PNG, JPEG, HEIC, AVIF, WebP, TIFF, BMP or GIF; or a folder or a ZIP of pictures")
    added.add_argument("files", type=Path, nargs="*", metavar="FILE", help=words)
    words = _("write a row for each picture there: its answer, how sure, the second guess, every class")
    added.add_argument("--csv", type=Path, metavar="FILE", help=words)
    model = _(
        "a source model, a run's id, RUNID/HEAD-INPUT of a comparison, or Home's taught:transfer; default %(default)s"
    )
    added.add_argument("--model", default=answers.MODEL, metavar="NAME", help=model)
    added.add_argument(
        "--no-normalise",
        dest="normalise",
        action="store_false",
        help=_("scale the whole picture down as it lies, without MNIST's crop and centring"),
    )
    added.add_argument("--list", action="store_true", help=_("list the available models instead"))
    added.add_argument("--json", action="store_true", help=_("with --list: print JSON (answers always are)"))


def evaluate(commands: Any) -> None:
    words = _("test a finished run, a head or a source model on another set with the same classes")
    examples = ("evaluate 1a2b3c --target pets", "evaluate 1a2b3c/linear_svm-features --target pets --all")
    added = add_command(commands, "evaluate", new_data.evaluate, words, *examples)
    added.add_argument("model", metavar="MODEL", help=_("{kept}, or a source model").format(kept=shown(KEPT)))
    add_target(added, words=_("the set"), required=True)
    words = _("its training images too; images that the model learned from are always left out")
    added.add_argument("--all", action="store_true", help=words)
    added.add_argument("--name", default="", help=_("what the test's run is called"))
    add_json(added)


def teach(commands: Any) -> None:
    words = _("learn classes of your own from a few pictures each: a folder that holds a folder for each class")
    examples = ("teach mugs --ask new.jpg", "teach mugs --to files --what html,tflite", "teach symbols --kind image")
    added = add_command(commands, "teach", teaching.teach, words, *examples)
    added.add_argument("folder", type=Path, metavar="FOLDER", help=_("its folders' names are the classes"))
    words = _("photo: photographs on MobileNetV2; image: drawings on the digit network; default %(default)s")
    added.add_argument("--kind", type=choice("kind", tuple(KINDS)), default="photo", metavar="KIND", help=words)
    added.add_argument("--ask", type=Path, nargs="+", default=(), metavar="FILE", help=_("then say what these show"))
    words = _("write what it learned there, as files that run without this program")
    added.add_argument("--to", type=Path, metavar="FOLDER", help=words)
    words = _("which files; default all of {names}").format(names=", ".join(taught.FORMS))
    added.add_argument(
        "--what", type=several(choice("part", tuple(taught.FORMS))), default=tuple(taught.FORMS), metavar="NAME,NAME",
        help=words,
    )  # fmt: skip
    add_json(added)


def explain(commands: Any) -> None:
    words = _("say why a model answers as it does: where it looks, and the nearest training images")
    added = add_command(commands, "explain", looking.explain, words, "explain seven.png --model digits")
    added.add_argument("file", type=Path, metavar="FILE", help=_("as predict takes it"))
    added.add_argument(
        "--model", default=answers.MODEL, metavar="NAME", help=_("as predict takes it; default %(default)s")
    )
    added.add_argument("--no-normalise", dest="normalise", action="store_false", help=_("as predict takes it"))
    words = _("write the heat map, the nearest images and every layer's activations there, as NumPy arrays (.npz)")
    added.add_argument("--arrays", type=Path, metavar="FILE", help=words)
    add_json(added)


def look(commands: Any) -> None:
    words = _("look closer at every answer of a finished run: classes, mixed-up pairs, calibration, noise, rivals")
    examples = (
        "look 1a2b3c",
        "look 1a2b3c/knn-features --against 1a2b3c/linear_svm-features",
        "look 1a2b3c --against 4d5e6f --repeat",
    )
    added = add_command(commands, "look", closer.look, words, *examples)
    added.add_argument("model", metavar="MODEL", help=shown(KEPT))
    words = _("say instead which is better, tested image by image or over seeds")
    added.add_argument("--against", type=several(str), metavar="MODEL,MODEL", help=words)
    words = _("write the points of the ROC and precision-recall curves of every class there, as CSV")
    added.add_argument("--curves", type=Path, metavar="FILE", help=words)
    added.add_argument(
        "--repeat", action="store_true", help=_("first train each of them with 5 seeds, in this process")
    )
    added.add_argument("--name", default="", help=_("what the repetitions are called"))
    add_json(added)


def inside(commands: Any) -> None:
    words = _("open a finished SVM or forest: the sum and the dual problem, or the trees' answers")
    examples = ("inside 1a2b3c/rbf_svm-features --pair 5,6", "inside 1a2b3c/random_forest-features --image 7")
    added = add_command(commands, "inside", closer.inside, words, *examples)
    added.add_argument(
        "model", metavar="MODEL", help=_("RUNID/HEAD-INPUT of a comparison, or its id where it has one head")
    )
    added.add_argument(
        "--pair", type=several(str), metavar="CLASS,CLASS", help=_("of an SVM; default: the first two classes")
    )
    added.add_argument(
        "--image", type=limit, default=1, metavar="N", help=_("of the test images on offer; default %(default)s")
    )
    add_json(added)


def map(commands: Any) -> None:
    words = _("lay the features of test images on a plane, before and after a fine-tuning")
    added = add_command(commands, "map", looking.feature_map, words, "map 1a2b3c --layer dense_1 --csv points.csv")
    added.add_argument("id", metavar="ID", help=shown(ID))
    added.add_argument("--layer", default="dense_1", help=_("whose features; default %(default)s"))
    added.add_argument(
        "--method",
        type=choice("method", maps.METHODS),
        default=maps.METHODS[0],
        help=_("one of {names}").format(names=", ".join(maps.METHODS)),
    )
    added.add_argument("--csv", type=Path, metavar="FILE", help=_("write the points there"))
    add_json(added)


def lesson(commands: Any) -> None:
    words = _("show the mathematics of fine-tuning with the numbers of a run, or of the recorded one")
    added = add_command(commands, "lesson", looking.teach, words, "lesson", "lesson 1a2b3c")
    added.add_argument("id", nargs="?", metavar="ID", help=shown(ID))
    add_json(added)
