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

from tlcore import jobs
from tlcore.evidence.keras_example import PUBLISHED
from tlcore.heads import HEADS
from tlcore.spec import ExampleSpec, FineTuneSpec, HeadSpec, MetricPoint, Progress, SweepSpec
from tlcore.store import NumberedPoints, Run

OK, FAILED, BAD, INTERRUPTED = 0, 1, 2, 130  # exit codes; ``cli`` says what they mean

PARTS_S = 5.0  # between two lines inside one epoch

Say = Callable[[str], None]
Cell = str | int | None


def say(text: str) -> None:
    print(text, flush=True)


def tell(text: str) -> None:
    """Print to the error stream: sentences, and the progress of what gives JSON."""
    if sys.stderr:  # None where the stream was closed; print would take that for the other one
        # A person's own word may be no text at all, and is quoted back: as escapes, on any stream.
        print(text.encode("utf-8", "backslashreplace").decode(), file=sys.stderr, flush=True)


def show(options: Namespace, values: Any, text: str) -> int:
    """Print a list or one thing, as JSON when that was asked for."""
    say(json.dumps(values, indent=2) if options.json else text)
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


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
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
    for column in zip(head, *texts, strict=True):
        width = max(map(len, column))
        numbers = all(map(_is_number, column[1:]))
        columns.append([text.rjust(width) if numbers else text.ljust(width) for text in column])
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))


def _text(cell: Cell) -> str:
    return "–" if cell is None else f"{cell:,}" if isinstance(cell, int) else cell


def _is_number(text: str) -> bool:
    return text == "–" or (text[:1].isdigit() and not any(map(str.isalpha, text)))


def shape(sides: Iterable[int]) -> str:
    """Return an output shape as the pages write it: 26 × 26 × 32."""
    return " × ".join(map(str, sides))


def percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.1%}"


def when(seconds: float | None) -> str | None:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M") if seconds else None


def title(run: Run) -> str:
    """Return a run's name, or what it does in the names that the flags take."""
    return run.name or jobs.describe(run.spec)


def accuracy(run: Run) -> float | None:
    """Return a run's test accuracy; for heads the best mean over seeds."""
    if "test" in run.result:
        return run.result["test"]["accuracy"]
    return max((line["mean"] for line in run.result.get("table", ())), default=None)


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
        f"Run {run.id}: {run.state}{took(run)}" + (", deleted" if run.deleted else ""),
        *filter(None, (run.name, jobs.describe(run.spec), run.note)),
        f"{run.kind}, seed {run.seed}, created {when(run.created)}, attempt {run.attempt}",
    ]
    if run.error:
        lines.append(run.error)
    if run.state == "running":
        lines.append(f"{run.progress.message}, step {run.progress.step} of {run.progress.n_steps}")
    return "\n".join(lines + (result_lines(run, folder) if run.result else []))


# -- a run that goes on --------------------------------------------------------------------------------------------


class LiveLines:
    """Says what is new in a run each time it is shown how the run stands."""

    def __init__(self, say: Say):
        self.since = 0  # the number of the last point seen
        self._say, self._attempt, self._message = say, 1, ""
        self._told = 0.0  # epochs
        self._train: MetricPoint | None = None
        self._said_s = 0.0

    def show(self, run: Run, points: NumberedPoints) -> None:
        if run.attempt > self._attempt:  # its process was lost: the points that are new count from further back
            self._attempt, self.since, self._said_s = run.attempt, 0, 0.0
            self._say("its process was lost: it goes on from what was finished")
            return
        for self.since, point in points:
            if isinstance(run.spec, FineTuneSpec):
                self._epoch(point, run.spec.epochs)
        message = run.progress.message
        if run.kind == SweepSpec.kind:
            self._experiment(run.progress)
        elif message not in ("", "done", "training", self._message):  # the epochs tell of the training themselves
            step = f"{run.progress.step + 1}/{run.progress.n_steps} " if run.kind == HeadSpec.kind else ""
            self._say(step + message)
        self._message = message

    def _experiment(self, progress: Progress) -> None:
        """Hundreds come in a minute: one line now and then."""
        if progress.step and time.monotonic() - self._said_s >= PARTS_S:
            self._said_s = time.monotonic()
            left = "" if progress.left_s is None else f", about {progress.left_s:.0f} s left"
            self._say(f"{progress.step}/{progress.n_steps} {progress.message}{left}")

    def _epoch(self, point: MetricPoint, n_epochs: int) -> None:
        """Training and validation of a finished epoch make one line; within a long epoch one comes now and then."""
        if point.x <= self._told:  # by an earlier attempt
            return
        if point.series == "train" and point.x == int(point.x):
            self._train = point
            return
        if point.series == "train" and point.elapsed_s - self._said_s < PARTS_S:
            return
        self._said_s, self._told = point.elapsed_s, point.x
        parts = [point] if self._train is None or point.series == "train" else [self._train, point]
        words = "  ".join(f"{part.series} {_measured(part)}" for part in parts)
        self._say(f"epoch {round(point.x, 2):>5g}/{n_epochs}  {words}  {point.elapsed_s:.1f} s")


def _measured(point: MetricPoint) -> str:
    loss = "–" if point.loss is None else f"{point.loss:.4f}"
    right = "–" if point.accuracy is None else f"{point.accuracy:.1%}"
    return f"loss {loss} accuracy {right}"


# -- a result ----------------------------------------------------------------------------------------------------


def result_lines(run: Run, folder: Path) -> list[str]:
    """Return what a run reached and left, in words.

    Parameters
    ----------
    folder : the folder of the run's files
    """
    if run.kind == HeadSpec.kind:
        return _head_lines(run) if run.result.get("rows") else ["No head was finished."]
    if run.kind == SweepSpec.kind:
        return [_sweep_line(run.result)]
    if "test" not in run.result:
        return ["No result."]
    if run.kind == ExampleSpec.kind:
        return _example_lines(run.result)
    test = run.result["test"]
    return [
        f"Test accuracy {test['accuracy']:.1%} on {test['n']:,} images never trained on; 95 % interval "
        f"{test['low']:.1%} to {test['high']:.1%}.",
        _proof(run),
        f"Model: {folder / 'model.keras'}",
    ]


def _example_lines(result: dict[str, Any]) -> list[str]:
    rows = []
    for title, name in (("digits 0-4", "source_test"), ("digits 5-9", "test")):
        test, seconds = result[name], result[f"{name}_s"]
        interval = f"{test['low']:.2%} to {test['high']:.2%}"
        rows.append([title, f"{PUBLISHED[name]:.1%}", f"{test['accuracy']:.2%}", interval, f"{seconds:.0f}"])
    return [table(["task", "published", "here", "95 % interval", "training s"], rows)]


def _sweep_line(result: dict[str, Any]) -> str:
    ended = {"budget": ", ended by its time budget", "stopped": ", stopped"}.get(result["ended"], "")
    return (
        f"{result['n_cells']:,} of {result['n_planned']:,} experiments{ended}; "
        f"{result['n_cells'] - result['n_before']:,} of them now, in {result['total_s']:.1f} s."
    )


def _proof(run: Run) -> str:
    rows = run.result["proof"]
    if not rows:
        return "Stopped before the first batch: no weight was trained, so there is nothing to prove."
    if wrong := [row["layer"] for row in rows if not row["ok"]]:
        return f"Proof failed: {', '.join(wrong)} did not do what freezing promised. Please report this."
    phases = sorted({row["phase"] for row in rows})
    parts = [_phase_proof([row for row in rows if row["phase"] == phase]) for phase in phases]
    if len(parts) > 1:
        parts = [f"in phase {phase}, {part}" for phase, part in zip(phases, parts, strict=True)]
    return f"Proof: {'; '.join(parts)}."


def _phase_proof(rows: Sequence[dict[str, Any]]) -> str:
    n = sum(row["frozen"] for row in rows)
    unchanged = f"the weights of {n} frozen layers are bit for bit unchanged"
    return f"{unchanged}, those of {len(rows) - n} trained layers changed"


def _head_lines(run: Run) -> list[str]:
    result, lines = run.result, run.result["table"]
    heads = ["", "head", "fitted on", "accuracy", "fit s", "ms/image", "MB", "features", "seeds"]
    rows = [
        [
            "*" if line["best"] else "",
            HEADS[line["head"]].title,
            "features" if line["input"] == "features" else "raw pixels",
            f"{line['mean']:.1%}" + (f" ± {line['sd']:.1%}" if line["sd"] is not None else ""),
            f"{line['fit_s']:.3f}",
            f"{line['ms_per_image']:.3f}",
            f"{line['mb']:.2f}" if line["mb"] is not None else None,
            line["n_features"],
            line["n_seeds"],
        ]
        for line in lines
    ]
    said = [table(heads, rows)]
    if (tied := sum(line["best"] for line in lines)) > 1:
        said.append(
            f"No clear winner: the lead of the best is within the noise of {tied - 1} of its rivals (marked *)."
        )
    said.append(
        f"Each head learned from {result['n_trained']:,} images; accuracy ± standard deviation over "
        f"{lines[0]['n_seeds']} seeds, each on {result['rows'][0]['n']:,} test images."
    )
    if result["n_features"]:
        said.append(
            f"The {result['n_features']:,} features of {result['layer']} took {result['extract_s']:.1f} s to compute."
        )
    return said
