"""Photographs of hands, tested on people whom no way has seen: heads on features and pixels, networks thawed or fresh.

``python -m bench.hands heads`` has 1 to 100 labels a sign, ``python -m bench.hands networks`` 20. Networks take 30
epochs at batch 16: the head first at 2e-3 for 15 of them, then what is thawed at 2e-4, every BatchNormalization frozen.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from statistics import mean, stdev

import numpy as np

from tlcore import datasets, features, heads, inputs, sources, training
from tlcore.features import freezing
from tlcore.recipes import two_phases
from tlcore.spec import DataSpec, FineTuneSpec, Phase

LABELS, SEEDS = (1, 5, 20, 100), (0, 1, 2, 3, 4)
FEW, FEW_SEEDS = 20, (0, 1, 2)
HEADS = ("logistic_regression", "linear_svm", "random_forest")
RATE, EPOCHS = 2e-3, 30


def on_features() -> Iterator[tuple[str, int, int, float]]:
    """Yield (head, labels a sign, seed, accuracy) for each head on features and for a linear SVM on pixels."""
    pool = datasets.pool("hands", "standard", [(n, seed) for n in LABELS for seed in SEEDS])
    model, flat = sources.load("mobilenet_v2"), inputs.modality(pool.form.modality).flat
    x, t = (features.extract(model, images, "average") for images in (pool.images, pool.x_test))
    pixels, flat_t = flat(pool.images), flat(pool.x_test)
    for (n, seed), rows in pool.rows.items():
        for head in HEADS:
            fitted, _s = heads.fit(head, x[rows], pool.labels[rows], None, seed=seed)
            yield head, n, seed, float((fitted.scores(t).argmax(axis=1) == pool.y_test).mean())
        yield "linear_svm on pixels", n, seed, _svm(pixels[rows], pool.labels[rows], flat_t, pool.y_test)


def _svm(x: np.ndarray, y: np.ndarray, t: np.ndarray, y_test: np.ndarray) -> float:
    """Return the accuracy of a linear SVM, solved on inner products: 27,648 pixels cost it nothing."""
    from sklearn.svm import SVC

    x, t = x - x.mean(axis=0), t - x.mean(axis=0)
    scale = 1 / (x * x).sum(axis=1).mean()
    fitted = SVC(kernel="precomputed", C=1.0).fit((x @ x.T) * scale, y)
    return float((fitted.predict((t @ x.T) * scale) == y_test).mean())


def networks() -> Iterator[tuple[str, int, int, float]]:
    """Yield (way, labels a sign, seed, accuracy) of trained networks."""
    layers = sources.info("mobilenet_v2").layers
    named = freezing.presets(layers)
    averages = tuple(layer.name for layer in layers if "Normalization" in layer.type)
    plain = FineTuneSpec("mobilenet_v2", phases=(Phase(EPOCHS, named["all_but_head"], RATE),), batch_size=16)
    thawed = {"from block_13": named["last_stage"], "from block_6": named["last_two_stages"], "everything": averages}
    ways = {"head only": plain} | {
        way: two_phases(replace(plain, phases=(Phase(EPOCHS, frozen, RATE),)), named["all_but_head"])
        for way, frozen in thawed.items()
    }
    ways["from scratch"] = replace(plain, source="mobilenet_v2_random", phases=(Phase(EPOCHS, (), 1e-3),))
    for seed in FEW_SEEDS:
        data = datasets.load(DataSpec("hands", per_class=FEW, seed=seed))
        alone = replace(data, x_validation=data.x_validation[:0], y_validation=data.y_validation[:0])
        for way, spec in ways.items():
            model = sources.load(spec.source, n_classes=10, seed=seed)
            training.fit(model, alone, replace(spec, seed=seed, data=DataSpec("hands", per_class=FEW, seed=seed)))
            answers = features.activations(model, data.x_test)
            yield way, FEW, seed, float((answers.argmax(axis=1) == data.y_test).mean())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.hands", description=__doc__)
    parser.add_argument("what", nargs="?", choices=WAYS, help="default: both")
    found: dict[tuple[str, int], list[float]] = {}
    began = time.perf_counter()
    what = parser.parse_args().what
    for way, n, seed, accuracy in chain.from_iterable(WAYS[name]() for name in ([what] if what else WAYS)):
        found.setdefault((way, n), []).append(accuracy)
        print(f"{time.perf_counter() - began:6.0f} s  {way}, {n} a sign, seed {seed}: {accuracy:.3f}", flush=True)
    for (way, n), scores in found.items():
        print(f"{way:24}{n:4} a sign  {100 * mean(scores):.1f} ± {100 * stdev(scores):.1f} %  ({len(scores)} seeds)")


WAYS = {"heads": on_features, "networks": networks}

if __name__ == "__main__":
    main()
