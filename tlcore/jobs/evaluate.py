"""Test a finished model on a set with its classes: a run of its own, so that it is kept, and counted."""

import time
from collections.abc import Hashable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tlcore import datasets, prediction, sources
from tlcore.datasets import Data
from tlcore.errors import DataError, SpecError
from tlcore.evaluation import evaluate, new_data, outputs
from tlcore.evaluation.new_data import NewItems
from tlcore.evaluation.words import accuracy_words
from tlcore.prediction import ModelName, own_heads
from tlcore.sentences import Sentence
from tlcore.spec import (
    TESTED_PARTS,
    DataSpec,
    EvaluateResult,
    EvaluateSpec,
    InputForm,
    Part,
    Progress,
    check_choice,
    check_number,
)
from tlcore.store.checkpoint import Checkpoint

from .job import Job
from .outcome import files
from .report import Report
from .reporter import Reporter

AT_ONCE = 200  # items between two looks at whether it should stop


@dataclass(frozen=True)
class Subject:
    """What is known of a model that is to be tested.

    ``learned`` is what it was trained on, None where that is not known.
    """

    name: str
    class_names: tuple[str, ...]
    form: InputForm
    source: str
    learned: DataSpec | None


def subject(name: str, folder: Path) -> Subject:
    """Return what is known of a model, without loading it.

    Raises
    ------
    SpecError
        There is no such model, or it is one that names no classes of its own.
    """
    asked = ModelName.parse(name)
    if asked.kind == "source":
        card = sources.info(asked.id)
        if card.answers:
            learned = DataSpec(card.task, per_class=None, seed=card.seed) if card.task else None
            return Subject(name, card.class_names, card.form, asked.id, learned)
    if asked.kind == "own":
        origin = own_heads.info(asked.id).origin
        return Subject(name, origin.class_names, origin.form, origin.source, origin.data)
    if asked.kind in ("run", "head"):
        run = prediction.run_in(folder, asked.id)
        if any(info.name == name for info in prediction.of_run(run)):
            learned = replace(run.spec.data, seed=run.spec.seed)
            return Subject(name, run.result.class_names, prediction.form_of(run), run.spec.source, learned)
    raise SpecError("{name} cannot be tested. Name a finished run, one of its heads, or a source.", name=asked.short)


def asked(name: str, target: str, folder: Path, part: Part = "test") -> EvaluateSpec:
    """Return the test of a model on a set.

    Raises
    ------
    SpecError
        There is no such model or set, or the set has other classes.
    """
    found = subject(name, folder)
    if reason := new_data.misfit(found.class_names, found.form, datasets.info(target)):
        raise SpecError(reason.template, **reason.values)
    learned = found.learned or DataSpec(per_class=None)
    return EvaluateSpec(name, target, part, found.source, learned.per_class, learned.seed)


class Evaluate(Job[EvaluateSpec, EvaluateResult]):
    """What it answers is kept, as a training's test is: the closer look is the same."""

    spec, result = EvaluateSpec, EvaluateResult
    keeps_answers = True

    def check(self, spec: EvaluateSpec) -> None:
        ModelName.parse(spec.model)
        datasets.info(spec.target)
        check_choice("part", spec.part, TESTED_PARTS)
        check_number("seed", spec.seed)

    def run(
        self, spec: EvaluateSpec, reporter: Reporter, folder: Path, so_far: EvaluateResult, saved: Checkpoint | None
    ) -> EvaluateResult:
        began = time.perf_counter()
        reporter.on_progress(Progress(message=Sentence("loading the data")))
        found = subject(spec.model, folder)
        asked(spec.model, spec.target, folder, spec.part)  # the set may have changed since
        new = new_data.new_items(spec.target, spec.part, found.class_names, found.learned)
        reporter.on_progress(Progress(0, len(new.items), Sentence("loading the model")))
        model = prediction.predictor(spec.model, folder)
        answers = _answers(model, new.items, reporter)
        if answers is None:
            return EvaluateResult(class_names=found.class_names, form=found.form)
        data = _as_test(new, found)
        said = {"model": (answers, model.predict_proba(outputs.noise(new.items, found.form)))}
        path = outputs.save(reporter.folder(), folder, data, said, reporter.move)
        return EvaluateResult(
            test=evaluate(new.labels, answers.argmax(axis=1), len(found.class_names), answers),
            n_learned=new.n_learned,
            checked=new.checked,
            total_s=time.perf_counter() - began,
            class_names=found.class_names,
            form=found.form,
            files=files([path]),
        )

    def describe(self, spec: EvaluateSpec) -> str:
        """Return what is tested on what.

        Examples
        --------
        >>> Evaluate().describe(EvaluateSpec("source:digits", "digits_8x8"))
        'digits tested on digits_8x8'
        """
        return f"{ModelName.parse(spec.model).short} tested on {datasets.called(spec.target)}"

    def work(self, spec: EvaluateSpec) -> Hashable:
        return spec.target, spec.part, spec.source

    def report(self, result: EvaluateResult, folder: Path) -> Report:
        if result.test is None:
            return ["No result."]
        return [accuracy_words(result.test), *(str(words) for words in [left_out_words(result)] if words)]


def left_out_words(result: EvaluateResult) -> Sentence:
    """Return what was left out of a test because the model had learned from it, or that nobody could tell."""
    if not result.checked:
        return Sentence(
            "What the model learned from is not here any more: if this set shares pictures with it, the accuracy "
            "flatters the model."
        )
    if not result.n_learned:
        return Sentence("")
    return Sentence("Pictures that the model had learned from were left out: {n:,}.", n=result.n_learned)


def _answers(model: prediction.Predictor, items: np.ndarray, reporter: Reporter) -> np.ndarray | None:
    """Return what a model says of all items, float32 (n, k); None where it was stopped."""
    answers = []
    for at in range(0, len(items), AT_ONCE):
        if reporter.should_stop():
            return None
        reporter.on_progress(Progress(at, len(items), Sentence("asking the model")))
        answers.append(np.asarray(model.predict_proba(items[at : at + AT_ONCE]), np.float32))
    found = np.concatenate(answers)
    if not np.isfinite(found).all():
        raise DataError("The model's answers are not numbers. Train it again.")
    return found


def _as_test(new: NewItems, found: Subject) -> Data:
    none = new.items[:0], new.labels[:0]
    return Data(*none, *none, new.items, new.labels, class_names=found.class_names, form=found.form, hash="")
