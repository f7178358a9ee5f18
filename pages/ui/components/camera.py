"""The camera: a square of it goes to a route of this server as a small JPEG, and its answer is drawn in the browser."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlencode

from streamlit.components.v2 import component

from pages.ui.words.text import _, language
from server.address import base_path
from tlcore.inputs.frames import SIDE
from tlcore.prediction.predictors import SURE

_HERE = Path(__file__)
ANSWERS = "/api/answers"  # of server/frames.py

_camera = component(
    "transfer_lab_camera",
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,  # the answer is text of the page, and its bars look like those of every other answer
)


@dataclass(frozen=True)
class Recorder:
    """A button that records pictures of one class while it is held; ``n`` are there already."""

    id: int
    name: str
    n: int


def camera(
    key: str,
    *,
    url: str,
    class_names: Sequence[str],
    hint: str = "",
    classes: Sequence[Recorder] = (),
    record_url: str = "",
    on_recorded: Callable[[], None] | None = None,
) -> None:
    """Show the camera, off until a person turns it on, and beside it what is answered to what stands in its square.

    Nothing of it runs the page again but the end of a recording.

    Parameters
    ----------
    url : where pictures are answered, as `answers_url` gives it; nothing: nobody answers yet
    class_names : of the answers, in their order
    hint : what to do, in the answer's place until there is one
    classes : what pictures can be recorded into, each by a button
    record_url : where these go; the browser adds ``&class=`` and the id
    on_recorded : called when a button was let go and pictures were taken
    """
    _camera(
        key=key,
        data={
            "key": key,
            "url": base_path() + url if url else "",
            "record_url": base_path() + record_url,
            "class_names": list(class_names),
            "classes": [asdict(one) for one in classes],
            "side": SIDE,
            "sure": SURE,
            "language": language(),
            "words": {**_words(), "hint": hint},
        },
        on_recorded_change=on_recorded or _nothing,
    )


def answers_url(name: str) -> str:
    """Return where a model answers pictures.

    Examples
    --------
    >>> answers_url("run:0123456789abcdef")
    '/api/answers?model=run%3A0123456789abcdef'
    """
    return f"{ANSWERS}?{urlencode({'model': name})}"


def _words() -> dict[str, str]:
    without = _("Take or choose a picture instead.")
    return {
        "label": _("What the camera sees"),
        "camera": _("Camera"),
        "which": _("Which camera"),
        "on": _("Turn on the camera"),
        "off": _("Stop"),
        "mirror": _("Mirror"),
        "file": _("Take or choose a picture"),
        "privacy": _(
            "Only the square is read. It goes to this server as a small picture, is answered and forgotten: "
            "nothing is kept or logged unless you record it."
        ),
        "asking": _("Your browser asks whether the lab may use the camera."),
        "refused": _("The browser does not allow the camera here. Allow it at the left of the address and try again.")
        + " "
        + without,
        "none": _("No camera was found. Plug one in and try again.") + " " + without,
        "taken": _("The camera is in use by another program. Close that one and try again.") + " " + without,
        "lost": _("The camera was unplugged or taken by another program. Turn it on again.") + " " + without,
        "insecure": _(
            "Browsers give pages a camera only over https, or at localhost on the machine itself. "
            "Your phone's own camera works all the same."
        )
        + " "
        + without,
        "unreadable": _("Your browser cannot read {file}. Choose a JPEG or a PNG."),
        "failed": _("The server did not answer. Trying again."),
        "loading": _("The network is still being loaded. The picture is recorded as soon as it is there."),
        "is_sure": _("{label}, {share} % sure"),
        "unsure": _("Not sure: {label} ({share} %) or {second}"),
        "hold": _("Hold to record: {name}"),
        "add": _("Add pictures of {name}"),
        "start_first": _("Turn on the camera first, or add pictures with the arrow beside."),
    }


def _nothing() -> None:
    """Streamlit lists a trigger in the result only when it has a callback."""
