"""Fine-tuning: take a source network, freeze some layers, go on training the rest on the target."""

import logging
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tlcore import datasets, features, sources, training
from tlcore.datasets import Data
from tlcore.errors import DataError, LabError
from tlcore.evaluation import evaluate, outputs
from tlcore.evaluation.words import accuracy_words
from tlcore.features import freezing
from tlcore.features.freezing import Freezing
from tlcore.machine import scratch
from tlcore.sentences import NOTHING, Sentence, join, percent
from tlcore.spec import (
    NETWORK,
    DataSpec,
    Evaluation,
    FineTuneResult,
    FineTuneSpec,
    Listener,
    Listeners,
    Phase,
    Progress,
    ProofRow,
)
from tlcore.store import Run, Store, checkpoint, versions
from tlcore.store.checkpoint import Checkpoint
from tlcore.training import augmentation, forgetting
from tlcore.training.film import Monitor

from .job import Job, Left, check_data, task
from .outcome import CACHE, device, files, in_batches
from .report import Report
from .reporter import Keeper, Reporter

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

STEP_WORK = 3_000_000  # multiply-adds that take as long as a step does whatever its layers: 0.15 ms


class FineTune(Job[FineTuneSpec, FineTuneResult]):
    """Goes on from a checkpoint where its process was lost, or where a person stopped it."""

    spec, result = FineTuneSpec, FineTuneResult
    keeps_answers = resumes = True

    def check(self, spec: FineTuneSpec) -> None:
        source = sources.info(spec.source)
        check_data(spec.data, source)
        training.check(spec, source.layers)
        augmentation.check(spec, source.form)

    def run(
        self,
        spec: FineTuneSpec,
        reporter: Reporter,
        folder: Path,
        so_far: FineTuneResult,
        saved: Checkpoint | None,
    ) -> FineTuneResult:
        """Train, test, prove and save."""
        import keras

        began = time.perf_counter()
        clock = saved.state["clock"] if saved else {"epoch": 0, "elapsed_s": 0.0}
        data = _data(spec, reporter, saved)
        resumed = (*saved.state["resumed_after"], clock["epoch"]) if saved else ()
        at = partial(_progress, spec, len(data.x_train))
        reporter.on_progress(at(clock["epoch"], Sentence("loading the source model")))
        model = sources.load(spec.source, n_classes=len(data.class_names), seed=spec.seed, scale=spec.data.scale)
        listeners: list[Listener] = [reporter, Keeper(reporter, {"data_hash": data.hash, "resumed_after": resumed})]
        if spec.film:
            listeners.append(Monitor(model, spec, data.class_names, reporter.folder()))
        fitted = training.fit(model, data, spec, Listeners(*listeners), cache=folder / CACHE, resume=saved)
        reporter.on_progress(at(fitted.epochs, Sentence("testing on images never trained on")))
        test, kept = _tested(model, data, reporter, folder, partial(at, fitted.epochs))
        reporter.on_progress(at(fitted.epochs, Sentence("testing what it still knows of its own task")))
        found = forgetting.measure(model, spec)
        cost = Freezing(sources.describe(model), spec.compiled(len(spec.phases)).frozen, spec.source).cost
        return FineTuneResult(
            test=test,
            n_trained=len(data.x_train),
            n_weights=cost.n_weights,
            n_trainable=cost.n_trainable,
            n_epochs=spec.epochs,
            **vars(fitted),
            forgetting=None if isinstance(found, Sentence) else found,
            not_measured=found if isinstance(found, Sentence) else NOTHING,
            total_s=time.perf_counter() - began + clock["elapsed_s"],
            resumed_after=resumed,
            device=device(),
            class_names=tuple(data.class_names),
            form=data.form,
            files=files(kept),
            keras=keras.__version__,
        )

    def describe(self, spec: FineTuneSpec) -> str:
        """Return what a fine-tuning does.

        Examples
        --------
        >>> FineTune().describe(FineTuneSpec())
        'digits_0_4 → mnist_5_9, 5 per class, frozen: conv_1, conv_2'
        """
        return f"{task(spec)}, frozen: {freezing.words(spec.source, spec.phases[-1].frozen) or 'nothing'}"

    def epochs(self, spec: FineTuneSpec) -> int:
        return spec.epochs

    def n_steps(self, spec: FineTuneSpec) -> int:
        return training.n_steps(spec, sum(datasets.training_sizes(spec.data)))

    def report(self, result: FineTuneResult, folder: Path) -> Report:
        if result.test is None:
            return [Sentence("No result.")]
        stopped = Sentence("Stopped after {n:.2g} of {total} epochs.", n=result.epochs, total=result.n_epochs)
        lines = [stopped if result.cut_short else NOTHING, early_words(result), accuracy_words(result.test)]
        lines += [forgetting_words(result), proof_words(result.proof)]
        return [*filter(None, lines), Sentence("Model: {file}", file=str(folder / NETWORK))]

    def work(self, spec: FineTuneSpec) -> Hashable:
        return spec.data.target, spec.data.per_class, spec.epochs, len(spec.phases[-1].frozen), spec.augment

    def takes_s(self, spec: FineTuneSpec, done: Sequence[Run]) -> float | None:
        """By runs of the same work, else by the newest of this network: what it took beside its steps, and a step."""
        alike = super().takes_s(spec, done)
        if alike is not None:
            return alike
        for run in done:
            like, result, seconds = run.spec, run.result, run.took_s
            if not isinstance(like, FineTuneSpec) or not isinstance(result, FineTuneResult) or not seconds:
                continue
            if result.images_per_s and like.augment == spec.augment and _same_network(like, spec):
                trained = result.n_trained * result.epochs / result.images_per_s
                step_s = like.batch_size / result.images_per_s * _step_work(spec) / _step_work(like)
                return max(0.0, seconds - trained) + self.n_steps(spec) * step_s
        return None

    def warm(self) -> None:
        """Rehearse on a handful of images, and leave nothing behind.

        TensorFlow's first trace of each kind of layer takes most of a second, its second hardly any.
        """
        spec = FineTuneSpec(data=DataSpec(per_class=2), phases=(Phase(epochs=2, frozen=("conv_1", "conv_2")),))
        try:
            data = datasets.load(spec.data)
            model = sources.load(spec.source, n_classes=len(data.class_names))
            training.fit(model, replace(data, x_validation=data.x_train, y_validation=data.y_train), spec)
            features.compiled(model)(data.x_train)
        except LabError:  # a damaged asset: the run itself will say so
            log.exception("the rehearsal failed")

    def left(self, run: Run, store: Store) -> Left:
        """Return the checkpoint of an earlier attempt if all that it counts on is there."""
        saved = checkpoint.load(store.run_folder(run.id))
        if saved is None:
            return Left()
        n = saved.state.get("n_points", 0)
        if saved.state.get("versions") != versions() or (n and not store.points(run.id, since=n - 1, limit=1)):
            log.warning("the checkpoint of run %s does not fit: it begins again", run.id)
            return Left()
        return Left(n, checkpoint=saved)

    def clean(self, run_folder: Path) -> None:
        checkpoint.remove(run_folder)


def _same_network(one: FineTuneSpec, other: FineTuneSpec) -> bool:
    """Whether two runs train the same network: from one source, or from the source and its untrained twin."""
    return one.source == other.source or sources.untrained(one.source) == sources.untrained(other.source)


def _step_work(spec: FineTuneSpec) -> float:
    """Return what a step asks for, in multiply-adds, as the mean over the epochs."""
    layers = sources.info(spec.source).layers
    adds = [phase.epochs * Freezing(layers, phase.frozen).multiply_adds(without_prefix=True) for phase in spec.phases]
    return STEP_WORK + spec.batch_size * sum(adds) / spec.epochs


def _data(spec: FineTuneSpec, reporter: Reporter, saved: Checkpoint | None) -> Data:
    """Load the images; DataError when they are not those that a checkpoint was made with."""
    reporter.on_progress(Progress(message=Sentence("loading the data")))
    data = datasets.load(spec.data)
    if saved and saved.state["data_hash"] not in (data.hash, datasets.older_hash(data, spec.data.scale)):
        raise DataError("The images are not those that this run began with. Start it again.")
    reporter.on_data(data.hash)
    return data


def _tested(
    model: "keras.Model", data: Data, reporter: Reporter, folder: Path, at: Callable[[Sentence], Progress]
) -> tuple[Evaluation, tuple[Path, Path]]:
    """Test the trained network; return how it did, and the files of the network and of its answers."""
    answer = features.compiled(model)
    answers = in_batches(answer, data.x_test)
    test = evaluate(data.y_test, answers.argmax(axis=1), len(data.class_names), answers)
    reporter.on_progress(at(Sentence("keeping the trained network")))
    path = reporter.folder() / NETWORK
    scratch.write_whole(path, lambda temporary: model.save(temporary), reporter.move)
    said = {"model": (answers, answer(outputs.noise(data.x_test, data.form)))}
    return test, (path, outputs.save(reporter.folder(), folder, data, said, reporter.move))


def _progress(spec: FineTuneSpec, n: int, epochs: float, message: Sentence) -> Progress:
    """Return how far a training on ``n`` images is after so many epochs, in gradient steps."""
    total = training.n_steps(spec, n)
    return Progress(round(epochs * total / spec.epochs), total, message)


def early_words(result: FineTuneResult) -> Sentence:
    """Return what early stopping did; empty where it did not watch, or the training was stopped before its end."""
    if not result.best_epoch or result.stopped:
        return NOTHING
    if not result.waited:
        return Sentence(
            "The weights of epoch {best}, with the lowest validation loss, were kept.", best=result.best_epoch
        )
    return Sentence(
        "Stopped after epoch {n:.0f} of {total}; epochs without improvement: {waited}. The weights of epoch {best}, "
        "with the lowest "
        "validation loss, were kept.",
        n=result.epochs,
        total=result.n_epochs,
        waited=result.waited,
        best=result.best_epoch,
    )


def forgetting_words(result: FineTuneResult) -> Sentence:
    """Return what a training made its source forget, or why that was not measured; empty of an older version's run."""
    found = result.forgetting
    if found is None:
        return result.not_measured
    values = {"task": found.task, "n": found.n, "before": percent(found.before), "after": percent(found.after)}
    if found.lost <= 0:
        return Sentence(
            "It forgot nothing of its own task, {task}: {before} before training, {after} now ({n:,} test images, with "
            "its original head).",
            **values,
        )
    return Sentence(
        "It forgot {points:.1f} points of its own task, {task}: {before} before training, {after} now ({n:,} test "
        "images, with its original head).",
        points=100 * found.lost,
        **values,
    )


def proof_words(rows: Sequence[ProofRow]) -> Sentence:
    """Return whether every frozen layer stayed equal and every trained one changed."""
    if not rows:
        return Sentence("Stopped before the first batch: no weight was trained, so there is nothing to prove.")
    if words := freezing.uncompiled(rows):
        return words
    if wrong := [row.layer for row in rows if not row.ok]:
        return Sentence(
            "Proof failed: {layers} did not do what freezing promised. Please report this.", layers=", ".join(wrong)
        )
    phases = sorted({row.phase for row in rows})
    parts = [_phase_words([row for row in rows if row.phase == phase]) for phase in phases]
    if len(parts) > 1:
        parts = [
            Sentence("in phase {phase}, {words}", phase=phase, words=part)
            for phase, part in zip(phases, parts, strict=True)
        ]
    return Sentence("Proof: {words}.", words=join(parts, "; "))


def _phase_words(rows: Sequence[ProofRow]) -> Sentence:
    n = sum(row.frozen for row in rows)
    return Sentence(
        "the weights of {n} frozen layers are bit for bit unchanged, those of {m} trained layers changed",
        n=n,
        m=len(rows) - n,
    )
