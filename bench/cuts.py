"""The cut before each layer with weights: what keeping the activations there costs, and what a training then takes.

For each cut the frozen layers' activations are computed and kept, then opened again (every byte checked), and the
rest is trained on them; the plain way is the same training with the frozen layers in every step. The rule in
``tlcore/features/prefix.py`` comes from here.
"""

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

from bench import _timing
from tlcore.spec import DataSpec, FineTuneSpec, Phase

CUTS = {"conv_2": ("conv_1",), "dense_1": ("conv_1", "conv_2"), "dense_2": ("conv_1", "conv_2", "dense_1")}
FULL = {"per_class": 2000, "epochs": 5}
QUICK = {"per_class": 50, "epochs": 2}


def plain(cut: str, **settings: int) -> _timing.Result:
    fit = _training(cut, **settings)
    with _timing.Stopwatch() as watch:
        fitted = fit(use_cache=False)
    return {**watch.as_dict(), "images_per_s": fitted.images_per_s}


def ours(cut: str, **settings: int) -> _timing.Result:
    fit = _training(cut, **settings)
    with tempfile.TemporaryDirectory() as folder:
        with _timing.Stopwatch() as watch:
            first = fit(cache=Path(folder))
        with _timing.Stopwatch() as again:
            second = fit(cache=Path(folder))
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
    assert first.cached and second.from_cache
    times = {"compute_s": first.prefix_s, "open_s": second.prefix_s, "kept_s": again.seconds}
    return {**watch.as_dict(), **times, "images_per_s": second.images_per_s, "mb": size / 2**20}


def _training(cut: str, seed: int, per_class: int, epochs: int):
    """Return a function that trains a fresh model; a handful of images has gone through already."""
    from tlcore import datasets, sources, training
    from tlcore.features import prefix

    prefix.WORTH = 0  # whether it pays is the question here
    spec = FineTuneSpec(
        data=DataSpec(target="mnist", per_class=per_class),
        phases=(Phase(epochs, CUTS[cut]),),
        batch_size=64,
        seed=seed,
    )

    def fit(data, **options):
        return training.fit(sources.load(spec.source, n_classes=10, seed=seed), data, spec, **options)

    few = datasets.load(replace(spec.data, per_class=8))
    fit(few)
    fit(few, use_cache=False)
    return partial(fit, datasets.load(spec.data))


def measure(quick: bool = False) -> list[_timing.Row]:
    settings = QUICK if quick else FULL
    rows, n, epochs = [], 10 * settings["per_class"], settings["epochs"]
    for cut in CUTS:
        results = _timing.in_turn("bench.cuts", ("plain", "ours"), 3, cut=cut, **settings)
        a, b = results["ours"], results["plain"]
        mb, compute_s, open_s = (median(one[name] for one in a) for name in ("mb", "compute_s", "open_s"))
        note = f"{mb:,.0f} MB, {compute_s:.2f} s to compute and keep, {open_s:.2f} s to open"
        title = f"Cut before {cut}, {n:,} images, {epochs} epochs"
        rows.append(_timing.row(f"cut_{cut}", title, a, b, note=note))
        kept = [{**one, "seconds": one["kept_s"]} for one in a]
        rows.append(_timing.row(f"cut_{cut}_kept", f"{title}, features kept", kept, b))
    return rows


if __name__ == "__main__":
    _timing.script({"plain": plain, "ours": ours}, measure)
