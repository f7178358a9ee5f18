"""Run ways of doing the same thing in turn, each in a process of its own, and hold their medians against each other.

A process of its own: TensorFlow keeps compiled graphs and memory, so that the second way would find another machine
than the first, and only a fresh process has a peak of memory that is its own.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MARK = "result: "

Result = dict[str, Any]
Way = Callable[..., Result]  # returns at least "seconds"


@dataclass(frozen=True)
class Row:
    """One line of the table: medians of both ways."""

    name: str
    title: str
    ours: float
    plain: float | None  # None: a wait for which there is no plain way, only a person's patience
    unit: str
    ratio: float | None  # plain over ours, how many times faster or smaller: the median of the turns' own ratios
    ours_mb: float | None
    plain_mb: float | None
    repetitions: int
    note: str
    machine: str
    load: float  # average number of processes that wanted a core in the last minute
    date: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def row(
    name: str,
    title: str,
    ours: Sequence[Result],
    plain: Sequence[Result],
    *,
    key: str = "seconds",
    unit: str = "s",
    note: str = "",
) -> Row:
    """Return the medians of both ways' ``key`` and of their peaks of memory.

    The ratio is the median over turns: the two ways of one turn ran one after the other on the same machine, which
    another turn may find busier.
    """
    turns = [two[key] / one[key] for one, two in zip(ours, plain, strict=True)]
    a, b = median(one[key] for one in ours), median(one[key] for one in plain)
    return Row(
        name=name,
        title=title,
        ours=round(a, 4),
        plain=round(b, 4),
        unit=unit,
        ratio=round(median(turns), 2),
        ours_mb=_peak(ours),
        plain_mb=_peak(plain),
        repetitions=len(ours),
        note=note,
        machine=machine(),
        load=round(os.getloadavg()[0], 1),
        date=date.today().isoformat(),
    )


def wait(name: str, title: str, values: Sequence[float], *, unit: str = "s", limit: str = "", digits: int = 4) -> Row:
    """Return the median of what a person waits; the note has the 95th percentile, and the limit that was set."""
    note = f"95th percentile {_figure(p95(values))} {unit} of {len(values)}" + (f"; wanted: {limit}" if limit else "")
    return figure(name, title, round(median(values), digits), unit, note, len(values))


def figure(name: str, title: str, value: float, unit: str, note: str = "", repetitions: int = 1) -> Row:
    """Return a figure for which there is no plain way."""
    return Row(
        name=name,
        title=title,
        ours=round(value, 4),
        plain=None,
        unit=unit,
        ratio=None,
        ours_mb=None,
        plain_mb=None,
        repetitions=repetitions,
        note=note,
        machine=machine(),
        load=round(os.getloadavg()[0], 1),
        date=date.today().isoformat(),
    )


def p95(values: Sequence[float]) -> float:
    return quantile(values, 0.95)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` of the values lie, one of them."""
    return sorted(values)[min(len(values) - 1, round(share * (len(values) - 1)))]


def _peak(results: Sequence[Result]) -> float | None:
    peaks = [one["peak_mb"] for one in results if "peak_mb" in one]
    return round(median(peaks)) if peaks else None


def machine() -> str:
    """Return the processor, its cores and the system, in words."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        model = models[0] if models else model
    return f"{model}, {os.cpu_count()} cores, {platform.system()}"


def in_turn(module: str, ways: Sequence[str], repetitions: int, **settings: Any) -> dict[str, list[Result]]:
    """Run each way once in a child process, then all again; a repetition's number is its ``seed``."""
    results: dict[str, list[Result]] = {way: [] for way in ways}
    for seed in range(repetitions):
        for way in ways:
            result = child(module, way, seed=seed, **settings)
            results[way].append(result)
            words = ", ".join(f"{name} {_short(value)}" for name, value in result.items())
            print(f"  {way:<14} {words}", file=sys.stderr, flush=True)
    return results


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def child(module: str, way: str, **settings: Any) -> Result:
    """Run one way in a fresh process; return its result with ``peak_mb``, its largest resident memory."""
    command = [sys.executable, "-m", module, "--child", way, json.dumps(settings)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode or not lines:
        raise RuntimeError(f"{module} {way} {settings} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return json.loads(lines[-1].removeprefix(MARK))


def keras_as_it_comes() -> None:
    """Take back what importing ``tlcore`` has set for TensorFlow, before that is imported."""
    assert "tensorflow" not in sys.modules
    for name in ("TF_ENABLE_ONEDNN_OPTS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.pop(name, None)


def script(ways: Mapping[str, Way], measure: Callable[[bool], list[Row]]) -> None:
    """Be a benchmark's main: one way when asked as a child, else all, printed as a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, to see that it runs; the figures mean little"
    )
    parser.add_argument("--child", nargs=2, metavar=("WAY", "SETTINGS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        way, settings = options.child
        print(MARK + json.dumps({**ways[way](**json.loads(settings)), "peak_mb": peak_mb()}))
    else:
        print(table(measure(options.quick)))


def peak_mb() -> float:
    """Return the largest resident memory this process has had, mapped files included."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 1024)


class Stopwatch:
    """Seconds of the wall and of the processor inside a ``with``."""

    def __enter__(self) -> "Stopwatch":
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds, self.cpu_s = time.perf_counter() - self._wall, time.process_time() - self._cpu

    def as_dict(self) -> Result:
        return {"seconds": self.seconds, "cpu_s": self.cpu_s}


def table(rows: Sequence[Row | Mapping[str, Any]]) -> str:
    """Return rows as a Markdown table."""
    lines = ["| what | ours | plain | ratio | peak memory, ours / plain |", "|---|--:|--:|--:|--:|"]
    for one in rows:
        cells = one.as_dict() if isinstance(one, Row) else one
        memory = [cells[name] for name in ("ours_mb", "plain_mb")]
        peak = " / ".join(f"{mb:,.0f}" for mb in memory) + " MB" if all(memory) else ""
        unit = cells["unit"]
        title = cells["title"] + (f" ({cells['note']})" if cells["note"] else "")
        plain = "| " if cells["plain"] is None else f"{_figure(cells['plain'])} {unit} | {cells['ratio']:.2f}"
        figures = f"{_figure(cells['ours'])} {unit} | {plain}"
        lines.append(f"| {title} | {figures} | {peak} |")
    return "\n".join(lines)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
