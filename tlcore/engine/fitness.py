"""Whether a worker of a cluster may be given runs: the same code, the same store, the same files; else why not."""

import hashlib
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import tlcore
from tlcore import extensions, sentences, store
from tlcore.errors import LabError
from tlcore.machine import identity
from tlcore.sentences import NOTHING, Sentence
from tlcore.store import Store, files, shared_home

MARK_FILE = files.MARK_FILE
COMPARED = ("tensorflow", "keras", "scikit-learn", "numpy")

NO_TLCORE = Sentence(
    "The package tlcore cannot be imported there. Start it in the project's folder: python -m tlcore worker."
)
DAEMONIC = Sentence(
    "It may not start processes of its own. Start it with python -m tlcore worker, with dask worker --no-nanny, or "
    "with DASK_DISTRIBUTED__WORKER__DAEMON=False."
)
OTHER_STORE = Sentence(
    "It reads another run store. Give it the same TRANSFER_LAB_DATABASE, or the same TRANSFER_LAB_HOME, as the server."
)
OTHER_FOLDER = Sentence(
    "It does not see the files of this lab. Set TRANSFER_LAB_RESULTS there as on the server, or TRANSFER_LAB_HOME to "
    "the server's data folder, on a disk that both reach."
)
NEEDS_POSTGRES = Sentence(
    "It is on another machine, and the runs are in a file that only one machine may write to. Name a Postgres in "
    "TRANSFER_LAB_DATABASE, the same for the server and every worker."
)


@cache
def versions() -> dict[str, str]:
    """Return what must be the same where a run is asked for and where it is executed, by name."""
    installed = store.versions()
    tensorflow = installed.get("tensorflow") or installed.get("tensorflow-cpu", "")
    listed = {name: installed.get(name, "") for name in COMPARED} | {"tensorflow": tensorflow}
    return {"tlcore": f"{tlcore.__version__}, {_digest()}", **listed, extensions.VARIABLE: _extensions()}


def _digest() -> str:
    """Return eight digits of the package's source: its version alone does not change with every commit."""
    folder = Path(tlcore.__file__).parent
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        total.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return total.hexdigest()[:8]


def _extensions() -> str:
    return ",".join(name.strip() for name in os.environ.get(extensions.VARIABLE, "").split(",") if name.strip())


def leave_mark(of: Store) -> str:
    """Write a store's mark where its runs' folders are, and return it."""
    mark = of.mark()
    if of.files.mark() != mark:
        of.files.leave_mark(mark)
    return mark


def mark_in(folder: Path) -> str:
    """Return the mark that lies where the runs of a data folder keep their files; "" when none does, or no answer."""
    try:
        return files.of(shared_home(folder)).mark()
    except LabError:
        return ""


def refusal(answer: Mapping[str, Any] | BaseException, mark: str, needs_here: bool) -> Sentence:
    """Return why a worker gets no run; NOTHING when it may be given some.

    Parameters
    ----------
    answer : what ``Custody.greet`` returned, or what was raised in its place
    mark : the server's, as ``leave_mark`` returned it
    needs_here : the store is a file, which processes of this machine alone may write to
    """
    if isinstance(answer, ImportError) and (answer.name or "").partition(".")[0] == "tlcore":
        return NO_TLCORE
    if isinstance(answer, BaseException):
        reason = " ".join(f"{type(answer).__name__}: {answer}".split())[:200]
        return Sentence("It did not answer as a worker of this lab does ({reason}).", reason=reason)
    if answer["daemonic"]:
        return DAEMONIC
    theirs = answer["versions"]
    for name, here in versions().items():
        if theirs.get(name, "") != here:
            return Sentence(
                "{package} is another one there ({theirs}) than on the server ({here}). Install the same on both.",
                package=name,
                theirs=theirs.get(name) or Sentence("none"),
                here=here or Sentence("none"),
            )
    if "error" in answer:
        return sentences.decode(answer["error"])
    if needs_here and _host(answer["process"]) != _host(identity()):
        return NEEDS_POSTGRES
    if answer["mark"] != mark:
        return OTHER_STORE
    return NOTHING if answer["folder"] == mark else OTHER_FOLDER


def _host(process: str) -> str:
    return process.rsplit(":", 2)[0]
