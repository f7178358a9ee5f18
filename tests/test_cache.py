import os
import resource
import socket
import threading
import time
import zlib
from collections import namedtuple

import numpy as np
import pytest

from tlcore.features import cache
from tlcore.features.cache import Cache
from tlcore.machine import scratch

SHAPE = (10, 4, 3)
X = np.arange(120, dtype=np.float32).reshape(SHAPE)
MIB = 2**20


@pytest.fixture
def kept(tmp_path):
    return Cache(tmp_path / "cache")


def parts(x, n=4):
    return (x[first : first + n] for first in range(0, len(x), n))


def names(kept):
    return sorted(path.name for path in kept.folder.iterdir())


def test_a_matrix_comes_back_as_it_went(kept):
    written = kept.write("a", SHAPE, parts(X))
    assert isinstance(written, np.memmap)
    np.testing.assert_array_equal(written, X)
    found = kept.open("a", SHAPE)
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, X)
    assert names(kept) == ["a.npy"]


def test_what_is_not_there_is_none(kept):
    assert kept.open("a", SHAPE) is None


def test_a_change_to_a_map_stays_with_its_reader(kept):
    kept.write("a", SHAPE, parts(X))[:] = 0
    np.testing.assert_array_equal(kept.open("a", SHAPE), X)


def test_the_numbers_begin_where_tensorflow_can_use_them_in_place(kept):
    assert kept.write("a", SHAPE, parts(X)).ctypes.data % 64 == 0
    assert kept.open("a", SHAPE).ctypes.data % 64 == 0


def _flip(content):
    return content[:-40] + bytes([content[-40] ^ 1]) + content[-39:]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"not a matrix",
        lambda content: b"\x93NUMPY\x01\x00v\x00",
        lambda content: content[:200],
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: content[: -cache.END.size],  # what np.save writes: no sum
        _flip,
        lambda content: content[:200] + bytes(100) + content[300:],
        lambda content: content[:-24] + bytes(8) + content[-16:],
    ],
    ids=["empty", "text", "header", "truncated", "short", "long", "no_sum", "flipped", "zeroed", "sum"],
)
def test_a_damaged_file_is_none_and_goes(kept, damage):
    kept.write("a", SHAPE, parts(X))
    path = kept.folder / "a.npy"
    content = damage(path.read_bytes())
    path.unlink()  # a new file: the map above keeps the old one
    path.write_bytes(content)
    assert kept.open("a", SHAPE) is None
    assert not path.exists()


def test_a_kept_matrix_tells_how_long_it_took_and_an_older_one_does_not(kept):
    def slowly():
        time.sleep(0.05)
        yield X

    kept.write("a", SHAPE, slowly())
    assert 0.05 <= kept.seconds("a", kept.open("a", SHAPE)) < 5
    assert 0 < kept.cpu_seconds("a", kept.open("a", SHAPE)) < 5
    path = kept.folder / "a.npy"
    numbers, crc = path.read_bytes()[: -cache.END.size], zlib.crc32(X.data)
    older = {
        cache.CRC.pack(crc, 0.5, 0.25): (0.5, 0.25),
        cache.SECONDS.pack(crc, 0.5): (0.5, 0.0),  # without processor seconds, as one version wrote
        crc.to_bytes(4, "little"): (0.0, 0.0),
    }
    for end, took in older.items():
        path.write_bytes(numbers + end)
        found = kept.open("a", SHAPE)
        assert (kept.seconds("a", found), kept.cpu_seconds("a", found)) == took
        path.write_bytes(_flip(numbers + end))
        assert kept.open("a", SHAPE) is None


@pytest.mark.parametrize("n", [1, 2, 3, 2 * cache.BLOCK + 1, 6 * cache.BLOCK + 5])
def test_the_sum_changes_with_any_number_and_with_the_order_of_blocks(n):
    x = np.random.default_rng(n).normal(size=n).astype(np.float32)
    total = cache._sum(x)
    assert total == cache._sum(x.copy())
    for at in {0, n // 2, n - 1}:
        changed = x.copy()
        changed[at : at + 1].view(np.uint32)[:] ^= 1
        assert cache._sum(changed) != total
    swapped = np.concatenate([x[2 * cache.BLOCK :], x[: 2 * cache.BLOCK]])
    assert n <= 2 * cache.BLOCK or cache._sum(swapped) != total


def test_a_file_of_another_shape_is_not_taken(kept):
    kept.write("a", SHAPE, parts(X))
    assert kept.open("a", (10, 12)) is None


def test_what_the_parts_raise_is_raised_and_nothing_stays(kept):
    def broken():
        yield X[:4]
        raise KeyError("stop")

    with pytest.raises(KeyError):
        kept.write("a", SHAPE, broken())
    assert names(kept) == []


def test_too_few_rows_are_a_mistake_and_nothing_stays(kept):
    with pytest.raises(ValueError, match="8 rows came, 10 were announced"):
        kept.write("a", SHAPE, parts(X[:8]))
    assert names(kept) == []


def test_two_writers_of_one_key_leave_one_whole_file(kept):
    half_way = threading.Barrier(2, timeout=30)

    def slowly():
        yield X[:4]
        half_way.wait()  # both have written a part before either goes on
        yield X[4:]

    found = []
    threads = [threading.Thread(target=lambda: found.append(kept.write("a", SHAPE, slowly()))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2 and all(np.array_equal(one, X) for one in found)
    np.testing.assert_array_equal(kept.open("a", SHAPE), X)
    assert names(kept) == ["a.npy"]


def matrix(mib, value):
    return np.full((mib, MIB // 4), value, np.float32)


def keep(kept, key, mib, age=None):
    x = matrix(mib, ord(key))
    found = kept.write(key, x.shape, [x])
    if age is not None:
        stamp = time.time() - age
        os.utime(kept.folder / f"{key}.npy", (stamp, stamp))
    return found


def test_the_longest_unused_goes_when_the_folder_is_full(tmp_path):
    kept = Cache(tmp_path, limit=8 * MIB)
    keep(kept, "a", 2, age=300)
    keep(kept, "b", 2, age=200)
    keep(kept, "c", 2, age=100)
    assert kept.open("a", matrix(2, 0).shape) is not None  # used again: b is now the oldest
    keep(kept, "d", 3)
    assert names(kept) == ["a.npy", "c.npy", "d.npy"]
    assert sum(path.stat().st_size for path in kept.folder.iterdir()) <= kept.limit


def test_a_reader_keeps_what_is_thrown_out(tmp_path):
    kept = Cache(tmp_path, limit=5 * MIB)
    assert (first := keep(kept, "a", 2, age=100)) is not None
    keep(kept, "b", 2)
    keep(kept, "c", 2)
    assert first is not None and "a.npy" not in names(kept) and first.min() == first.max() == ord("a")


def test_no_single_matrix_may_drive_out_all_others(tmp_path):
    kept = Cache(tmp_path, limit=8 * MIB)
    assert kept.takes((4, MIB // 4)) and not kept.takes((5, MIB // 4))


def test_files_of_others_and_of_writers_at_work_stay(tmp_path):
    kept = Cache(tmp_path, limit=4 * MIB)
    (tmp_path / "readme.txt").write_text("mine")
    at_work = tmp_path / f"{scratch.prefix()}1.part"
    lost = tmp_path / f"part~{socket.gethostname()}~{os.getpid()}~1~2.part"  # an earlier process of that number
    for path in (at_work, lost):
        path.write_bytes(bytes(10))
    keep(kept, "a", 2)
    assert names(kept) == ["a.npy", at_work.name, "readme.txt"]


def test_a_full_disk_is_no_error(kept, patch_inside):
    usage = namedtuple("usage", "total used free")
    patch_inside(cache, "shutil", disk_usage=lambda path: usage(10**12, 10**12, cache.RESERVE + 479))
    assert kept.write("a", SHAPE, parts(X)) is None
    patch_inside(cache, "shutil", disk_usage=lambda path: usage(10**12, 10**12, cache.RESERVE + 480))
    assert kept.write("a", SHAPE, parts(X)) is not None


def test_a_write_that_fails_half_way_is_no_error_and_leaves_nothing(kept):
    """The kernel refuses bytes beyond a limit, as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    x = matrix(1, 1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIB // 2, before[1]))
    try:
        assert kept.write("a", x.shape, [x]) is None
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert names(kept) == []


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path):
    (tmp_path / "file").write_text("")
    kept = Cache(tmp_path / "file" / "cache")
    assert kept.open("a", SHAPE) is None and kept.write("a", SHAPE, parts(X)) is None


@pytest.mark.parametrize(("text", "mib"), [("", 4096), ("10", 10), ("0", 0), ("many", 4096), ("-1", 4096)])
def test_the_environment_sets_the_limit(tmp_path, monkeypatch, text, mib):
    monkeypatch.setenv("TRANSFER_LAB_CACHE_MB", text)
    assert Cache(tmp_path).limit == mib * MIB


def test_a_limit_of_nothing_keeps_nothing(tmp_path):
    kept = Cache(tmp_path, limit=0)
    assert not kept.takes(SHAPE) and kept.write("a", SHAPE, parts(X)) is None and names(kept) == []
