"""What the benchmarks stand on; their figures are in no test."""

import asyncio
import json
import os
import socket
import sys
from collections import Counter
from types import SimpleNamespace

import pytest
import tiny_tasks
import uvicorn
from browser.lab_server import free_port
from coroutines import finished
from starlette.applications import Starlette
from waiting import wait_for

from bench import __main__ as bench
from bench import _http, _phones, _room, _tree, growth, room
from pages.ui.session import state
from server import phone, rooms
from server.door import Door
from tlcore import people
from tlcore.engine import LocalEngine
from tlcore.rooms.pace import Pace
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


@pytest.mark.parametrize("n_points", [0, 3])
def test_a_run_is_copied_with_its_points_or_without_any(store, n_points):
    run = growth.measured_so_far(store, FineTuneSpec(), n_points)
    store.finish(run.id, "done")
    growth.copy_runs(store, 2)
    assert [len(store.points(copy.id)) for copy in store.list()] == [n_points] * 3


# -- phones of a room


class Answering:
    """In place of the process that answers."""

    def predict(self, item, names, timeout_s):
        return {names[0]: [0.1, 0.9, 0.0, 0.0, 0.0], names[1]: [0.0] * 7 + [0.9, 0.05, 0.05]}


@pytest.fixture
def served(store, monkeypatch):
    """The routes of rooms on a free port, as the server mounts them, and the loop in which they are asked."""
    keys = people.keys(store.folder)
    monkeypatch.setattr(state, "lab", lambda: SimpleNamespace(keys=keys, store=store, serving=Answering()))
    monkeypatch.setattr(rooms, "messages", Pace(1000, 0.001))
    monkeypatch.setattr(rooms, "drawings", Pace(1000, 0.001))
    door = Door(Starlette(routes=[*rooms.routes(), *phone.routes()]), keys=lambda: keys, origins=lambda: ())

    def ask(do, **options):
        async def both():
            port = free_port()
            server = uvicorn.Server(uvicorn.Config(door, port=port, log_level="warning", lifespan="off", **options))
            serving = asyncio.create_task(server.serve())
            while not server.started:
                await asyncio.sleep(0.01)
            try:
                await do(f"http://127.0.0.1:{port}")
            finally:
                server.should_exit = True
                await serving

        finished(asyncio.wait_for(both(), 60))

    return ask


@pytest.fixture
def digits():
    return _room.drawings(5, seed=0)


def test_phones_of_a_benchmark_draw_bet_and_come_back_and_what_is_lost_is_told(served, store, digits):
    seen = _phones.Seen()

    async def everybody(address):
        with _phones.room(seen, address, store.folder, digits, 2) as (host, ann, bob):
            await ann.join(), await bob.join()
            await ann.draw(digits[0]), await bob.draw(digits[1])
            await host.look()
            host.rooms.begin(host.room, _phones.TASKS[1])
            await ann.draw(digits[2])  # the host was faster: a refusal, and no error
            await bob.sleep(0.0)
            await ann.vote("scratch"), await bob.vote("scratch"), await bob.vote("nothing")
            assert host.lost() == []
            host.rooms.remove_item(host.room, 2)
            seen.bets[2]["Phone 0"] = "convolutions"

    served(everybody)
    assert (len(seen.drawings), seen.overtaken, seen.returned, len(seen.votes)) == (2, 1, 1, 3)
    assert seen.shown == set(seen.taken) == {1, 2} and len(seen.walls) == 2
    assert [error.partition(":")[0] for error in seen.errors] == ["1 drawings that were answered are lost", "round 2"]


def test_a_browser_of_a_benchmark_keeps_its_connection_and_takes_a_new_one_where_the_server_closed_it(served, store):
    ports: list[int] = []

    async def asks(address):
        browser = _http.Browser(address)
        for _ in range(3):
            assert (await browser.exchange("GET", "/join"))[0] == 200
            ports.append(browser._free[0][1].get_extra_info("sockname")[1])
            await asyncio.sleep(0.6 * len(ports) if len(ports) == 2 else 0.0)  # longer than the server waits

    served(asks, timeout_keep_alive=1)
    assert ports[0] == ports[1] != ports[2]


def test_an_answer_that_breaks_off_is_an_error_and_is_not_asked_for_again():
    asked: list[bytes] = []

    async def broken(reader, writer):
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        writer.write(answer)
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer[:-1])
        writer.close()

    async def asks():
        async with await asyncio.start_server(broken, "127.0.0.1", 0) as server:
            browser = _http.Browser(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            assert await browser.exchange("GET", "/") == (200, b"ok")
            with pytest.raises(asyncio.IncompleteReadError):
                await browser.exchange("GET", "/")

    finished(asyncio.wait_for(asks(), 30))
    assert len(asked) == 2


def test_a_person_of_a_benchmark_follows_the_chart_of_a_run_and_not_the_recorded_one_above_it():
    person = _room.Person(_room.Room(), "http://127.0.0.1:1")
    recorded, own = ({"runs": [{"url": url, "state": state}]} for url, state in (("", "done"), ("/own", "queued")))
    for place, shown in (("[0]", recorded), ("[1]", {"plotly": "/plotly.js"}), ("[2]", own)):
        proto = SimpleNamespace(component_name=_room.CHART, json=json.dumps(shown))
        person.elements[place] = _room.Element("bidi_component", proto, "", 1)
    assert person._live_chart() == (person.elements["[2]"], {"url": "/own", "state": "queued"})
    report = room.Report(1, 1.0, person.room)
    person.room.started, person.room.clicks = ["run"] * room.SOME_RUNS, [("click", 0.1)]
    report.looks = [room.Look(0.0, 1.0, 1, 1, 1, 1.0, Counter())]
    room._judge(report)
    assert report.problems == ["5 runs were started, and no chart asked for its points"]


def test_a_phone_that_is_taken_for_another_is_an_error(served, store, digits):
    seen = _phones.Seen()

    async def sleeps(address):
        with _phones.room(seen, address, store.folder, digits, 1) as (_, ann):
            await ann.join()
            ann.browser.cookies.clear()  # as if the server had forgotten who it was
            await ann.sleep(0.0)

    served(sleeps)
    assert seen.errors == ["a phone that slept came back as None"]


def test_what_is_answered_too_late_or_not_at_all_is_a_problem():
    report = room.Report(3, 1.0, _room.Room())
    report.phones.drawings, report.phones.silent = [0.1] * 50, 2
    report.cameras.answers = [0.6] * 50
    report.room.answers = [(5.0, 5.1)] * 45 + [(5.0, 5.7)] * 5  # when a pen went up, and when that was answered
    assert room._too_late(report) == [
        "the 95th percentile of drawings on pads took 0.70 s, 0.5 s are wanted",
        "the 95th percentile of pictures of cameras took 0.60 s, 0.5 s are wanted",
        "2 drawings of phones were not answered in time",
    ]


def test_open_files_are_told_by_kind_and_which_of_them_came_and_went(tmp_path):
    before = _tree.kinds_of_handles([os.getpid()])
    with (tmp_path / "lab.db-wal").open("w"), socket.socket(), socket.socket():
        during = _tree.kinds_of_handles([os.getpid(), 2**22 + 1])  # of no process: it is gone
    assert (during[".db-wal"], during["socket"] - before["socket"]) == (before[".db-wal"] + 1, 2)
    looks = [
        room.Look(0.0, 0.0, 0, 0, 0, 0.0, Counter(kinds)) for kinds in ({}, {"pipe": 3, "socket": 1}, {"socket": 5})
    ]
    assert room.Report(1, 1.0, _room.Room(), looks=looks).came_and_went() == "socket +4, pipe -3"
