"""Compare heads: scikit-learn classifiers on the activations of one layer, with raw pixels as the control."""

import time
from collections.abc import Hashable
from dataclasses import asdict, replace
from functools import lru_cache
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from tlcore import datasets, features, heads, sources
from tlcore.errors import SpecError
from tlcore.evaluation import evaluate, outputs
from tlcore.heads import tuning
from tlcore.spec import PIXELS, HeadSpec, MetricPoint, Progress, SourceInfo, check_choice, check_number

from .job import Job, Left, check_data, task
from .outcome import CACHE, files, in_batches
from .reporter import Reporter

MOST_FEATURES_GB = 1.5


class CompareHeads(Job[HeadSpec]):
    """Keeps every finished head, and does not fit it again after its process was lost."""

    spec = HeadSpec

    def check(self, spec: HeadSpec) -> None:
        source = sources.info(spec.source)
        check_data(spec.data)
        heads.check(spec.heads)
        check_choice("layer", spec.layer, source.cut_names)
        for name in spec.inputs:
            check_choice("input", name, ("features", "pixels"))
        if not spec.seeds or not spec.inputs:
            raise SpecError("A comparison needs at least one seed and one input.")
        for seed in spec.seeds:
            check_number("seed", seed)
        _check_size(spec, source)

    def run(self, spec: HeadSpec, reporter: Reporter, folder: Path, left: Left) -> dict[str, Any]:
        """Extract once for every seed's images, fit every head on every input, test and save.

        After every head the result so far goes to the store: no finished head is lost, however the run ends.
        """
        from threadpoolctl import threadpool_limits

        # Small matrices: threads for each product cost more than they give (36 fits took 275 s with them, 30 s
        # without); the forest and the neighbours bring their own.
        with threadpool_limits(limits=1):
            return _fit_heads(spec, reporter, folder, left.result)

    def describe(self, spec: HeadSpec) -> str:
        return f"{task(spec)}, {', '.join(spec.heads)} on {spec.layer}"

    def work(self, spec: HeadSpec) -> Hashable:
        return spec.data.target, spec.data.per_class, spec.heads, spec.inputs, len(spec.seeds)

    def warm(self) -> None:
        import sklearn.ensemble  # noqa: F401
        import sklearn.svm  # noqa: F401


def _check_size(spec: HeadSpec, source: SourceInfo) -> None:
    """Raise a SpecError when the features would not fit into a worker: heads copy them once or twice."""
    target = datasets.info(spec.data.target)
    n = target.n_train if spec.data.per_class is None else spec.data.per_class * len(target.class_names)
    shape = next(layer.output_shape for layer in source.layers if layer.name == spec.layer)
    gigabytes = 4 * n * prod(shape) / 2**30
    if "features" in spec.inputs and gigabytes > MOST_FEATURES_GB:
        raise SpecError(
            "The features of {layer} for {n:,} images would take {size:.1f} GB, and {most} GB is the limit. "
            "Take fewer labels per class, or a later layer.",
            layer=spec.layer,
            n=n,
            size=gigabytes,
            most=MOST_FEATURES_GB,
        )


def _fit_heads(spec: HeadSpec, reporter: Reporter, folder: Path, kept: dict[str, Any]) -> dict[str, Any]:
    began = time.perf_counter() - kept.get("total_s", 0.0)
    result = {"rows": [], "extract_s": 0.0, "n_features": 0, "features_mb": 0.0, "files": {}} | kept
    rows = result["rows"]
    done = {(row["seed"], row["input"], row["head"]) for row in rows}
    n = len(spec.seeds) * len(spec.inputs) * len(spec.heads)
    reporter.on_progress(Progress(len(rows), n, "loading the source model"))
    model = sources.load(spec.source, seed=spec.seed)
    load = lru_cache(maxsize=1)(lambda seed: datasets.load(replace(spec.data, seed=seed)))
    for seed, name in product(spec.seeds, spec.inputs):
        missing = [head for head in spec.heads if (seed, name, head) not in done]
        if reporter.should_stop() or not missing:
            continue
        data = load(seed)
        if seed == spec.seed:
            reporter.set_data_hash(data.hash)
        reporter.on_progress(Progress(len(rows), n, f"computing the {name}"))
        layer = spec.layer if name == "features" else PIXELS
        matrices = _matrices(model, data, layer, folder, result)
        noise = features.extract(model, outputs.noise(data.x_test), layer) if seed == spec.seed else None
        for head in missing:
            if reporter.should_stop():
                break
            left = (time.perf_counter() - began) / len(rows) * (n - len(rows)) if rows else None
            title = heads.HEADS[head].title
            reporter.on_progress(Progress(len(rows), n, f"{title} on {name}, seed {seed}", left_s=left))
            said: dict[str, outputs.Said] = {}
            rows.append(_one_head(spec, head, name, seed, data, matrices, noise, said, reporter))
            if said:
                kept_said = outputs.save(
                    reporter.folder(), folder, data, said, reporter.move, add=bool(result["files"])
                )
                result["files"] |= files([reporter.folder() / rows[-1]["file"]], "heads/") | files([kept_said])
            result |= {
                "table": heads.table(rows),
                "layer": spec.layer,
                "n_trained": len(data.x_train),
                "class_names": list(data.class_names),
                "device": "CPU",
                "total_s": time.perf_counter() - began,
            }
            reporter.keep(result)
    reporter.on_progress(Progress(len(rows), n, "done"))
    return result


def _matrices(
    model: Any, data: datasets.Data, layer: str, folder: Path, sizes: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the feature matrices of the training, validation and test images; add up what they cost."""
    found = []
    for images in (data.x_train, data.x_validation, data.x_test):
        if layer == PIXELS:
            found.append(images.reshape(len(images), -1))
            continue
        made = features.cached_extract(model, images, layer, folder / CACHE)
        found.append(made.x)
        sizes["extract_s"] += made.seconds
        sizes["n_features"] = made.x.shape[1]
        sizes["features_mb"] = max(sizes["features_mb"], made.megabytes)
    return found[0], found[1], found[2]


def _one_head(
    spec: HeadSpec,
    head: str,
    name: str,
    seed: int,
    data: datasets.Data,
    matrices: tuple[np.ndarray, np.ndarray, np.ndarray],
    noise: np.ndarray | None,
    said: dict[str, outputs.Said],
    reporter: Reporter,
) -> dict[str, Any]:
    """Fit, test and save one head; the head of the first seed is kept, draws the curve and adds to ``said``."""
    x_train, x_validation, x_test = matrices
    began, first = time.perf_counter(), seed == spec.seed
    prefix = "" if len(spec.heads) == len(spec.inputs) == 1 else f"{heads.HEADS[head].title} · {name} · "

    def on_point(series: str, x: float, loss: float | None, accuracy: float | None) -> None:
        reporter.on_metric(MetricPoint(prefix + series, x, loss, accuracy, time.perf_counter() - began))

    params, tried = {}, ()
    if spec.tune:
        validation = (x_validation, data.y_validation)
        params, tried = tuning.choose(head, x_train, data.y_train, validation, seed, reporter.should_stop)
    fitted, fit_s = heads.fit(
        head,
        x_train,
        data.y_train,
        (x_validation, data.y_validation),
        seed=seed,
        on_point=on_point if spec.curves and first else None,
        params=params,
    )
    tested = time.perf_counter()
    answers = in_batches(fitted.predict_proba, x_test)
    predict_s = time.perf_counter() - tested
    score = evaluate(data.y_test, answers.argmax(axis=1), len(data.class_names))
    if noise is not None:
        said[f"{head}-{name}"] = answers, fitted.predict_proba(noise)
    path = reporter.folder() / "heads" / f"{head}-{name}.skops"
    size = heads.save(fitted, path, reporter.move) if first else 0
    return {
        "head": head,
        "input": name,
        "seed": seed,
        **score.as_dict(),
        "fit_s": fit_s,
        "ms_per_image": 1000 * predict_s / max(len(x_test), 1),
        "mb": size / 2**20 if first else None,
        "n_features": x_train.shape[1],
        "file": f"heads/{path.name}" if first else "",
        "params": dict(params),
        "tried": [asdict(one) for one in tried],
    }
