"""The curves of a run as TensorBoard's event files, written here byte by byte: the server has no TensorFlow.

A file is a row of records, each with the checksums of its length and its content; a record is an ``Event`` as
TensorFlow's event.proto has it, of which time, step and one number are needed.
"""

import struct
from collections.abc import Iterable, Sequence
from functools import cache

from tlcore.sentences import Sentence
from tlcore.spec import MetricPoint
from tlcore.spec.curves import series
from tlcore.store import Run, Store

from .archive import zipped
from .exporter import Exporter, Part
from .tables import ALL

PER_EPOCH = 1000  # steps, where curves have points within an epoch: TensorBoard counts in whole numbers
README = """\
The curves of a run of Transfer Lab, a folder for each. Unpack, then:

    pip install tensorboard
    tensorboard --logdir {folder}

{steps}
"""
WHOLE = "A step is an epoch, or what the curve counts: training images, trees."
PARTS = 'A step is a thousandth of an epoch; "x" has the epochs.'


class EventFiles(Exporter):
    """The points of a run's curves, as TensorBoard reads them: a ZIP with a folder of one event file for each curve."""

    name = "tensorboard"
    only_by_name = True

    def parts(self, run: Run, store: Store) -> tuple[Part, ...]:
        if not store.points(run.id, limit=1):
            return ()

        def read() -> bytes:
            return packed(run, [point for _, point in store.points(run.id, limit=ALL)])

        return (Part("-tensorboard.zip", Sentence("Curves for TensorBoard (ZIP)"), read, "application/zip"),)


def packed(run: Run, points: Sequence[MetricPoint]) -> bytes:
    """Return the ZIP; equal for an equal run, whenever it is made."""
    began, folder = run.started or run.created, run.id
    per_x = steps_per_x(points)
    curves: dict[str, list[MetricPoint]] = {}
    for point in points:
        curves.setdefault(series(point), []).append(point)
    told = README.format(folder=folder, steps=WHOLE if per_x == 1 else PARTS)
    files = {"README.txt": told.encode()}
    for name, curve in curves.items():
        files[f"{folder}/{name}/events.out.tfevents.{int(began)}.transfer-lab"] = event_file(curve, began, per_x)
    return zipped(files, run.finished or began)


def steps_per_x(points: Iterable[MetricPoint]) -> int:
    """Return how many steps there are to one of what curves count, so that each point has a whole one.

    Examples
    --------
    >>> steps_per_x([MetricPoint("train", 1.0)]), steps_per_x([MetricPoint("train", 0.5), MetricPoint("train", 1.0)])
    (1, 1000)
    """
    return 1 if all(float(point.x).is_integer() for point in points) else PER_EPOCH


def event_file(points: Iterable[MetricPoint], began: float, per_x: int) -> bytes:
    """Return one curve as an event file with the scalars ``loss``, ``accuracy`` and ``x``, where there are any.

    Parameters
    ----------
    began : UTC seconds that ``elapsed_s`` counts from
    per_x : steps to one of the points' ``x``
    """
    records = [_record(_time(began) + _text(3, "brain.Event:2"))]
    for point in points:
        head = _time(began + point.elapsed_s) + _number(2, round(point.x * per_x))
        values = {"loss": point.loss, "accuracy": point.accuracy, "x": point.x}
        scalars = b"".join(_scalar(tag, value) for tag, value in values.items() if value is not None)
        records.append(_record(head + _message(5, scalars)))
    return b"".join(records)


# -- protocol buffers, as far as an event needs them: a key (field number, kind), then the value -----------------------


def _time(seconds: float) -> bytes:
    return b"\x09" + struct.pack("<d", seconds)  # field 1, eight bytes


def _number(field: int, value: int) -> bytes:
    return bytes([field << 3]) + _varint(value)


def _message(field: int, content: bytes) -> bytes:
    return bytes([field << 3 | 2]) + _varint(len(content)) + content


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _scalar(tag: str, value: float) -> bytes:
    """Return a value of a summary: its tag, and a number of four bytes in field 2."""
    return _message(1, _text(1, tag) + b"\x15" + struct.pack("<f", value))


def _varint(n: int) -> bytes:
    """Return a number in groups of seven bits, the lowest first; all but the last have the eighth bit set.

    >>> _varint(300).hex()
    'ac02'
    """
    groups = bytearray()
    while n > 127:
        groups.append(n & 127 | 128)
        n >>= 7
    return bytes([*groups, n])


# -- records ---------------------------------------------------------------------------------------------------------


def _record(content: bytes) -> bytes:
    length = struct.pack("<Q", len(content))
    return length + _masked(length) + content + _masked(content)


def _masked(content: bytes) -> bytes:
    """Return the checksum as records have it: turned by 15 bits, and a constant added."""
    crc = crc32c(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def crc32c(content: bytes) -> int:
    """Return the checksum CRC-32C (Castagnoli), which zlib does not have.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc, table = 0xFFFFFFFF, _table()
    for byte in content:
        crc = table[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


@cache
def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ 0x82F63B78 if byte & 1 else byte >> 1
        table.append(byte)
    return tuple(table)
