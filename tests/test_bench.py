"""What the benchmarks stand on; their figures are in no test."""

import sys
from types import SimpleNamespace

import pytest
import tiny_tasks
from waiting import wait_for

from bench import __main__ as bench
from bench import growth
from tlcore.engine import LocalEngine
from tlcore.spec import FineTuneSpec


def test_one_benchmark_that_fails_does_not_end_the_others(tmp_path, monkeypatch, capsys):
    ran = []

    def fails(quick):
        ran.append("first")
        raise AssertionError("the first is broken")

    found = {"first": fails, "second": lambda quick: ran.append("second") or []}
    for name, measure in found.items():
        (tmp_path / f"{name}.py").touch()
        monkeypatch.setitem(sys.modules, f"bench.{name}", SimpleNamespace(measure=measure))
    monkeypatch.setattr(bench, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["bench", "--quick"])
    assert bench.main() == 1 and ran == ["first", "second"]
    said = capsys.readouterr().err
    assert "the first is broken" in said and said.endswith("These benchmarks failed: first.\n")


@pytest.mark.slow
def test_a_run_that_is_polled_keeps_its_points_beside_a_busy_engine(store):
    engine = LocalEngine(store.folder, 1, execute=tiny_tasks.execute)
    try:
        run = growth.measured_so_far(store, FineTuneSpec(), 7)
        later = [store.create(FineTuneSpec(), name="quick") for _ in range(2)]  # the engine takes what waits
        for other in later:
            engine.submit(other.id)
            wait_for(lambda other=other: store.get(other.id).final, 60)
        now = store.get(run.id)
        assert (now.state, now.worker, len(store.points(run.id))) == ("running", "bench", 7)
        assert store.finish(run.id, "stopped")
    finally:
        engine.close()
