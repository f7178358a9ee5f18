"""What the lab asks of whatever brings runs to processes, on this machine or on others."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Status:
    """How an engine is: ``n_workers`` runs go at a time, ``busy`` of them now; ``queued`` runs wait."""

    n_workers: int
    busy: int
    queued: int
    alive: bool


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
        """End every process; what ran is queued again, for the next engine on this store. Again is fine."""
        ...
