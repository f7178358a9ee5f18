"""What each process does before its first test: reading the modules, none of them for nothing or three times.

A module that has neither tests nor examples, or is marked as a whole with what ``-m`` leaves out, is not even imported.
And pytest rewrites the asserts of each module in each process, all at the same time: here it is done once and kept.
"""

import fnmatch
import multiprocessing
import re
from contextlib import suppress
from pathlib import Path

import pytest
from _pytest.assertion import rewrite  # no face of pytest has it; where it is another, each process does it itself
from _pytest.doctest import DoctestModule

ONLY_LEFT_OUT = re.compile(r"not \w+( and not \w+)*")
FOLDER = Path(__file__).parent
OF_THE_MODULE = re.compile(r"^pytestmark = (.*?^\]|.*?$)", re.MULTILINE | re.DOTALL)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave a module unread that holds nothing to run; one that is named on the command line is read all the same."""
    if collection_path.suffix != ".py":
        return None
    text, left_out = collection_path.read_text(encoding="utf-8"), config.getoption("markexpr")
    marks = OF_THE_MODULE.search(text) if ONLY_LEFT_OUT.fullmatch(left_out) else None
    of_all = re.findall(r"pytest\.mark\.(\w+)", marks[1]) if marks else []
    without = set(of_all) & set(re.findall(r"not (\w+)", left_out))
    return True if without or not (">>>" in text or _holds_tests(collection_path, config)) else None


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path):
    """Look for examples only in a module whose text has one: doctest asks each function of the others too."""
    collectors = yield
    if any(isinstance(each, DoctestModule) for each in collectors) and ">>>" not in file_path.read_text("utf-8"):
        return [each for each in collectors if not isinstance(each, DoctestModule)]
    return collectors


def _holds_tests(path: Path, config: pytest.Config) -> bool:
    return any(fnmatch.fnmatch(path.name, pattern) for pattern in config.getini("python_files"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Rewrite the asserts of what has changed, before the processes start that run the tests."""
    modules = [path for path in FOLDER.rglob("*.py") if _holds_tests(path, config)]
    with suppress(AttributeError, OSError, TypeError), multiprocessing.get_context("fork").Pool() as pool:
        pool.map(_rewrite, modules, chunksize=1)


def _rewrite(path: Path) -> None:
    kept = rewrite.get_cache_dir(path) / f"{path.stem}{rewrite.PYC_TAIL}"
    if rewrite._read_pyc(path, kept) is None:
        kept.parent.mkdir(exist_ok=True)
        source, code = rewrite._rewrite_test(path, None)
        rewrite._write_pyc(None, code, source, kept)
