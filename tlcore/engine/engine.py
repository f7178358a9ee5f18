"""What the lab asks of whatever brings runs to processes, on this machine or on others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tlcore.sentences import NOTHING, Sentence


@dataclass(frozen=True)
class Worker:
    """One worker of a cluster, as its engine sees it.

    ``n_runs`` go there at a time; ``runs`` are the ids of those that do; ``refusal`` says why it gets none.
    """

    name: str
    host: str
    n_runs: int
    runs: tuple[str, ...] = ()
    resources: Mapping[str, float] = field(default_factory=dict)
    refusal: Sentence = NOTHING


@dataclass(frozen=True)
class Status:
    """How an engine is: ``n_workers`` runs go at a time, ``busy`` of them now; ``queued`` runs wait.

    ``workers`` lists those of a cluster; an engine on this machine has none to list.
    """

    n_workers: int
    busy: int
    queued: int
    alive: bool
    workers: tuple[Worker, ...] = ()


class Engine(Protocol):
    """Brings the queued runs of one store to processes that execute them.

    The row in the store is the truth: an engine that forgets everything finds there what is to be done, whoever started
    it, and runs nothing twice. So an engine needs no more than these four methods, each callable from any thread.
    """

    def submit(self, run_id: str) -> None:
        """Have a queued run looked at now, rather than when the store is looked at next.

        Raises
        ------
        SpecError
            There is no such run.
        """
        ...

    def stop(self, run_id: str) -> None:
        """Ask a run to stop, and see to it that it does.

        Raises
        ------
        SpecError
            There is no such run.
        """
        ...

    def status(self) -> Status:
        """Return how it is; after ``close`` it is not alive."""
        ...

    def close(self) -> None:
        """End every process of this machine; what they ran is queued again, for the next engine on this store.

        What runs on other machines goes on there. Again is fine.
        """
        ...
