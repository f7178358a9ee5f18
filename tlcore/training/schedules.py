"""How the learning rate moves through the steps of a phase."""

from collections.abc import Callable
from typing import Any

WARM_UP = 0.1  # of a phase's steps
START = 0.1  # of the rate, where a warm-up begins


def share(name: str, n_steps: int) -> Callable[[Any], Any] | None:
    """Return what part of a phase's rate a step takes; None where every step takes all of it.

    ``cosine`` falls from the rate to 0 along half a cosine. ``warm_up`` rises in a straight line over the first tenth
    of the steps, from a tenth of the rate, and stays; ``warm_up_cosine`` does both. All are Keras' own
    ``keras.optimizers.schedules.CosineDecay``, with ``alpha=1`` where nothing falls.

    Parameters
    ----------
    name : one of ``SCHEDULES``
    n_steps : of the phase

    Returns
    -------
    function of the number of steps before this one, a float32 tensor; gives a float32 tensor in [0, 1]

    References
    ----------
    Loshchilov and Hutter (2017), "SGDR: stochastic gradient descent with warm restarts": the cosine.
    Goyal et al. (2017), "Accurate, large minibatch SGD: training ImageNet in 1 hour": the warm-up.
    """
    from keras.optimizers.schedules import CosineDecay

    if name == "constant":
        return None
    if name == "cosine":
        return CosineDecay(1.0, n_steps)
    warm = max(1, round(WARM_UP * n_steps))
    end = 1.0 if name == "warm_up" else 0.0
    return CosineDecay(START, max(n_steps - warm, 1), alpha=end, warmup_target=1.0, warmup_steps=warm)
