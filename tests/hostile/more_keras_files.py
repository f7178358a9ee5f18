"""``.keras`` files that nobody published: bad archives, doctored configs, weights that lead elsewhere."""

import io
import json
import pickle
import zipfile
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from hostile.keras_files import (
    CALL,
    HONEST,
    call,
    circular,
    config,
    crowded,
    deep,
    linked,
    member,
    packed,
    replaced,
    virtual,
    weights,
)


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
    """Yield the honest config with every value, one after the other, replaced by four hostile ones."""
    places = list(_places(config()))
    for number, place in enumerate(places):
        for value in VALUES[number % 4 :: 4]:
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


def _functional(rows: list[dict[str, Any]], name: str = "inner") -> dict[str, Any]:
    """Return a model in the place of a layer, its rows wired one after the other."""
    wired, before = [], "inner_image"
    image = {"module": "keras.layers", "class_name": "InputLayer", "registered_name": None, "inbound_nodes": []}
    wired.append({**image, "name": before, "config": {"name": before, "batch_shape": [None, 28, 28, 1]}})
    for row in rows:
        wired.append({**row, "name": row["config"]["name"], "registered_name": None, "inbound_nodes": [_node(before)]})
        before = row["config"]["name"]
    ends = {"input_layers": ["inner_image", 0, 0], "output_layers": [before, 0, 0]}
    module = "keras.src.models.functional"
    config = {"name": name, "layers": wired, **ends}
    return {"module": module, "class_name": "Functional", "registered_name": "Functional", "config": config}


def _node(before: str, *numbers: Any) -> dict[str, Any]:
    tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": [before, 0, 0]}}
    return {"args": [tensor, *numbers], "kwargs": {}}


def _behind_the_input(row: dict[str, Any], *numbers: Any) -> dict[str, Any]:
    """Return the honest config with a row between its input and its first layer."""
    changed = config()
    rows = changed["config"]["layers"]
    row = {"name": row["config"].get("name", "hostile"), **row, "inbound_nodes": [_node(rows[0]["name"], *numbers)]}
    rows[1]["inbound_nodes"] = [_node(row["name"])]
    rows.insert(1, row)
    return changed


def _plain(kind: str, **settings: Any) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": kind, "config": {"name": "hostile", **settings}}


HARMLESS = _plain("ReLU", max_value=None, negative_slope=0.0, threshold=0.0)


def bad_inner_configs() -> Iterator[tuple[str, bytes]]:
    """Yield hostile things inside what was made allowed: models in models, operations, arrays, functions by name."""
    lambda_row = _plain("Lambda", function={"class_name": "__lambda__", "config": {"code": "x"}}, arguments={})
    for name, row in (
        ("a Lambda", lambda_row),
        ("os.system", {"module": "os", "class_name": "system", "config": {"name": "hostile", "command": "x"}}),
        ("get_file", call("keras.utils", "get_file", origin=CALL)),
        ("a recurrent layer", _plain("GRU", units=3)),
        ("a name that leads out", {**HARMLESS, "config": {**HARMLESS["config"], "name": "../../canary"}}),
    ):
        yield f"{name} in a model in the model", json.dumps(_behind_the_input(_functional([row]))).encode()
    deep: dict[str, Any] = HARMLESS
    for level in range(30):
        deep = _functional([{**deep, "registered_name": None}], name=f"inner_{level}")
    yield "models 30 deep in each other", json.dumps(_behind_the_input(deep)).encode()
    wide = _functional([{**HARMLESS, "config": {**HARMLESS["config"], "name": f"r{i}"}} for i in range(150)])
    twice = _functional([wide, {**wide, "config": {**wide["config"], "name": "other"}}], name="twice")
    yield "300 layers in two models in the model", json.dumps(_behind_the_input(twice)).encode()
    split = _functional([HARMLESS])
    split["config"]["layers"].append({**split["config"]["layers"][1], "name": "b", "config": {"name": "b"}})
    yield "a model with a branch in the model", json.dumps(_behind_the_input(split)).encode()
    for module in ("keras.layers", "keras.models", "os", None, "keras.src.models.functional.x"):
        inner = {**_functional([HARMLESS]), "module": module}
        yield f"a Functional of {module} in the model", json.dumps(_behind_the_input(inner)).encode()
    yield from ((name, json.dumps(changed).encode()) for name, changed in _bad_operations())
    yield from ((name, json.dumps(changed).encode()) for name, changed in _bad_numbers())
    for value in ("eval", "system", "__import__", "", "relu_v2_v2", "x" * 5_000, "../relu"):
        function = {"module": "builtins", "class_name": "function", "config": value, "registered_name": "function"}
        yield f"the function {value[:20]!r}", _with_activation(function)
    for function in (
        {"module": "os", "class_name": "function", "config": "relu", "registered_name": "function"},
        {"module": "builtins", "class_name": "function", "config": {"relu": 1}, "registered_name": "function"},
        {"module": "builtins", "class_name": "eval", "config": "relu", "registered_name": "eval"},
        {"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "os>system"},
        {"class_name": "__lambda__", "config": {"code": "x"}},
        {"value": ["code", None, None]},
        lambda_row,
        _plain("PReLU", shared_axes=None),
        {**_plain("LeakyReLU"), "config": ["x"]},
        _plain("LeakyReLU", negative_slope={"class_name": "x"}),
    ):
        yield f"{str(function)[:60]} as an activation", _with_activation(function)


def _with_activation(value: Any) -> bytes:
    changed = config()
    changed["config"]["layers"][1]["config"]["activation"] = value
    return json.dumps(changed).encode()


def _bad_operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for module, kind, numbers in (
        ("keras.src.ops.numpy", "TrueDivide", (0,)),
        ("keras.src.ops.numpy", "TrueDivide", (1e-320,)),
        ("keras.src.ops.numpy", "TrueDivide", ()),
        ("keras.src.ops.numpy", "Multiply", (1e300,)),
        ("keras.src.ops.numpy", "Multiply", (True,)),
        ("keras.src.ops.numpy", "Multiply", ("2",)),
        ("keras.src.ops.numpy", "Multiply", (2, 3)),
        ("keras.src.ops.numpy", "Multiply", ([2.0],)),
        ("keras.src.ops.numpy", "Exp", ()),
        ("keras.src.ops.numpy", "Add", ({"class_name": "__keras_tensor__", "config": {"keras_history": []}},)),
        ("keras.src.ops.numpy", "load", ("/etc/passwd",)),
        ("keras.src.ops.nn", "system", ()),
        ("keras.src.ops.core", "VectorizedMap", ()),
        ("keras.src.ops.numpy.x", "Multiply", (2,)),
        ("keras.ops", "Multiply", (2,)),
        ("os", "Multiply", (2,)),
    ):
        row = {"module": module, "class_name": kind, "registered_name": kind, "config": {"name": "hostile"}}
        yield f"{module}.{kind}{numbers}", _behind_the_input(row, *numbers)
    for target in ([-1, 0], [-1, 10**9], [-1, -1, -1], [[1]], "x", [-1] * 40, None, [None, 784]):
        row = {"module": "keras.src.ops.numpy", "class_name": "Reshape", "registered_name": "Reshape"}
        yield f"a reshape to {target}", _behind_the_input({**row, "config": {"name": "hostile", "newshape": target}})


def _bad_numbers() -> Iterator[tuple[str, dict[str, Any]]]:
    nested: Any = 1.0
    for _level in range(20):
        nested = [nested]
    arrays = [{"class_name": "__numpy__", "config": value} for value in ({"value": "x"}, {}, None)]
    for value in ([[1, 2], [3]], [], nested, [1.0] * 3, "1", *arrays, {"class_name": "__tensor__"}, [True], 1e300):
        yield f"a scale of {str(value)[:40]}", _behind_the_input(_plain("Rescaling", scale=value, offset=0.0))
    for axis, mean, variance in (
        ([0], None, None), ([4], None, None), ([-5], None, None), ("x", None, None), ([-1], 1.0, None),
        ([-1], [1.0], [[1.0]]), ([-1], 1.0, -1.0), ([-1], [1.0] * 3, [1.0] * 3), ([1, 2, 3, 1], None, None),
        ([-1], "x", "x"),
    ):  # fmt: skip
        settings = {"axis": axis, "mean": mean, "variance": variance, "invert": False}
        yield f"a normalisation by {settings}", _behind_the_input(_plain("Normalization", **settings))
    for height, width in ((0, 28), (10**9, 28), (28.0, 28), (None, 28), (2_000, 2_000)):
        settings = {"height": height, "width": width, "interpolation": "bilinear"}
        yield f"images of {height} × {width}", _behind_the_input(_plain("Resizing", **settings))
    yield "a random layer with code", _behind_the_input(_plain("RandomFlip", mode="horizontal", layer="os"))
    yield "an upsampling by 10,000", _behind_the_input(_plain("UpSampling2D", size=[10_000, 10_000]))


def harmless_settings() -> Iterator[tuple[str, bytes]]:
    """Yield honest configs with settings of a person's own that are never looked up: the network is the same."""
    own = {"module": "my_project.losses", "class_name": "MyLoss", "config": {"x": 1}, "registered_name": "MyLoss"}
    for name, value in (
        ("a loss by its function", {"module": "builtins", "class_name": "function", "config": "my_loss",
                                    "registered_name": "function"}),
        ("a loss class", own),
        ("a registered loss class", {**own, "module": None, "registered_name": "mine>MyLoss"}),
        ("a lambda", {"class_name": "__lambda__", "config": {"value": ["4wEAAAA=", None, None]}}),
        ("an array", {"class_name": "__numpy__", "config": {"value": [1.0], "dtype": "float32"}}),
    ):  # fmt: skip
        changed = config()
        changed["compile_config"] = {"loss": value, "metrics": [value], "optimizer": value}
        yield f"{name} as a loss", json.dumps(changed).encode()
        changed = config()
        for key in ("kernel_initializer", "kernel_regularizer", "bias_constraint", "activity_regularizer"):
            changed["config"]["layers"][1]["config"][key] = value
        yield f"{name} as an initialiser", json.dumps(changed).encode()
