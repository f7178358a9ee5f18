"""Which way of learning is better, and what one saves beside another that is no worse."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from tlcore.errors import SpecError
from tlcore.sentences import Sentence, join, percent
from tlcore.spec import SCRATCH, ComparisonResult, Way
from tlcore.store import Run, Store

from . import contest
from .contest import Contest, Entrant
from .method import method_of

LEAST = 1.5  # times as fast, to be worth a word
LITTLE = 0.03  # of accuracy: a larger difference may be there, though few test images do not show it


@dataclass(frozen=True)
class Trained:
    """A way with its run."""

    way: Way
    run: Run

    def entrant(self, label: str) -> Entrant:
        """Return the model that the run trained, under what it is called."""
        (model, *_more) = [f"{row.head}-{row.input}" for row in self.run.result.heads] or [contest.MODEL]
        return Entrant(label, self.run, model)


def trained(result: ComparisonResult, store: Store) -> list[Trained]:
    """Return the ways whose runs are still there."""
    found = []
    for way in result.ways:
        with suppress(SpecError):  # removed for good meanwhile
            found.append(Trained(way, store.get(way.run)))
    return found


def title(way: str) -> Sentence:
    """Return what a way is called."""
    return method_of(way).title


def verdict(run: Run, store: Store) -> Sentence | None:
    """Return which way of a whole comparison is better, and what a tie saves; None where there is nothing to say."""
    if not isinstance(run.result, ComparisonResult) or not run.result.complete:
        return None
    by_title = {str(title(each.way.name)): each for each in trained(run.result, store)}
    found = contest.contest([each.entrant(name) for name, each in by_title.items()], store.folder)
    if found is None:
        return None
    saved = saving({name: by_title[name].way for name in found.ranking.ties})
    gained = little_gained(found, {name: each.way for name, each in by_title.items()})
    return join([found.verdict, *filter(None, (gained, saved))])


def little_gained(found: Contest, ways: Mapping[str, Way]) -> Sentence | None:
    """Return that transfer gains little where training from scratch does as well or better; None where it does not.

    Few test images cannot tell a large difference from none: then it is left open.

    With few labels a single draw decides nothing about the task: then it is said of these images alone.

    Parameters
    ----------
    ways : what each is called -> the way
    """
    reached = found.ranking.accuracies
    scratch = next((name for name, way in ways.items() if way.name == SCRATCH and name in reached), None)
    others = [name for name in reached if name != scratch]
    if scratch is None or not others:
        return None
    one_draw = found.few and not found.by_seeds
    best = max(others, key=lambda name: reached[name])
    values = {"scratch": scratch, "best": best, "a": percent(reached[scratch]), "b": percent(reached[best])}
    if found.ranking.best == scratch and found.ranking.rivals[0].clear:
        if one_draw:
            return Sentence(
                "{these} transfer does not help: {scratch} reaches {a}, {best} {b}.", these=found.these, **values
            )
        return Sentence("Transfer does not help on this task: {scratch} reaches {a}, {best} {b}.", **values)
    if scratch not in found.ranking.ties:
        return None
    if abs(reached[scratch] - reached[best]) > LITTLE:
        return Sentence(
            "Whether transfer helps is left open: {scratch} reaches {a}, {best} {b}, and the difference is within the "
            "noise.",
            **values,
        )
    if one_draw:
        return Sentence(
            "{these} transfer gains little or nothing: {scratch} reaches {a}, {best} {b}, and the difference is within "
            "the noise.",
            these=found.these,
            **values,
        )
    return Sentence(
        "Transfer gains little on this task: {scratch} reaches {a}, {best} {b}, and the difference is within the "
        "noise.",
        **values,
    )


def counted(ways: Iterable[Way]) -> bool:
    """Return whether the processor seconds of all these ways were counted."""
    return all(way.cpu_s > 0 for way in ways)


def saving(ways: Mapping[str, Way]) -> Sentence | None:
    """Return how much less the cheapest took to learn than the dearest; None where they took about as much.

    In processor seconds where those were counted, else in seconds.

    Parameters
    ----------
    ways : what each is called -> the way, of ways that are tied

    Examples
    --------
    >>> str(saving({"SVM": Way("svm", "", cpu_s=0.5), "From scratch": Way("scratch", "", cpu_s=4.0)}))
    'SVM learned in 0.50 processor seconds, From scratch in 4.00: 8 times as fast.'
    """
    cpu = counted(ways.values())
    timed = {name: taken for name, way in ways.items() if (taken := way.cpu_s if cpu else way.learn_s) > 0}
    if len(timed) < 2:
        return None
    quick, slow = (pick(timed, key=lambda name: timed[name]) for pick in (min, max))
    if timed[slow] / timed[quick] < LEAST:
        return None
    values = {"quick": quick, "slow": slow, "a": timed[quick], "b": timed[slow], "times": timed[slow] / timed[quick]}
    if cpu:
        return Sentence(
            "{quick} learned in {a:.2f} processor seconds, {slow} in {b:.2f}: {times:.2g} times as fast.", **values
        )
    return Sentence("{quick} learned in {a:.2f} s, {slow} in {b:.2f} s: {times:.2g} times as fast.", **values)
