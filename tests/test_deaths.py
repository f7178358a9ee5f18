"""Why a child ended, in words; and how often the kernel killed for memory."""

import pytest
from pebble import ProcessExpired

from tlcore.machine.deaths import CutOff, cause, memory_kills

QUIETLY = "it ended without giving a reason (the log may say more)"


@pytest.mark.parametrize(
    ("code", "for_memory", "words"),
    [
        (-9, False, "it was killed (SIGKILL)"),
        (-9, True, "memory ran out and the system killed it (SIGKILL)"),
        (-11, True, "it crashed (SIGSEGV)"),
        (-99, False, "it crashed (signal 99)"),
        (7, False, "it exited with code 7"),
        (0, False, QUIETLY),
    ],
)
def test_the_cause_of_a_death_is_told(code, for_memory, words):
    assert str(cause(ProcessExpired("gone", code=code), for_memory)) == words
    assert str(cause(ChildProcessError("left"), for_memory)) == str(cause(None)) == QUIETLY
    assert str(cause(CutOff())) == "the server that ran it stopped unexpectedly"


EVENTS = "low 0\nhigh 7\nmax 12\noom 3\noom_kill 2\n"


@pytest.mark.parametrize(
    ("group", "files", "n"),
    [
        ("0::/lab.slice\n", {"sys/fs/cgroup/lab.slice/memory.events": EVENTS}, 2),
        ("0::/host/path\n", {"sys/fs/cgroup/memory.events": EVENTS}, 2),  # a container sees its own group as the root
        (
            "4:memory:/lab\n0::/\n",
            {"sys/fs/cgroup/memory/lab/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n"},
            5,
        ),
        ("0::/\n", {"proc/vmstat": "nr_free_pages 12\noom_kill 1\n"}, 1),
        ("0::/\n", {}, None),
        (None, {}, None),
    ],
)
def test_kills_for_memory_are_counted_where_the_kernel_says(tmp_path, group, files, n):
    if group is not None:
        files = {**files, "proc/self/cgroup": group}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory_kills(tmp_path) == n


def test_this_machine_can_be_asked():
    n = memory_kills()
    assert n is None or n >= 0
