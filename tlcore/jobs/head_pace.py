"""How long a comparison of heads still takes: heads cost very different times, and so do features and pixels."""

from collections.abc import Iterable, Mapping
from statistics import mean

from tlcore.heads import HEADS, Head
from tlcore.spec import HeadRow

Task = tuple[int, str, str]  # seed, input, head
Fit = tuple[str, str]  # input, head

MANY_NUMBERS = 500_000  # of a training set's features: from there on the longest fits take more than a second


class HeadPace:
    """Tells the seconds of heads to come from those that are done.

    A head on an input that was done with another seed takes what that took. Else its share of processor time, as its
    ``Head.effort`` gives it, is scaled by the same head on the other input, or by all that is done; a head that is
    fitted in equal steps can be told from a rehearsal. With the first seed a head takes longer: it is saved, draws its
    curve and is asked about noise. That is counted apart.

    Parameters
    ----------
    n : training images
    n_features : how many numbers an image has, by input
    tuned : each head is fitted with every setting of its grid first
    first : the seed whose heads are kept
    """

    def __init__(self, n: int, n_features: Mapping[str, int], tuned: bool, first: int):
        self._n, self._n_features, self._tuned, self._first = n, n_features, tuned, first
        self._heads_s: dict[Fit, list[float]] = {}  # of fitting and testing alone
        self._kept_s: dict[Fit, float] = {}  # with what the first seed takes besides
        self._inputs_s: dict[str, list[float]] = {}
        self._rehearsed_s: dict[Fit, float] = {}

    def computed(self, name: str, seconds: float) -> None:
        """The features of an input took so long, for one seed."""
        self._inputs_s.setdefault(name, []).append(seconds)

    def wants_rehearsal(self, name: str, head: str) -> bool:
        """Whether a head's first step is worth the time that it takes, to tell all of them."""
        card, numbers = HEADS[head], self._n * self._n_features[name]
        return card.n_steps > 1 and numbers >= MANY_NUMBERS and (name, head) not in self._heads_s

    def rehearsed(self, name: str, head: str, seconds: float) -> None:
        """The fit of a head that is not done takes about so long."""
        times = 1 + len(HEADS[head].grid) if self._tuned else 1
        self._rehearsed_s[name, head] = seconds * times

    def done(self, task: Task, seconds: float, fit_s: float) -> None:
        """A head took so long, of which ``fit_s`` for fitting and testing."""
        seed, *fit = task
        if seed == self._first:
            self._kept_s[fit[0], fit[1]] = seconds
        self._heads_s.setdefault((fit[0], fit[1]), []).append(fit_s if seed == self._first else seconds)

    def left_s(self, todo: Iterable[Task], computed: tuple[int, str] | None = None) -> float | None:
        """Return the seconds of the heads to come; None while none is done.

        Parameters
        ----------
        computed : the seed and input whose features are there already
        """
        if not self._heads_s:
            return None
        todo = list(todo)
        inputs = {(seed, name) for seed, name, _head in todo} - {computed}
        features = sum(mean(self._inputs_s.get(name, [0.0])) for _seed, name in inputs)
        return features + sum(self._task_s(*task) for task in todo)

    def _task_s(self, seed: int, name: str, head: str) -> float:
        seconds = self._head_s(name, head)
        if seed != self._first:
            return seconds
        same = {fit: kept_s for fit, kept_s in self._kept_s.items() if fit[1] == head} or self._kept_s
        fit_s = sum(self._heads_s[fit][0] for fit in same)
        return seconds * sum(same.values()) / fit_s if fit_s else seconds

    def _head_s(self, name: str, head: str) -> float:
        if known := self._heads_s.get((name, head)):
            return mean(known)
        if (name, head) in self._rehearsed_s:
            return self._rehearsed_s[name, head]
        means = {fit: mean(values) for fit, values in self._heads_s.items()}
        told = self._rehearsed_s | means
        done = {fit: seconds for fit, seconds in told.items() if fit[1] == head} or means
        effort = sum(self._effort(*fit) for fit in done)
        return self._effort(name, head) * sum(done.values()) / effort

    def _effort(self, name: str, head: str) -> float:
        card = HEADS.get(head)
        fixed, each = card.effort if card else Head.effort
        once = fixed + each * self._n * self._n_features[name]
        return once * (1 + len(card.grid) if card and self._tuned else 1)


def seconds_of(row: HeadRow) -> float:
    """Return about how long a finished head took: fitting, with every setting tried, and answering the test."""
    return row.fit_s + sum(tried.seconds for tried in row.tried) + row.ms_per_image * row.n / 1000
