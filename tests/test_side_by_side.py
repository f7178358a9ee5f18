"""Two processes share the tests: each runs once, some of them alone, and the last line says how many passed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import costly
import pytest

TESTS = Path(__file__).parent
pytestmark = pytest.mark.slow
CONFTEST = """
from pathlib import Path
import costly
from side_by_side import pytest_addoption, pytest_configure

costly.KEPT, costly.LIMIT_S = Path(__file__).parent / "costly.txt", 0.5
"""
COSTLY_CHILD = "waits_for_a_child_that_computes"
MODULE = """
import json, os, threading, time
import pytest

def note(request):
    began = time.monotonic()
    threading.Event().wait(0.02)
    with open({log!r}, "a") as file:
        alone = request.node.get_closest_marker("alone") is not None
        file.write(json.dumps([request.node.nodeid, alone, os.getpid(), began, time.monotonic()]) + "\\n")

@pytest.mark.parametrize("number", range(8))
def test_beside(number, request):
    note(request)

@pytest.mark.alone
@pytest.mark.parametrize("number", range(4))
def test_alone(number, request):
    note(request)
{more}
"""


def run(folder, *arguments, more=""):
    """Run two modules of twelve tests each; return the exit code, what was said, and who ran from when to when."""
    log = folder / "log"
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text(
        f"[pytest]\npythonpath = {TESTS} {TESTS.parent}\nmarkers =\n    alone: x\n    grid: x\n"
    )
    for name in ("one", "two"):
        (folder / f"test_{name}.py").write_text(MODULE.format(log=str(log), more=more))
    line = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "-n", "2", "--dist", "loadfile"]
    line += ["--sum-up", "all tests", *arguments]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=200)
    lines = log.read_text().splitlines() if log.exists() else []
    return done.returncode, done.stdout, [json.loads(text) for text in lines]


def test_each_runs_once_and_some_alone_and_the_last_line_counts_them(tmp_path):
    code, said, runs = run(tmp_path)
    assert code == 0, said
    assert len({name for name, *_ in runs}) == len(runs) == 24 and len({pid for _, _, pid, *_ in runs}) == 2
    for name, alone, _, began, ended in runs:
        beside = [other for other, _, _, first, last in runs if other != name and first < ended and began < last]
        assert not (alone and beside), (name, beside)
    assert re.fullmatch(r"all tests: 24 passed in \d+ s", said.splitlines()[-1]), said


HANGS = """
def test_leaves_a_child(request):
    if os.fork() == 0:  # it stays until the test that wants to be alone has run, a minute at most
        until = time.monotonic() + 60
        while not os.path.exists(f"alone{__name__}") and time.monotonic() < until:
            time.sleep(0.05)
        os._exit(0)
    note(request)

@pytest.mark.timeout(1, func_only=True)
def test_hangs(request):
    threading.Event().wait()

@pytest.mark.alone
def test_alone_after_both(request):
    open(f"alone{__name__}", "w").close()
    note(request)

def test_wrong():
    assert False
"""


def test_one_that_hangs_fails_by_name_holds_up_nobody_and_the_last_line_counts_what_failed_too(tmp_path):
    """Nor does what it or a child left locked."""
    code, said, runs = run(tmp_path, more=HANGS)
    assert code == 1 and len(runs) == 28, said
    began = {name.partition("::")[2]: began for name, _, _, began, _ in runs}
    assert began["test_alone_after_both"] - began["test_leaves_a_child"] < 60
    assert said.count("FAILED") == 4 and said.count("test_hangs - Failed: Timeout (>1.0s)") == 2, said
    assert len(re.findall("FAILED .*::test_wrong ", said)) == 2, said
    assert re.fullmatch(r"all tests: 4 failed, 28 passed in \d+ s", said.splitlines()[-1]), said


GRID = """
@pytest.mark.grid(3)
@pytest.mark.parametrize("number", range(30))
def test_of_many(number, request):
    note(request)

@pytest.mark.grid(0)
def test_of_none(request):
    note(request)
"""


def test_few_runs_a_fixed_sample_of_a_grid_and_all_of_the_rest(tmp_path):
    arguments = ("--few", "-n", "0")
    code, said, runs = run(tmp_path, *arguments, more=GRID)
    names = [name for name, *_ in runs if "test_of" in name]
    assert code == 0, said
    assert names == [f"test_{module}.py::test_of_many[{number}]" for module in ("one", "two") for number in (5, 15, 25)]
    assert "30 passed" in said and len(runs) == 30


def test_a_sample_of_a_grid_is_a_third_of_it_at_least_eight_or_what_its_mark_says(tmp_path):
    marked = GRID.replace("grid(0)", "grid(0, sample=1)").replace("range(30)", "range(36)")
    code, said, runs = run(tmp_path, "--sample", "-n", "0", more=marked)
    numbers = [name.partition("[")[2] for name, *_ in runs if "_one.py::test_of_many" in name]
    assert code == 0, said
    assert numbers == [f"{number}]" for number in range(1, 36, 3)]
    assert len([name for name, *_ in runs if name.endswith("::test_of_none")]) == 2


COSTLY = """
@pytest.mark.parametrize("number", range(2))
def test_computes(number, request):
    compute()
    note(request)

def test_waits_for_a_child_that_computes(request):
    import subprocess, sys
    subprocess.run([sys.executable, "-c", "import time\\nwhile time.process_time() < 0.6: pass"], check=True)
    note(request)

def compute():
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass
"""


def test_what_was_measured_to_take_much_of_the_processor_is_left_out_of_the_fast_ones(tmp_path):
    code, said, runs = run(tmp_path, "--measure", "-n", "0", more=COSTLY)
    assert code == 0 and len(runs) == 30, said
    lines = [line.split() for line in (tmp_path / "costly.txt").read_text().splitlines()]
    names = [f"test_{one}.py::test_{much}" for one in ("one", "two") for much in ("computes", COSTLY_CHILD)]
    assert [name for _, name in lines] == names and all(float(seconds) >= 0.5 for seconds, _ in lines)
    (tmp_path / "log").unlink()
    code, said, runs = run(tmp_path, "--fast", more=COSTLY)
    assert code == 0 and len(runs) == 24, said
    assert not any("comput" in name for name, *_ in runs)


def test_measured_again_some_take_the_place_of_their_lines_and_the_others_keep_theirs(tmp_path, monkeypatch):
    monkeypatch.setattr(costly, "KEPT", tmp_path / "costly.txt")
    costly.keep({"a.py::test_one": 0.5, "b.py::test_two": 3.0, "b.py::test_three": 0.01})
    costly.keep({"a.py::test_one": 0.02, "b.py::test_four": 1.25})
    assert costly.known() == {"b.py::test_two": 3.0, "b.py::test_four": 1.25}


def test_several_processes_measure_nothing(tmp_path):
    code, said, _ = run(tmp_path, "--measure")
    assert code == 4 and not (tmp_path / "costly.txt").exists(), said
