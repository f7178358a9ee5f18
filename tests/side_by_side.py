"""The tests in several processes, a module each (pytest-xdist): what comes first, what runs alone, what is said last.

A test that drives a browser, or whole processes for seconds, and fails is tried up to twice more
(pytest-rerunfailures): on a machine that others use too, a page may answer later than a click can wait. The last line
counts these tries.

``--few`` leaves out of a test marked ``grid(n)`` all cases but n, spread evenly over them and the same each time;
``--sample`` all but a third of them, at least eight, or as many as ``grid(n, sample=m)`` says. ``--fast`` leaves out
what takes much of the processor, see ``costly``.

Modules that take long come first, so that all processes end at about the same time. A test marked ``alone`` has the
machine for itself: its process waits until the others are between two tests, and these then wait for it.

A test that hangs would thus hold up all others. pytest-timeout ends it after a while (``pyproject.toml``), with what
each of its threads is at; waiting for the others is not counted.
"""

import fcntl
import gc
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager

import collecting
import costly
import pytest
from hostile.tried import TRIED

LONGEST = (  # by their processor time, a page's of the browser included
    "tests/browser/test_journey.py",
    "tests/browser/test_components.py",
    "tests/test_engine.py",
    "tests/test_cluster.py",
    "tests/test_cli.py",
    "tests/test_the_house.py",
    "tests/test_deploy.py",
    "tests/browser",
    "tests/faults",
    "tests/pages",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sum-up", metavar="NAME", help="end with a line of that name: how many passed, in how long")
    parser.addoption("--few", action="store_true", help="of each test marked grid(n) run n cases alone")
    parser.addoption("--sample", action="store_true", help="of each test marked grid run a fixed sample")
    parser.addoption("--fast", action="store_true", help="leave out the tests that tests/costly.txt names")
    parser.addoption("--measure", action="store_true", help="measure what each test takes, for tests/costly.txt")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(collecting)
    if config.getoption("measure"):
        if config.getoption("numprocesses", None):
            raise pytest.UsageError("--measure measures in one process: leave out -n.")
        config.pluginmanager.register(costly.Measuring())
    config.pluginmanager.register(SideBySide(getattr(config, "workerinput", {}).get("locks")))


class SideBySide:
    """The hooks of every process: of the one that hands out the tests, of those that run them, or of the only one."""

    def __init__(self, locks: str | None) -> None:
        self.began, self.frozen = time.monotonic(), set()
        self.locks = locks  # their folder, where other processes run tests beside this one
        self.own_locks: tempfile.TemporaryDirectory | None = None  # where this process hands out the tests

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node) -> None:
        self.own_locks = self.own_locks or tempfile.TemporaryDirectory(prefix="tests-")
        node.workerinput["locks"] = self.own_locks.name

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        shares = [share for name, share in SHARES.items() if config.getoption(name)]
        left_out = _left_out(items, shares[0]) if shares else set()
        if config.getoption("fast"):
            left_out |= costly.left_out(items)
        if left_out:
            config.hook.pytest_deselected(items=[item for item in items if item in left_out])
            items[:] = [item for item in items if item not in left_out]
        for item in items:
            if item.get_closest_marker("browser") or item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.flaky(reruns=2))
        if self.locks:
            items.sort(key=lambda item: _place(item.nodeid))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item):
        if not self.frozen >= (large := {"tests", "keras"} & {"tests", *sys.modules}):
            # Looking for garbage among what tests import took a sixth of the processor. And after each page Streamlit
            # calls keras' clear_session, which collects: among TensorFlow's million objects that takes seven times as
            # long as the page itself. The app's own processes freeze them too.
            gc.collect()
            gc.freeze()
            self.frozen = large
        with self._room(alone=item.get_closest_marker("alone") is not None):
            return (yield)

    @contextmanager
    def _room(self, alone: bool):
        """Be one of many in the room, or alone; who waits to be alone lets nobody else in."""
        if not self.locks:
            yield
            return
        with open(f"{self.locks}/door", "a") as door, open(f"{self.locks}/room", "a") as room:
            try:
                fcntl.flock(door, fcntl.LOCK_EX)
                fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
                if not alone:
                    fcntl.flock(door, fcntl.LOCK_UN)
                yield
            finally:  # a process that the test forked and left has these files too: closed here alone they stay locked
                fcntl.flock(room, fcntl.LOCK_UN)
                fcntl.flock(door, fcntl.LOCK_UN)

    # -- what is said at the end -------------------------------------------------------------------------------------

    @pytest.hookimpl
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.locks:
            session.config.workeroutput["tried"] = dict(TRIED)  # type: ignore[attr-defined]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node) -> None:
        TRIED.update(getattr(node, "workeroutput", {}).get("tried", {}))

    def pytest_terminal_summary(self, terminalreporter) -> None:
        if TRIED:
            kinds = ", ".join(f"{name} {n:,}" for name, n in sorted(TRIED.items()))
            terminalreporter.write_line(f"hostile inputs tried: {TRIED.total():,} ({kinds})")

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Say the last line of all, after pytest's own."""
        if self.own_locks:
            self.own_locks.cleanup()
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if self.locks or reporter is None or not config.getoption("sum_up"):
            return
        counts = {word: len(reporter.stats.get(word, ())) for word in ("failed", "error", "passed")}
        said = ", ".join(f"{n} {word}" for word, n in counts.items() if n or word == "passed")
        if again := len(reporter.stats.get("rerun", ())):
            said += f" (after {again} more tries)"
        print(f"{config.getoption('sum_up')}: {said} in {time.monotonic() - self.began:.0f} s", flush=True)


def _place(nodeid: str) -> int:
    return next((place for place, name in enumerate(LONGEST) if nodeid.startswith(name)), len(LONGEST))


def _few(cases: int, n: int, sample: int | None = None) -> int:
    """Return how many cases of a grid ``make check`` runs."""
    return n


def _sample(cases: int, n: int, sample: int | None = None) -> int:
    """Return how many cases of a grid ``make test`` runs."""
    return max(n, 8, cases // 3) if sample is None else sample


SHARES = {"few": _few, "sample": _sample}


def _left_out(items: list[pytest.Item], share: Callable[..., int]) -> set[pytest.Item]:
    """Return all but some cases of each test that is marked as a grid."""
    grids: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("grid"):
            grids.setdefault(item.nodeid.partition("[")[0], []).append(item)
    kept: set[pytest.Item] = set()
    for cases in grids.values():
        mark = next(cases[0].iter_markers("grid"))
        n = min(share(len(cases), *mark.args, **mark.kwargs), len(cases))
        kept.update(cases[(2 * number + 1) * len(cases) // (2 * n)] for number in range(n))
    return {item for cases in grids.values() for item in cases} - kept
