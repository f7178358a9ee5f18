"""What holds nothing to run is not even imported, and asserts are rewritten before the processes start."""

import os
import re
import subprocess
import sys
from pathlib import Path

import collecting
import pytest

TESTS = Path(__file__).parent
HEAVY_AS_A_WHOLE = """
import pytest

pytestmark = {marks}
raise OSError("{name} is imported")
"""
MODULES = {
    "conftest": "from collecting import pytest_collect_file, pytest_ignore_collect",
    "helper": "raise OSError('helper is imported')",
    "explained": '"""What is explained.\n\n>>> 1 + 1\n2\n"""',
    "test_one": "import pytest\n\n\n@pytest.mark.heavy\ndef test_a(): ...\n\n\ndef test_b():\n    assert 1 + 1 == 2\n",
    "test_two": HEAVY_AS_A_WHOLE.format(name="two", marks="[\n    pytest.mark.other,\n    pytest.mark.heavy,\n]"),
    "test_three": HEAVY_AS_A_WHOLE.format(name="three", marks="pytest.mark.heavy"),
}
INI = f"""
[pytest]
pythonpath = {TESTS} {TESTS.parent}
addopts = --doctest-modules
markers =
    heavy: x
    other: x
"""


@pytest.fixture
def run(tmp_path):
    """Run pytest on modules of which some may not be imported; return what it said."""
    (tmp_path / "pytest.ini").write_text(INI)
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text)

    def run(*line):
        settings = {"cwd": tmp_path, "env": {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}}
        line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *line]
        return subprocess.run(line, capture_output=True, text=True, **settings).stdout

    return run


@pytest.mark.slow
def test_a_module_without_tests_or_marked_with_what_is_left_out_is_not_imported(run):
    assert "2 passed, 1 deselected" in run("-m", "not browser and not heavy")
    for nothing_left_out in ((), ("-m", "not heavy or heavy")):
        said = run("--continue-on-collection-errors", *nothing_left_out)
        assert all(f"{name} is imported" in said for name in ("two", "three")) and "helper is imported" not in said
        assert "3 passed" in said
    assert "helper is imported" in run("helper.py"), "one that is named is read"


@pytest.mark.slow
def test_pytest_takes_the_asserts_that_were_rewritten_before_it_began(run, tmp_path):
    module = tmp_path / "test_one.py"
    for rewritten in (False, True):
        run("test_one.py", f"--debug={tmp_path / 'log'}")
        found = re.search("found cached rewritten pyc for .*test_one.py", (tmp_path / "log").read_text())
        assert bool(found) is rewritten
        collecting._rewrite(module)
