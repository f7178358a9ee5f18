"""Child processes: started without the parent's main script, told apart by an identity, gone when their parent is."""

import ctypes
import faulthandler
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import parent_process, spawn
from multiprocessing.context import ForkServerProcess, SpawnContext, SpawnProcess
from pathlib import Path
from typing import Any

from tlcore.errors import SpecError

from . import affinity, logs, nursery

_starting = threading.local()
_preparation_data = spawn.get_preparation_data


def _lean_preparation_data(name: str) -> dict[str, Any]:
    data = _preparation_data(name)
    if getattr(_starting, "lean", False):
        for key in ("init_main_from_path", "init_main_from_name"):
            data.pop(key, None)
    return data


# A spawned child runs its parent's main script again before its own work. Under Streamlit ``__main__`` is the
# console script at first, which would load the whole of Streamlit into every child, and later whichever page ran
# last, which the child would then execute. Python has no switch for it; this is the one place where the child is
# told. Nothing changes for processes that others start.
spawn.get_preparation_data = _lean_preparation_data


class LeanProcess(SpawnProcess):
    """A spawned process that imports what its function needs and nothing else."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 (the name is multiprocessing's)
        _starting.lean = True
        try:
            with affinity.anywhere():
                return SpawnProcess._Popen(process_obj)  # type: ignore[attr-defined]
        finally:
            _starting.lean = False


class KerasProcess(ForkServerProcess):
    """A process forked from the nursery: lean too, with the environment that its parent has when it starts it."""

    environment: dict[str, str]

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802
        process_obj.environment = nursery.environment()
        _starting.lean = True
        try:
            return ForkServerProcess._Popen(process_obj)  # type: ignore[attr-defined]
        except (OSError, EOFError):  # the nursery died, or somebody removed its socket
            return LeanProcess._Popen(process_obj)
        finally:
            _starting.lean = False

    def run(self) -> None:
        os.environ.clear()
        os.environ.update(self.environment)
        super().run()


ChildProcess = LeanProcess | KerasProcess


class LeanContext(SpawnContext):
    """A spawn context whose processes are lean; it remembers those that it started.

    ``with_keras`` names a folder of this process's own where they shall come from the nursery, and have Keras from the
    first moment; where that cannot be, they are as the others.
    """

    def __init__(self, with_keras: Path | None = None) -> None:
        super().__init__()
        self.started: list[ChildProcess] = []
        self._with_keras = with_keras

    def Process(self, *args: Any, **keywords: Any) -> "ChildProcess":  # type: ignore[override]  # noqa: N802
        forked = self._with_keras is not None and nursery.start(self._with_keras)
        process = (KerasProcess if forked else LeanProcess)(*args, **keywords)
        self.started = [one for one in self.started if one.exitcode is None] + [process]
        return process

    def kill(self) -> None:
        """Kill every process that still lives, at once: none is asked, none can refuse."""
        for process in self.started:
            if process.is_alive():
                process.kill()

    def end(self, most_s: float = 5.0) -> None:
        """Kill them, and wait until they are gone: what they left can be told from what somebody still writes."""
        self.kill()
        for process in self.started:
            if process.pid is not None:  # it could be started
                process.join(most_s)


@contextmanager
def uncollected() -> Iterator[None]:
    """Load inside what stays for good: no collection walks through it, neither now nor later.

    TensorFlow's modules are a million objects; the collections that their import sets off take a tenth of its time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:  # not inside another
            gc.enable()


# What Keras imports when it is there, for features of Keras that nothing here uses: a third of its import's time.
NOT_FOR_KERAS = ("sklearn", "scipy", "pandas", "pyarrow")


def import_keras() -> None:
    """Import Keras as if those packages were not installed; whoever imports them afterwards finds them."""
    if "keras" in sys.modules:
        return
    hidden = [name for name in NOT_FOR_KERAS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: an import of it fails
    try:
        with uncollected():
            import keras  # noqa: F401
    finally:
        for name in hidden:
            del sys.modules[name]


def begin_child() -> None:
    """First thing in every child: ends when told, ends with its parent, says where it crashed."""
    die_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # at once, even inside a long computation
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches children too; the parent ends them in order
    faulthandler.enable()
    with suppress(SpecError):  # the server said so already
        logs.configure()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow: its start tells of drivers nobody asked for


def die_with_parent() -> None:
    """End this child when its parent ends, however that happens.

    On Linux the kernel sees to it. There the parent is the *thread* that started the child, so children must be
    started by a thread that lives as long as they should; or it is the nursery, which ends with this process.
    """
    parent = parent_process()
    if parent is None:
        return
    if sys.platform == "linux":
        PR_SET_PDEATHSIG = 1  # linux/prctl.h
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != (nursery.leave() or parent.pid):  # it ended before the kernel was told
            os._exit(1)
    else:
        threading.Thread(target=_exit_after, args=(parent,), daemon=True).start()


def _exit_after(parent: Any) -> None:
    parent.join()
    os._exit(1)


def identity(pid: int | None = None) -> str:
    """Return a name of a process of this machine that no later process gets, though its number may come again."""
    pid = os.getpid() if pid is None else pid
    return f"{socket.gethostname()}:{pid}:{_started(pid)}"


def is_alive(name: str) -> bool | None:
    """Return whether the process of that identity still lives; None when it is another machine's."""
    host, _, rest = name.rpartition(":")[0].rpartition(":")
    if host != socket.gethostname() or not rest.isdigit():
        return None
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return identity(int(rest)) == name


def _started(pid: int) -> str:
    """When a process started, in ticks of the kernel; "" where that cannot be told, "dead" for a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()  # the name may hold anything
    except OSError:
        return ""
    return "dead" if fields[0] == "Z" else fields[19]
