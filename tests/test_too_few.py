"""Two models of which one is far ahead, tested on so few images that nothing can be said."""

import numpy as np

from tlcore.evaluation.ranking import by_images, by_seeds
from tlcore.evidence import finish
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


def test_seeds_far_apart_are_too_few_to_tell_and_near_ones_a_tie():
    far = Contest(by_seeds({"A": [0.9, 0.7, 0.9], "B": [0.7, 0.8, 0.7]}), True, 10)
    assert str(far.headline) == "3 seeds are too few to tell: A 83.3 %, B 73.3 %" and far.offer
    near = Contest(by_seeds({"A": [0.9, 0.7, 0.9], "B": [0.8, 0.9, 0.77]}), True, 10)
    assert str(near.headline) == "A tie: A 83.3 %, B 82.3 %"


def test_two_that_tie_say_whom_they_leave_behind():
    right = {"A": np.arange(36) < 36, "B": np.arange(36) < 36, "From scratch": np.arange(36) < 27}
    found = Contest(by_images(right), True, 60)
    assert str(finish.ahead(found)) == "A tie: A 100.0 %, B 100.0 %, ahead of From scratch, 75.0 %"
    assert finish.ahead(held(390, 300, 400)) == held(390, 300, 400).headline
