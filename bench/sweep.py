"""A sweep of linear SVMs at 5 labels a class over three cuts: features once for all, against once for each experiment.

The plain way loads MNIST once, and for each experiment draws its images, computes the features of these and of the
test images with ``model.predict``, and fits and scores scikit-learn's ``LinearSVC``. Both have their model loaded and
warm; ours begins with an empty cache.
"""

import tempfile
from pathlib import Path
from statistics import median

from bench import _timing
from tlcore.spec import Hooks, SweepSpec

FULL = {"n_seeds": 20}
QUICK = {"n_seeds": 2}
CUTS = ("conv_2", "flatten", "dense_1")


def _spec(seed: int, n_seeds: int) -> SweepSpec:
    return SweepSpec(cuts=CUTS, per_class=(5,), seeds=tuple(range(seed * n_seeds, (seed + 1) * n_seeds)))


def ours(seed: int, n_seeds: int) -> _timing.Result:
    from tlcore.evidence import sweeps

    sweeps.run(SweepSpec(cuts=CUTS, per_class=(1,), seeds=(999,)))  # imports, and TensorFlow's first trace
    cells = []
    with tempfile.TemporaryDirectory() as folder, _timing.Stopwatch() as watch:
        sweeps.run(_spec(seed, n_seeds), Hooks(on_cell=cells.append), cache=Path(folder))
    return {**watch.as_dict(), "rate": len(cells) / watch.seconds, "accuracy": median(cell.score for cell in cells)}


def plain(seed: int, n_seeds: int) -> _timing.Result:
    import keras
    import numpy as np
    from sklearn.svm import LinearSVC

    from tlcore import datasets, sources
    from tlcore.evidence import sweeps

    spec, scores = _spec(seed, n_seeds), []
    pool = datasets.pool(spec.target, spec.split, [(5, seed) for seed in spec.seeds], spec.n_test)
    model = sources.load(spec.source)
    parts = {cut: keras.Model(model.inputs, sources.tensors(model)[cut]) for cut in CUTS}
    for part in parts.values():
        part.predict(pool.images[:32], verbose=0)

    def features(cut, images):
        return parts[cut].predict(images, verbose=0).reshape(len(images), -1)

    with _timing.Stopwatch() as watch:
        for cell in sweeps.plan(spec):
            rows = pool.rows[cell.per_class, cell.seed]
            x, x_test = features(cell.cut, pool.images[rows]), features(cell.cut, pool.x_test)
            scale = 1 / np.linalg.norm(x, axis=1).mean()  # as the lab's head scales
            svm = LinearSVC(C=1.0, max_iter=5000, random_state=cell.seed).fit(x * scale, pool.labels[rows])
            scores.append(svm.score(x_test * scale, pool.y_test))
    return {**watch.as_dict(), "rate": len(scores) / watch.seconds, "accuracy": median(scores)}


def measure(quick: bool = False) -> list[_timing.Row]:
    settings = QUICK if quick else FULL
    results = _timing.in_turn("bench.sweep", ("plain", "ours"), 3, **settings)
    a, b = results["ours"], results["plain"]
    note = f"{median(one['rate'] for one in a):.0f} experiments a second against {median(one['rate'] for one in b):.1f}"
    title = f"Sweep of {len(CUTS) * settings['n_seeds']} linear SVMs at 5 labels a class, {len(CUTS)} cuts"
    return [_timing.row("sweep_linear_svm", title, a, b, note=note)]


if __name__ == "__main__":
    _timing.script({"ours": ours, "plain": plain}, measure)
