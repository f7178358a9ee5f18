"""Hostile archives of runs: bombs, traversal, lying sums, too many members, JSON that is not that of a run."""

import hashlib
import io
import json
import struct
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from tlcore import sentences
from tlcore.exports.archive import CONTENTS, FORMAT, README
from tlcore.exports.record import FILE, Record
from tlcore.spec import DataSpec, FineTuneSpec, MetricPoint, Phase, to_json

CONFUSION = [[int(a in (b, (b + 1) % 5)) for a in range(5)] for b in range(5)]
SCORE = {"accuracy": 0.5, "low": 0.1, "high": 0.9, "n": 10, "confusion": CONFUSION}
RESULT = {
    "test": SCORE,
    "class_names": list("56789"),
    "n_trained": 10,
    "n_weights": 100,
    "n_trainable": 40,
    "epochs": 1,
    "reason": "because",
}
SPEC = FineTuneSpec(data=DataSpec(per_class=2), phases=(Phase(1, ("conv_1",)),))
BOMB = {"template": "{n:>9999999999}", "values": {"n": 1}}


def record(**changes: Any) -> dict[str, Any]:
    """Return the record of an honest run as JSON values, with some fields changed."""
    honest = Record(
        id="0123456789abcdef",
        spec=json.loads(to_json(SPEC)),
        state="done",
        created=1e9,
        started=1e9,
        finished=1e9 + 1,
        result=RESULT,
        versions={"keras": "3.15"},
        data_hash="a" * 64,
        points=(MetricPoint("train", 1.0, 0.5, 0.5),),
    )
    return json.loads(json.dumps(asdict(honest), default=sentences.encode)) | changes


def listed(members: Mapping[str, bytes], **changes: Any) -> bytes:
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    return json.dumps({"format": FORMAT, "made_with": "Transfer Lab", "files": sums} | changes).encode()


def pack(files: Mapping[str, bytes], contents: bytes | None = None, compress: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compress) as archive:
        archive.writestr(README, "read me")
        archive.writestr(CONTENTS, listed(files) if contents is None else contents)
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def honest(**changes: Any) -> bytes:
    """Return an archive whose list is right, of a run with some fields changed."""
    return pack({FILE: json.dumps(record(**changes)).encode(), "metrics.csv": b"seq\n"})


def lying() -> bytes:
    """Return an archive whose list has another sum for the record."""
    return pack({FILE: json.dumps(record()).encode()}, listed({FILE: b"other"}))


def packed() -> Iterator[tuple[str, bytes]]:
    """Yield what is wrong with the ZIP or its list; the names say what."""
    files = {FILE: json.dumps(record()).encode()}
    whole = honest()
    yield "nothing", b""
    yield "no ZIP", b"a run"
    yield "an empty ZIP", b"PK\x05\x06" + bytes(18)
    for share in range(5, 100, 10):
        yield f"cut off at {share} %", whole[: len(whole) * share // 100]
    for name in ("../evil", "/etc/evil", "C:\\evil", "a/b/c", "..", "1-x/../../evil", "a\nb", "a" * 60_000, ".hidden"):
        yield f"a member named {name[:20]!r}", pack(files | {name: b"x"})
    yield "a name that ends at a zero byte", whole.replace(b"metrics.csv", b"metrics\0csv")
    yield "a link", _linked(files)
    yield "two members of one name", _twice(files)
    yield "too many members", pack(files | {f"m{i}": b"" for i in range(600)})
    yield "a strange compression", pack(files, compress=zipfile.ZIP_BZIP2)
    yield "an encrypted member", _flagged(whole)
    yield "a member that claims 4 GB", _claims(whole, 2**32 - 2)
    yield "a member that claims less", _claims(whole, 1)
    yield "a bomb", pack(files | {"zeros.npz": bytes(2**27)}, listed(files | {"zeros.npz": b""}))
    yield "a list that is a bomb", pack(files, b" " * 2**27)
    yield "no list", _without(CONTENTS)
    yield "no README", _without(README)
    yield "a lying sum", lying()
    yield "a file that is not listed", pack(files | {"more": b"x"}, listed(files))
    yield "a listed file that is not there", pack(files, listed(files | {"more": b"x"}))
    yield "no record", pack({"settings.json": b"{}"})
    yield "a folder at a run that has no ways", pack(files | {f"1-x/{FILE}": files[FILE]})
    for contents in (b"{", b"[" * 100_000, b"[]", b"null", b'"x"', b"{}", b'{"format": 2}', b"\xff"):
        yield f"a list that is {contents[:12]!r}", pack(files, contents)
    for name, value in (("format", FORMAT + 1), ("format", "2"), ("format", None), ("files", []), ("files", {FILE: 1}),
                        ("files", {FILE: "x"}), ("made_with", 3), ("made_with", "a\nb")):  # fmt: skip
        yield f"a list with {name} {value!r}", pack(files, listed(files, **{name: value}))


def records() -> Iterator[tuple[str, bytes]]:
    """Yield archives whose record is not that of a run."""
    for text in (b"{", b"[" * 100_000, b"[]", b"null", b"1", b"{}", b"\xff\xfe", b'{"id": "x"}', b'{"a": ' * 50_000):
        yield f"a record that is {text[:12]!r}", pack({FILE: text})
    known = record()
    for name in known:
        wrong: list[Any] = [[], {"x": []}, 10**400, -1, True, "x" * 20_000, BOMB]
        empty = [value for value in wrong if name in ("points", "cells") and value == []]
        more = [value for value in wrong if name == "result" and value == {"x": []}]  # what a newer version knows
        if name == "error":  # of another kind it is read as none
            wrong = ["x" * 20_000, BOMB]
        for value in (value for value in wrong if value not in empty + more):
            yield f"{name} is {str(value)[:20]}", honest(**{name: value})
    fields = {
        "id": ("../../../etc", "0123456789ABCDEF", "", "0" * 17),
        "state": ("queued", "running", "", "x"),
        "data_hash": ("x", "A" * 64, "0" * 63),
        "created": (-1.0, 1e300, "0"),
        "attempt": (0, 2**60),
        "spec": ({}, {"kind": "x"}, {"kind": "fine_tune"}, {"kind": "fine_tune", "epochs": 1}, {"kind": ["fine_tune"]}),
        "name": ("a\nb", "\x1b[31m", "x" * 201),
        "versions": ({"keras": 3}, {f"p{i}": "1" for i in range(99)}, {"a\nb": "1"}),
        "points": ([{"part": "x", "x": 1}], [{"x": 1}], [{"part": "train", "x": "1"}], [{"part": "train", "x": -1}],
                   [{"part": "train", "x": 1, "accuracy": 2}], [[]], [{"part": "train", "x": 1, "head": "a\nb"}]),
        "cells": ([{}], [{"target": 1}], ["x"]),
        "error": (BOMB, {"template": "{0.__class__}", "values": {}}, {"template": "{a.b}", "values": {"a": 1}},
                  {"template": "{", "values": {}}, {"template": "{a:{b}}", "values": {"a": 1, "b": 9}}),
    }  # fmt: skip
    for name, values in fields.items():
        for value in values:
            yield f"{name} is {str(value)[:40]}", honest(**{name: value})
    spec = known["spec"]
    for name, value in (("seed", "x"), ("seed", None), ("batch_size", 1.5), ("phases", [{"epochs": "3"}]),
                        ("phases", 1),
                        ("data", {"per_class": "all"}), ("data", {"split": "../x"}), ("film", "yes")):  # fmt: skip
        yield f"a spec with {name} {value!r}", honest(spec=spec | {name: value})
    for name, value in (("accuracy", 2), ("accuracy", "0.5"), ("low", -1), ("n", -1), ("n", 9), ("n", 1.5),
                        ("confusion", [[1]]),
                        ("confusion", [[0] * 5] * 4), ("confusion", [[-1] * 5] * 5), ("confusion", [["x"]]),
                        ):  # fmt: skip
        yield f"a test with {name} {value!r}", honest(result=RESULT | {"test": SCORE | {name: value}})
    for name, value in (("class_names", ["5"] * 5), ("class_names", ["\n"] * 5), ("class_names", [1, 2, 3, 4, 5]),
                        ("class_names", list("5678")), ("reason", BOMB), ("files", {"model.keras": {}}), ("files", []),
                        ("n_weights", 0),
                        ("form", {"modality": 1, "shape": [28]}), ("proof", [{"layer": 1}]), ("epochs", 10**400),
                        ):  # fmt: skip
        yield f"a result with {name} {str(value)[:30]}", honest(result=RESULT | {name: value})


def not_here() -> Iterator[tuple[str, bytes]]:
    """Yield runs that are well written and cannot be taken: of tasks, networks and settings that no lab has."""
    spec = record()["spec"]
    yield "another task", honest(spec=spec | {"data": spec["data"] | {"target": "set-0123456789ab"}})
    yield "another source", honest(spec=spec | {"source": "upload-0123456789ab"})
    yield "a path as a source", honest(spec=spec | {"source": "../../etc/passwd"})
    yield "too many epochs", honest(spec=spec | {"phases": [{"epochs": 10**6}]})
    yield "an unknown layer", honest(spec=spec | {"phases": [{"epochs": 1, "frozen": ["no_such"]}]})
    yield "other classes", honest(result=RESULT | {"class_names": list("abcde")})
    form = {"modality": "image", "shape": [10**6, 10**6, 3], "dtype": "uint8"}
    yield "giant pictures", honest(result=RESULT | {"form": form})
    yield "a test of a model", honest(spec={"kind": "evaluate", "model": "run:../x"}, result={})


def _linked(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(README, "")
        archive.writestr(CONTENTS, listed({**files, "link": b"/etc/passwd"}))
        for name, content in files.items():
            archive.writestr(name, content)
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return stream.getvalue()


def _twice(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO(pack(files))
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(FILE, json.dumps(record(name="other")))
    return stream.getvalue()


def _without(name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(honest())) as whole, zipfile.ZipFile(stream, "w") as archive:
        for info in whole.infolist():
            if info.filename != name:
                archive.writestr(info.filename, whole.read(info))
    return stream.getvalue()


def _flagged(content: bytes) -> bytes:
    """Let the last member's entry in the directory say that it is encrypted."""
    at = content.rindex(b"PK\x01\x02")
    (flags,) = struct.unpack_from("<H", content, at + 8)
    return content[: at + 8] + struct.pack("<H", flags | 1) + content[at + 10 :]


def _claims(content: bytes, size: int) -> bytes:
    """Let the last member's entry in the directory claim another size."""
    at = content.rindex(b"PK\x01\x02")
    return content[: at + 24] + size.to_bytes(4, "little") + content[at + 28 :]
