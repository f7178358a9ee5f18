"""Which learning rate suits a fine-tuning: the range test on a draft that nobody has started yet."""

from dataclasses import replace

from tlcore import datasets, sources, training
from tlcore.datasets import Data
from tlcore.spec import FineTuneSpec
from tlcore.training.finder import RateTest, find

MOST_IMAGES = 1000


def range_test(spec: FineTuneSpec) -> RateTest:
    """Return the loss at rising rates, of the draft's network, images (at most ``MOST_IMAGES``) and frozen layers.

    Raises
    ------
    SpecError, DataError
        The draft cannot run, or its images are not to be had.
    """
    source = sources.info(spec.source)
    training.check(spec, source.layers)
    sources.check_reads(source, spec.data.target)
    n_classes = len(datasets.info(spec.data.target).class_names)
    most = MOST_IMAGES // n_classes
    per_class = most if spec.data.per_class is None else min(spec.data.per_class, most)
    data: Data = datasets.load(replace(spec.data, per_class=per_class))
    model = sources.load(spec.source, n_classes=n_classes, seed=spec.seed, scale=spec.data.scale)
    return find(model, data, spec)
