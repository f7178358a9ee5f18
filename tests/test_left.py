"""What was left by its browser is kept for a while, and then gives back what it holds."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest
from browser.lab_server import LabServer

from bench import _room, _tree
from server.left import KEPT_S, Left


class Session:
    """A session as the storage knows it."""

    def __init__(self, name: str):
        self.id, self.ended = name, 0

    def shutdown(self) -> None:
        self.ended += 1


@pytest.fixture
def now():
    return SimpleNamespace(s=0.0)


@pytest.fixture
def left(now):
    return Left(kept_s=100.0, most=3, clock=lambda: now.s)


def leave(left: Left, name: str) -> Session:
    session: Any = Session(name)
    left.save(SimpleNamespace(session=session))  # type: ignore[arg-type]
    return session


def test_who_comes_back_in_time_finds_the_session_and_it_does_not_end(left, now):
    session = leave(left, "a")
    now.s = 99.0
    assert left.get("a").session is session
    left.delete("a")  # it is in use again
    now.s = 500.0
    left.end_old()
    assert session.ended == 0 and left.list() == []


def test_a_session_that_nobody_came_back_to_ends_without_another_that_is_left(left, now):
    first = leave(left, "a")
    now.s = 50.0
    second = leave(left, "b")
    now.s = 100.0
    left.end_old()
    assert (first.ended, second.ended) == (1, 0) and left.get("a") is None
    now.s = 150.0
    assert left.get("b") is None and second.ended == 1


def test_of_more_than_so_many_the_longest_gone_ends(left, now):
    sessions = [leave(left, name) for name in "abc"]
    sessions[0:1] = [leave(left, "a")]  # left again: it is the newest now
    leave(left, "d")
    assert [session.ended for session in sessions] == [0, 1, 0]


@pytest.mark.soak
def test_pages_that_were_left_give_back_their_files(tmp_path):
    server = LabServer(tmp_path / "home")
    try:
        server.wait_ready()
        asyncio.run(_visit(server.url))
        loops = [_loops(server)]
        for _ in range(2):
            asyncio.run(_visit(server.url, 20))
            loops.append(_loops(server))
            until = time.monotonic() + 3 * KEPT_S
            while _loops(server) > loops[0] and time.monotonic() < until:
                time.sleep(5.0)  # between two looks
            assert _loops(server) <= loops[0]
        assert min(loops[1:]) >= 20  # each page had one
    finally:
        server.close()


async def _visit(url: str, n: int = 1) -> None:
    async with _room.people(n, _room.Room(), url, "draw"):
        pass


def _loops(server: LabServer) -> int:
    return _tree.kinds_of_handles([server.process.pid])["eventpoll"]
