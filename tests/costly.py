"""Which tests take much of the processor: measured by ``--measure``, kept in ``costly.txt``, left to ``make test``.

A line names a test with all its cases and the seconds that they took together, those of ended child processes too.
What is measured again takes the place of its line; what is not in the file counts as fast.
"""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

KEPT = Path(__file__).parent / "costly.txt"
LIMIT_S = 0.1
ALWAYS = (  # rules that hold in every file: what breaks one wants to know it before a commit
    "tests/test_architecture.py",
    "tests/test_locales.py",
    "tests/test_names.py",
    "tests/test_texts.py",
    "tests/pages/test_languages.py",
    "tests/pages/test_one_door.py",
    "tests/pages/test_pages.py::test_every_page_opens_on_an_empty_store",
)


def known() -> dict[str, float]:
    """Return the seconds of each test that takes much."""
    lines = KEPT.read_text(encoding="utf-8").splitlines() if KEPT.exists() else []
    return {name: float(seconds) for seconds, name in (line.split(" ", 1) for line in lines)}


def left_out(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """Return those of ``items`` that take much and do not hold for every file."""
    costly = {name for name in known() if not name.startswith(ALWAYS)}
    return {item for item in items if without_case(item.nodeid) in costly}


def without_case(nodeid: str) -> str:
    return nodeid.partition("[")[0]


class Measuring:
    """Adds up what each test takes, and keeps those that take much; of one process alone."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item):
        began = _processor_s()
        try:
            return (yield)
        finally:
            self.seconds[without_case(item.nodeid)] += _processor_s() - began

    def pytest_sessionfinish(self) -> None:
        keep(self.seconds)


def keep(measured: dict[str, float]) -> None:
    """Put what was measured in the place of its lines."""
    now = {**known(), **measured}
    lines = [f"{seconds:.2f} {name}" for name, seconds in sorted(now.items()) if seconds >= LIMIT_S]
    KEPT.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _processor_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
