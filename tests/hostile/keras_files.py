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
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
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


def archives() -> Iterator[tuple[str, bytes]]:
    """Yield files that are no honest archive."""
    honest = HONEST.read_bytes()
    for name in (
        "../evil",
        "/etc/evil",
        "C:\\evil",
        "assets/x",
        "config.json/x",
        "Config.json",
        "x.py",
        "model.pkl",
        "a" * 300,
        "model.weights.json",
        "model.weights.npz",
        "./config.json",
        "config.json ",
        "__init__.py",
        "\u202e.json",
    ):
        yield f"with {name[:20]!r} inside", packed(extra=[(name, b"x")])
    link = zipfile.ZipInfo("config.json")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    for name, mode in (("link", 0o120777), ("pipe", 0o010644), ("device", 0o020644), ("folder", 0o040755)):
        info = zipfile.ZipInfo("metadata.json")
        info.create_system, info.external_attr = 3, mode << 16
        yield f"whose metadata is a {name}", _first(info, b"/etc/passwd")
    for twice in ("config.json", "metadata.json", "model.weights.h5"):
        yield f"with two {twice}", packed(extra=[(twice, member(twice))])
    yield "a bomb of a config", packed(b" " * 2**25)
    yield "a bomb of metadata", packed(metadata=b" " * 2**25)
    yield "a bomb of weights", packed(weights=bytes(2**27))
    yield "encrypted", _flagged(honest, 0x1)
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            for name in ("metadata.json", "config.json", "model.weights.h5"):
                archive.writestr(name, member(name))
        yield f"packed by method {method}", file.getvalue()
    for left in ("config.json", "metadata.json", "model.weights.h5"):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name in {"metadata.json", "config.json", "model.weights.h5"} - {left}:
                archive.writestr(name, member(name))
        yield f"without {left}", file.getvalue()
    for size in (0, 1, 2**31, 2**32 - 2):
        yield f"whose directory claims {size} bytes", _resized(honest, size)
    yield "behind a script", b"#!/bin/sh\necho\n" + honest
    yield "a pickle", pickle.dumps({"a": 1})
    yield "a bare h5", member("model.weights.h5")
    yield "an empty archive", b"PK\x05\x06" + bytes(18)
    yield "empty", b""
    yield "11 MB", honest + bytes(11 * 2**20)
    for end in range(0, len(honest), max(1, len(honest) // 60)):
        yield f"cut after {end} bytes", honest[:end]
    for value in (
        b"",
        b"{}",
        b"[]",
        b"null",
        b"{",
        b'{"keras_version": 3}',
        b'{"keras_version": "2.15.0"}',
        b"[" * 50_000,
        b'{"keras_version": "<script>"}',
        b"\xff\xfe",
        b'{"keras_version": null}',
    ):
        yield f"with metadata {value[:30]!r}", packed(metadata=value)


def _first(info: zipfile.ZipInfo, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(info, content)
        archive.writestr("config.json", member("config.json"))
        archive.writestr("model.weights.h5", member("model.weights.h5"))
    return file.getvalue()


def _flagged(content: bytes, flag: int) -> bytes:
    changed = bytearray(content)
    at = changed.find(b"PK\x01\x02")
    changed[at + 8] |= flag
    return bytes(changed)


def _resized(content: bytes, size: int) -> bytes:
    at = content.find(b"PK\x01\x02")
    return content[: at + 24] + size.to_bytes(4, "little") + content[at + 28 :]


VALUES = (
    None,
    True,
    -1,
    0,
    2**63,
    1e999,
    1.5,
    "",
    "../../etc/passwd",
    CALL,
    [],
    [None],
    {},
    {"class_name": "x"},
    "__lambda__",
    {"module": "os", "class_name": "system", "config": {"command": "x"}, "registered_name": None},
)


def doctored_configs() -> Iterator[tuple[str, bytes]]:
    """Yield the honest config with every value, one after the other, replaced by a hostile one."""
    places = list(_places(config()))
    for number, place in enumerate(places):
        for value in VALUES[number % 2 :: 2]:
            changed = config()
            spot = changed
            for key in place[:-1]:
                spot = spot[key]
            spot[place[-1]] = value
            yield f"{'.'.join(map(str, place))} = {value!r}", json.dumps(changed).encode()


def _places(value: Any, above: tuple = ()) -> Iterator[tuple]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield (*above, key)
        yield from _places(part, (*above, key))


FOREIGN_LAYERS = (
    *("Lambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer", "StringLookup", "IntegerLookup", "Hashing"),
    *("TextVectorization", "Discretization", "Normalization", "RandomFlip", "Wrapper", "Bidirectional", "Masking"),
    *("TimeDistributed", "MultiHeadAttention", "EinsumDense", "Concatenate", "Add", "RNN", "StackedRNNCells", "Conv3D"),
    *("Embedding", "os", "Functional", "Sequential", "Model", "function", "__lambda__"),
)
FOREIGN_MODULES = (
    *("os", "builtins", "subprocess", "keras.utils", "keras.src.utils.file_utils", "keras.config", "keras.saving"),
    *("keras.models", "keras.src.saving.file_editor", "tensorflow", "numpy", "keras.layers.x", "kerasx", "Keras"),
    *("keras.", "..", "keras.legacy.saving", "keras.src.saving.saving_lib", "keras.ops", "pickle"),
)


def bad_configs() -> Iterator[tuple[str, bytes]]:
    """Yield configs that no place of the honest one leads to."""
    for text in (
        b"",
        b"null",
        b"[]",
        b"1",
        b'"x"',
        b"{",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"NaN",
        b"9" * 9_000,
        b'{"class_name": "Sequential"}',
        b'{"class_name": "Sequential", "config": []}',
    ):
        yield f"config {text[:20]!r}", text
    honest = member("config.json").decode()
    yield "a key that comes twice", honest.replace('"module":', '"module": "os", "module":', 1).encode()
    yield "a config of 2 MB", honest.encode() + b" " * 2**21
    for name in FOREIGN_LAYERS:
        for module in ("keras.layers", "keras.src.layers", "keras.src.layers.core.lambda_layer", None):
            changed = config()
            changed["config"]["layers"][2].update(class_name=name, module=module)
            yield f"a layer {module}.{name}", json.dumps(changed).encode()
    for module in FOREIGN_MODULES:
        for where in ("compile_config", "build_config"):
            changed = config() | {where: {"loss": call(module, "load_model", filepath="x")}}
            yield f"{module} in {where}", json.dumps(changed).encode()
        changed = config()
        changed["config"]["layers"][1]["config"]["kernel_initializer"] = call(module, "get_file", origin=CALL)
        yield f"{module} as an initialiser", json.dumps(changed).encode()
    for sizes in (
        {"filters": 4096, "kernel_size": [26, 26]},
        {"filters": 2**40},
        {"filters": -1},
        {"kernel_size": [99, 99]},
        {"groups": 7},
        {"strides": [0, 0]},
        {"dilation_rate": [20, 20]},
        {"kernel_size": [0, 0]},
    ):
        changed = config()
        changed["config"]["layers"][1]["config"].update(sizes)
        yield f"a convolution of {sizes}", json.dumps(changed).encode()
    for units in (2**31, 65_536, 1, 0, 5_000, "10", 10.0, [10]):
        changed = config()
        changed["config"]["layers"][-1]["config"]["units"] = units
        yield f"{units!r} classes", json.dumps(changed).encode()
    for shape in (
        [None, 32, 32, 3],
        [None, None, None, 1],
        [None, 28, 28],
        [28, 28, 1],
        None,
        [None, 10**9, 10**9, 1],
        [None, 28.0, 28, 1],
        [None, True, 28, 1],
        "28",
    ):
        changed = config()
        changed["config"]["layers"][0]["config"]["batch_shape"] = shape
        yield f"images of {shape}", json.dumps(changed).encode()
    changed = config()
    changed["config"]["layers"][1]["inbound_nodes"] *= 2
    yield "a layer with two places", json.dumps(changed).encode()
    changed = config()
    changed["config"]["layers"][3]["inbound_nodes"][0]["args"][0]["config"]["keras_history"][0] = "dense_2"
    yield "a chain that bites its tail", json.dumps(changed).encode()
    changed = config()
    changed["config"]["layers"] *= 100
    yield "eight hundred layers", json.dumps(changed).encode()


def bad_weights() -> Iterator[tuple[str, bytes]]:
    """Yield weights files that must be refused before a number is read."""
    changes = {
        "an external link": linked(h5py.ExternalLink("/etc/passwd", "/")),
        "a soft link": linked(h5py.SoftLink("/layers")),
        "a soft link to nowhere": linked(h5py.SoftLink("/nowhere")),
        "external storage": replaced(shape=(3, 3, 1, 32), dtype="f4", external=[("/etc/passwd", 0, 1152)]),
        "a virtual dataset": virtual,
        "a circle": circular,
        "6,000 groups": crowded,
        "5,100 groups in each other": deep,
        "a terabyte that is not there": replaced(shape=(2**20, 2**18), dtype="f4", chunks=(64, 64)),
        "a bomb of zeros": replaced(data=np.zeros((4_000, 4_000), "f4"), chunks=(4_000, 4_000), compression="gzip"),
        "an axis without end": replaced(shape=(2**62,), maxshape=(None,), dtype="i1", chunks=(64,)),
        "words": replaced(data=np.array(["a", "b"], dtype=object), dtype=h5py.string_dtype()),
        "references": replaced(shape=(3,), dtype=h5py.ref_dtype),
        "a compound": replaced(shape=(3,), dtype=np.dtype([("a", "f4"), ("b", "i4")])),
        "complex numbers": replaced(shape=(3,), dtype="c8"),
        "an empty dataset": lambda file: file.create_dataset("x", data=h5py.Empty("f4")),
        "a named type": lambda file: file.__setitem__("t", np.dtype("f4")),
        "another packing": replaced(shape=(64, 64), dtype="i4", chunks=(8, 8), scaleoffset=0),
        "a packing by a plug-in": replaced(shape=(64, 64), dtype="f4", chunks=(8, 8), compression="lzf"),
    }
    for name, change in changes.items():
        yield f"with {name}", weights(change)
    whole = member("model.weights.h5")
    yield "empty", b""
    yield "an empty HDF5 signature", whole[:8]
    yield "text", b"weights"
    for end in range(8, len(whole), len(whole) // 12):
        yield f"cut after {end} bytes", whole[:end]
