"""Runs in a terminal: tables, live lines while one goes on, and the result in words."""

import json
import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

from tlcore import jobs
from tlcore.jobs.report import Entry, Table
from tlcore.sentences import NOTHING, Sentence, percent
from tlcore.spec import MetricPoint, Progress
from tlcore.store import NumberedPoints, Run
from tlcore.translation import _, shown

OK, FAILED, BAD, INTERRUPTED = 0, 1, 2, 130  # exit codes; ``cli`` says what they mean

PARTS_S = 5.0  # between two lines inside one epoch

Say = Callable[[str], None]


def words(text: str | Sentence) -> str:
    """Return a text as it is, and a Sentence in the language of whoever started this command."""
    return shown(text) if isinstance(text, Sentence) else text


def say(text: str | Sentence) -> None:
    print(words(text), flush=True)


def tell(text: str | Sentence) -> None:
    """Print to the error stream: sentences, and the progress of what gives JSON."""
    text = words(text)
    if sys.stderr:  # None where the stream was closed; print would take that for the other one
        # A person's own word may be no text at all, and is quoted back: as escapes, on any stream.
        print(text.encode("utf-8", "backslashreplace").decode(), file=sys.stderr, flush=True)


def as_json(values: Any, indent: int | None = None) -> str:
    """Return JSON for programs; a Sentence becomes its English text.

    >>> as_json({"error": Sentence("{n} labels", n=5)})
    '{"error": "5 labels"}'
    """
    return json.dumps(values, indent=indent, default=_plain)


def _plain(value: object) -> Any:
    if isinstance(value, Sentence):
        return str(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def show(options: Namespace, values: Any, text: str) -> int:
    """Print a list or one thing, as JSON when that was asked for."""
    say(as_json(values, indent=2) if options.json else text)
    return OK


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what TensorFlow's own code writes past Python from the screen; TF_CPP_MIN_LOG_LEVEL=0 shows it.

    Its first lines come before it has read any setting, so only the stream itself can be turned away.
    """
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0" or not sys.stderr or sys.stderr is not sys.__stderr__:
        yield
        return
    sys.stderr.flush()
    kept, stream = os.dup(2), sys.stderr
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = open(kept, "w", encoding=stream.encoding, errors=stream.errors, closefd=False)  # noqa: SIM115
    try:
        yield
    finally:
        sys.stderr.flush()
        sys.stderr = stream
        os.dup2(kept, 2)
        os.close(kept)


# -- text --------------------------------------------------------------------------------------------------------


def table(head: Sequence[str | Sentence], rows: Iterable[Sequence[Entry]]) -> str:
    """Return rows under their heads in aligned columns; numbers stand at the right.

    Examples
    --------
    >>> print(table(["layer", "weights"], [["conv_1", 320], ["pool_1", None]]))
    layer   weights
    conv_1      320
    pool_1        –
    """
    texts = [[_text(cell) for cell in row] for row in rows]
    columns = []
    for column in zip(map(words, head), *texts, strict=True):
        width = max(map(_width, column))
        numbers = all(map(_is_number, column[1:]))
        columns.append([_filled(text, width, numbers) for text in column])
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes: a Chinese character takes two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _filled(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _text(cell: Entry) -> str:
    return "–" if cell is None else f"{cell:,}" if isinstance(cell, int) else words(cell)


def _is_number(text: str) -> bool:
    return text == "–" or (text[:1].isdigit() and not any(map(str.isalpha, text)))


def shape(sides: Iterable[int]) -> str:
    """Return an output shape as the pages write it: 26 × 26 × 32."""
    return " × ".join(map(str, sides))


def share(value: float | None) -> str | None:
    return None if value is None else percent(value)


def accuracy(value: float | None, balanced: object) -> str | None:
    """Return an accuracy as a percentage that says when it is a balanced one; None where nothing was tested."""
    return _("{share} balanced").format(share=percent(value)) if value is not None and balanced else share(value)


def when(seconds: float | None) -> str | None:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M") if seconds else None


def title(run: Run) -> str:
    """Return a run's name, or what it does in the names that the flags take."""
    return run.name or jobs.describe(run.spec)


def ended(run: Run) -> str:
    """Return a run's state and how long it took."""
    return _("Run {id}: {state}").format(id=run.id, state=run.state) + took(run)


def took(run: Run) -> str:
    """Return how long a run took, to stand behind its state."""
    return f", {run.took_s:.1f} s" if run.took_s is not None else ""


def run_text(run: Run, folder: Path) -> str:
    """Return a run whole: what it was asked, how it went, what it reached.

    Parameters
    ----------
    folder : the folder of the run's files
    """
    lines = [
        ended(run) + (_(", deleted") if run.deleted else ""),
        *filter(None, (run.name, jobs.describe(run.spec), run.note)),
        _("{kind}, seed {seed}, created {when}, attempt {n}").format(
            kind=run.kind, seed=run.seed, when=when(run.created), n=run.attempt
        ),
    ]
    if run.error:
        lines.append(shown(run.error))
    if run.state == "running":
        message = f"{shown(run.progress.message)}, " if run.progress.message else ""
        step = _("step {step} of {total}").format(step=run.progress.step, total=run.progress.n_steps)
        lines.append(f"{message}{step}")
    return "\n".join(lines + result_lines(run, folder))


# -- a run that goes on --------------------------------------------------------------------------------------------


class LiveLines:
    """Says what is new in a run each time it is shown how the run stands."""

    def __init__(self, say: Say):
        self.since = 0  # the number of the last point seen
        self._say, self._attempt, self._message = say, 1, NOTHING
        self._told = 0.0  # epochs
        self._train: MetricPoint | None = None
        self._said_s = 0.0

    def show(self, run: Run, points: NumberedPoints) -> None:
        if run.attempt > self._attempt:  # its process was lost: the points that are new count from further back
            self._attempt, self.since, self._said_s = run.attempt, 0, 0.0
            self._say(_("its process was lost: it goes on from what was finished"))
            return
        job, message = jobs.of(run.spec), run.progress.message
        n_epochs = job.epochs(run.spec)
        for self.since, point in points:
            if n_epochs:
                self._epoch(point, n_epochs)
        if job.many_steps:
            self._step(run.progress)
        elif message and message != self._message:
            step = "" if n_epochs else f"{run.progress.step + 1}/{run.progress.n_steps} "
            self._say(f"{step}{shown(message)}")
        self._message = message

    def _step(self, progress: Progress) -> None:
        """Say one of many steps now and then."""
        if progress.step and time.monotonic() - self._said_s >= PARTS_S:
            self._said_s = time.monotonic()
            left = "" if progress.left_s is None else _(", about {n:.0f} s left").format(n=progress.left_s)
            self._say(f"{progress.step}/{progress.n_steps} {shown(progress.message)}{left}")

    def _epoch(self, point: MetricPoint, n_epochs: int) -> None:
        """Training and validation of a finished epoch make one line; within a long epoch one comes now and then."""
        if point.x <= self._told:  # by an earlier attempt
            return
        if point.part == "train" and point.x == int(point.x):
            self._train = point
            return
        if point.part == "train" and point.elapsed_s - self._said_s < PARTS_S:
            return
        self._said_s, self._told = point.elapsed_s, point.x
        parts = [point] if self._train is None or point.part == "train" else [self._train, point]
        parts_words = "  ".join(f"{each.part} {_measured(each)}" for each in parts)
        line = _("epoch {at:>5g}/{total}  {words}  {elapsed:.1f} s")
        self._say(line.format(at=round(point.x, 2), total=n_epochs, words=parts_words, elapsed=point.elapsed_s))


def _measured(point: MetricPoint) -> str:
    loss = "–" if point.loss is None else f"{point.loss:.4f}"
    right = "–" if point.accuracy is None else percent(point.accuracy)
    return _("loss {loss} accuracy {accuracy}").format(loss=loss, accuracy=right)


# -- a result ----------------------------------------------------------------------------------------------------


def result_lines(run: Run, folder: Path) -> list[str]:
    """Return what a run reached and left, in words; nothing where nothing came out.

    Parameters
    ----------
    folder : the folder of the run's files
    """
    if not run.stored:
        return []
    report = jobs.of(run.spec).report(run.result, folder)
    return [table(part.heads, part.rows) if isinstance(part, Table) else words(part) for part in report]
