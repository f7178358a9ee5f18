"""Hostile picture files: bombs, truncations, polyglots, other formats under a picture's name."""

import gzip
import io
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

KINDS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")
APART = ("TIFF", "AVIF", "HEIC")  # decoded in a process of their own


@cache
def honest(kind: str, **options) -> bytes:
    """Return a small picture of a seven, whole and readable."""
    picture = Image.new("L", (48, 48), 255)
    ImageDraw.Draw(picture).line([(10, 10), (36, 10), (20, 40)], fill=0, width=5)
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def apart(kind: str) -> bytes:
    """Return a small picture of a seven in a format that is decoded apart."""
    if kind == "HEIC":  # Pillow and pi-heif write none: drawn by Pillow, saved once by pillow-heif
        return (Path(__file__).parent / "seven.heic").read_bytes()
    return honest(kind)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, data: bytes, *extra: bytes, depth: int = 8, colour: int = 0) -> bytes:
    """Return a PNG of the size its header claims, with whatever ``data`` holds."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    middle = b"".join(extra) + chunk(b"IDAT", data)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + middle + chunk(b"IEND", b"")


@cache
def zeros(size: int) -> bytes:
    """Return ``size`` zeros under zlib: a thousandth of that."""
    if size <= 2**26:
        return zlib.compress(bytes(size), 9)
    deflate = zlib.compressobj(9)
    start, block = deflate.compress(b""), 2**24
    part = deflate.compress(bytes(block)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return start + part * (size // block) + deflate.flush()  # a wrong sum at its end, where no bomb gets to


def bombs() -> Iterator[tuple[str, bytes]]:
    """Yield small files that ask for much memory or time."""
    for side in (5_001, 8_000, 20_000, 65_535, 10**6, 2**31 - 1):
        yield f"png that claims {side}²", png(side, side, zlib.compress(b"\0"))
        yield f"png that claims {side}² in colour with 16 bits", png(side, side, zeros(2**20), depth=16, colour=6)
    yield "png of 25 million pixels", png(5_000, 5_000, zeros(5_001 * 5_000))
    yield "png of one row", png(25_000_000, 1, zeros(25_000_001))
    yield "png of one column", png(1, 25_000_000, zeros(50_000_000))
    yield "png with much behind a small picture", png(28, 28, zeros(2**28))
    text = chunk(b"zTXt", b"a\0\0" + zeros(2**28))
    yield "png with a text bomb", png(28, 28, zeros(28 * 29), text)
    yield "png with many text bombs", png(28, 28, zeros(28 * 29), *[chunk(b"zTXt", b"a\0\0" + zeros(2**24))] * 80)
    yield (
        "png with an international text bomb",
        png(28, 28, zeros(28 * 29), chunk(b"iTXt", b"a\0\1\0\0\0" + zeros(2**28))),
    )
    yield "png with a colour profile bomb", png(28, 28, zeros(28 * 29), chunk(b"iCCP", b"a\0\0" + zeros(2**28)))
    yield "png with an EXIF of a megabyte", png(28, 28, zeros(28 * 29), chunk(b"eXIf", b"MM\0*" + bytes(2**20)))
    loop = b"MM\0*\0\0\0\x08" + struct.pack(">HHHII", 1, 0x8769, 4, 1, 8) + struct.pack(">I", 8)
    yield "png whose EXIF points at itself", png(28, 28, zeros(28 * 29), chunk(b"eXIf", loop))
    many = b"MM\0*\0\0\0\x08" + struct.pack(">H", 65_535) + struct.pack(">HHII", 0x0112, 3, 2**31, 0) * 65_535
    yield "png whose EXIF has 65,535 entries", png(28, 28, zeros(28 * 29), chunk(b"eXIf", many))
    animated = b"acTL" + struct.pack(">II", 2**31 - 1, 0)
    yield "png that claims two thousand million frames", png(28, 28, zeros(28 * 29), chunk(animated[:4], animated[4:]))
    yield "gif of many frames", _gif(3_000)
    yield "gif that claims 65,535²", honest("GIF")[:6] + struct.pack("<HH", 65_535, 65_535) + honest("GIF")[10:]
    yield "gif with a frame larger than the picture", _gif_with_a_large_frame()
    yield "bmp that claims 2³¹", honest("BMP")[:18] + struct.pack("<ii", 2**31 - 1, 2**31 - 1) + honest("BMP")[26:]
    yield "bmp with negative sides", honest("BMP")[:18] + struct.pack("<ii", -48, -48) + honest("BMP")[26:]
    yield "bmp whose pixels begin beyond the end", honest("BMP")[:10] + b"\xff\xff\xff\x7f" + honest("BMP")[14:]
    yield "jpeg that claims 65,500²", _jpeg_that_claims(65_500)
    yield "jpeg of 25 million pixels and 12 scans", jpeg_of_many_scans(5_000, 12)
    yield "jpeg of 25 million pixels and 20,000 scans", jpeg_of_many_scans(5_000, 20_000)
    yield "jpeg of a hundred thousand comments", _after_start(honest("JPEG"), b"\xff\xfe\0\x02" * 100_000)
    yield (
        "jpeg with a thousand profiles",
        _after_start(honest("JPEG"), (b"\xff\xe2\xff\xff" + b"ICC_PROFILE\0\1\1" + bytes(65_519)) * 100),
    )
    yield "tiff that claims 65,535²", _tiff_that_claims(65_535)
    yield "tiff of 25 million pixels", _tiff_of(5_000)
    yield "tiff whose pages are a ring", _tiff_ring()
    yield "avif of 36 million pixels", _avif_of(6_000)
    yield "heic of 36 million pixels, as it says", _heic_that_claims(6_000)
    yield "webp that claims 16,384²", honest("WEBP")[:26] + b"\xff\x3f\xff\x3f" + honest("WEBP")[30:]


def _gif(n: int) -> bytes:
    frames = [Image.new("L", (28, 28), i % 256) for i in range(2)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    whole = file.getvalue()
    frame = whole[whole.rindex(b"!\xf9") : -1]
    return whole[:-1] + frame * n + b";"


def _gif_with_a_large_frame() -> bytes:
    content = bytearray(honest("GIF"))
    at = content.rindex(b",\0\0\0\0")
    content[at + 5 : at + 9] = struct.pack("<HH", 65_535, 65_535)
    return bytes(content)


def _jpeg_that_claims(side: int) -> bytes:
    content = honest("JPEG")
    at = content.index(b"\xff\xc0")
    return content[: at + 5] + struct.pack(">HH", side, side) + content[at + 9 :]


def _after_start(content: bytes, inserted: bytes) -> bytes:
    return content[:2] + inserted + content[2:]


@cache
def jpeg_of_many_scans(side: int, n: int) -> bytes:
    """Return a progressive JPEG of one colour whose last scan comes ``n`` times: each is a walk over all pixels."""
    file = io.BytesIO()
    Image.new("L", (side, side), 200).save(file, "JPEG", progressive=True, quality=10)
    content = file.getvalue()
    at = content.rindex(b"\xff\xda")
    return content[:at] + content[at:-2] * n + b"\xff\xd9"


SVG = b"<svg xmlns='http://www.w3.org/2000/svg' xmlns:x='http://www.w3.org/1999/xlink'>%s</svg>"


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../../evil.py", "raise SystemExit")
    return file.getvalue()


def _tiff_of(side: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (side, side)).save(file, "TIFF", compression="tiff_deflate")
    return file.getvalue()


def _tiff_that_claims(side: int) -> bytes:
    content = _tiff_of(28)
    return content.replace(struct.pack("<HHIH", 256, 3, 1, 28), struct.pack("<HHIH", 256, 3, 1, side)).replace(
        struct.pack("<HHIH", 257, 3, 1, 28), struct.pack("<HHIH", 257, 3, 1, side)
    )


def _tiff_ring() -> bytes:
    content = bytearray(_tiff_of(28))
    at = struct.unpack("<I", content[4:8])[0]
    n = struct.unpack("<H", content[at : at + 2])[0]
    content[at + 2 + 12 * n : at + 6 + 12 * n] = struct.pack("<I", at)  # its next page is itself
    return bytes(content)


def _avif_of(side: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (side, side)).save(file, "AVIF", speed=10)
    return file.getvalue()


def _heic_that_claims(side: int) -> bytes:
    content = apart("HEIC")
    at = content.index(b"ispe") + 8
    return content[:at] + struct.pack(">II", side, side) + content[at + 8 :]


def _other_format(name: str, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (32, 32)).save(file, name)
    return file.getvalue()


def foreign() -> Iterator[tuple[str, bytes]]:
    """Yield what is no picture of the five formats, whatever it is called; none of it may be read."""
    yield "empty", b""
    for n in (1, 2, 4, 8, 16, 1_000, 10**6):
        yield f"{n} zeros", bytes(n)
        yield f"{n} bytes of noise", np.random.default_rng(n).bytes(n)
    yield "html", b"<!doctype html><script>alert(1)</script>"
    yield "svg", SVG % b"<script>alert(1)</script>"
    yield "svg with entities", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>" + SVG % b"&b;"
    yield "svg with a remote picture", SVG % b"<image x:href='http://127.0.0.1:1/x.png'/>"
    yield "pdf", b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript>>>>"
    yield "postscript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n"
    yield "pickle", pickle.dumps({"not": "a picture"})
    yield "numpy", b"\x93NUMPY\x01\0v\0{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n"
    yield "zip", _zip()
    yield "gzip", gzip.compress(honest("PNG"))
    for name in ("ICO", "PCX", "PPM", "TGA", "SGI", "IM", "DDS", "PDF", "JPEG2000"):
        yield f"{name} under another name", _other_format(name)
    yield "eps under another name", _other_format("EPS")
    yield "html before a png", b"<html>" + honest("PNG")
    yield "zip before a png", _zip() + honest("PNG")
    yield "the signature of a png alone", honest("PNG")[:8]
    yield "the signature of a webp with other content", b"RIFF\x24\0\0\0WEBPVP9 " + bytes(24)
    yield "xpm", b'/* XPM */ static char *a[] = {"1 1 1 1", "a c #000"};'
    yield "elf", b"\x7fELF" + bytes(60)


def polyglots() -> Iterator[tuple[str, bytes]]:
    """Yield pictures that are something else too; what is read of them is the picture."""
    for kind in KINDS:
        yield f"{kind} and zip", honest(kind) + _zip()
        yield f"{kind} and html", honest(kind) + b"<script>alert(1)</script>"
        yield f"{kind} and pickle", honest(kind) + pickle.dumps([1])
    yield "png with html in its text", png(28, 28, zeros(28 * 29), chunk(b"tEXt", b"a\0<script>alert(1)</script>"))
    yield "jpeg with html in its comment", honest("JPEG", comment=b"<script>alert(1)</script>")
    yield "gif with html in its comment", honest("GIF", comment=b"<script>alert(1)</script>")


def cut(step: int) -> Iterator[tuple[str, bytes]]:
    """Yield every format cut off after each ``step``-th byte."""
    for kind in KINDS:
        whole = honest(kind)
        for end in range(0, len(whole), max(1, len(whole) // step)):
            yield f"{kind} cut after {end} bytes", whole[:end]


def wrong_chunks() -> Iterator[tuple[str, bytes]]:
    """Yield PNGs that break the format's own rules."""
    for depth in range(0, 20):
        for colour in (0, 2, 3, 4, 6, 7):
            yield f"png of depth {depth}, colour {colour}", png(4, 4, zeros(200), depth=depth, colour=colour)
    for sides in ((0, 0), (0, 9), (9, 0), (2**31, 9), (9, 2**32 - 1)):
        yield f"png of {sides}", png(*sides, zeros(100))
    whole = png(4, 4, zeros(20))
    yield "png with a wrong checksum", whole[:29] + b"\0\0\0\0" + whole[33:]
    yield "png with a chunk longer than the file", whole[:33] + b"\x7f\xff\xff\xff" + whole[37:]
    yield "png with two headers", whole[:33] + whole[8:]
    yield "png without pixels", whole[:33] + chunk(b"IEND", b"")
    yield "png whose pixels are no zlib", png(4, 4, b"nothing")
    yield "png with transparency of another colour", png(4, 4, zeros(20), chunk(b"tRNS", bytes(999)))
    yield "png with a palette of one", png(4, 4, zeros(20), chunk(b"PLTE", b"abc"), colour=3)
