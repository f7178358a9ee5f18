"""Which way of learning is better, and what one saves beside another that is no worse."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from tlcore.errors import SpecError
from tlcore.sentences import Sentence, join
from tlcore.spec import ComparisonResult, Way
from tlcore.store import Run, Store

from . import contest
from .contest import Entrant
from .method import method_of

LEAST = 1.5  # times as fast, to be worth a word


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
    return join([found.verdict, saved] if saved else [found.verdict])


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
