"""Two models of which one is far ahead, tested on so few images that nothing can be said."""

import numpy as np

from tlcore.evaluation.ranking import by_images
from tlcore.evidence.contest import Contest


def held(n_first: int, n_second: int, n: int, few: bool = True) -> Contest:
    """Two models that answered so many of n images rightly, the second only such as the first did too."""
    return Contest(by_images({"A": np.arange(n) < n_first, "B": np.arange(n) < n_second}), few, 10)


def test_who_is_far_ahead_on_too_few_images_does_not_tie():
    found = held(4, 2, 4)
    assert str(found.headline) == "4 test images are too few to tell: A 100.0 %, B 50.0 %"
    assert str(found.verdict).startswith("4 test images are too few to tell: A 100.0 %, B 50.0 % (McNemar's")


def test_who_is_close_behind_ties_and_who_is_clearly_behind_is_worse():
    assert str(held(390, 388, 400).headline) == "A tie: A 97.5 %, B 97.0 %"
    assert str(held(390, 300, 400, few=False).headline) == "A is better than B: 97.5 % against 75.0 %"
