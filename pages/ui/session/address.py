"""The draft in the address: a reload and Back keep it, and a copied link opens the same settings in another browser.

A setting that differs from its default is a parameter of its own. Data never is one: only names and numbers.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, get_args

from tlcore import datasets, heads, sources
from tlcore.errors import LabError
from tlcore.features import freezing
from tlcore.heads import HEADS
from tlcore.recipes import comparison, thawing
from tlcore.spec import OPTIMIZERS, SCHEDULES, SPLITS, ByHand, Input, SourceInfo, check_number

NOTHING = "-"  # in place of an empty list: an empty parameter is no parameter
ALL = "all"
RECIPES = ("default", "two_phase", "gradual", "own", "article")
WAYS = ("draw", "sample", "upload", "grid", "camera")  # of giving an image
DOORS = ("draw", "hand")  # of Home
UNITS = ("epoch", "step", "seconds", "own")  # of a chart's x axis
MOST_THAWS = 8  # steps of a schedule
MOST_LISTED = 6  # frozen layers that stand in an address one by one, where they are a preset
LONGEST = 2000  # characters of a parameter that is read
Choices = Mapping[str, Any]


@dataclass(frozen=True)
class Setting:
    """One parameter of the address.

    Attributes
    ----------
    name : of the parameter
    keys : of the choices it stands for
    read : (text, what was chosen so far) -> choices; raises ValueError or a LabError for what is none
    write : choices -> text
    """

    name: str
    keys: tuple[str, ...]
    read: Callable[[str, Choices], Choices]
    write: Callable[[Choices], str]


def one(name: str, key: str, options: Callable[[Choices], Iterable[str]]) -> Setting:
    """A choice of one name."""
    return Setting(
        name, (key,), lambda text, known: {key: _among([text], options(known))[0]}, lambda chosen: chosen[key]
    )


def several(name: str, key: str, options: Callable[[Choices], Iterable[str]]) -> Setting:
    """A choice of any number of names."""

    def read(text: str, known: Choices) -> Choices:
        return {key: () if text == NOTHING else _among(text.split(","), options(known))}

    return Setting(name, (key,), read, lambda chosen: ",".join(chosen[key]) or NOTHING)


def within(name: str, key: str) -> Setting:
    """A number within the range of its key."""

    def read(text: str, known: Choices) -> Choices:
        return {key: check_number(key, _number(text))}

    return Setting(name, (key,), read, lambda chosen: f"{chosen[key]:.10g}")


def switch(name: str, key: str, off: str, on: str) -> Setting:
    """A choice of two, one of which is False."""

    def read(text: str, known: Choices) -> Choices:
        return {key: _among([text], (off, on))[0] == on}

    return Setting(name, (key,), read, lambda chosen: on if chosen[key] else off)


def _among(names: list[str], options: Iterable[str]) -> tuple[str, ...]:
    allowed = set(options)
    if not set(names) <= allowed or len(set(names)) < len(names):
        raise ValueError
    return tuple(names)


def _number(text: str) -> int | float:
    if re.fullmatch(r"[0-9]{1,10}", text):
        return int(text)
    if not re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,10})?(e-?[0-9]{1,2})?", text) or not math.isfinite(float(text)):
        raise ValueError
    return float(text)


def _labels(text: str, known: Choices) -> Choices:
    if text == ALL:
        return {"all_images": True}
    return {"per_class": check_number("per_class", _number(text)), "all_images": False}


def _seeds(text: str, known: Choices) -> Choices:
    if _number(text) not in range(1, 11):
        raise ValueError
    return {"n_seeds": int(text)}


def _smooth(text: str, known: Choices) -> Choices:
    if not 0 <= (share := float(_number(text))) <= 0.99:
        raise ValueError
    return {"chart_smooth": round(share, 2)}


def _handful(text: str, known: Choices) -> Choices:
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise ValueError
    return {"handful": int(text)}


def _hidden(text: str, known: Choices) -> Choices:
    names = tuple(text.split("|"))
    if len(names) > 20 or not all(0 < len(name) <= 100 for name in names):
        raise ValueError
    return {"chart_hidden": names}


def _thaws(text: str, known: Choices) -> Choices:
    thaws = [(thaw.after, thaw.cut) for thaw in thawing.read(text)]
    epochs = [after for after, _cut in thaws]
    if not 0 < len(thaws) <= MOST_THAWS or epochs[0] != 0 or max(epochs) > 99:
        raise ValueError
    _among([*{cut for _after, cut in thaws}], ["", *_source(known).layer_names])
    return {"thaws": tuple(thaws)}


def _by_hand(text: str, known: Choices) -> Choices:
    """Read what is set of heads by hand, as ``--set`` of the command line takes it."""
    settings = []
    for word in text.split(","):
        name, _equals, value = word.partition("=")
        head, _dot, knob = name.partition(".")
        knobs = {each.name: each for each in heads.info(head).knobs}
        settings.append(ByHand(head, _among([knob], knobs)[0], knobs[knob].read(value)))
    if len({(each.head, each.name) for each in settings}) < len(settings):
        raise ValueError
    return {"by_hand": heads.not_default(settings)}


def _by_hand_text(chosen: Choices) -> str:
    def text(value: float | str | None) -> str:
        return "none" if value is None else value if isinstance(value, str) else f"{value:.10g}"

    return ",".join(f"{each.head}.{each.name}={text(each.value)}" for each in chosen["by_hand"])


def _frozen(text: str, known: Choices) -> Choices:
    """Read layers, blocks of layers, or the name of a preset."""
    layers = _source(known).layers
    names, presets = {layer.name for layer in layers}, freezing.presets(layers)
    if text in presets and text not in names:
        return {"frozen": presets[text]}
    words = [] if text == NOTHING else text.split(",")
    members = {word: [layer.name for layer in layers if layer.block == word and layer.can_freeze] for word in words}
    listed = [name for word in words for name in ([word] if word in names else members[word] or [word])]
    return {"frozen": _among(listed, names)}


def _frozen_text(chosen: Choices) -> str:
    """Write the frozen layers: of a network of many blocks a preset's name, or whole blocks by theirs."""
    frozen = tuple(chosen["frozen"])
    try:
        layers = _source(chosen).layers
    except LabError:  # removed for good
        return ",".join(frozen) or NOTHING
    names, blocks = {layer.name for layer in layers}, {layer.block for layer in layers} - {""}
    if len(frozen) > MOST_LISTED:
        presets = freezing.presets(layers)
        if preset := next((name for name, choice in presets.items() if set(choice) == set(frozen)), ""):
            return preset
    for block in sorted(blocks - names):
        members = [layer.name for layer in layers if layer.block == block and layer.can_freeze]
        if len(members) > 1 and set(members) <= set(frozen):
            frozen = tuple(block if name == members[0] else name for name in frozen if name not in members[1:])
    return ",".join(frozen) or NOTHING


def _source(known: Choices) -> SourceInfo:
    return sources.info(known["source"])


# In this order: which layers there are depends on the source. An extension of the page adds its settings here.
SETTINGS: list[Setting] = [
    one("source", "source", lambda known: known["sources"]),
    one("target", "target", lambda known: known.get("targets", datasets.SOURCES)),
    one("split", "split", lambda known: SPLITS),
    Setting(
        "labels",
        ("per_class", "all_images"),
        _labels,
        lambda chosen: ALL if chosen["all_images"] else str(chosen["per_class"]),
    ),
    within("noise", "label_noise"),
    within("imbalance", "imbalance"),
    within("seed", "seed"),
    Setting("frozen", ("frozen",), _frozen, _frozen_text),
    one("recipe", "recipe", lambda known: RECIPES),
    within("epochs", "epochs"),
    within("batch", "batch_size"),
    one("optimizer", "optimizer", lambda known: OPTIMIZERS),
    within("rate", "learning_rate"),
    one("schedule", "schedule", lambda known: SCHEDULES),
    within("factor", "rate_factor"),
    within("patience", "patience"),
    switch("augment", "augment", "no", "yes"),
    switch("weights", "class_weight", "none", "balanced"),
    within("thaw_every", "thaw_every"),
    Setting(
        "thaw", ("thaws",), _thaws, lambda chosen: ",".join(f"{n}:{cut or 'nothing'}" for n, cut in chosen["thaws"])
    ),
    switch("film", "film", "no", "yes"),
    one("layer", "layer", lambda known: [layer.name for layer in _source(known).layers if layer.cut]),
    several("heads", "heads", lambda known: HEADS),
    several("inputs", "inputs", lambda known: get_args(Input)),
    Setting("seeds", ("n_seeds",), _seeds, lambda chosen: str(chosen["n_seeds"])),
    switch("tune", "tune", "no", "yes"),
    Setting("set", ("by_hand",), _by_hand, _by_hand_text),
    several("compare", "ways", lambda known: comparison.ways()),
    several("further", "more_ways", lambda known: comparison.ways()),
    one("way", "way", lambda known: WAYS),
    Setting("handful", ("handful",), _handful, lambda chosen: str(chosen["handful"])),
    one("door", "door", lambda known: DOORS),
    one("x", "chart_x", lambda known: UNITS),
    switch("y", "chart_log", "linear", "log"),
    Setting("smooth", ("chart_smooth",), _smooth, lambda chosen: f"{chosen['chart_smooth']:g}"),
    Setting("hide", ("chart_hidden",), _hidden, lambda chosen: "|".join(chosen["chart_hidden"])),
]


def names() -> frozenset[str]:
    """Return the names of all parameters that are settings; others are runs that a page shows."""
    return frozenset(setting.name for setting in SETTINGS)


def read(parameters: Mapping[str, str], defaults: Choices) -> tuple[dict[str, Any], list[str]]:
    """Return the choices that an address makes, and the names of the parameters that cannot be used.

    Parameters
    ----------
    defaults : every choice there is, and under "sources" and "targets" the names of what is on offer; without targets,
        what ships

    Examples
    --------
    >>> read({"labels": "20", "seed": "-1", "utm": "x"}, {"source": "digits_0_4", "sources": ["digits_0_4"]})
    ({'per_class': 20, 'all_images': False}, ['seed'])
    """
    choices: dict[str, Any] = {}
    wrong = []
    for setting in SETTINGS:
        if setting.name not in parameters:
            continue
        text = parameters[setting.name]
        found: Choices | None = None
        with suppress(ValueError, LabError):
            found = setting.read(text, {**defaults, **choices}) if len(text) <= LONGEST else None
        if found is None:
            wrong.append(setting.name)
        else:
            choices.update(found)
    return choices, wrong


def written(choices: Choices, defaults: Choices) -> dict[str, str]:
    """Return the parameters of what differs from the defaults; ``read`` gives the same choices back."""

    def differs(key: str) -> bool:
        return _plain(choices[key]) != _plain(defaults[key])

    texts = {setting.name: setting.write(choices) for setting in SETTINGS if any(map(differs, setting.keys))}
    return {name: text for name, text in texts.items() if text}


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value  # a widget of several gives a list
