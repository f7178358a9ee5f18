"""The commands that look closer at a finished run: every answer, a rival, an SVM or a forest from inside."""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tlcore import evaluation, prediction
from tlcore.errors import SpecError
from tlcore.evaluation import calibration, outputs
from tlcore.evidence import contest
from tlcore.evidence.contest import MODEL, Entrant
from tlcore.heads import HEADS
from tlcore.inspection import forest, svm
from tlcore.jobs.report import accuracy_words
from tlcore.sentences import between, percent
from tlcore.store import Run, Store

from . import answers, console, history, local_run

MOST_ROWS = 10  # of a list that is cut


def look(options: Namespace) -> int:
    """Look closer at every answer of a finished run's model, or hold it against another's."""
    run, model = find_kept(options.home, options.model)
    if options.against or options.repeat:
        return _against(options, run, model)
    said = outputs.load(prediction.checked_file(run, outputs.FILE, options.home), model)
    names = run.result.class_names
    score = evaluation.evaluate(said.labels, said.predicted, len(names), said.probabilities)
    counts = np.array(score.confusion)
    sure = calibration.calibration(said.probabilities, said.predicted == said.labels)
    noise = calibration.of_noise(said.noise)
    classes = [
        {"class": name, **row, "low": low, "high": high}
        for name, row, hits in zip(names, evaluation.per_class(counts), np.diag(counts), strict=True)
        for low, high in [evaluation.wilson(int(hits), int(row["n"]))]
    ]
    pairs = [[names[true], names[answer], n] for true, answer, n in evaluation.most_confused(counts, MOST_ROWS)]
    worst = np.argsort(-evaluation.losses(said.labels, said.probabilities))[:MOST_ROWS]
    values = {
        "test": asdict(score),
        "classes": classes,
        "most_confused": pairs,
        "calibration": {"sure": sure.confidence, "right": sure.accuracy, "ece": sure.ece},
        "noise": {"sure": noise.sure, "mean": noise.confidence, "guess": noise.guess},
        "worst": [[int(row), names[said.labels[row]], names[said.predicted[row]]] for row in worst],
    }
    shares = [
        [c["class"], percent(c["precision"]), percent(c["recall"]), between(c["low"], c["high"]), percent(c["f1"])]
        for c in classes
    ]
    text = [
        accuracy_words(score),
        console.table(["class", "precision", "recall", "95 % interval", "F1"], shares),
        console.table(["true class", "answered", "images"], pairs) if pairs else "No test image was mixed up.",
        f"On average {percent(sure.confidence)} sure and {percent(sure.accuracy)} right; expected calibration error "
        f"{percent(sure.ece)}.",
        f"Of images of noise, {percent(noise.sure, 0)} get a class at 90 % or surer.",
    ]
    return console.show(options, values, "\n".join(text))


def _against(options: Namespace, run: Run, model: str) -> int:
    if not options.against:
        raise SpecError("--repeat needs the model to compare with. Name it with --against.")
    found = [(run, model), *(find_kept(options.home, name) for name in options.against)]
    entrants = [Entrant(f"{run.id[:6]}/{model}" if model != MODEL else run.id[:6], run, model) for run, model in found]
    store = Store(options.home)
    if options.repeat:
        for spec in contest.repetitions(entrants, store.list(limit=history.ALL)):
            code, _run = local_run.execute_here(options, spec, say_nothing)
            if code:
                return code
    return console.show(options, *told(entrants, store))


def say_nothing(options: Namespace, store: Store, run: Run) -> None:
    """What several runs reached is told together."""


def told(entrants: Sequence[Entrant], store: Store) -> tuple[dict[str, Any], str]:
    """Return which of several models is better, as values and in words.

    Raises
    ------
    SpecError
        Fewer than two of them were tested, or two are one model.
    """
    found = contest.contest(entrants, store.folder, store.list(limit=history.ALL))
    if found is None:
        raise SpecError("There are not two different models with a test accuracy to compare. Name two.")
    values = {
        "verdict": str(found.verdict),
        "scope": str(found.scope),
        "clear": found.clear,
        "tested": found.ranking.tested,
        "accuracies": dict(found.ranking.accuracies),
        "rivals": [asdict(rival) for rival in found.ranking.rivals],
    }
    hint = "\nRepeat them with --repeat." if found.offer and len(entrants) == 2 else ""
    return values, f"{found.verdict}\n{found.scope}{hint}"


def find_kept(home: Path, text: str) -> tuple[Run, str]:
    """Return a run and which of its models is meant: "model" for its network, ``linear_svm-features`` for a head.

    Raises
    ------
    SpecError
        There is no such run or model.
    """
    name = answers.find_model(home, text)
    kind, _, rest = name.partition(":")
    if kind not in ("run", "head"):
        raise SpecError("{text} is not a run of this lab. Name a run's id, or RUNID/HEAD-INPUT.", text=text)
    run_id, _, file = rest.partition("/")
    return Store(home).get(run_id), file.removesuffix(".skops") if file else MODEL


def inside(options: Namespace) -> int:
    """Open a finished SVM or forest on one of its test images."""
    run, model = find_kept(options.home, options.model)
    head, _dash, name = model.partition("-")
    opens = HEADS[head].opens if head in HEADS else None
    file = f"heads/{model}.skops"
    if opens is None:
        raise SpecError(
            "{model} is neither an SVM nor a forest. Name one of a comparison: RUNID/HEAD-INPUT.", model=model
        )
    names = run.result.class_names
    if opens == "forest":
        with console.quiet():
            found = forest.opened(run.id, file, options.image - 1, str(options.home))
        return _say_forest(options, found, names)
    pair = _pair(options.pair, names)
    with console.quiet():
        machine = svm.opened(run.id, file, pair, options.image - 1, str(options.home))
    return _say_svm(options, machine, names, pair)


def _pair(given: Sequence[str] | None, names: Sequence[str]) -> tuple[int, int]:
    chosen = tuple(given or names[:2])
    if len(chosen) != 2 or not set(chosen) <= set(names):
        raise SpecError(
            "--pair takes two classes of {names}. Received: {given}.", names=", ".join(names), given=",".join(chosen)
        )
    return names.index(chosen[0]), names.index(chosen[1])


def _say_svm(options: Namespace, found: svm.OpenedSVM, names: Sequence[str], pair: tuple[int, int]) -> int:
    first, second = (names[label] for label in pair)
    dual = {**asdict(found.dual), "value": found.dual.value}
    values = {
        "pair": [first, second],
        "support_vectors": len(found.vectors),
        "images": found.n,
        "C": found.C,
        "sum": found.shown_sum,
        "decision": found.decision,
        "answer": first if found.shown_sum > 0 else second,
        "dual": dual,
        "terms": (found.weights * found.kernels).tolist(),
    }
    lines = [
        f"{first} (above 0) against {second}: f(x) = {found.shown_sum:.6f}, so it says {values['answer']}; "
        f"scikit-learn's decision_function says {found.decision:.6f}.",
        f"{len(found.vectors)} of {found.n:,} training images are support vectors, "
        f"{found.n_at_limit} at C = {found.C:g}.",
        console.table(["the dual problem", "value"], [[name, f"{value:.6f}"] for name, value in dual.items()]),
    ]
    return console.show(options, values, "\n".join(lines))


def _say_forest(options: Namespace, found: forest.OpenedForest, names: Sequence[str]) -> int:
    votes = np.bincount(found.trees.argmax(axis=1), minlength=len(names))
    average = found.trees.mean(axis=0)
    rows = [
        [name, int(vote), f"{mean:.6f}", f"{p:.6f}"]
        for name, vote, mean, p in zip(names, votes, average, found.probabilities, strict=True)
    ]
    values = {
        "answer": names[int(found.probabilities.argmax())],
        "votes": dict(zip(names, votes.tolist(), strict=True)),
        "average": dict(zip(names, average.tolist(), strict=True)),
        "predict_proba": dict(zip(names, found.probabilities.tolist(), strict=True)),
    }
    heads = ["class", "trees that vote for it", "average of the trees", "predict_proba"]
    return console.show(options, values, f"{len(found.trees)} trees: {values['answer']}\n{console.table(heads, rows)}")
