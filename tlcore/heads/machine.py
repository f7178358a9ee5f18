"""What a support vector machine can be opened up as."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Machine:
    """The settings of a head's support vector machines, in scikit-learn's terms.

    Attributes
    ----------
    settings : of ``sklearn.svm.SVC``: kernel, C and gamma
    prepare : features -> what the kernel sees, float64
    kernel : (a, b) -> K, shape (len(a), len(b)), in double precision
    exact : whether the head has one such machine for every pair of classes; else one like it is fitted to a pair
    """

    settings: dict[str, Any]
    prepare: Callable[[np.ndarray], np.ndarray]
    kernel: Callable[[np.ndarray, np.ndarray], np.ndarray]
    exact: bool
