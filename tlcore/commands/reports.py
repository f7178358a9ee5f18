"""The command that writes one report of several runs."""

from argparse import Namespace
from datetime import date, datetime

from tlcore import exports
from tlcore.errors import SpecError
from tlcore.exports.report import session
from tlcore.store import Store
from tlcore.translation import best

from . import console
from .history import ALL, find_run


def day(text: str) -> float:
    """Return when a day began on this computer, in seconds since 1970.

    Raises
    ------
    SpecError
        ``text`` is not a day.
    """
    try:
        return datetime.combine(date.fromisoformat(text), datetime.min.time()).timestamp()
    except ValueError as error:
        raise SpecError("A day is written like 2026-11-29. Received: {text!r}.", text=text) from error


def report_runs(options: Namespace) -> int:
    store = Store(options.home)
    since = session.day_began() if options.since is None else options.since
    runs = store.list(limit=ALL)
    if options.ids:
        runs = tuple({run.id: run for run in (find_run(store, text) for text in options.ids)}.values())
        since = min(run.created for run in runs)
    content = session.written(session.of_session(runs, since), store, best(""), since)
    for path in exports.write({f"runs-{session.date_of(since)}.html": content}, options.to):
        print(path)
    return console.OK
