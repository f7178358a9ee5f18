"""Several runs as one report: what somebody tried, which model did best on each task, and a chapter for each run."""

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo

from tlcore import __version__
from tlcore.errors import SpecError
from tlcore.evidence import contest, side_by_side
from tlcore.evidence.contest import Contest
from tlcore.sentences import Sentence, between, percent
from tlcore.store import Run, Store

from . import asked, page
from .writer import Words, Writer

MOST = 40  # runs that have a chapter, the newest; all are in the list
STATES = {
    "queued": Sentence("waiting"),
    "running": Sentence("running"),
    "done": Sentence("done"),
    "stopped": Sentence("stopped"),
    "failed": Sentence("failed"),
}


def day_began(now: float | None = None, zone: tzinfo | None = None) -> float:
    """Return when the day of a moment began, in seconds since 1970.

    Parameters
    ----------
    now : seconds since 1970; None: now
    zone : None: this computer's

    Examples
    --------
    >>> day_began(90_000, UTC), day_began(86_400, UTC)
    (86400.0, 86400.0)
    """
    moment = datetime.fromtimestamp(time.time() if now is None else now, UTC).astimezone(zone)
    return moment.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def date_of(seconds: float) -> str:
    """Return the day of a moment in this computer's time zone: "2026-11-29"."""
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d}"


def of_session(runs: Iterable[Run], since: float) -> list[Run]:
    """Return the runs that were begun since then, the first one first; those of a comparison stand in its chapter."""
    begun = sorted((run for run in runs if run.created >= since), key=lambda run: run.created)
    ids = {run.id for run in begun}
    return [run for run in begun if run.parent not in ids]


def written(runs: Sequence[Run], store: Store, language: str, since: float) -> bytes:
    """Return the report of several runs as HTML.

    Parameters
    ----------
    runs : as ``of_session`` gives them
    language : the tag of a language on offer
    since : which day it is of, in seconds since 1970

    Raises
    ------
    SpecError
        None of them was tested.
    """
    told = [run for run in runs if page.has_report(run)]
    if not told:
        raise SpecError("No model was trained and tested in that time. Train one on Train, or name an earlier day.")
    told = told[-MOST:]
    writer, day = Writer(language), date_of(since)
    made = Sentence(
        "Written {time} by Transfer Lab {version}. Times are in UTC.", time=asked.when(time.time()), version=__version__
    )
    titles = dict(zip((run.id for run in told), _titles(writer, told), strict=True))
    tasks = list(_tasks(writer, told, store))
    body = [
        *(writer.paragraph(task.headline, kind="headline") for task in tasks),
        _summary(writer, runs, titles),
        *(_verdict(writer, task) for task in tasks),
        _limits(writer, tasks),
        *(_chapter(writer, run, store, titles[run.id]) for run in told),
    ]
    return page.framed(writer, writer.text(Sentence("What was trained since {day}", day=day)), made, "".join(body))


class _Task:
    """The models of one task, and which is better."""

    def __init__(self, title: Words, n: int, best: Words, found: Contest | None):
        self.title, self.n, self.best, self.found = title, n, best, found

    @property
    def headline(self) -> Sentence:
        said = self.found.headline if self.found else self.best
        return Sentence("{task}: {said}", task=self.title, said=said)


def _tasks(writer: Writer, runs: Sequence[Run], store: Store) -> Iterator[_Task]:
    for target in dict.fromkeys(run.spec.data.target for run in runs):
        models = [
            run
            for run in side_by_side.expanded((run for run in runs if run.spec.data.target == target), store)
            if page.has_report(run)
        ]
        entrants = side_by_side.entrants(models, _titles(writer, models))
        found = contest.contest(entrants, store.folder)
        settings = {str(name): value for name, value in side_by_side.settings(models[0].spec).items()}
        best = max((run.accuracy or 0.0 for run in models), default=0.0)
        words = Sentence("one model, right on {accuracy} of the test images", accuracy=percent(best))
        yield _Task(
            settings.get("Task", target),
            sum(len(getattr(run.result, "table", ())) or 1 for run in models),
            words,
            found,
        )


def _titles(writer: Writer, runs: Sequence[Run]) -> list[str]:
    """Return what runs are called, so that no two are called alike."""
    plain = [page.title(writer, run) for run in runs]
    return side_by_side.labels(plain, [run.spec for run in runs], writer.text)


def _summary(writer: Writer, runs: Sequence[Run], titles: dict[str, str]) -> str:
    top = [Sentence("Run"), Sentence("Began"), Sentence("State"), Sentence("Accuracy"), Sentence("95 % interval"),
           Sentence("Learned in")]  # fmt: skip
    rows = []
    for run in runs:
        score = side_by_side.score(run)
        accuracy, interval = (score.headline, score.interval) if score else (run.accuracy, run.result.interval)
        rows.append(
            (
                titles.get(run.id) or page.title(writer, run),
                asked.when(run.started),
                STATES[run.state],
                None if accuracy is None else percent(accuracy),
                between(*interval) if interval else None,
                Sentence("{n:.2f} s", n=run.result.learn_s) if run.result.learn_s else None,
            )
        )
    return writer.heading(Sentence("All runs")) + writer.table(top, rows)


def _verdict(writer: Writer, task: _Task) -> str:
    if task.found is None:
        return ""
    heading = writer.heading(Sentence("Which is better on {task}", task=task.title))
    return heading + writer.paragraph(task.found.verdict, task.found.scope)


def _limits(writer: Writer, tasks: Sequence[_Task]) -> str:
    """Return that the best of many tries looks better than it is."""
    several = [
        Sentence(
            "{n} models were measured on the same test images of {task}. The best of so many looks slightly better "
            "than it is; a test on images that none of them has met tells more.",
            n=task.n,
            task=task.title,
        )
        for task in tasks
        if task.n > 1
    ]
    return writer.heading(Sentence("What these numbers do not say")) + writer.items(several) if several else ""


def _chapter(writer: Writer, run: Run, store: Store, title: str) -> str:
    return writer.chapter(title, page.written_in(page.SECTIONS, writer.deeper(), run, store))
