"""Target tasks by name: their images, their splits, and where the bytes come from."""

from . import digits_8x8, drawings, hands, keras_sets, mnist, own_sets
from .assets import ASSETS, read_asset, read_card
from .loading import Data, Pool, load, older_hash, pool, samples
from .offers import called, find, offered, spoiled
from .source import (
    FINDERS,
    SOURCES,
    DatasetInfo,
    DataSource,
    Raw,
    at_hand,
    catalogue,
    check_shipped,
    get,
    info,
    register,
    sharing,
)
from .splits import (
    MOST_VALIDATION,
    apportion,
    check_per_class,
    divide,
    max_per_class,
    n_validation,
    split_sizes,
    training_sizes,
)
from .unseen import has_test, own_test, unseen

for _source in (*mnist.TASKS, digits_8x8.Digits8x8(), hands.Hands(), *keras_sets.TASKS):
    register(_source)
FINDERS.append(own_sets.find_source)

__all__ = [
    "ASSETS",
    "Data",
    "DataSource",
    "DatasetInfo",
    "FINDERS",
    "MOST_VALIDATION",
    "Pool",
    "Raw",
    "SOURCES",
    "apportion",
    "at_hand",
    "called",
    "catalogue",
    "check_per_class",
    "check_shipped",
    "divide",
    "drawings",
    "find",
    "get",
    "has_test",
    "info",
    "load",
    "max_per_class",
    "n_validation",
    "offered",
    "older_hash",
    "own_sets",
    "own_test",
    "pool",
    "read_asset",
    "read_card",
    "register",
    "samples",
    "sharing",
    "split_sizes",
    "spoiled",
    "training_sizes",
    "unseen",
]
