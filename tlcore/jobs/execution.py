"""Execute one run in a process of its own. Nothing is raised: a failure is a state with its reason."""

import hashlib
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, replace
from functools import lru_cache
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from tlcore import datasets, features, heads, sources, training
from tlcore.errors import DataError, LabError, SpecError
from tlcore.evaluation import evaluate, outputs
from tlcore.evidence import keras_example, recorded, sweeps
from tlcore.heads import tuning
from tlcore.machine import scratch
from tlcore.machine.processes import import_keras
from tlcore.spec import (
    PIXELS,
    Cell,
    DataSpec,
    ExampleSpec,
    FineTuneSpec,
    HeadSpec,
    MetricPoint,
    Phase,
    Progress,
    SourceInfo,
    Spec,
    SweepSpec,
    check_choice,
    check_number,
)
from tlcore.store import Run, Store, checkpoint, versions
from tlcore.store.checkpoint import Checkpoint
from tlcore.training.film import Monitor

from .reporter import Keeper, Reporter

log = logging.getLogger(__name__)

MOST_FEATURES_GB = 1.5
CACHE = "cache"  # the folder of kept activations inside the data folder


def warm() -> None:
    """Import what a run needs and rehearse one, so that the next run starts at once.

    The rehearsal trains on a handful of images and leaves nothing behind: TensorFlow's first trace of each kind of
    layer takes most of a second, its second hardly any.
    """
    import_keras()
    import sklearn.ensemble  # noqa: F401
    import sklearn.svm  # noqa: F401

    spec = FineTuneSpec(data=DataSpec(per_class=2), phases=(Phase(epochs=2, frozen=("conv_1", "conv_2")),))
    try:
        data = datasets.load(spec.data)
        model = sources.load(spec.source, n_classes=len(data.class_names))
        training.fit(model, replace(data, x_validation=data.x_train, y_validation=data.y_train), spec)
        features.compiled(model)(data.x_train)
    except LabError:  # a damaged asset: the run itself will say so
        log.exception("the rehearsal failed")


def check(spec: Spec) -> None:
    """Raise a SpecError in one sentence when ``spec`` cannot run; needs neither Keras nor scikit-learn."""
    if isinstance(spec, SweepSpec):
        sweeps.check(spec)
        return
    if isinstance(spec, ExampleSpec):
        check_number("seed", spec.seed)
        check_number("epochs", spec.epochs)
        return
    source = sources.info(spec.source)
    datasets.info(spec.data.target)
    if spec.data.per_class is not None:
        check_number("per_class", spec.data.per_class)
        most = datasets.max_per_class(spec.data.target, spec.data.split)
        if spec.data.per_class > most:
            raise SpecError(
                "{target} has at most {most:,} training images of every class in this split. Received: {n:,}. "
                "Take fewer, or all.",
                target=datasets.info(spec.data.target).title,
                most=most,
                n=spec.data.per_class,
            )
    check_number("label_noise", spec.data.label_noise)
    if isinstance(spec, FineTuneSpec):
        training.check(spec, source.layers)
        return
    heads.check(spec.heads)
    check_choice("layer", spec.layer, source.layer_names)
    for name in spec.inputs:
        check_choice("input", name, ("features", "pixels"))
    if not spec.seeds or not spec.inputs:
        raise SpecError("A comparison needs at least one seed and one input.")
    for seed in spec.seeds:
        check_number("seed", seed)
    _check_size(spec, source)


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


def execute(run_id: str, folder: str) -> None:
    """Claim the run, do what its spec asks, write points and the final state to the store.

    What an earlier attempt had finished before its process was killed is kept, and this one goes on from there.

    Parameters
    ----------
    run_id : a queued run of the store in ``folder``; any other is left alone
    folder : the data folder
    """
    store = Store(Path(folder))
    try:
        run = store.get(run_id)
        saved = _saved(run, store)
        n_points = saved.state["n_points"] if saved else run.result.get("n_points", 0)
        if not store.claim(run_id, worker=f"{os.getpid()}", keep=n_points, attempt=run.attempt):
            return
    except LabError:
        log.exception("run %s could not be claimed", run_id)
        return
    with Reporter(store, run_id, n_points) as reporter:
        state, result, error = _outcome(run, saved, reporter, Path(folder))
    if store.finish(run_id, state, result, error):
        checkpoint.remove(store.run_folder(run_id))


def _saved(run: Run, store: Store) -> Checkpoint | None:
    """Return the checkpoint of an earlier attempt if all that it counts on is there."""
    found = checkpoint.load(store.run_folder(run.id)) if run.kind == FineTuneSpec.kind else None
    if found is None:
        return None
    n = found.state.get("n_points", 0)
    if found.state.get("versions") != versions() or (n and not store.points(run.id, since=n - 1, limit=1)):
        log.warning("the checkpoint of run %s does not fit: it begins anew", run.id)
        return None
    return found


def _outcome(
    run: Run, saved: Checkpoint | None, reporter: Reporter, folder: Path
) -> tuple[str, dict[str, Any] | None, str]:
    """Execute a run; return the final state, the result (None: what was kept on the way) and why it failed."""
    spec = run.spec
    try:
        check(spec)
        if isinstance(spec, SweepSpec):
            result = sweep(spec, reporter, folder)
        elif isinstance(spec, ExampleSpec):
            report = {"on_metric": reporter.on_metric, "on_progress": reporter.on_progress}
            result = keras_example.run(spec, **report, should_stop=reporter.should_stop) | {"device": device()}
        elif isinstance(spec, FineTuneSpec):
            result = fine_tune(spec, reporter, folder, saved)
        else:
            result = fit_heads(spec, reporter, folder, run.result)
        return ("stopped" if reporter.should_stop() else "done"), result, ""
    except LabError as error:
        return "failed", None, str(error)
    except MemoryError:
        return "failed", None, "The run needed more memory than there is. Take fewer images, or an earlier layer."
    except OSError as error:
        log.exception("run %s failed", reporter.run_id)
        return "failed", None, f"A file could not be written ({error.strerror}). Free some disk space and start again."
    except Exception:
        log_id = secrets.token_hex(4)
        log.exception("run %s failed, log id %s", reporter.run_id, log_id)
        return "failed", None, f"Something went wrong inside; the log has it under {log_id}. Start the run again."


def fine_tune(spec: FineTuneSpec, reporter: Reporter, folder: Path, saved: Checkpoint | None = None) -> dict[str, Any]:
    """Train, test, prove and save; return the result as JSON values.

    Parameters
    ----------
    saved : where an earlier attempt was cut off
    """
    import keras

    began = time.perf_counter()
    clock = saved.state["clock"] if saved else {"epoch": 0, "elapsed_s": 0.0}
    reporter.on_progress(Progress(clock["epoch"], spec.epochs, "loading the data"))
    data = datasets.load(spec.data)
    if saved and saved.state["data_hash"] != data.hash:
        raise DataError("The images are not those that this run began with. Start it again.")
    reporter.set_data_hash(data.hash)
    resumed = [*saved.state["resumed_after"], clock["epoch"]] if saved else []
    reporter.on_progress(Progress(clock["epoch"], spec.epochs, "loading the source model"))
    model = sources.load(spec.source, n_classes=len(data.class_names), seed=spec.seed)
    on_epoch = Monitor(model, spec, data.class_names, reporter.folder()) if spec.film else training.unwatched
    fitted = training.fit(
        model,
        data,
        spec,
        on_metric=reporter.on_metric,
        on_progress=reporter.on_progress,
        should_stop=reporter.should_stop,
        on_epoch=on_epoch,
        cache=folder / CACHE,
        on_checkpoint=Keeper(reporter, {"data_hash": data.hash, "resumed_after": resumed}),
        resume=saved,
    )
    reporter.on_progress(Progress(spec.epochs, spec.epochs, "testing on images never trained on"))
    answer = features.compiled(model)
    answers = _in_batches(answer, data.x_test)
    test = evaluate(data.y_test, answers.argmax(axis=1), len(data.class_names), answers)
    path = reporter.folder() / "model.keras"
    scratch.write_whole(path, lambda temporary: model.save(temporary), reporter.move)
    said = {"model": (answers, answer(outputs.noise(data.x_test)))}
    kept = outputs.save(reporter.folder(), folder, data, said, reporter.move)
    frozen = spec.phases[-1].frozen
    return {
        "test": test.as_dict(),
        "proof": list(fitted.proof),
        "n_trained": len(data.x_train),
        "n_weights": model.count_params(),
        "n_trainable": sum(layer.count_params() for layer in model.layers if layer.name not in frozen),
        **{name: value for name, value in asdict(fitted).items() if name != "proof"},
        "total_s": time.perf_counter() - began + clock["elapsed_s"],
        "resumed_after": resumed,  # epochs: where a later process went on
        "device": device(),
        "class_names": list(data.class_names),
        "files": _files([path, kept]),
        "keras": keras.__version__,
    }


def fit_heads(spec: HeadSpec, reporter: Reporter, folder: Path, kept: dict[str, Any] | None = None) -> dict[str, Any]:
    """Extract once for every seed's images, fit every head on every input, test and save; return JSON values.

    After every head the result so far goes to the store: no finished head is lost, however the run ends.

    Parameters
    ----------
    kept : the result so far of an earlier attempt; its heads are not fitted again
    """
    from threadpoolctl import threadpool_limits

    # Small matrices: threads for each product cost more than they give (36 fits took 275 s with them, 30 s without);
    # the forest and the neighbours bring their own.
    with threadpool_limits(limits=1):
        known = {name: value for name, value in (kept or {}).items() if name != "n_points"}
        return _fit_heads(spec, reporter, folder, known)


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
                result["files"] |= _files([reporter.folder() / rows[-1]["file"]], "heads/") | _files([kept_said])
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
    answers = _in_batches(fitted.predict_proba, x_test)
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


def sweep(spec: SweepSpec, reporter: Reporter, folder: Path) -> dict[str, Any]:
    """Measure what neither an earlier attempt nor the sweep that this one goes on from has measured."""
    store, run_id = reporter.store, reporter.run_id
    before = _measured_before(spec, store)
    done = store.cells(run_id)
    if not done:
        store.add_cells(run_id, before)
        done = tuple(before)
    taken_over = {cell.key for cell in before}
    result = sweeps.run(
        spec,
        done=done,
        spent_s=sum(cell.seconds for cell in done if cell.key not in taken_over),
        similar=recorded.all_cells(),
        on_cell=reporter.on_cell,
        on_progress=reporter.on_progress,
        on_data=reporter.set_data_hash,
        should_stop=reporter.should_stop,
        cache=folder / CACHE,
    )
    return {**result, "device": device()}


def _measured_before(spec: SweepSpec, store: Store) -> list[Cell]:
    """Return what the sweep that this one goes on from measured with the same versions."""
    with suppress(SpecError):  # removed for good meanwhile: then all is measured again
        earlier = store.get(spec.resumes) if spec.resumes else None
        if earlier and isinstance(earlier.spec, SweepSpec) and earlier.versions == versions():
            return sweeps.taken_over(spec, earlier.spec, store.cells(earlier.id))
    return []


def device() -> str:
    """Return what TensorFlow computes on, in words."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return f"GPU ({details.get('device_name', 'unnamed')})"
    return f"CPU ({os.cpu_count()} cores)"


def _in_batches(answer: Callable[[np.ndarray], np.ndarray], x: np.ndarray, size: int = 1000) -> np.ndarray:
    return np.concatenate([answer(x[first : first + size]) for first in range(0, len(x), size)])


def _files(paths: Iterable[Path], prefix: str = "") -> dict[str, dict[str, Any]]:
    contents = {prefix + path.name: path.read_bytes() for path in paths}
    return {name: {"sha256": hashlib.sha256(c).hexdigest(), "bytes": len(c)} for name, c in contents.items()}
