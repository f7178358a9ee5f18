"""``scheduler`` and ``worker``: a dask cluster for the runs of one lab, with the settings that its runs need."""

import asyncio
import os
import re
import signal
import socket
import threading
from argparse import Namespace
from collections.abc import Callable, Coroutine
from typing import Any

from tlcore.engine import attending, cluster
from tlcore.engine.attending import Attendance
from tlcore.errors import SpecError
from tlcore.jobs.cluster import custody
from tlcore.machine.addresses import is_own_machine
from tlcore.sentences import Sentence
from tlcore.store import Store
from tlcore.translation import _

from . import console
from .launch import address, check_free
from .options import add_command

HOST, PORT = "127.0.0.1", 8786
LEAVE_S = 90.0  # from Ctrl+C until a process that has not ended is ended


def lines(commands: Any) -> None:
    """Add the lines of these commands."""
    words = _("be a worker of a cluster: execute the runs that a server sends through a dask scheduler")
    examples = ("worker --scheduler dask://127.0.0.1:8786", "worker --scheduler tls://lab:8786 --resources GPU=1")
    added = add_command(commands, "worker", work, words, *examples)
    added.add_argument(
        "--scheduler", metavar="ADDRESS", help=_("default: {name} of the environment").format(name=cluster.VARIABLE)
    )
    added.add_argument("--name", default="", help=_("what lists call it; default: this machine's name and a number"))
    words = _("memory of this process alone, such as 4GB; at four fifths of it nothing new begins; default {default}")
    added.add_argument("--memory", default=Attendance.memory, help=words.format(default=Attendance.memory))
    words = _("what it has, such as GPU=1; workers with a GPU get runs first")
    added.add_argument("--resources", type=resources, default={}, metavar="NAME=N,NAME=N", help=words)
    added.add_argument("--host", default="", help=_("this machine's address for the other machines"))
    words = _("start a dask scheduler that servers and workers meet at; on this machine alone unless told otherwise")
    added = add_command(commands, "scheduler", schedule, words, "scheduler", "scheduler --host 10.0.0.5 --tls")
    added.add_argument("--host", default=HOST, help=_("default: {host}").format(host=HOST))
    added.add_argument("--port", default=str(PORT), help=_("default: {port}").format(port=PORT))
    words = _("speak TLS, with the certificates that dask's own settings name")
    added.add_argument("--tls", action="store_true", help=words)


def resources(text: str) -> dict[str, float]:
    """Return what a worker has.

    Raises
    ------
    SpecError
        It is not a list of names with numbers.

    Examples
    --------
    >>> resources("GPU=1,big=2")
    {'GPU': 1.0, 'big': 2.0}
    """
    pairs = [re.fullmatch(r"\s*(\w+)=(\d{1,6}(?:\.\d+)?)\s*", part) for part in text.split(",")]
    if not all(pairs):
        raise SpecError("Resources are names with numbers, such as GPU=1. Received: {text!r}.", text=text[:80])
    return {pair[1]: float(pair[2]) for pair in pairs if pair}


def work(options: Namespace) -> int:
    """Be a worker until Ctrl+C; what runs then is queued again."""
    place = cluster.parsed(options.scheduler or os.environ.get(cluster.VARIABLE) or f"dask://{HOST}:{PORT}")
    cluster.check_installed()
    cluster.check_certificates(place, "worker")
    memory = _memory(options.memory)
    Store(options.home).close()  # a folder or a database that cannot be used is said now, not to the server
    name = options.name or f"{socket.gethostname()}-{os.getpid()}"
    how = Attendance(place, name, memory, options.resources, options.host)
    # Before the children: dask reads the whole environment when it is imported, which their nursery changes meanwhile.
    import distributed  # noqa: F401

    custody.begin(1, name)

    async def attend(stop: asyncio.Event) -> None:
        await attending.attend(how, custody, stop, console.tell)

    return _until_told(attend)


def schedule(options: Namespace) -> int:
    """Be a scheduler until Ctrl+C."""
    cluster.check_installed()
    host, port = address(options.host, options.port, {})
    check_free(host, port)
    place = f"{'tls' if options.tls else 'tcp'}://{f'[{host}]' if ':' in host else host}:{port}"
    cluster.check_certificates(place, "scheduler")
    if not options.tls and not is_own_machine(place):
        console.tell(_open(place))

    async def listen(stop: asyncio.Event) -> None:
        from dask import config
        from distributed import Scheduler

        protocol = "tls" if options.tls else "tcp"
        with config.set(attending.SETTINGS):
            async with Scheduler(host=host, port=port, protocol=protocol, dashboard_address=attending.NO_PAGES):
                console.tell(Sentence("The scheduler listens at {address}. Stop with Ctrl+C.", address=place))
                await stop.wait()

    return _until_told(listen)


def _open(place: str) -> Sentence:
    return Sentence(
        "Whoever reaches {address} can run any program on this machine and on every worker. Use tls, or a network that "
        "only these machines are on; docs/hosting.md has the lines.",
        address=place,
    )


def _end() -> None:
    """End this process where it stands; its children end with it, and what they ran is queued again by a server."""
    os._exit(console.INTERRUPTED)


def _memory(text: str) -> str:
    if not re.fullmatch(r"auto|0|\d{1,12}(\.\d+)?\s*([kMGT]i?B)?", text):
        raise SpecError("Memory is a number with a unit, such as 4GB, or auto. Received: {text!r}.", text=text[:80])
    return text


def _until_told(main: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> int:
    """Run ``main`` with an event that Ctrl+C and SIGTERM set."""

    async def run() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()

        def leave() -> None:
            if stop.is_set():  # told twice: at once
                _end()
            stop.set()
            last = threading.Timer(LEAVE_S, _end)
            last.daemon = True
            last.start()

        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, leave)
            except NotImplementedError:  # Windows: Ctrl+C raises there
                break
        await main(stop)

    asyncio.run(run())
    return console.OK
