"""A model as one HTML file that runs from a double click: its ONNX form, onnxruntime's WebAssembly, pad and camera."""

import base64
import gzip
import hashlib
import html
import json
from pathlib import Path

from tlcore.errors import DataError
from tlcore.prediction import Pieces
from tlcore.sentences import Sentence
from tlcore.translation import translate

ENGINE = Path(__file__).resolve().parents[2] / "assets" / "onnxruntime_web"
PARTS = Path(__file__).with_name("web")
LANGUAGES = ("en", "zh-CN")
WORDS = {
    "draw": Sentence("Draw, and it answers"),
    "show": Sentence("Show it a picture, and it answers"),
    "intro": Sentence("This page is one file. The model runs in it, on this device, and nothing is sent anywhere."),
    "sure": Sentence("It is {first}, {sure} sure"),
    "unsure": Sentence("It is not sure: {first}, perhaps {second}"),
    "clear": Sentence("Clear"),
    "file": Sentence("Picture from a file"),
    "camera": Sentence("Turn on the camera"),
    "stop": Sentence("Stop"),
    "pad": Sentence("Drawing pad; Delete clears it"),
    "picture": Sentence("The picture that it answers to"),
    "card": Sentence("About this model"),
    "about": Sentence("Made with Transfer Lab; it runs on ONNX Runtime Web (MIT, Microsoft)."),
    "failed": Sentence("The model could not be started here. Open the file in a newer browser."),
    "unreadable": Sentence("This file is no picture that can be read. Choose a JPEG or PNG."),
    "nocamera": Sentence("There is no camera, or it was not allowed. Choose a picture from a file."),
}
OTHER = {"en": "中文", "zh-CN": "English"}  # what the switch to the other one says


def convert(onnx: bytes, pieces: Pieces, title: Sentence, card: dict[str, str]) -> bytes:
    """Return the page.

    Parameters
    ----------
    onnx : the model's ONNX form

    Raises
    ------
    DataError
        What ships for it is missing or damaged.
    """
    start = {
        "shape": pieces.form.shape,
        "dtype": pieces.form.dtype,
        "classes": pieces.class_names,
        "title": {tag: title.fill(lambda text, tag=tag: translate(text, tag)) for tag in LANGUAGES},
        "words": {
            tag: {name: translate(each.template, tag) for name, each in WORDS.items()} | {"other": OTHER[tag]}
            for tag in LANGUAGES
        },
        "card": card,
    }
    fields = {
        "TITLE": html.escape(str(title)),
        "CSS": (PARTS / "page.css").read_text(),
        "SCRIPT": (PARTS / "page.js").read_text(),
        "START": json.dumps(start, ensure_ascii=False).replace("<", "\\u003c"),
        "ENGINE": _text(_checked("ort.wasm.bundle.min.mjs.gz")),
        "WASM": _text(_checked("ort-wasm-simd-threaded.wasm.gz")),
        "MODEL": _text(gzip.compress(onnx, 9, mtime=0)),
    }
    page = (PARTS / "page.html").read_text()
    head, *rest = page.split("@")  # a name between two of them, else text
    return (head + "".join(fields.get(part, part) for part in rest)).encode()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _checked(name: str) -> bytes:
    """Return what ships, held against the sum on its card."""
    card = json.loads((ENGINE / "card.json").read_text())
    try:
        content = (ENGINE / name).read_bytes()
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() != card["sha256"][name]:
        raise DataError("The file {name} that ships is missing or damaged. Install the lab again.", name=name)
    return content


def build(folder: Path) -> None:
    """Pack what npm's ``onnxruntime-web`` holds, unpacked in ``folder``, into what ships, with its card."""
    version = json.loads((folder / "package.json").read_text())["version"]
    sums = {}
    for name in ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"):
        content = gzip.compress((folder / "dist" / name).read_bytes(), 9, mtime=0)
        (ENGINE / f"{name}.gz").write_bytes(content)
        sums[f"{name}.gz"] = hashlib.sha256(content).hexdigest()
    card = {"package": f"npm onnxruntime-web {version}", "licence": "MIT, Microsoft Corporation", "sha256": sums}
    (ENGINE / "card.json").write_text(json.dumps(card, indent=2) + "\n")
