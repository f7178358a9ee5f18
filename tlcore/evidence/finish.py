"""How a race ended, in one sentence: who was better, in what time, and what became of the old task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tlcore.sentences import NOTHING, Sentence, join, percent
from tlcore.store import Run, Store
from tlcore.training import film

from .contest import Contest

LEAST = 1.25  # times as long, to be worth a word
PARTS = {
    2: Sentence("in half the time"),
    3: Sentence("in a third of the time"),
    4: Sentence("in a quarter of the time"),
    5: Sentence("in a fifth of the time"),
}
NEAR = 0.12  # how far from such a part a share may be, relative to it


@dataclass(frozen=True)
class Memory:
    """Accuracy on the source's own test images, under its own head, before the first batch and after the last."""

    task: str  # its title
    before: float
    after: float


@dataclass(frozen=True)
class Finish:
    """What a lane's end tells beside its accuracy: seconds to learn, None where they do not compare; its memory."""

    seconds: float | None
    memory: Memory | None


def finishes(runs: Mapping[str, Run], store: Store) -> dict[str, Finish]:
    """Return how every lane of a race ended, by its name."""
    seconds = comparable_seconds(list(runs.values()))
    return {
        name: Finish(seconds[place] if seconds else None, memory(run, store))
        for place, (name, run) in enumerate(runs.items())
    }


def seconds(run: Run) -> float:
    """Return what learning took: processor seconds where they were counted, else seconds; 0 where neither is known."""
    return run.result.cpu_s or run.result.learn_s


def comparable_seconds(runs: Sequence[Run]) -> list[float]:
    """Return what each run took to learn, where that compares: processor seconds, or seconds of runs that were alone.

    Empty where neither is known of all of them.
    """
    cpu = [run.result.cpu_s for run in runs]
    if all(cpu):
        return cpu
    spans = sorted((run.started, run.finished) for run in runs if run.started and run.finished)
    alone = all(one[1] <= after[0] for one, after in zip(spans, spans[1:], strict=False))
    learned = [run.result.learn_s for run in runs]
    return learned if alone and len(spans) == len(runs) and all(learned) else []


def memory(run: Run, store: Store) -> Memory | None:
    """Return what a run's network kept of its source's own task; None where that was not measured.

    An older version measured it for watched runs alone: there the film has it.
    """
    if kept := run.result.forgetting:
        return Memory(kept.task, kept.before, kept.after)
    folder = store.run_folder(run.id)
    cast, frames = film.cast(folder), film.frames(folder)
    if not cast or len(frames) < 2 or not run.final:
        return None
    before, after = frames[0].source, frames[-1].source
    return None if before is None or after is None else Memory(cast.source_task, before, after)


def headline(found: Contest, lanes: Mapping[str, Finish]) -> Sentence:
    """Return which lane was better and in what time, or which tie and whom they leave behind."""
    best, rivals = found.ranking.best, found.ranking.rivals
    if rivals[0].clear:
        time = _time(best, rivals[0].name, lanes)
        return join([found.headline, time], ", ") if time else found.headline
    return ahead(found)


def ahead(found: Contest) -> Sentence:
    """Return a contest's headline; of a tie with whom it leaves behind."""
    rivals = found.ranking.rivals
    behind = None if rivals[0].clear else next((rival.name for rival in rivals if rival.clear), None)
    if behind is None:
        return found.headline
    whom = Sentence("ahead of {name}, {accuracy}", name=behind, accuracy=percent(found.ranking.accuracies[behind]))
    return join([found.headline, whom], ", ")


def details(found: Contest, lanes: Mapping[str, Finish]) -> Sentence:
    """Return which of two that tie was quicker, and what every lane kept of its old task; empty without either."""
    names = [found.ranking.best, *(rival.name for rival in found.ranking.rivals)]
    parts = [] if found.ranking.rivals[0].clear else [_quicker(names[0], names[1], lanes)]
    kept = [_kept(name, memory) for name in names if (memory := lanes[name].memory)]
    if kept:
        task = next(lanes[name].memory.task for name in names if lanes[name].memory)  # type: ignore[union-attr]
        parts.append(Sentence("Old task, {task}: {kept}.", task=task, kept=join(kept, "; ")))
    return join([part for part in parts if part])


def _time(best: str, second: str, lanes: Mapping[str, Finish]) -> Sentence:
    """Return how long the best took against the second; empty where it took about as long, or nobody knows."""
    took, other = lanes[best].seconds, lanes[second].seconds
    if not took or not other or max(took, other) < LEAST * min(took, other):
        return NOTHING
    return _part(took / other) if took < other else Sentence("but took {times:.2g} times as long", times=took / other)


def _quicker(first: str, second: str, lanes: Mapping[str, Finish]) -> Sentence:
    took, other = lanes[first].seconds or 0.0, lanes[second].seconds or 0.0
    quick, slow = (first, second) if took < other else (second, first)
    how = _time(quick, slow, lanes)
    return Sentence("{name} learned {how}.", name=quick, how=how) if how else NOTHING


def _kept(name: str, kept: Memory) -> Sentence:
    values = {"name": name, "before": percent(kept.before), "after": percent(kept.after)}
    if values["before"] == values["after"]:
        return Sentence("{name} stayed at {after}", **values)
    if kept.after > kept.before:
        return Sentence("{name} rose from {before} to {after}", **values)
    return Sentence("{name} fell from {before} to {after}", **values)


def _part(share: float) -> Sentence:
    """Return in words which part of another's time something took.

    Examples
    --------
    >>> str(_part(0.35)), str(_part(0.62))
    ('in a third of the time', 'in 62 % of the time')
    """
    part = min(PARTS, key=lambda n: abs(n * share - 1))
    if abs(part * share - 1) <= NEAR:
        return PARTS[part]
    return Sentence("in {share} of the time", share=percent(share, 0))
