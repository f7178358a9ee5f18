"""Messages to the browser: none is lost, none comes late, and fewer steps are taken for them."""

import asyncio
import threading
from types import SimpleNamespace

import pytest
from coroutines import finished
from streamlit import config
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from server import messages

SECTIONS = ("theme", "theme.light", "theme.dark", "theme.sidebar", "theme.light.sidebar", "theme.dark.sidebar")


def test_what_many_threads_ask_of_the_loop_is_done_with_fewer_wake_ups_and_nothing_waits():
    done, woken = [], []

    async def ask():
        loop = asyncio.get_running_loop()
        write = loop._write_to_self
        loop._write_to_self = lambda: (woken.append(1), write())
        messages.wake_once(loop)
        # While the loop is busy all threads ask; each then asks once more, alone, while it sleeps.
        threads = [
            threading.Thread(target=lambda n=n: [loop.call_soon_threadsafe(done.append, n) for _ in range(200)])
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        while len(done) < 1600:
            await asyncio.sleep(0)
        n_busy = len(woken)
        for _ in range(50):
            assert await asyncio.wait_for(asyncio.to_thread(lambda: 7), 20) == 7  # a lost byte would sleep for ever
        return n_busy

    assert finished(ask()) < 20 and len(done) == 1600 and len(woken) > 50


def test_the_loop_gives_way_after_a_while_or_after_many_messages_and_keeps_every_real_wait():
    now, turns = 0.0, []

    async def send(n, each_s):
        nonlocal now
        shim, before = messages.Turns(lambda: now), len(turns)
        beside = asyncio.create_task(_count(turns))
        for _ in range(n):
            now += each_s
            await shim.sleep(0)
        beside.cancel()
        return len(turns) - before

    async def waits():
        began = asyncio.get_running_loop().time()
        await messages.Turns().sleep(0.02)
        return asyncio.get_running_loop().time() - began

    assert finished(send(49, 0.0)) == 0
    assert finished(send(100, 0.0)) == 2
    assert finished(send(3, 0.002)) == 3
    assert finished(waits()) >= 0.019
    assert messages.Turns().Event is asyncio.Event


async def _count(turns):
    while True:
        turns.append(1)
        await asyncio.sleep(0)


def test_a_short_answer_goes_before_whole_pages_also_one_that_comes_while_these_go_and_nobody_is_left_out():
    sessions = {name: SimpleNamespace(session=SimpleNamespace(_browser_queue=ForwardMsgQueue())) for name in "abcdef"}
    queues = {name: one.session._browser_queue for name, one in sessions.items()}

    def says(name, n):
        for _ in range(n):
            queues[name].enqueue(ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY))

    manager = SimpleNamespace(list_active_sessions=lambda: list(sessions.values()))
    messages.shortest_first(manager)
    for name, n in {"a": 70, "c": 3, "d": 200}.items():
        says(name, n)
    sent = []
    for one in manager.list_active_sessions():
        (name,) = (name for name in sessions if sessions[name] is one)
        sent.append((name, len(queues[name].flush())))
        if name == "a":  # two pens are answered, one of somebody whose page has just gone
            says("e", 5), says("c", 4)
    assert sent == [("c", 3), ("a", 70), ("e", 5), ("d", 200), ("b", 0), ("f", 0)]
    assert len(manager.list_active_sessions()) == 6 and not queues["c"].is_empty()  # in the next round


@pytest.mark.parametrize("section", SECTIONS)
def test_the_theme_is_read_once_and_says_what_streamlit_says(section):
    populate, asked = app_session._populate_theme_msg, []
    populate = getattr(populate, "__wrapped__", populate)
    fill = messages.read_once(lambda message, section: (asked.append(section), populate(message, section)))
    for _ in range(2):
        theirs, ours = CustomThemeConfig(), CustomThemeConfig()
        populate(theirs.dark.sidebar, section)
        fill(ours.dark.sidebar, section)
        assert ours == theirs and ours.HasField("dark") == theirs.HasField("dark")
    assert asked == [section]
    assert config.get_option("theme.light.primaryColor")  # the test is about a theme that there is


def test_what_is_written_in_one_turn_goes_out_at_once_and_before_the_end():
    sent = []

    async def write():
        transport = SimpleNamespace(write=sent.append, close=lambda: sent.append("closed"), is_closing=lambda: False)
        joined = messages.Joined(transport, asyncio.get_running_loop())
        joined.write(b"a")
        joined.write(b"b")
        assert sent == [] and not joined.is_closing()
        await asyncio.sleep(0)
        assert sent == [b"ab"]
        joined.write(b"c")
        joined.close()
        await asyncio.sleep(0)

    finished(write())
    assert sent == [b"ab", b"c", "closed"]
