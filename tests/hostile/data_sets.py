"""Hostile data sets: bombs, lies in heads, archives in archives, tables without end, objects that would run code."""

import io
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import picture_files as files

from . import pictures

Named = dict[str, bytes]  # the files that are given together


def archive(named: "Named | list[tuple[str, bytes]]", compress: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compress) as packed:
        for name, content in named.items() if isinstance(named, dict) else named:
            packed.writestr(name, content)
    return stream.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def npy(head: str, content: bytes = b"", version: int = 1) -> bytes:
    """Return an array file with whatever head."""
    text = head.encode() + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + content


def honest() -> dict[str, Named]:
    """Return a small good set of every kind."""
    images, labels = files.digits(8), np.arange(8, dtype=np.uint8) % 2
    named = {name.replace("/", "_"): content for name, content in files.pets(4).items()}
    rows = "".join(f"{name},{name[:3]}\n" for name in named)
    return {
        "zip": {"pets.zip": archive(files.pets(4))},
        "deflated": {"pets.zip": archive(files.pets(4), zipfile.ZIP_DEFLATED)},
        "npz": {"a.npz": npz(x=images, y=labels)},
        "csv": {"a.csv": files.pixel_csv(images, labels.tolist())},
        "csv.gz": {"a.csv.gz": files.packed(files.pixel_csv(images, labels.tolist()))},
        "idx": {"train-images-idx3-ubyte": files.idx(images), "train-labels-idx1-ubyte": files.idx(labels)},
        "idx.gz": {
            "train-images-idx3-ubyte.gz": files.packed(files.idx(images)),
            "train-labels-idx1-ubyte.gz": files.packed(files.idx(labels)),
        },
        "table and zip": {"labels.csv": f"path,label\n{rows}".encode(), "p.zip": archive(named)},
    }


def cut(named: Named, n: int) -> Iterator[Named]:
    """Yield a set cut off at ``n`` places of its first file."""
    name, content = next(iter(named.items()))
    for at in np.linspace(0, len(content) - 1, n).astype(int):
        yield named | {name: content[:at]}


def spoilt(named: Named, n: int, seed: int = 0) -> Iterator[Named]:
    """Yield a set with some bytes changed: at its head, at its end, anywhere."""
    rng = np.random.default_rng(seed)
    name, content = next(iter(named.items()))
    for i in range(n):
        bad = bytearray(content)
        reach = (min(128, len(bad)), len(bad), len(bad))[i % 3]
        for at in rng.integers(max(0, len(bad) - 200) if i % 3 == 1 else 0, reach, 1 + i % 8):
            bad[at] = rng.integers(0, 256)
        yield named | {name: bytes(bad)}


class Runs:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def objects(path: Path) -> Iterator[Named]:
    """Yield NPZ files whose arrays are pickles that would make ``path``."""
    thing = np.array([Runs(path)] * 4, dtype=object)
    images, labels = files.digits(4), np.arange(4) % 2
    for arrays in ({"x": images, "y": thing}, {"x": thing, "y": labels}, {"x": images, "y": labels, "more": thing}):
        stream = io.BytesIO()
        np.savez(stream, allow_pickle=True, **arrays)
        yield {"a.npz": stream.getvalue()}
    yield {"a.npz": pickle.dumps(Runs(path))}
    yield {"a.npz": archive({"x.npy": pickle.dumps(Runs(path)), "y.npy": pickle.dumps(Runs(path))})}
    yield {"a.npy": npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", pickle.dumps([Runs(path)]))}


HEADS = (
    "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 28, 1000000000000), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000, 28, 28), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (4, -28, 28), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 0, 28), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (0, 28, 28), }",
    "{'descr': '|u1', 'fortran_order': True, 'shape': (4, 28, 28), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': 4, }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 28.0, 28), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (True, 28, 28), }",
    "{'descr': '|V8', 'fortran_order': False, 'shape': (4, 28, 28), }",
    "{'descr': '<c16', 'fortran_order': False, 'shape': (4, 28, 28), }",
    "{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (4, 28, 28), }",
    "{'descr': '<M8[s]', 'fortran_order': False, 'shape': (4, 28, 28), }",
    "{'descr': 'nonsense', 'fortran_order': False, 'shape': (4, 28, 28), }",
    "{'descr': __import__('os').getcwd(), 'fortran_order': False, 'shape': (4, 28, 28), }",
    "{'descr': '|u1'}",
    "[1, 2, 3]",
    "(" * 5000,
    "{'descr': '|u1', 'fortran_order': False, 'shape': (" + "1, " * 5000 + "), }",
    "",
)


def lying_heads() -> Iterator[Named]:
    """Yield NPZ files whose arrays are described wrongly, as pictures and as labels."""
    good = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4, 28, 28), }", bytes(4 * 784))
    labels = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }", bytes([0, 1, 0, 1]))
    for head in HEADS:
        yield {"a.npz": archive({"x.npy": npy(head, bytes(3136)), "y.npy": labels})}
        yield {"a.npz": archive({"x.npy": good, "y.npy": npy(head, bytes(64))})}
    yield {"a.npz": archive({"x.npy": npy(HEADS[0], version=2), "y.npy": labels})}
    yield {"a.npz": archive({"x.npy": good, "y.npy": labels[:20]})}
    yield {"a.npz": archive({})}
    floats = np.array([np.nan, np.inf, -np.inf, 1e300], np.float64)
    yield {"a.npz": npz(x=np.resize(floats, (4, 28, 28)), y=np.arange(4) % 2)}
    yield {"a.npz": npz(x=files.digits(4), y=np.array([np.nan, np.inf, 1, 2]))}
    yield {"a.npz": npz(x=files.digits(4), y=np.zeros((4, 14)))}
    yield {"a.npz": npz(x=files.digits(4), y=np.arange(3))}
    yield {"a.npz": npz(x=files.digits(300), y=np.arange(300))}


def lying_idx() -> Iterator[Named]:
    """Yield IDX files whose heads announce what is not there."""
    images, labels = files.digits(6), np.arange(6, dtype=np.uint8) % 2
    good = {"train-images-idx3-ubyte": files.idx(images), "train-labels-idx1-ubyte": files.idx(labels)}
    for shape in (
        (10**9, 28, 28),
        (6, 2**31, 2**31),
        (6, 0, 28),
        (0, 28, 28),
        (5, 28, 28),
        (6, 28, 29),
        (6, 2000, 2000),
    ):
        yield good | {"train-images-idx3-ubyte": files.idx(images, shape)}
    for shape in ((10**9,), (2**32 - 1,), (5,), (0,), (6, 1), (1, 1, 1)):
        yield good | {"train-labels-idx1-ubyte": files.idx(labels, shape)}
    yield {"train-images-idx3-ubyte": good["train-images-idx3-ubyte"]}
    yield {"train-labels-idx1-ubyte": good["train-labels-idx1-ubyte"]}
    yield good | {"t10k-images-idx3-ubyte": files.idx(images)}
    for kind in (0x07, 0x0A, 0x0D, 0x0E, 0xFF):
        content = bytearray(files.idx(images))
        content[2] = kind
        yield good | {"train-images-idx3-ubyte": bytes(content)}
    yield good | {"train-images-idx3-ubyte": bytes([0, 0, 8, 200]) + bytes(900)}
    yield good | {"train-images-idx3-ubyte": files.packed(bytes([0, 0, 8, 3]))}


def tables() -> Iterator[Named]:
    """Yield tables that are none, or have no end."""
    row = ",".join(["1"] * 785)
    wide = ",".join(["0"] * 1_000_000)
    texts = (
        "",
        "\n" * 1000,
        "a",
        "label,pixel0\n1,2\n",
        f"{wide}\n{wide}\n",
        "label," + ",".join(f"p{i}" for i in range(400_000)),
        "x" * 3_000_000,
        '"' + "x" * 200_000,
        '"unclosed,' * 500,
        "label,path\n" + "../../etc/passwd,cat\n" * 9,
        "path,label\n/etc/passwd,cat\nC:\\x.png,dog\n",
        f"{row}\n{row[:-2]}\n{row},1\n",
        "\n".join([f"=cmd|' /C calc'!A0,{row[2:]}"] * 6),
        "\n".join(f"{i},{row[2:]}" for i in range(250)),
        f"{row}\n" + row.replace("1", "1e999") + f"\n{row}\n",
        f"{row}\n" + row.replace("1", "nan") + "\n",
        "\0" * 400,
        "label;pixel\n" * 50,
        "\ufeff" + f"{row}\n" * 6,
        f"{row}\r" * 6,
    )
    for text in texts:
        yield {"a.csv": text.encode()}
    yield {"a.csv": bytes(range(256)) * 40}
    yield {"a.csv": "label,path\ncat,a.png\n".encode("utf-16")}
    yield {"a.csv.gz": files.packed(bytes(2**26))}
    yield {"a.csv.gz": files.packed(("1," * 2**22).encode())}
    yield {"a.csv.gz": files.packed(files.packed(b"1,2\n"))}
    yield {"a.csv": f"{row}\n".encode(), "b.csv": b"path,label\nx.png,cat\n"}


NAMES = (
    "../../../../tmp/evil/x.png", "/etc/cron.d/x.png", "C:\\Windows\\x.png", "..\\..\\x.png", "cat/../../x.png",
    "con/nul.png", "cat\0/x.png", "cat/" + "x" * 3000 + ".png", "a/" * 500 + "x.png", "\u202egnp/x.png", "<b>/x.png",
    "{n}/x.png", "%s/x.png", "\n/\r.png", " / .png", "./././x.png", "~/x.png", "$HOME/x.png", "'; DROP TABLE x/x.png",
    "\ud800/x.png".encode("utf-8", "replace").decode(), "cat./x.png", "CAT/x.png", "\u00e9/x.png", "e\u0301/x.png",
)  # fmt: skip


def names() -> Iterator[Named]:
    """Yield ZIPs whose folders and files have names that lead out of a folder, or into a sentence."""
    picture = files.encoded(files.scene("cat", 0))
    for name in NAMES:
        yield {"a.zip": archive([*files.pets(3).items(), (name, picture)])}
        yield {"a.zip": archive([(name, picture), (name, picture), (name, picture)])}


def archives() -> Iterator[Named]:
    """Yield archives that hold archives, nothing, too much, or lie about it."""
    good = archive(files.pets(3))
    inner = good
    for _ in range(4):
        inner = archive({"cat/inner.zip": inner, "inner.zip": inner})
        yield {"a.zip": inner}
    yield {"a.zip": archive({})}
    yield {"a.zip": archive({"cat/": b"", "dog/": b""})}
    yield {"a.zip": archive({"a.png": files.encoded(files.scene("cat", 0))})}
    yield {"a.zip": archive({f"{i}/x.png": b"" for i in range(300)})}
    yield {"a.zip": archive({f"cat/{i}.png": bytes(2**20) for i in range(40)}, zipfile.ZIP_DEFLATED)}
    yield {"a.zip": archive({"cat/x.png": bytes(2**26), "dog/y.png": bytes(2**26)}, zipfile.ZIP_DEFLATED)}
    yield {"a.zip": archive({"x.csv": bytes(2**27)}, zipfile.ZIP_DEFLATED)}
    yield {"a.zip": archive({"x.npz": npz(x=files.digits(4), y=np.arange(4)), "y.csv": b"1,2", "z.npz": b"PK"})}
    yield {"a.zip": archive({"a/x.png": b"", "labels.csv": b"path,label\n../../../etc/passwd,a\n"})}
    yield {"a.zip": good, "b.zip": good}
    yield {"a.zip": good, "a.npz": npz(x=files.digits(4), y=np.arange(4))}
    yield {"a.rar": b"Rar!\x1a\x07\0" + bytes(100)}
    yield {"a.7z": b"7z\xbc\xaf\x27\x1c" + bytes(100)}
    yield {"a.tar": bytes(257) + b"ustar" + bytes(300)}
    yield {"a.zip": b"PK\x05\x06" + bytes(18)}
    yield {"a.zip": b"PK\x03\x04" + bytes(200)}
    yield {"a.zip": b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 60_000, 60_000, 2**31, 0, 0)}
    for flag, method in ((1, 0), (0, 99), (0, 12), (0x40, 0), (0, 14)):  # encrypted, unknown, bzip2, strong, lzma
        yield {"a.zip": _patched(good, flag, method)}
    yield {"a.zip": _overlapping()}
    yield {"": good}
    yield {".hidden.zip": good}
    yield {"a.exe": b"MZ" + bytes(500)}
    yield {"a.png": b"not a picture"}
    yield {"a.png": b""}


def _patched(content: bytes, flag: int, method: int) -> bytes:
    bad = bytearray(content)
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        where = bad.find(mark)
        while where >= 0:
            bad[where + at : where + at + 4] = struct.pack("<HH", flag, method)
            where = bad.find(mark, where + 4)
    return bytes(bad)


def _overlapping(n: int = 500) -> bytes:
    """Return a ZIP whose list names one and the same bomb ``n`` times (Fifield, "A better zip bomb", 2019)."""
    bomb = pictures.zeros(2**24)[2:-4]
    head = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 0, 0, len(bomb), 2**24, 5, 0) + b"c/0.x"
    entry = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 8, 0, 0, 0, len(bomb), 2**24, 9, 0, 0, 0, 0, 0, 0)
    entries = b"".join(entry + b"%d/%03d.png" % (i % 2, i % 1000) for i in range(n))
    body = head + bomb
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, n, n, len(entries), len(body), 0)
    return body + entries + end


def bad_pictures() -> Iterator[tuple[str, bytes]]:
    """Yield hostile pictures, for class folders."""
    yield from pictures.foreign()
    yield from pictures.polyglots()
    yield from pictures.cut(6)


def tiny_files(n: int) -> bytes:
    """Return a ZIP of very many files of one byte."""
    names = [b"%d/%06d.png" % (i % 2, i) for i in range(n)]
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 0, zlib.crc32(b"x"), 1, 1, 12, 0)
    entry = struct.pack("<IHHHHHHIIIHHHHHI", 0x02014B50, 20, 20, 0, 0, 0, 0, zlib.crc32(b"x"), 1, 1, 12, 0, 0, 0, 0, 0)
    body = b"".join(local + name + b"x" for name in names)
    each = len(local) + 12 + 1
    entries = b"".join(entry + struct.pack("<I", i * each) + name for i, name in enumerate(names))
    count = min(n, 2**16 - 1)  # readers go by the size of the list
    return body + entries + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(entries), len(body), 0)
