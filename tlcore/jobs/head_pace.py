"""How long a comparison of heads still takes: heads cost very different times, and so do features and pixels."""

from collections.abc import Iterable, Mapping
from statistics import mean

from tlcore.heads import HEADS, Head
from tlcore.spec import HeadRow

Task = tuple[int, str, str]  # seed, input, head


class HeadPace:
    """Tells the seconds of heads to come from those that are done.

    A head on an input that was done with another seed takes what that took. Else its share of processor time, as its
    ``Head.effort`` gives it, is scaled by the same head on the other input, or by all that is done.

    Parameters
    ----------
    n : training images
    n_features : how many numbers an image has, by input
    tuned : each head is fitted with every setting of its grid first
    """

    def __init__(self, n: int, n_features: Mapping[str, int], tuned: bool):
        self._n, self._n_features, self._tuned = n, n_features, tuned
        self._heads_s: dict[tuple[str, str], list[float]] = {}
        self._inputs_s: dict[str, list[float]] = {}

    def computed(self, name: str, seconds: float) -> None:
        """The features of an input took so long, for one seed."""
        self._inputs_s.setdefault(name, []).append(seconds)

    def done(self, name: str, head: str, seconds: float) -> None:
        self._heads_s.setdefault((name, head), []).append(seconds)

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
        return features + sum(self._head_s(name, head) for _seed, name, head in todo)

    def _head_s(self, name: str, head: str) -> float:
        if known := self._heads_s.get((name, head)):
            return mean(known)
        same = {key: values for key, values in self._heads_s.items() if key[1] == head}
        done = same or self._heads_s
        effort = sum(self._effort(*key) for key in done)
        return self._effort(name, head) * sum(map(mean, done.values())) / effort

    def _effort(self, name: str, head: str) -> float:
        card = HEADS.get(head)
        fixed, each = card.effort if card else Head.effort
        once = fixed + each * self._n * self._n_features[name]
        return once * (1 + len(card.grid) if card and self._tuned else 1)


def seconds_of(row: HeadRow) -> float:
    """Return about how long a finished head took, of an earlier process: fitting, and answering the test."""
    return row.fit_s + sum(tried.seconds for tried in row.tried) + row.ms_per_image * row.n / 1000
