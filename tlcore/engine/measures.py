"""What the lab measures of itself, in Prometheus' text form."""

from collections.abc import Callable, Iterable, Iterator
from typing import get_args

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tlcore.spec import RunState
from tlcore.store import Store

from .engine import Status, Worker

BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 10.0)


class Measures(Collector):
    """The numbers of one server; all but the answers' times are read when they are asked for.

    Parameters
    ----------
    status : ``Engine.status``
    n_sessions : returns how many browsers are connected
    ready : returns whether the shipped models answer
    """

    def __init__(
        self,
        store: Store,
        status: Callable[[], Status],
        n_sessions: Callable[[], int],
        ready: Callable[[], bool],
    ):
        self._store, self._status, self._n_sessions, self._ready = store, status, n_sessions, ready
        self._registry = CollectorRegistry()
        self.answers = Histogram(
            "transfer_lab_answer_seconds",
            "From a drawing to the answers of every model asked; the count is that of the drawings.",
            buckets=BUCKETS_S,
            registry=self._registry,
        )
        self._registry.register(self)

    def text(self) -> bytes:
        """Return everything in Prometheus' text form.

        Raises
        ------
        StoreError
            The runs cannot be counted.
        """
        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Name nothing before it is read: reading needs the store."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read what is not counted as it happens."""
        states = {state: self._store.count(states=(state,)) for state in get_args(RunState)}
        engine = self._status()
        yield _gauge("transfer_lab_queue_length", "Runs that wait.", states["queued"])
        yield _gauges("transfer_lab_runs", "Runs on the list, by state.", states)
        workers = {"busy": engine.busy, "idle": max(0, engine.n_workers - engine.busy)}
        if engine.workers:  # of a cluster
            workers["refused"] = sum(bool(worker.refusal) for worker in engine.workers)
            yield _of_workers(engine.workers)
        yield _gauges("transfer_lab_workers", "Worker processes, by state.", workers)
        yield _gauge("transfer_lab_sessions", "Browsers that are connected.", self._n_sessions())
        yield _gauge("transfer_lab_ready", "Whether the shipped models answer.", int(self._ready()))


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _of_workers(workers: Iterable[Worker]) -> Metric:
    counts = GaugeMetricFamily(
        "transfer_lab_worker_runs", "Runs in the hands of a worker of the cluster.", labels=["worker", "machine"]
    )
    for worker in workers:
        if not worker.refusal:
            counts.add_metric([worker.name, worker.host], len(worker.runs))
    return counts


def _gauges(name: str, words: str, values: dict[str, int]) -> Metric:
    found = GaugeMetricFamily(name, words, labels=["state"])
    for state, value in values.items():
        found.add_metric([state], value)
    return found
