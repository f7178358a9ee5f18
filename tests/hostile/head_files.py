"""Hostile head files: pickles, doctored skops archives, bombs. Each one that could run code would make the canary."""

import io
import json
import os
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np


class Touch:
    """Unpickled, it makes a file: the canary."""

    def __init__(self, canary: Path):
        self.canary = canary

    def __reduce__(self):
        return os.mkdir, (str(self.canary),)


def skops_file(state: Any, **members: bytes) -> bytes:
    """Return a skops archive with that schema."""
    from skops.io._protocol import PROTOCOL

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        if state is not None:
            head = {"protocol": PROTOCOL, "_skops_version": "0.16.0"} if isinstance(state, dict) else {}
            archive.writestr("schema.json", json.dumps({**state, **head} if head else state))
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def node(loader: str, module: str, name: str, **more: Any) -> dict[str, Any]:
    return {"__loader__": loader, "__module__": module, "__class__": name, "__id__": 1, **more}


def words(value: str) -> dict[str, Any]:
    return node("JsonNode", "builtins", "str", is_json=True, content=json.dumps(value))


def sequence(*values: Any) -> dict[str, Any]:
    return node("TupleNode", "builtins", "tuple", content=list(values))


def head_of(estimator: dict[str, Any]) -> dict[str, Any]:
    """Return the state of a head whose estimator is another thing."""
    number = node("JsonNode", "builtins", "str", is_json=True, content="1.0")
    content = {"name": words("knn"), "estimator": estimator, "scale": number, "temperature": number}
    types = node("ListNode", "builtins", "list", content=[node("TypeNode", "builtins", "type",
        content={"__module__": "builtins", "__class__": "str"})] * 4)  # fmt: skip
    return node("DictNode", "builtins", "dict", content=content, key_types=types)


def doctored(canary: Path) -> Iterator[tuple[str, bytes]]:
    """Yield what a head's file could be made into; the names say which published weakness a file is after."""
    touch = f"touch {canary}"
    estimators = {
        "a function of os": node("FunctionNode", "os", "system", content={"module_path": "os", "function": "system"}),
        "a call with arguments": node("PartialNode", "functools", "partial", content={
            "func": node("FunctionNode", "os", "system", content={"module_path": "os", "function": "system"}),
            "args": sequence(words(touch)), "kwds": head_of(words("x")), "namespace": None}),
        "CVE-2025-54413 a method of an object of another class": node("MethodNode", "sklearn.svm._classes", "LinearSVC",
            content={"obj": node("ObjectNode", "subprocess", "Popen", content=None), "func": "communicate"}),
        "CVE-2025-54413 a method of a trusted object": node("MethodNode", "builtins", "str",
            content={"obj": words("x"), "func": "format"}),
        "CVE-2025-54412 an operator that calls": node("OperatorFuncNode", "operator", "methodcaller",
            attrs=sequence(words("system"), words(touch))),
        "CVE-2025-54412 an operator under a trusted name": node("OperatorFuncNode", "sklearn.svm._classes", "call",
            attrs=sequence(words(touch))),
        "an object built by reduce": node("ReduceNode", "os", "system", reduce=sequence(words(touch)), content=None),
        "CVE-2024-37065 a type by its path": node("TypeNode", "builtins", "type",
            content={"__module__": "os", "__class__": "system"}),
        "an object of a foreign class": node("ObjectNode", "subprocess", "Popen", content=head_of(words("x"))),
        "a module that is imported by name": node("ObjectNode", "antigravity", "x", content=None),
        "an array of objects": node("NdArrayNode", "numpy", "ndarray", type="numpy", file="array.npy"),
        "an array outside the archive": node("NdArrayNode", "numpy", "ndarray", type="numpy", file="../../etc/passwd"),
        "a loader that is none": node("EvalNode", "builtins", "eval", content=touch),
        "bytes as an estimator": node("BytesNode", "builtins", "bytes", file="array.npy"),
        "words as an estimator": words("linear_svm"),
        "an operator as an estimator": node("OperatorFuncNode", "operator", "attrgetter", attrs=sequence(words("x"))),
    }  # fmt: skip
    objects = io.BytesIO()
    np.save(objects, np.array([Touch(canary)], dtype=object), allow_pickle=True)
    for name, estimator in estimators.items():
        yield name, skops_file(head_of(estimator), **{"array.npy": objects.getvalue()})
        yield f"{name}, and no head around it", skops_file(estimator, **{"array.npy": objects.getvalue()})


def broken(canary: Path) -> Iterator[tuple[str, bytes]]:
    """Yield files that are no skops archive, or one that cannot be read."""
    yield "CVE-2025-54886 a pickle named .skops", pickle.dumps(Touch(canary))
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        yield f"a pickle of protocol {protocol}", pickle.dumps(Touch(canary), protocol)
    import joblib

    for compress in (0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3)):
        file = io.BytesIO()
        joblib.dump(Touch(canary), file, compress=compress)
        yield f"CVE-2025-54886 joblib {compress}", file.getvalue()
    yield "a pickle inside an archive", skops_file(None, **{"model.pkl": pickle.dumps(Touch(canary))})
    yield "a pickle behind an archive", skops_file(head_of(words("x"))) + pickle.dumps(Touch(canary))
    yield "a pickle before an archive", pickle.dumps(Touch(canary)) + skops_file(head_of(words("x")))
    yield "a schema that is no JSON", skops_file(None, **{"schema.json": b"{"})
    yield "a schema that nests 100,000 deep", skops_file(None, **{"schema.json": b"[" * 100_000})
    yield "two schemas", _twice()
    yield "a bomb", skops_file(None, **{"schema.json": b" " * 2**28})
    yield "a member that claims 4 GB", _claims(skops_file(head_of(words("x")), big=b"x"), 2**32 - 2)
    for value in (None, [], 1, "x", True, {}, {"__loader__": []}, {"__loader__": "DictNode"}, [[[]]]):
        yield f"a schema that is {value!r}", skops_file(None, **{"schema.json": json.dumps(value).encode()})
    for name in ("../../evil", "/etc/evil", "C:\\evil", "a" * 60_000):
        yield f"a member named {name[:20]}", skops_file(head_of(words("x")), **{name: b"x"})
    state = json.dumps(head_of(words("knn")))
    for old, new in (('"name"', '"eman"'), ("DictNode", "ListNode"), ('"1.0"', '"1e999"'), ('"1.0"', '"[]"'),
                     ("builtins", "os"), ("__id__", "__di__"), ('"knn"', '"no such head"')):  # fmt: skip
        yield f"a head with {new} for {old}", skops_file(json.loads(state.replace(old, new)))


def _twice() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for _ in range(2):
            import warnings

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                archive.writestr("schema.json", json.dumps(head_of(words("x"))))
    return file.getvalue()


def _claims(content: bytes, size: int) -> bytes:
    """Let the last member's entry in the directory claim another size."""
    at = content.rindex(b"PK\x01\x02")
    return content[: at + 24] + size.to_bytes(4, "little") + content[at + 28 :]
