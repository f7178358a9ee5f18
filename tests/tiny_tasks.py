"""What the engine's tests have their child processes do. Importable by name; loads nothing heavy."""

import os
import signal
import sys
import threading
from pathlib import Path

from tlcore.spec import MetricPoint, Progress
from tlcore.store import Store


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
    if not store.claim(run_id):
        return
    with open(Path(folder) / "executed", "a") as file:
        file.write(f"{run_id} {os.getpid()} {os.getppid()}\n")
    store.add_points(run_id, [MetricPoint("train", 1.0, loss=1.0)])
    store.beat(run_id, Progress(1, 2, "began"))
    store.finish(run_id, "done", WORK[store.get(run_id).name](store, run_id))


def quick(store: Store, run_id: str) -> dict:
    return {"modules": sorted(sys.modules), "main": getattr(sys.modules["__main__"], "__file__", None)}


def until_stopped(store: Store, run_id: str) -> dict:
    """Beat like a good run: ten times a second, and obey."""
    while not store.beat(run_id):
        threading.Event().wait(0.1)
    store.finish(run_id, "stopped", {"obeyed": True})
    return {}


def stuck(store: Store, run_id: str) -> dict:
    """Hear nothing, as inside a long computation: no signal but one that kills gets through."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    threading.Event().wait()
    return {}


def stuck_once(store: Store, run_id: str) -> dict:
    return stuck(store, run_id) if store.get(run_id).attempt == 1 else {"attempt": store.get(run_id).attempt}


def ends_but_stays(store: Store, run_id: str) -> dict:
    store.finish(run_id, "done", {"whole": True})
    return stuck(store, run_id)


def busy_to_the_end(store: Store, run_id: str) -> dict:
    """Obey slowly: hear the request, then show progress for longer than the grace without it."""
    while not store.beat(run_id):
        threading.Event().wait(0.05)
    for step in range(8):
        store.beat(run_id, Progress(step, 8, "saving"))
        threading.Event().wait(0.25)
    store.finish(run_id, "stopped", {"saved": True})
    return {}


def killed(store: Store, run_id: str) -> dict:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def killed_after_each_step(store: Store, run_id: str) -> dict:
    steps = store.get(run_id).result.get("steps", 0)
    if steps < 5:
        store.keep(run_id, {"steps": steps + 1})
        os.kill(os.getpid(), signal.SIGKILL)
    return {"steps": steps}


def crashed(store: Store, run_id: str) -> dict:
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def left(store: Store, run_id: str) -> dict:
    os._exit(7)


def left_quietly(store: Store, run_id: str) -> dict:
    os._exit(0)


def raised(store: Store, run_id: str) -> dict:
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


def never_claims(run_id: str, folder: str) -> None:
    """A child that cannot even begin."""


def serve_forever(folder: str) -> None:
    """Be a server that gets killed: an engine, and nothing that would close it."""
    from tlcore.engine import Engine

    Engine(Path(folder), n_workers=2, execute=execute, warm=warm)
    print("serving", flush=True)
    threading.Event().wait()
