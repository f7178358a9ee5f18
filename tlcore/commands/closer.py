"""The commands that look closer at a finished run: every answer, a rival, an SVM or a forest from inside."""

import re
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tlcore import evaluation, prediction
from tlcore.errors import SpecError
from tlcore.evaluation import calibration, curves, outputs
from tlcore.evaluation.curves import MACRO, Curves
from tlcore.evaluation.outputs import Outputs
from tlcore.evaluation.words import accuracy_words
from tlcore.evidence import contest
from tlcore.evidence.contest import MODEL, Entrant
from tlcore.heads import HEADS
from tlcore.inspection import forest, svm
from tlcore.sentences import between, percent
from tlcore.spec import EvaluateSpec, Evaluation
from tlcore.store import Run, Store
from tlcore.translation import _, shown

from . import answers, console, history, local_run

AREAS = ("roc_auc", "average_precision")
MOST_ROWS = 10  # of a list that is cut


def look(options: Namespace) -> int:
    """Look closer at every answer of a finished run's model, or hold it against another's."""
    run, model = find_kept(options.home, options.model)
    if options.against or options.repeat:
        return _against(options, run, model)
    return console.show(options, *seen(options.home, run, model, options.curves))


def seen(home: Path, run: Run, model: str, points: Path | None = None) -> tuple[dict[str, Any], str]:
    """Return what a closer look at a run's model shows, as values and in words.

    Parameters
    ----------
    points : where those of its curves are written, as CSV
    """
    said = outputs.load(prediction.checked_file(run, outputs.FILE, home), model)
    names = run.result.class_names
    score = evaluation.evaluate(said.labels, said.predicted, len(names), said.probabilities)
    found = curves.curves(said.labels, said.probabilities)
    if points:
        points.write_text(curves.curves_csv(found, names), encoding="utf-8")
    values = _values(said, score, found, names)
    return values, "\n".join(_lines(score, values))


def _values(said: Outputs, score: Evaluation, found: Sequence[Curves], names: Sequence[str]) -> dict[str, Any]:
    counts = np.array(score.confusion)
    sure = calibration.calibration(said.probabilities, said.predicted == said.labels)
    noise = calibration.of_noise(said.noise)
    classes = [
        {"class": name, **row, "low": low, "high": high}
        for name, row, hits in zip(names, evaluation.per_class(counts), np.diag(counts), strict=True)
        for low, high in [evaluation.wilson(int(hits), int(row["n"]))]
    ]
    worst = np.argsort(-evaluation.losses(said.labels, said.probabilities))[:MOST_ROWS]
    return {
        "test": asdict(score),
        "classes": classes,
        "most_confused": [
            [names[true], names[answer], n] for true, answer, n in evaluation.most_confused(counts, MOST_ROWS)
        ],
        "calibration": {"sure": sure.confidence, "right": sure.accuracy, "ece": sure.ece},
        "noise": {"sure": noise.sure, "mean": noise.confidence, "guess": noise.guess},
        "curves": [_curve_values(each, names) for each in found],
        "worst": [[row, names[int(said.labels[row])], names[int(said.predicted[row])]] for row in worst.tolist()],
    }


def _lines(score: Evaluation, values: dict[str, Any]) -> list[str]:
    shares = [
        [c["class"], percent(c["precision"]), percent(c["recall"]), between(c["low"], c["high"]), percent(c["f1"])]
        for c in values["classes"]
    ]
    areas = [
        [
            found["class"],
            *(
                text
                for name in AREAS
                for text in (f"{found[name]:.3f}", f"{found[f'{name}_low']:.3f} – {found[f'{name}_high']:.3f}")
            ),
        ]
        for found in values["curves"]
    ]
    pairs, sure = values["most_confused"], values["calibration"]
    heads = [
        _("class against the rest"),
        _("ROC area"),
        _("95 % interval"),
        _("average precision"),
        _("95 % interval"),
    ]
    return [
        shown(accuracy_words(score)),
        console.table([_("class"), _("precision"), _("recall"), _("95 % interval"), "F1"], shares),
        *([console.table(heads, areas)] if areas else []),
        console.table([_("true class"), _("answered"), _("images")], pairs)
        if pairs
        else _("No test image was mixed up."),
        _("On average {sure} sure and {right} right; expected calibration error {error}.").format(
            sure=percent(sure["sure"]), right=percent(sure["right"]), error=percent(sure["ece"])
        ),
        _("Of images of noise, {share} get a class at 90 % or surer.").format(
            share=percent(values["noise"]["sure"], 0)
        ),
    ]


def _curve_values(found: Curves, names: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = {"class": "macro" if found.label == MACRO else names[found.label], "share": found.share}
    for name, curve in zip(AREAS, (found.roc, found.precision_recall), strict=True):
        values |= {name: curve.area, f"{name}_low": curve.low, f"{name}_high": curve.high}
    return {**values, "bootstrap_seed": found.seed, "bootstrap_draws": found.n_draws}


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
    hint = "\n" + _("Repeat them with --repeat.") if found.offer and len(entrants) == 2 else ""
    return values, f"{shown(found.verdict)}\n{shown(found.scope)}{hint}"


def find_kept(home: Path, text: str) -> tuple[Run, str]:
    """Return a run and which of its models is meant: "model" for its network, ``linear_svm-features`` for a head.

    Raises
    ------
    SpecError
        There is no such run or model.
    """
    if tested := _tested(home, text):
        return tested, MODEL
    name = answers.find_model(home, text)
    kind, _colon, rest = name.partition(":")
    if kind not in ("run", "head"):
        raise SpecError("{text} is not a run of this lab. Name a run's id, or RUNID/HEAD-INPUT.", text=text)
    run_id, _slash, file = rest.partition("/")
    return Store(home).get(run_id), file.removesuffix(".skops") if file else MODEL


def _tested(home: Path, text: str) -> Run | None:
    """Return the run of that id where it is a test of another run's model."""
    run = history.find_run(Store(home), text) if re.fullmatch("[0-9a-f]{6,16}", text) else None
    return run if run and isinstance(run.spec, EvaluateSpec) else None


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
        _(
            "{first} (above 0) against {second}: f(x) = {sum:.6f}, so it says {answer}; scikit-learn's "
            "decision_function says {decision:.6f}."
        ).format(first=first, second=second, sum=found.shown_sum, answer=values["answer"], decision=found.decision),
        _("{k} of {n:,} training images are support vectors, {limit} at C = {C:g}.").format(
            k=len(found.vectors), n=found.n, limit=found.n_at_limit, C=found.C
        ),
        console.table([_("the dual problem"), _("value")], [[name, f"{value:.6f}"] for name, value in dual.items()]),
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
    heads = [_("class"), _("trees that vote for it"), _("average of the trees"), "predict_proba"]
    words = _("{n} trees: {answer}").format(n=len(found.trees), answer=values["answer"])
    return console.show(options, values, f"{words}\n{console.table(heads, rows)}")
