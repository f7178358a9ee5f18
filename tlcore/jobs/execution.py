"""Execute one run in a process of its own. Nothing is raised: a failure is a state with its reason."""

import errno
import logging
import os
import secrets
from dataclasses import asdict
from pathlib import Path

from tlcore.errors import AwayError, LabError
from tlcore.machine import import_keras, nursery, scratch
from tlcore.machine.settings import WORKER_NAME
from tlcore.sentences import NOTHING, Sentence
from tlcore.spec import Result
from tlcore.store import Run, Store

from . import away
from .job import JOBS, Left, of
from .reporter import Reporter

log = logging.getLogger(__name__)
nursery.also(__name__)


def warm() -> None:
    """Import what a run needs and let each job rehearse, so that the next run starts at once."""
    import_keras()
    for job in JOBS.values():
        job.warm()


def execute(run_id: str, folder: str) -> None:
    """Claim the run, do what its spec asks, write points and the final state to the store.

    On a cluster a run that another process has, and that can be shared, is helped with.

    What an earlier attempt had finished before its process was killed is kept, and this one goes on from there.

    Parameters
    ----------
    run_id : a run of the store in ``folder``; one that is not queued, nor can be helped with, is left alone
    folder : the data folder
    """
    if not away.wait_for_folder(Path(folder)):
        return
    store = Store(Path(folder))
    try:
        run = store.get(run_id)
        job = of(run.spec)
        if run.state == "running" and job.helps and os.environ.get(WORKER_NAME):
            return job.help(run, store)
        left = job.left(run, store)
        attempt = store.claim(
            run_id, worker=os.environ.get(WORKER_NAME) or f"{os.getpid()}", keep=left.n_points, attempt=run.attempt
        )
    except LabError:
        log.exception("run %s could not be claimed", run_id)
        return
    if attempt is None:
        return
    perform(run, left, Reporter(store, attempt, left.n_points))


def perform(run: Run, left: Left, reporter: Reporter) -> None:
    """Do what a claimed run asks, and write how it ended; where what it needs is away for a while, queue it again.

    Raises
    ------
    AwayError
        A part of a comparison was queued again: the whole is then to be, too.
    """
    with reporter:
        try:
            state, result, error = _outcome(run, left, reporter, reporter.store.folder)
        except AwayError as problem:
            log.warning("run %s waits for its database and its folder: %s", run.id, problem.__cause__ or problem)
            back = away.wait_for_both(reporter.store)
            if back and reporter.store.requeue(run.id, attempt=reporter.attempt.number):
                if run.parent:
                    raise
                return
            state, result, error = _given_up(reporter)
    values = None if result is None else asdict(result)
    kept = state == "stopped" and of(run.spec).resumes
    if away.patiently(lambda: reporter.attempt.finish(state, values, error)) and not kept:
        of(run.spec).clean(reporter.store.run_folder(run.id))
        reporter.store.files.publish(run.id, new=False)


def _outcome(run: Run, left: Left, reporter: Reporter, folder: Path) -> tuple[str, Result | None, Sentence]:
    """Execute a run; return the final state, the result (None: what was kept on the way) and why it failed.

    Raises
    ------
    AwayError
        It was cut off, or what it wrote last is nowhere: what it needs is away.
    """
    job = of(run.spec)
    try:
        job.check(run.spec)
        with scratch.needed():
            result = job.run(run.spec, reporter, folder, run.result, left.checkpoint)
        reporter.attempt.publish()
    except Exception as error:
        if away.caused(error, folder):
            raise away.gone(folder) from error
        return "failed", None, _why(error, run.id)
    if away.folder_is_away(folder):
        raise away.gone(folder)
    return ("stopped" if reporter.should_stop() else "done"), result, NOTHING


def _given_up(reporter: Reporter) -> tuple[str, Result | None, Sentence]:
    """Return the end of a run for which nothing came back, or which was asked to stop meanwhile."""
    if reporter.should_stop():
        return "stopped", None, NOTHING
    return "failed", None, away.gone(reporter.store.folder).sentence


def _why(error: Exception, run_id: str) -> Sentence:
    """Return what ended a run; what nobody foresaw goes to the log, under an id that the sentence names."""
    if isinstance(error, LabError):
        return error.sentence
    if isinstance(error, MemoryError):
        return Sentence("The run needed more memory than there is. Use fewer images, or an earlier layer.")
    log_id = secrets.token_hex(4)
    log.error("run %s failed, log id %s", run_id, log_id, exc_info=error)
    if isinstance(error, OSError):
        return _unwritten(error)
    return Sentence("Something went wrong (log id {log_id}). Start the run again.", log_id=log_id)


def _unwritten(error: OSError) -> Sentence:
    """Say which file could not be written or read, and what to do about it."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Sentence(
            "A file could not be written ({reason}). Free some disk space and start again.", reason=error.strerror
        )
    return Sentence(
        "{file} could not be written or read ({reason}). Fix that and start the run again.",
        file=Sentence("The file {name}", name=error.filename) if error.filename else Sentence("A file"),
        reason=error.strerror or error,
    )
