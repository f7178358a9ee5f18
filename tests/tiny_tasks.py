"""What the engine's tests have their child processes do. Importable by name; loads nothing heavy."""

import os
import signal
import sys
import threading
from pathlib import Path

from tlcore.machine.settings import WORKER_NAME
from tlcore.sentences import Sentence
from tlcore.spec import MetricPoint, Progress
from tlcore.store import Attempt, Store


def warm() -> None:
    """Nothing to import."""


def slow() -> None:
    """Take half a second, and note the beginning and the end in the data folder."""
    path = Path(os.environ["TMPDIR"]).parents[1] / "warmed"
    for word in ("begins", "is warm"):
        with open(path, "a") as file:
            file.write(f"{os.getpid()} {word}\n")
        threading.Event().wait(0.5)


def cold() -> None:
    raise ImportError("no keras here")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def execute(run_id: str, folder: str) -> None:
    """Claim, note the execution in a file that only grows, and do what the run's name says."""
    store = Store(Path(folder))
    attempt = store.claim(run_id, worker=os.environ.get(WORKER_NAME, ""))
    if attempt is None:
        return
    with open(Path(folder) / "executed", "a") as file:
        file.write(f"{run_id} {os.getpid()} {os.getppid()}\n")
    attempt.add_points([MetricPoint("train", 1.0, loss=1.0)])
    attempt.beat(Progress(1, 2, Sentence("began")))
    attempt.finish("done", WORK[store.get(run_id).name](store, attempt))


def quick(store: Store, attempt: Attempt) -> dict:
    return {"modules": sorted(sys.modules), "main": getattr(sys.modules["__main__"], "__file__", None)}


def until_stopped(store: Store, attempt: Attempt) -> dict:
    """Beat like a good run: ten times a second, and obey."""
    while not attempt.beat():
        threading.Event().wait(0.1)
    attempt.finish("stopped", {"obeyed": True})
    return {}


def stuck(store: Store, attempt: Attempt) -> dict:
    """Hear nothing, as inside a long computation: no signal but one that kills gets through."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    threading.Event().wait()
    return {}


def stuck_once(store: Store, attempt: Attempt) -> dict:
    return stuck(store, attempt) if attempt.number == 1 else {"attempt": attempt.number}


def ends_but_stays(store: Store, attempt: Attempt) -> dict:
    attempt.finish("done", {"whole": True})
    return stuck(store, attempt)


def busy_to_the_end(store: Store, attempt: Attempt) -> dict:
    """Obey slowly: hear the request, then show progress for longer than the grace without it."""
    while not attempt.beat():
        threading.Event().wait(0.05)
    for step in range(8):
        attempt.beat(Progress(step, 8, Sentence("saving")))
        threading.Event().wait(0.25)
    attempt.finish("stopped", {"saved": True})
    return {}


def killed(store: Store, attempt: Attempt) -> dict:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def killed_after_each_step(store: Store, attempt: Attempt) -> dict:
    steps = store.get(attempt.run_id).stored.get("steps", 0)
    if steps < 5:
        attempt.keep({"steps": steps + 1})
        os.kill(os.getpid(), signal.SIGKILL)
    return {"steps": steps}


def crashed(store: Store, attempt: Attempt) -> dict:
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def left(store: Store, attempt: Attempt) -> dict:
    os._exit(7)


def left_quietly(store: Store, attempt: Attempt) -> dict:
    os._exit(0)


def raised(store: Store, attempt: Attempt) -> dict:
    raise RuntimeError("a bug")


WORK = {
    work.__name__: work
    for work in (
        quick,
        until_stopped,
        stuck,
        stuck_once,
        ends_but_stays,
        busy_to_the_end,
        killed,
        killed_after_each_step,
        crashed,
        left,
        left_quietly,
        raised,
    )
}


def never_claims(attempt: Attempt, folder: str) -> None:
    """A child that cannot even begin."""


def requeued_thrice(run_id: str, folder: str) -> None:
    """A child that is killed after it has begun, and whose run waits again before the engine looks."""
    store = Store(Path(folder))
    if store.get(run_id).attempt == 3:
        return execute(run_id, folder)
    store.claim(run_id)
    store.requeue(run_id)
    return die()


def dies_once_begun(run_id: str, folder: str) -> None:
    """A child that begins once, and whose followers do not get as far."""
    store = Store(Path(folder))
    if not store.get(run_id).attempt:
        store.claim(run_id)
        store.requeue(run_id)
    die()


def serve_forever(folder: str, with_keras: bool) -> None:
    """Be a server that gets killed: an engine, and nothing that would close it."""
    from tlcore.engine import LocalEngine

    LocalEngine(Path(folder), n_workers=2, execute=execute, warm=warm, with_keras=with_keras)
    print("serving", flush=True)
    threading.Event().wait()
