"""Hostile head files: refused in one sentence, and nothing in them runs.

A run's heads are held against their hash first (``prediction.checked_file``), and uploaded ones are examined in a
process of their own; these go straight to what is behind that.
"""

import io
import sys
import warnings

import numpy as np
import pytest
from hostile import head_files
from hostile.asked import refusal
from hostile.tried import count
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlcore import heads
from tlcore.errors import DataError
from tlcore.prediction import own_heads

pytestmark = pytest.mark.keras


def refused(content: bytes, folder) -> bool:
    path = folder / "knn-features.skops"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        heads.load(path)
    count("head file")
    return refusal(caught.value)


def cases(kind) -> list:
    from pathlib import Path

    return [name for name, _ in kind(Path("canary"))]


@pytest.mark.parametrize("kind", [head_files.doctored, head_files.broken])
def test_a_hostile_head_is_refused_and_runs_nothing(tmp_path, kind):
    modules, found = set(sys.modules), 0
    for name, content in kind(tmp_path / "canary"):
        assert refused(content, tmp_path), name
        assert not (tmp_path / "canary").exists(), name
        found += 1
    assert found > 25
    assert "antigravity" not in set(sys.modules) - modules


@pytest.mark.parametrize("kind", [head_files.doctored, head_files.broken])
def test_a_hostile_head_that_is_uploaded_is_refused_and_leaves_nothing(tmp_path, monkeypatch, kind):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(own_heads, "guarded", lambda function, arguments, *_: function(*arguments))
    for name, content in kind(tmp_path / "canary"):
        with pytest.raises(DataError, match="This head cannot be used: ") as caught:
            own_heads.add(content, "x.skops")
        count("head file")
        assert refusal(caught.value), name
        assert not (tmp_path / "canary").exists(), name
    assert not list((tmp_path / "home").rglob("own-*"))


@pytest.mark.parametrize("end", range(0, 100, 10))
def test_an_uploaded_head_that_is_cut_off_is_refused(honest, end):
    with pytest.raises(DataError, match="This head cannot be used: ") as caught:
        own_heads.look_at(honest[: len(honest) * end // 100])
    count("head file")
    assert refusal(caught.value)


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """A head that the app itself wrote."""
    x = np.random.default_rng(0).random((20, 4), np.float32)
    fitted, _ = heads.fit("knn", x, np.arange(20) % 2, (x, np.arange(20) % 2), seed=0)
    path = tmp_path_factory.mktemp("head") / "knn.skops"
    heads.save(fitted, path)
    assert heads.load(path).predict(x).shape == (20,)
    return path.read_bytes()


@given(at=st.integers(0, 10**6), inserted=st.binary(max_size=32), dropped=st.integers(1, 32))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_head_with_other_bytes_inside_is_read_or_refused(honest, tmp_path, at, inserted, dropped):
    at %= len(honest)
    path = tmp_path / "knn.skops"
    path.write_bytes(honest[:at] + inserted + honest[at + dropped :])
    count("head file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            heads.load(path)
    except DataError as error:
        assert refusal(error)


@pytest.mark.parametrize("end", range(0, 100, 4))
def test_a_head_cut_off_is_refused(honest, tmp_path, end):
    assert refused(honest[: len(honest) * end // 100], tmp_path)


def test_a_head_that_unpacks_to_more_than_any_head_is_refused_before_it_is_unpacked(honest, tmp_path, monkeypatch):
    import zipfile

    monkeypatch.setattr("tlcore.heads.saving.MOST_BYTES", 1000)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("something was unpacked"))
    assert refused(honest, tmp_path)


def test_the_trusted_types_are_ours_and_never_the_files(monkeypatch, honest, tmp_path):
    import skops.io

    asked, real = [], skops.io.loads
    monkeypatch.setattr(skops.io, "loads", lambda content, trusted: asked.append(trusted) or real(content, trusted))
    (tmp_path / "knn.skops").write_bytes(honest)
    heads.load(tmp_path / "knn.skops")
    assert asked == [["sklearn.tree._tree.Tree"]]
    assert not io.BytesIO(honest).read().startswith(b"\x80")  # no pickle
