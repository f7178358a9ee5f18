"""The commands that list what there is and describe a network before anything runs."""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tlcore import datasets, prediction, sources
from tlcore.errors import SpecError
from tlcore.features.freezing import Cost, Freezing, fitting, presets
from tlcore.heads import CURVES, HEADS, LOSSES, Head
from tlcore.prediction import as_source, own_heads
from tlcore.sentences import Sentence, in_english, percent
from tlcore.sources import making, uploads
from tlcore.sources.foreign.archive import MOST_BYTES
from tlcore.spec import FineTuneSpec, LayerInfo
from tlcore.store import Store
from tlcore.translation import _, shown

from . import console, history
from .console import share, table


def list_sources(options: Namespace) -> int:
    cards = (*sources.catalogue(), *sources.uploaded())
    absent = sources.absent()
    rows = [
        [
            card.name,
            card.title,
            share(card.accuracy),
            card.n_weights,
            card.dataset,
            _("no") if card.name in absent else "",
        ]
        for card in cards
    ]
    text = table([_("name"), _("title"), _("accuracy"), _("weights"), _("trained on"), _("here")], rows)
    if absent:
        text += "\n" + _("Not here: sources fetch NAME brings its weights, once.")
    missing = {name: str(reason) for name, reason in absent.items()}
    return console.show(options, [asdict(card) | {"missing": missing.get(card.name, "")} for card in cards], text)


def fetch_source(options: Namespace) -> int:
    with console.quiet():
        path = sources.fetch(options.source)
    console.say(f"{options.source}: {path}")
    return console.OK


def rebuild_source(options: Namespace) -> int:
    with console.quiet():
        making.rebuild(options.source, options.folder, options.data, options.epochs)
    return console.OK


def add_head(options: Namespace) -> int:
    content = read_file(options.add, own_heads.MOST_BYTES, ".skops")
    offered = (*sources.catalogue(), *sources.uploaded())
    with console.quiet():
        card = own_heads.add(content, options.add.name, offered)
    (info,) = prediction.of_own([card])
    console.say(
        _("{name}: {title}; classes {names}").format(
            name=card.name, title=shown(info.title), names=" ".join(info.class_names)
        )
    )
    return console.OK


def remove_head(options: Namespace) -> int:
    own_heads.remove(options.remove)
    return console.OK


def read_file(path: Path, most: int, kind: str) -> bytes:
    """Return a file's first ``most`` bytes and one more; a SpecError where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or Sentence("no file has such a name")
        raise SpecError(
            "{file} cannot be read ({reason}). Name a {kind} file.", file=path, reason=reason, kind=kind
        ) from error


def add_source(options: Namespace) -> int:
    content = read_file(options.file, MOST_BYTES, ".keras")
    with console.quiet():
        card = uploads.add(content, options.file.name, options.classes, pixels=_pixels(options))
    console.say(
        _("{name}: {title}, {n:,} weights, {k} classes").format(
            name=card.name, title=card.title, n=card.n_weights, k=len(card.class_names)
        )
    )
    console.say("\n".join(uploads.findings(card, _)))
    return console.OK


def keep_source(options: Namespace) -> int:
    """Make the network of a run a source."""
    store = Store(options.home)
    card = as_source.keep(history.find_run(store, options.id), options.home, options.title)
    chain = " → ".join(each.title for each in sources.lineage(card.name))
    console.say(
        _("{name}: {title}; classes {names}").format(name=card.name, title=chain, names=" ".join(card.class_names))
    )
    return console.OK


def trained_source(home: Path, run_id: str) -> str:
    """Return the name of the source that a run's network is, and make it one where it is none yet."""
    run = history.find_run(Store(home), run_id)
    name = as_source.name_of(run)
    there = [card.name for card in sources.uploaded()]
    return name if name in there else as_source.keep(run, home).name


def _pixels(options: Namespace) -> tuple[float, float] | None:
    """Return the values of --black and --white; None where none was given."""
    if options.black is None and options.white is None:
        return None
    black = 0.0 if options.black is None else options.black
    white = 1.0 if options.white is None else options.white
    if black == white:
        raise SpecError("Black and white are both {value:g}. Give them different values.", value=black)
    return black, white


def remove_source(options: Namespace) -> int:
    uploads.remove(options.source, removed=not options.undo)
    return console.OK


def list_datasets(options: Namespace) -> int:
    sets = datasets.offered()
    rows = [[one.name, one.title, len(one.class_names), one.n_train, one.n_test, _where(one)] for one in sets]
    text = table([_("name"), _("title"), _("classes"), _("train"), _("test"), _("where")], rows)
    return console.show(options, [{**asdict(one), "n_train": one.n_train} for one in sets], text)


def _where(info: datasets.DatasetInfo) -> str:
    if datasets.own_sets.is_own(info.name):
        return _("own pictures")
    return _("shipped") if info.offline else info.note


def list_heads(options: Namespace) -> int:
    rows = [[card.name, shown(card.title), _settings(card), shown(card.note)] for card in HEADS.values()]
    cards = [
        {
            "name": head.name,
            "title": head.title,
            "curve": CURVES[head.curve],
            "loss": LOSSES[head.loss],
            "scales": head.scales,
            "scaling": head.scaling,
            "note": head.note,
            "knobs": [
                {"name": knob.name, "default": knob.default, "range": knob.range, "help": knob.help}
                for knob in head.knobs
            ],
        }
        for head in HEADS.values()
    ]
    text = table([_("name"), _("title"), _("by hand (--set NAME.SETTING=VALUE)"), _("what it is")], rows)
    return console.show(options, in_english(cards), text)


def _settings(head: Head) -> str:
    """Return what can be set of a head, with its default: "C=1, pca=off"."""
    return ", ".join(f"{knob.name}={knob.words(knob.default)}" for knob in head.knobs)


def describe(options: Namespace) -> int:
    """Show a network's layers, which of them stay frozen, and what that saves."""
    card = sources.info(options.source)
    layers = card.layers
    if options.target is not None:
        layers = card.layers_for(len(datasets.info(options.target).class_names))
    frozen = Freezing(layers, frozen_layers(options, card.name), card.name)
    cost = frozen.cost
    rows = [
        [
            layer.index,
            layer.name,
            layer.type,
            console.shape(layer.output_shape),
            layer.n_weights,
            share(layer.n_weights / cost.n_weights),
            shown(state_of(layer, frozen.names)),
        ]
        for layer in layers
    ]
    heads = ["#", _("layer"), _("type"), _("output"), _("weights"), _("share"), _("state")]
    told = [{**asdict(layer), "state": str(state_of(layer, frozen.names))} for layer in layers]
    values = {"source": card.name, "layers": told, **asdict(cost)}
    lines = [table(heads, rows), cost_words(cost), *uploads.findings(card, _)]
    return console.show(options, values, "\n".join(lines))


def state_of(layer: LayerInfo, frozen: Sequence[str]) -> Sentence:
    if not layer.can_freeze:
        return Sentence("nothing to freeze")
    if layer.name not in frozen:
        return Sentence("trainable")
    if layer.type == "BatchNormalization":
        return Sentence("frozen (runs in inference mode)")
    return Sentence("frozen")


def cost_words(cost: Cost) -> str:
    """Return the sums, and what the choice saves.

    Examples
    --------
    >>> print(cost_words(Cost(1000, 250, 0.5)))
    1,000 weights in all: 250 train and 750 are frozen.
    250 of 1,000 weights will train (25.0 %): each step needs about 50 % less compute than training everything.
    """
    n, total = cost.n_trainable, cost.n_weights
    sums = _("{total:,} weights in all: {trainable:,} train and {frozen:,} are frozen.")
    if not n:
        words = _("Every layer with weights is frozen, so nothing would train. Unfreeze at least one layer.")
    elif cost.share < 1:
        words = _(
            "{trainable:,} of {total:,} weights will train ({share}): each step needs about {saved} less compute than "
            "training everything."
        )
    else:
        words = _("{trainable:,} of {total:,} weights will train ({share}).")
    values = {"share": percent(n / total), "saved": percent(1 - cost.share, 0)}
    return f"{sums}\n{words}".format(total=total, trainable=n, frozen=total - n, **values)


def frozen_layers(options: Namespace, source: str) -> tuple[str, ...]:
    """Return the layers of --freeze, of --preset, or those that a fine-tuning of ``source`` freezes by default."""
    layers = sources.info(source).layers
    if options.preset is not None:
        return presets(layers)[options.preset]
    if options.freeze is None:
        return fitting(layers, FineTuneSpec().phases[0].frozen)
    return options.freeze
