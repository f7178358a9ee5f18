"""The epochs of watched runs, all by one slider or played: drift, forgetting, twelve answers and the feature map."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.components.v2 import component

from pages.ui.charts import saving
from pages.ui.inputs.pictures import address
from pages.ui.session import state
from pages.ui.words.text import _, language, shown
from tlcore import sources
from tlcore.errors import LabError
from tlcore.features.blocks import blocks as blocks_of
from tlcore.sentences import NOTHING
from tlcore.spec import FineTuneSpec
from tlcore.store import Run
from tlcore.training import film as monitor
from tlcore.training import forgetting
from tlcore.training.film import Cast, Frame
from tlcore.training.watched import Watched

_HERE = Path(__file__)
MOST_FRAMES = 60  # sent to a browser; a longer film leaves out epochs evenly

_film = component(
    "transfer_lab_film",
    css=saving.with_style(_HERE.with_suffix(".css")),
    js=saving.with_script(_HERE.with_suffix(".js")),
)


@dataclass(frozen=True)
class Reel:
    """The film of one run, and what tells it apart from others beside it."""

    spec: FineTuneSpec
    cast: Cast | None
    frames: Sequence[Frame]
    maps: Mapping[int, np.ndarray] = field(default_factory=dict)  # epoch -> shape (n, 2)
    title: str = ""
    colour: str = ""


def film(run: Run, key: str) -> None:
    """Show the film of a watched run, as far as it goes."""
    show(key, [reel(run)])


def reel(run: Run, title: str = "", colour: str = "") -> Reel:
    """Return the film of a watched run; it has its map once the run has ended."""
    folder = state.lab().store.run_folder(run.id)
    maps = monitor.feature_maps(folder) if run.final else {}
    return Reel(run.spec, monitor.cast(folder), monitor.frames(folder), maps, title, colour)  # type: ignore[arg-type]


def show(key: str, reels: Sequence[Reel], together: Sequence[Watched] = (), note: str = "") -> None:
    """Show films one beside the other; they stay where a person scrubbed them as long as their key is shown.

    Parameters
    ----------
    reels : of one task; all share one scale of drift and one slider
    together : of each reel the answers to the same images, which stand in one place in place of twelve for each
    note : says which images these are
    """
    _film(key=key, data=payload(reels, together, note))


def payload(reels: Sequence[Reel], together: Sequence[Watched] = (), note: str = "") -> dict[str, Any]:
    """Return what the component shows, ready for JSON; a reel without a cast has no frames."""
    return {
        "lanes": [_lane(reel) for reel in reels],
        "together": _together(together, note),
        "drift_top": largest_drift(reels),
        "language": language(),
        "words": _words(),
    }


def largest_drift(reels: Sequence[Reel]) -> float:
    """Return the largest drift of any layer in any epoch."""
    drifts = [value for reel in reels for frame in reel.frames for value in frame.drift.values()]
    return max((value for value in drifts if value is not None), default=0.0)


def _lane(reel: Reel) -> dict[str, Any]:
    spec, maps, blocks = reel.spec, reel.maps, _blocks(reel.spec.source)
    kept = thinned(reel.frames if reel.cast else ())
    inside = {frame.epoch: np.round(maps[frame.epoch], 2).tolist() for frame in kept if frame.epoch in maps}
    places = np.concatenate([maps[epoch] for epoch in inside]) if inside else np.zeros((1, 2))
    return {
        "title": reel.title,
        "save": _save_words(reel.title),
        "colour": reel.colour,
        "frames": [_by_block(frame, spec.phase_of(frame.epoch).frozen, blocks) for frame in kept],
        "drift_note": _words()["drift_note"] + (f" {_of_blocks()}" if any(map(_is_many, blocks)) else ""),
        "n_epochs": spec.epochs,
        "maps": inside,
        "map_range": [float(f(places[:, axis])) for axis in (0, 1) for f in (np.min, np.max)],
        "no_source": _no_source(spec.source),
        **_cast_payload(reel.cast),
    }


Block = tuple[str, tuple[str, ...]]  # what it is called, and its layers with weights


def _blocks(source: str) -> list[Block]:
    """Return the blocks of a network that has layers of one name each; of one that is gone none."""
    try:
        layers = sources.info(source).layers
    except LabError:
        return []
    called = {layer.name: layer.block or layer.name for layer in layers}
    return [(called[names[0]], names) for names in blocks_of(layers)] if any(x.block for x in layers) else []


def _is_many(block: Block) -> bool:
    return len(block[1]) > 1


def _of_blocks() -> str:
    return _("Of a block it is that of the layer that moved most.")


def _by_block(frame: Frame, frozen: Sequence[str], blocks: Sequence[Block]) -> dict[str, Any]:
    """Return a frame for JSON: a network of a hundred layers is told block by block.

    A block moved as far as the layer of it that moved most, and is frozen where all of its layers are.
    """
    told = {**asdict(frame), "frozen": list(frozen)}
    if not blocks:
        return told
    drift: dict[str, float | None] = {}
    still: list[str] = []
    for name, layers in blocks:
        moved = [frame.drift[layer] for layer in layers if layer in frame.drift]
        if not moved:
            continue
        known = [value for value in moved if value is not None]
        drift[name] = max(known) if len(known) == len(moved) else None
        still += [name] if set(layers) <= set(frozen) else []
    return {**told, "drift": drift, "frozen": still}


def _together(watched: Sequence[Watched], note: str) -> dict[str, Any] | None:
    if not watched:
        return None
    first = watched[0]
    return {
        "note": note,
        "images": [address(image) for image in first.images],
        "labels": list(first.labels),
        "answers": [
            {epoch: [[said.label, round(said.sure, 3)] for said in answers] for epoch, answers in one.answers.items()}
            for one in watched
        ],
    }


def _cast_payload(cast: Cast | None) -> dict[str, Any]:
    if cast is None:
        return {"class_names": [], "labels": [], "images": [], "marks": [], "source_task": "", "n_source": "0"}
    return {
        "class_names": list(cast.class_names),
        "labels": list(cast.labels),
        "images": [address(image) for image in cast.images],
        "marks": marks(cast.class_names),
        "source_task": cast.source_task,
        "n_source": f"{cast.n_source:,}",
    }


def thinned(frames: Sequence[Frame], most: int = MOST_FRAMES) -> list[Frame]:
    """Return at most ``most`` frames, evenly, the first and the last among them."""
    if len(frames) <= most:
        return list(frames)
    return [frames[round(i * (len(frames) - 1) / (most - 1))] for i in range(most)]


def marks(names: Sequence[str]) -> list[str]:
    """Return one short mark for each class: its own name where that is one letter, else a letter.

    Examples
    --------
    >>> marks(["5", "6"]), marks(["Coat", "Bag"])
    (['5', '6'], ['a', 'b'])
    """
    return list(names) if all(len(name) == 1 for name in names) else [chr(ord("a") + i % 26) for i in range(len(names))]


def _no_source(source: str) -> str:
    """Return what is said in place of the accuracy on the source's own task, where that is not measured."""
    reason = NOTHING
    with suppress(LabError):  # a model that was taken away meanwhile
        reason = forgetting.why_not(sources.info(source))
    why = shown(reason) or _("What it forgets of its own task was not measured.")
    return _("Target (validation): {target}.") + " " + why.replace("{", "(").replace("}", ")")


def _save_words(title: str) -> dict[str, dict[str, str]]:
    """Return what the buttons say that save a lane's charts, by the chart."""
    charts = _words()
    names = {name: charts[name] for name in ("drift", "accuracy", "map")}
    return {name: saving.words(f"{title}: {words}" if title else words) for name, words in names.items()}


def _words() -> dict[str, str]:
    return {
        "empty": _("The first epoch appears here as soon as the run has begun."),
        "epoch": _("epoch {n} of {total}"),
        "slider": _("Epoch"),
        "play": _("Play"),
        "pause": _("Pause"),
        "frozen": _("frozen"),
        "trainable": _("trainable"),
        "drift": _("How far each layer has moved"),
        "drift_note": _(
            "Change of its weights relative to their size before the first batch. Frozen layers stay at 0."
        ),
        "no_number": _("no number"),
        "layer": _("Layer"),
        "class": _("class"),
        "accuracy": _("What it learned, what it forgot"),
        "source": _("source"),
        "target": _("target"),
        "both": _("Source ({task}, {n} test images, its own head): {source}. Target (validation): {target}."),
        "answers": _("Twelve test images after every epoch"),
        "together": _("Twelve test images in every lane"),
        "together_note": _("Beside each image its true class; below it what every lane answers, and how sure it is."),
        "truth": _("True class: {truth}"),
        "is_right": _("It says {said}, and that is right."),
        "is_wrong": _("It says {said}, but this is a {truth}."),
        "map": _("Where the last hidden layer puts 300 test images"),
        "map_note": _(
            "Each mark is one image of its class. A 2-D view (PCA of the last epoch); the axes stay fixed "
            "over the epochs."
        ),
    }
