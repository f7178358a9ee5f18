"""The epochs of watched runs, all by one slider or played: drift, forgetting, twelve answers and the feature map."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.components.v2 import component

from pages.ui.inputs.pictures import address
from pages.ui.session import state
from pages.ui.words.text import _, language, shown
from tlcore import sources
from tlcore.errors import LabError
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
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
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
    spec, maps = reel.spec, reel.maps
    kept = thinned(reel.frames if reel.cast else ())
    inside = {frame.epoch: np.round(maps[frame.epoch], 2).tolist() for frame in kept if frame.epoch in maps}
    places = np.concatenate([maps[epoch] for epoch in inside]) if inside else np.zeros((1, 2))
    return {
        "title": reel.title,
        "colour": reel.colour,
        "frames": [{**asdict(frame), "frozen": list(spec.phase_of(frame.epoch).frozen)} for frame in kept],
        "n_epochs": spec.epochs,
        "maps": inside,
        "map_range": [float(f(places[:, axis])) for axis in (0, 1) for f in (np.min, np.max)],
        "no_source": _no_source(spec.source),
        **_cast_payload(reel.cast),
    }


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
        return {"class_names": [], "labels": [], "images": [], "marks": [], "source_task": "", "n_source": 0}
    return {
        "class_names": list(cast.class_names),
        "labels": list(cast.labels),
        "images": [address(image) for image in cast.images],
        "marks": marks(cast.class_names),
        "source_task": cast.source_task,
        "n_source": cast.n_source,
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
