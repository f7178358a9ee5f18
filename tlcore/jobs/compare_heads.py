"""Compare heads: scikit-learn classifiers on the activations of one layer, with raw pixels as the control."""

import time
from collections.abc import Container, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from tlcore import datasets, features, heads, sources
from tlcore.errors import SpecError
from tlcore.evaluation import balance, compare, evaluate, outputs
from tlcore.evaluation.ranking import FEWEST_SEEDS
from tlcore.features import freezing
from tlcore.heads import tuning
from tlcore.machine import nursery
from tlcore.sentences import Sentence, between, spread
from tlcore.spec import (
    CLASS_WEIGHTS,
    PIXELS,
    HeadMean,
    HeadRow,
    HeadSpec,
    HeadsResult,
    Input,
    Listener,
    MetricPoint,
    Origin,
    Progress,
    SourceInfo,
    check_choice,
    check_number,
)
from tlcore.store.checkpoint import Checkpoint

from .head_pace import HeadPace, Task, seconds_of
from .job import Job, check_data, task
from .outcome import CACHE, files, in_batches
from .report import Entry, Report, Table
from .reporter import Reporter

nursery.later("sklearn.ensemble", "sklearn.svm")
N_TIMED = 500  # images on which the backbone is timed
INPUTS = {"features": Sentence("features"), "pixels": Sentence("pixels")}
COMPUTING = {"features": Sentence("computing the features"), "pixels": Sentence("reading the pixels")}


COLUMNS = (
    "",
    Sentence("head"),
    Sentence("fitted on"),
    Sentence("accuracy"),
    Sentence("95 % interval"),
    Sentence("fit s"),
    Sentence("ms/image"),
    Sentence("head alone"),
    "MB",
    Sentence("head alone"),
    Sentence("features"),
    Sentence("seeds"),
)


class CompareHeads(Job[HeadSpec, HeadsResult]):
    """Keeps every finished head, and does not fit it again after its process was lost."""

    spec, result = HeadSpec, HeadsResult
    keeps_answers = True

    def check(self, spec: HeadSpec) -> None:
        source = sources.info(spec.source)
        check_data(spec.data, source)
        heads.check(spec.heads)
        check_choice("layer", spec.layer, source.cut_names)
        for name in spec.inputs:
            check_choice("input", name, ("features", "pixels"))
        if not spec.seeds or not spec.inputs:
            raise SpecError("A comparison needs at least one seed and one input.")
        for seed in spec.seeds:
            check_number("seed", seed)
        if spec.class_weight is not None:
            check_choice("class weight", spec.class_weight, CLASS_WEIGHTS)
        heads.check_by_hand(spec.heads, spec.by_hand, _n_train(spec))
        _check_size(spec, source)

    def run(
        self, spec: HeadSpec, reporter: Reporter, folder: Path, so_far: HeadsResult, saved: Checkpoint | None
    ) -> HeadsResult:
        """Extract once for every seed's images, fit every head on every input, test and save.

        After every head the result so far goes to the store: no finished head is lost, however the run ends.
        """
        from threadpoolctl import threadpool_limits

        # Small matrices: threads for each product cost more than they give (36 fits took 275 s with them, 30 s
        # without); the forest and the neighbours bring their own.
        with threadpool_limits(limits=1):
            return _fit_heads(spec, reporter, folder, so_far)

    def describe(self, spec: HeadSpec) -> str:
        return f"{task(spec)}, {', '.join(map(partial(_named, spec), spec.heads))} on {spec.layer}"

    def report(self, result: HeadsResult, folder: Path) -> Report:
        if not result.rows:
            return [Sentence("No head was finished.")]
        rows = tuple(_entries(line, _titled(result, line), *result.whole_cost(line)) for line in result.table)
        report: list[str | Sentence | Table] = [Table(COLUMNS, rows)]
        if len(result.rows) < result.n_planned:
            report.append(Sentence("Stopped after {n} of {total} heads.", n=len(result.rows), total=result.n_planned))
        if (n_tied := sum(line.best for line in result.table)) > 1:
            report.append(Sentence("A tie: of the {n} marked * none is clearly better than another.", n=n_tied))
        return [*report, *_conditions(result)]

    def work(self, spec: HeadSpec) -> Hashable:
        return spec.data.target, spec.data.per_class, spec.heads, spec.inputs, len(spec.seeds), spec.by_hand

    def warm(self) -> None:
        import sklearn.ensemble  # noqa: F401
        import sklearn.svm  # noqa: F401


def _named(spec: HeadSpec, head: str) -> str:
    """Return a head's name with what was set of it by hand."""
    values = heads.values_of(head, spec.by_hand)
    return head + (f" ({', '.join(f'{name}={value}' for name, value in values.items())})" if values else "")


def _conditions(result: HeadsResult) -> Iterator[Sentence]:
    """Yield under which conditions the heads were measured."""
    yield Sentence(
        "Each head learned from {n:,} images; accuracy ± standard deviation over {seeds} seeds, each on {n_test:,} "
        "test images.",
        n=result.n_trained,
        seeds=result.table[0].n_seeds,
        n_test=result.rows[0].n,
    )
    if measure := balance.measured(result.rows[0], result.class_names):
        yield measure
    yield Sentence(
        "Beside them {n:,} labelled images validate: by them an SVM sets how sure it is, and a head that is tuned its "
        "settings.",
        n=result.n_validation,
    )
    if result.n_features:
        yield Sentence(
            "ms/image and MB are those of the head with the backbone that its features need, and of the head alone."
        )
        yield Sentence(
            "The {n:,} features of {layer} took {seconds:.1f} s to compute.",
            n=result.n_features,
            layer=result.layer,
            seconds=result.extract_s,
        )


def _titled(result: HeadsResult, line: HeadMean) -> Sentence:
    """Return what a head is called, with what was set of it where that was not tuned."""
    row = next((row for row in result.rows if (row.head, row.input) == (line.head, line.input)), None)
    if not row or not row.params or row.tried:
        return heads.title(line.head)
    return Sentence("{head} ({settings})", head=heads.title(line.head), settings=tuning.describe(line.head, row.params))


def _entries(line: HeadMean, title: Sentence, ms: float, mb: float | None) -> tuple[Entry, ...]:
    return (
        "*" if line.best else "",
        title,
        Sentence("features") if line.input == "features" else Sentence("raw pixels"),
        spread(line.mean, line.sd),
        between(*line.interval),
        f"{line.fit_s:.3f}",
        f"{ms:.3f}",
        f"{line.ms_per_image:.3f}",
        *(f"{size:.2f}" if size is not None else None for size in (mb, line.mb)),
        line.n_features,
        line.n_seeds,
    )


def _n_train(spec: HeadSpec) -> int:
    target, per_class = datasets.info(spec.data.target), spec.data.per_class
    return target.n_train if per_class is None else per_class * len(target.class_names)


def _check_size(spec: HeadSpec, source: SourceInfo) -> None:
    """Raise a SpecError when the features would not fit into a worker: heads copy them once or twice."""
    if "features" not in spec.inputs:
        return
    layer = next(layer for layer in source.layers if layer.name == spec.layer)
    features.check_size(layer, _n_train(spec), Sentence("Use fewer labels per class, or a later layer."))


def _fit_heads(spec: HeadSpec, reporter: Reporter, folder: Path, result: HeadsResult) -> HeadsResult:
    began = time.perf_counter() - result.total_s
    done = {(row.seed, row.input, row.head) for row in result.rows}
    n = len(spec.seeds) * len(spec.inputs) * len(spec.heads)
    reporter.on_progress(Progress(len(result.rows), n, Sentence("loading the source model")))
    model = sources.load(spec.source, seed=spec.seed, scale=spec.data.scale)
    load = lru_cache(maxsize=1)(lambda seed: datasets.load(replace(spec.data, seed=seed)))
    pace = _pace(spec, result)
    for seed, name in product(spec.seeds, spec.inputs):
        missing = [head for head in spec.heads if (seed, name, head) not in done]
        if reporter.should_stop() or not missing:
            continue
        data = load(seed)
        if seed == spec.seed:
            reporter.on_data(data.hash)
        reporter.on_progress(Progress(len(result.rows), n, COMPUTING[name], left_s=pace.left_s(_todo(spec, done))))
        fitting = _extracted(spec, name, seed, model, data, folder)
        pace.computed(name, fitting.extract_s)
        result = fitting.add_costs(result)
        if name != PIXELS and not result.backbone_mb:
            ms, mb = _backbone(model, spec.layer, data.x_test)
            result = replace(result, backbone_ms=ms, backbone_mb=mb)
        for head in filter(partial(pace.wants_rehearsal, name), missing):
            pace.rehearsed(name, head, heads.rehearse(head, fitting.x_train, data.y_train, seed))
        for head in missing:
            if reporter.should_stop():
                break
            n_done = len(result.rows)
            left = pace.left_s(_todo(spec, done), (seed, name))
            at = time.perf_counter()
            title = heads.title(head, spec.by_hand)
            message = Sentence("{head} on {input}, seed {seed}", head=title, input=INPUTS[name], seed=seed)
            reporter.on_progress(Progress(n_done, n, message, left_s=left))
            row, answers = _one_head(spec, head, fitting, reporter)
            if answers is not None:
                said = {f"{head}-{name}": answers}
                add = bool(result.files)
                kept = outputs.save(reporter.folder(), folder, data, said, reporter.move, add=add)
                new = files([reporter.folder() / row.file], "heads/") | files([kept])
                result = replace(result, files={**result.files, **new})
            rows = (*result.rows, row)
            result = replace(
                result,
                rows=rows,
                n_planned=n,
                n_validation=len(data.y_validation),
                table=compare(rows, _right(reporter.folder()) if len(spec.seeds) < FEWEST_SEEDS else None, data.y_test),
                layer=spec.layer,
                n_trained=len(data.x_train),
                learn_s=result.learn_s + row.fit_s,
                cpu_s=_together(result.cpu_s, row.fit_cpu_s, first=not result.rows and name == PIXELS),
                class_names=tuple(data.class_names),
                form=data.form,
                device="CPU",
                total_s=time.perf_counter() - began,
            )
            reporter.keep(result)
            done.add((seed, name, head))
            pace.done((seed, name, head), time.perf_counter() - at, seconds_of(row))
    reporter.on_progress(Progress(len(result.rows), n))
    return result


def _pace(spec: HeadSpec, result: HeadsResult) -> HeadPace:
    """Return what tells the time left, with what an earlier process has done."""
    target, source = datasets.info(spec.data.target), sources.info(spec.source)
    shape = next(layer.output_shape for layer in source.layers if layer.name == spec.layer)
    pace = HeadPace(_n_train(spec), {"features": prod(shape), "pixels": prod(target.form.shape)}, spec.tune, spec.seed)
    for row in result.rows:
        pace.done((row.seed, row.input, row.head), seconds_of(row), seconds_of(row))
    return pace


def _todo(spec: HeadSpec, done: Container[Task]) -> list[Task]:
    return [task for task in product(spec.seeds, spec.inputs, spec.heads) if task not in done]


def _backbone(model: Any, layer: str, x: np.ndarray) -> tuple[float, float]:
    """Return the ms of an image through a network up to a layer, a batch at a time, and the MB of that part."""
    part = features.submodel(model, layer)
    answer, batch = features.compiled(part), x[:N_TIMED]
    answer(batch)  # traced and compiled
    began = time.perf_counter()
    answer(batch)
    return 1000 * (time.perf_counter() - began) / len(batch), 4 * part.count_params() / 2**20


def _right(folder: Path) -> dict[str, np.ndarray]:
    """Return by head and input whether each test image was answered rightly with the first seed."""
    path = folder / outputs.FILE
    if not path.exists():
        return {}
    answers = {model: outputs.load(path, model) for model in outputs.models(path)}
    return {model: kept.predicted == kept.labels for model, kept in answers.items()}


@dataclass(frozen=True)
class _Fitting:
    """What the heads of one seed and input share: the images, and a feature matrix of each part, (n, d)."""

    seed: int
    input: Input
    data: datasets.Data
    x_train: np.ndarray
    x_validation: np.ndarray
    x_test: np.ndarray
    noise: np.ndarray | None  # features of pure noise; None where no answers are kept
    extract_s: float
    learn_s: float  # of that, for the training images
    cpu_s: float  # the same, in processor seconds
    from_cache: bool
    megabytes: float
    origin: Origin  # for the files of its heads

    def add_costs(self, result: HeadsResult) -> HeadsResult:
        if self.input == PIXELS:
            return result
        return replace(
            result,
            extract_s=result.extract_s + self.extract_s,
            learn_s=result.learn_s + self.learn_s,
            cpu_s=_together(result.cpu_s, self.cpu_s, first=not result.rows),
            from_cache=self.from_cache,
            n_features=self.x_train.shape[1],
            features_mb=max(result.features_mb, self.megabytes),
        )


def _extracted(spec: HeadSpec, name: Input, seed: int, model: Any, data: datasets.Data, folder: Path) -> _Fitting:
    layer = spec.layer if name == "features" else PIXELS
    parts = [
        features.cached_extract(model, images, layer, folder / CACHE, data.form)
        for images in (data.x_train, data.x_validation, data.x_test)
    ]
    noise = outputs.noise(data.x_test, data.form)
    return _Fitting(
        seed,
        name,
        data,
        *(part.x for part in parts),
        noise=features.extract(model, noise, layer, data.form) if seed == spec.seed else None,
        extract_s=sum(part.seconds for part in parts),
        learn_s=parts[0].cost_s,
        cpu_s=parts[0].cost_cpu_s,
        from_cache=parts[0].from_cache,
        megabytes=max(part.megabytes for part in parts),
        origin=_origin(spec, name, model, data),
    )


def _origin(spec: HeadSpec, name: Input, model: Any, data: datasets.Data) -> Origin:
    """Return what a head's file says of its features, so that another lab can answer by it."""
    return Origin(
        source=spec.source,
        title=sources.info(spec.source).title,
        seed=spec.seed,
        scale=spec.data.scale,
        layer=spec.layer if name == "features" else PIXELS,
        weights=freezing.fingerprint(model, spec.layer) if name == "features" else "",
        input=name,
        class_names=tuple(data.class_names),
        form=data.form,
        data=replace(spec.data, seed=spec.seed),
    )


def _together(so_far: float, more: float, first: bool) -> float:
    """Return processor seconds with more of them; 0 once some were not counted, by an older version."""
    return so_far + more if more and (so_far or first) else 0.0


class _Curve(Listener):
    """Takes a head's points to the reporter, under the names that tell the curves of a comparison apart."""

    def __init__(self, reporter: Reporter, began: float, head: str, input: str):
        self.reporter, self.began, self.head, self.input = reporter, began, head, input

    def on_metric(self, point: MetricPoint) -> None:
        elapsed = time.perf_counter() - self.began
        self.reporter.on_metric(replace(point, elapsed_s=elapsed, head=self.head, input=self.input))


def _one_head(spec: HeadSpec, head: str, fitting: _Fitting, reporter: Reporter) -> tuple[HeadRow, outputs.Said | None]:
    """Fit, test and save one head; the head of the first seed is kept, draws the curve and says what it answers."""
    data, seed, name = fitting.data, fitting.seed, fitting.input
    began, first = time.perf_counter(), seed == spec.seed
    one_curve = len(spec.heads) == len(spec.inputs) == 1  # it needs no name
    curve = _Curve(reporter, began, "" if one_curve else head, "" if one_curve else name)
    params: Mapping[str, Any] = heads.info(head).params(heads.values_of(head, spec.by_hand))
    if spec.class_weight and heads.info(head).weighs:
        params = {**params, heads.info(head).weighs: spec.class_weight}
    tried = ()
    validation = (fitting.x_validation, data.y_validation)
    if spec.tune:
        params, tried = tuning.choose(head, fitting.x_train, data.y_train, validation, seed, reporter, params)
    fitted, fit_s = heads.fit(
        head,
        fitting.x_train,
        data.y_train,
        validation,
        seed=seed,
        listener=curve if spec.curves and first else None,
        params=params,
    )
    tested = time.perf_counter()
    answers = in_batches(fitted.predict_proba, fitting.x_test)
    predict_s = time.perf_counter() - tested
    score = evaluate(data.y_test, answers.argmax(axis=1), len(data.class_names))
    fitted.origin = replace(fitting.origin, by_hand=spec.by_hand_of(head))
    path = reporter.folder() / "heads" / f"{head}-{name}.skops"
    size = heads.save(fitted, path, reporter.move) if first else 0
    row = HeadRow(
        **vars(score),
        head=head,
        input=name,
        seed=seed,
        fit_s=fit_s,
        fit_cpu_s=fitted.fit_cpu_s,
        ms_per_image=1000 * predict_s / max(len(fitting.x_test), 1),
        mb=size / 2**20 if first else None,
        n_features=fitting.x_train.shape[1],
        file=f"heads/{path.name}" if first else "",
        params=dict(params),
        tried=tried,
    )
    return row, None if fitting.noise is None else (answers, fitted.predict_proba(fitting.noise))
