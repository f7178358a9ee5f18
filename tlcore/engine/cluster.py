"""The workers behind one dask scheduler: who is there, who may be given runs, and giving them."""

import asyncio
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from logging import getLogger
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tlcore.errors import SpecError
from tlcore.sentences import NOTHING, Sentence

from . import fitness

if TYPE_CHECKING:
    from distributed import Client, Future

log = getLogger(__name__)

VARIABLE = "TRANSFER_LAB_ENGINE"
CONNECT_S = 10.0
ANSWER_S = 15.0  # for what a scheduler knows without asking; one that stands still takes connections all the same
GREETING_S = 30.0  # a worker that was not begun yet imports the lab and opens the store
AGAIN_S = 30.0  # until a worker that may not be given runs is asked again
QUIET_S = 10.0  # without a sign of life, after which a worker is given nothing new
LOST_S = 30.0  # after which others may take over what it ran, as soon as the runs are silent too
MOST_TRIES = 1000  # runs of which it is known how often they were given
PREFIX, HELP = "transfer-lab", "help"  # in the keys of our tasks


def address(environ: Mapping[str, str]) -> str | None:
    """Return the scheduler that TRANSFER_LAB_ENGINE names, as dask writes it; None: runs stay on this machine.

    Raises
    ------
    SpecError
        It names something else, or the package for it is not installed.

    Examples
    --------
    >>> address({}), parsed("dask://10.0.0.5:8786"), parsed("tls://scheduler:8786")
    (None, 'tcp://10.0.0.5:8786', 'tls://scheduler:8786')
    """
    text = environ.get(VARIABLE, "").strip()
    if not text or text == "local":
        return None
    place = parsed(text)
    check_installed()
    check_certificates(place, "client")
    return place


def parsed(text: str) -> str:
    """Return a scheduler's address as dask writes it; raises a SpecError when ``text`` is none."""
    parts = urlsplit(text)
    with suppress(ValueError):  # a port that is not a number
        if parts.scheme in ("dask", "tcp", "tls") and parts.hostname and parts.port and parts.path in ("", "/"):
            host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
            return f"{'tls' if parts.scheme == 'tls' else 'tcp'}://{host}:{parts.port}"
    raise SpecError(
        "A scheduler's address is dask://host:port or tls://host:port. Received: {text!r}. Try "
        "{name}=dask://127.0.0.1:8786, or leave it out: runs then stay on this machine.",
        text=text[:80],
        name=VARIABLE,
    )


def check_installed() -> None:
    """Raise a SpecError when the packages for a cluster are not installed."""
    if find_spec("distributed") is None:
        raise SpecError(
            "A cluster needs the package {package}. Install it: pip install -r requirements-cluster.txt.",
            package="distributed",
        )


def check_certificates(place: str, role: str) -> None:
    """Raise a SpecError when an address wants TLS, and dask's settings name no certificate for a role in it.

    Parameters
    ----------
    role : scheduler, worker or client
    """
    if not place.startswith("tls"):
        return
    from distributed.security import Security

    named = Security().get_tls_config_for_role(role)
    missing = [name for name in ("ca_file", "cert", "key") if not Path(named[name] or "").is_file()]
    if missing:
        name = missing[0].upper() if missing[0] == "ca_file" else f"{role.upper()}__{missing[0].upper()}"
        raise SpecError(
            "TLS needs a file that {name} names, and there is none. docs/hosting.md has the lines that make it.",
            name=f"DASK_DISTRIBUTED__COMM__TLS__{name}",
        )


@dataclass
class Hands:
    """One worker as a server sees it."""

    address: str
    name: str
    n_runs: int  # at a time
    resources: Mapping[str, float]
    refusal: Sentence = NOTHING  # why it gets no run
    greeted: float | None = None  # when, by our clock, as those that follow
    heard: float = 0.0  # when its sign of life last changed
    last_sign: float = 0.0  # that sign: the scheduler's time
    not_before: float = 0.0  # it is given nothing new until then
    runs: set[str] = field(default_factory=set)  # in its hands
    helps: set[str] = field(default_factory=set)  # runs of others that it helps with
    other: int = 0  # tasks of somebody else
    status: str = "running"  # as dask says it

    @property
    def host(self) -> str:
        return urlsplit(self.address).hostname or ""

    @property
    def fit(self) -> bool:
        return self.greeted is not None and not self.refusal

    @property
    def is_to_greet(self) -> bool:
        """Whether it was not greeted yet, or gets no runs and the reason may be gone."""
        return self.greeted is None or (bool(self.refusal) and time.monotonic() - self.greeted > AGAIN_S)

    @property
    def silent_s(self) -> float:
        """Since when it has given no sign of life."""
        return time.monotonic() - self.heard

    @property
    def free(self) -> int:
        """How many runs it can begin now."""
        if not self.fit or self.status != "running" or self.silent_s > QUIET_S or time.monotonic() < self.not_before:
            return 0
        return max(0, self.n_runs - len(self.runs) - len(self.helps) - self.other)


class Cluster:
    """A connection to one scheduler. For one thread alone; it may be lost at any time, and the next look renews it.

    Parameters
    ----------
    greet, work : the names of the functions that a worker calls, ``module:name.name``; see ``Custody``
    mark, needs_here : as ``fitness.refusal`` has them
    on_end : called, in any thread, when something that was given has ended
    """

    def __init__(self, place: str, greet: str, work: str, mark: str, needs_here: bool, on_end: Callable[[], None]):
        self._place, self._greet, self._work = place, greet, work
        self._mark, self._needs_here, self._on_end = mark, needs_here, on_end
        self._client: Client | None = None
        self._hands: dict[tuple[str, str], Hands] = {}  # by address and the worker's own id
        self._given: dict[str, tuple[Future, Hands]] = {}  # by run
        self._tries: dict[str, tuple[int, int]] = {}  # the last attempt of a run, and how often it was given at it
        self._lent: list[Future] = []
        self._n_lent = 0

    def look(self, where: Callable[[set[str]], Mapping[str, str]]) -> list[Hands]:
        """Return the workers that are there now, with what is in their hands.

        Parameters
        ----------
        where : returns for those of some runs that are running the name of the worker that has them

        Raises
        ------
        OSError
            The scheduler does not answer.
        """
        client = self._connected()
        rows = self._asked(client, "identity", n_workers=-1)["workers"]
        self._hands = {(place, row["id"]): self._known(place, row) for place, row in rows.items()}
        self._greet_all(client, [hands for hands in self._hands.values() if hands.is_to_greet])
        self._settle()
        self._fill(self._asked(client, "processing", workers=None), where)
        return list(self._hands.values())

    def give(self, hands: Hands, run_id: str, attempt: int) -> None:
        """Have a worker execute a run; two servers that give the same one at once give it once."""
        before, n = self._tries.pop(run_id, (attempt, 0))
        n = n + 1 if before == attempt else 1
        self._tries[run_id] = attempt, n
        self._submit(hands, run_id, f"{attempt}-{n}", "queued")
        hands.runs.add(run_id)

    def lend(self, hands: Hands, run_id: str) -> None:
        """Have a worker help with a run that another one executes."""
        self._n_lent += 1
        self._submit(hands, run_id, f"{HELP}-{id(self):x}-{self._n_lent}", "running")
        hands.helps.add(run_id)

    def _submit(self, hands: Hands, run_id: str, rest: str, state: str) -> None:
        assert self._client is not None
        from distributed import fire_and_forget

        future = self._client.submit(
            calling(),
            self._work,
            run_id,
            state,
            key=f"{PREFIX}-{run_id}-{rest}",
            workers=[hands.address],
            allow_other_workers=False,
            pure=False,
            retries=0,
        )
        fire_and_forget(future)  # it stays with its worker when this server goes
        future.add_done_callback(lambda _: self._on_end())
        if state == "queued":
            self._given[run_id] = future, hands
        else:
            self._lent.append(future)

    def close(self) -> None:
        """Let go of the scheduler; what its workers run goes on."""
        client, self._client = self._client, None
        self._given.clear()
        self._lent.clear()
        self._hands.clear()
        if client is not None:
            with suppress(Exception):  # it may be gone already
                client.close(timeout=2)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _connected(self) -> "Client":
        if self._client is not None and self._client.status == "running":
            return self._client
        self.close()
        parts = urlsplit(self._place)
        socket.create_connection((parts.hostname or "", parts.port or 0), CONNECT_S).close()  # tells at once, cheaply
        from distributed import Client

        self._client = Client(self._place, timeout=CONNECT_S, set_as_default=False, name=PREFIX)
        log.info("connected to the scheduler %s", self._place)
        return self._client

    def _asked(self, client: "Client", what: str, **arguments: Any) -> Any:
        """Ask the scheduler itself; raises an OSError when it does not answer."""

        async def ask() -> Any:
            return await getattr(client.scheduler, what)(**arguments)

        return client.sync(ask, callback_timeout=ANSWER_S)

    def _known(self, place: str, row: Mapping[str, Any]) -> Hands:
        """Return the worker of a row of the scheduler, with its last sign of life."""
        hands = self._hands.get((place, row["id"]))
        if hands is None:
            hands = Hands(place, str(row["name"]), row["nthreads"], dict(row.get("resources") or {}))
        hands.status = row["status"]
        if row["last_seen"] != hands.last_sign:
            hands.last_sign, hands.heard = row["last_seen"], time.monotonic()
        return hands

    def _greet_all(self, client: "Client", workers: list[Hands]) -> None:
        """Greet workers, all at once: whether they may be given runs, and what they have in their hands already."""

        async def greet(hands: Hands) -> Any:
            asked = {"versions": fitness.versions(), "n_runs": hands.n_runs, "name": hands.name}
            words: dict[str, Any] = {"workers": [hands.address], "on_error": "return"}
            try:
                answers = await asyncio.wait_for(client.run(calling_aside(), self._greet, asked, **words), GREETING_S)
                return answers[hands.address]
            except (OSError, TimeoutError, KeyError) as error:
                return error

        async def greet_all() -> list[Any]:
            return await asyncio.gather(*map(greet, workers))

        if workers:
            answers: Any = client.sync(greet_all, callback_timeout=GREETING_S + ANSWER_S)
            for hands, answer in zip(workers, answers, strict=True):
                self._hear(hands, answer)

    def _hear(self, hands: Hands, answer: Any) -> None:
        """Note what a worker answered to a greeting."""
        hands.greeted, before = time.monotonic(), hands.refusal
        hands.refusal = fitness.refusal(answer, self._mark, self._needs_here)
        if hands.refusal and hands.refusal != before:
            log.warning("the worker %s gets no runs: %s", hands.name, hands.refusal)
        if not hands.refusal:
            hands.runs = set(answer["runs"])

    def _settle(self) -> None:
        """Forget what has ended, and what was given to workers that are gone."""
        self._lent = [future for future in self._lent if not future.done()]
        there = {id(hands) for hands in self._hands.values()}
        for run_id, (future, hands) in list(self._given.items()):
            if future.done():
                self._tries = dict(list(self._tries.items())[-MOST_TRIES:])
                if future.status != "finished":
                    log.warning("run %s came back from the worker %s: %s", run_id, hands.name, future.status)
                    hands.not_before = time.monotonic() + QUIET_S
                hands.runs.discard(run_id)
                del self._given[run_id]
            elif id(hands) not in there:
                future.cancel()
                del self._given[run_id]

    def _fill(self, processing: Mapping[str, Any], where: Callable[[set[str]], Mapping[str, str]]) -> None:
        """Say what is in each worker's hands: its tasks, and runs that outlived the task that brought them."""
        kept = {run_id for hands in self._hands.values() for run_id in hands.runs}
        running = where(kept) if kept else {}
        for hands in self._hands.values():
            keys = [str(key) for key in processing.get(hands.address, ())]
            parts = [key.split("-") for key in keys if key.startswith(f"{PREFIX}-")]
            tasks = {run_id for _, _, run_id, word, *_ in parts if word != HELP}
            hands.helps = {run_id for _, _, run_id, word, *_ in parts if word == HELP}
            tasks |= {run_id for run_id, (_, given_to) in self._given.items() if given_to is hands}
            hands.runs = tasks | {run_id for run_id in hands.runs if running.get(run_id) == hands.name}
            hands.other = sum(not key.startswith(f"{PREFIX}-") for key in keys)


# These two travel as code, for they are in no module by their name: neither the scheduler nor a worker need have this
# package to receive them. So they use nothing of this module.


def calling() -> Callable[..., Any]:
    """Return a function that calls another one, which it finds by its name where it is executed."""

    def call(name, *arguments):
        import pkgutil

        return pkgutil.resolve_name(name)(*arguments)

    return call


def calling_aside() -> Callable[..., Any]:
    """Return the same for a worker's event loop, which goes on meanwhile."""

    async def call(name, *arguments):
        import asyncio
        import pkgutil

        function = await asyncio.to_thread(pkgutil.resolve_name, name)
        return await asyncio.to_thread(function, *arguments)

    return call
