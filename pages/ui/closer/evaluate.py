"""A closer look at what a finished run answered: cells with their images, worst answers, calibration, rivals, why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui.charts import plots
from pages.ui.charts.figure import show_figure
from pages.ui.inputs.answers import gallery
from pages.ui.runs import contest
from pages.ui.runs.words import balanced, interval, measure, title
from pages.ui.session import state
from pages.ui.sets import cleaning
from pages.ui.words.names import head_on
from pages.ui.words.numbers import percent
from pages.ui.words.text import PERCENT, _, ngettext, plain, shown, tell, titled
from tlcore import datasets, evaluation, inputs, jobs, prediction
from tlcore.errors import LabError
from tlcore.evaluation import calibration, outputs
from tlcore.evaluation.outputs import Outputs
from tlcore.evidence import Entrant
from tlcore.heads import HEADS
from tlcore.inspection import explain
from tlcore.prediction.names import SUFFIX, ModelName
from tlcore.spec import EvaluateSpec, Evaluation, InputForm
from tlcore.store import Run

from . import curves
from .feature_map import feature_map
from .inside import asked, explanation

MOST_IMAGES = 40


@dataclass(frozen=True)
class Looked:
    """One model of a run, opened."""

    key: str  # of this model's widgets
    names: tuple[str, ...]  # of the classes
    said: Outputs
    score: Evaluation
    form: InputForm
    items: Callable[[np.ndarray], np.ndarray]  # positions -> test items as stored
    n_validation: int = 0  # labelled images that set its temperature; 0 where it has none

    def pictures(self, items: np.ndarray) -> np.ndarray:
        return inputs.modality(self.form.modality).previews(items)


@st.fragment
def evaluation_of(run: Run) -> None:
    """Show the closer look, folded; nothing is read or computed before it is opened."""
    if not run.final or run.accuracy is None or not jobs.of(run.spec).keeps_answers:
        return
    box = st.expander(
        _("Look closer: every test image, worst answers, calibration, noise, rivals"),
        key=f"closer_{run.id}",
        icon=":material/troubleshoot:",
        on_change="rerun",
    )
    if not box.open:
        return
    with box:
        if outputs.FILE not in run.result.files:
            st.info(_("This run is older than the record of each answer. Train it again to look closer."))
            return
        try:
            _look(run)
        except LabError as error:
            st.warning(tell(error))


def _look(run: Run) -> None:
    path = prediction.checked_file(run, outputs.FILE, state.lab().folder)
    models = outputs.models(path)
    model = models[0]
    if len(models) > 1:
        model = st.selectbox(_("Model"), models, format_func=model_title, key=f"model_{run.id}")
    looked = opened(run, model)
    ways = {
        "cells": _("Confusion"),
        "worst": _("Worst answers"),
        "classes": _("Class by class"),
        "curves": _("ROC, precision-recall"),
        "calibration": _("Calibration"),
        "noise": _("Pure noise"),
        "rivals": _("Compare with"),
        "why": _("Why"),
    }
    if cleaning.may_clean(run.spec.data.target):
        ways["clean"] = _("Clean the set")
    if run.result.network:
        ways["map"] = _("Map of features")
    way = st.segmented_control(
        _("What to look at"),
        list(ways),
        format_func=ways.__getitem__,
        default="cells",
        required=True,
        key=f"way_{run.id}",
        label_visibility="collapsed",
        wrap=True,
    )
    score = looked.score
    st.caption(
        f"**{balanced(percent(score.headline), score.balanced)}** · {interval(score)} {measure(score, looked.names)}"
    )
    with _place(list(ways), way):
        _view(run, path, model, looked, way)


def _place(ways: Sequence[str], way: str) -> DeltaGenerator:
    """Return the place of one way of looking, and empty those of the others.

    While another fragment of the page ticks, as what is under way does, Streamlit keeps what this one drew last and
    does not draw now: below the calibration stood the table of the curves.
    """
    places = {name: st.container() if name == way else st.empty() for name in ways}
    return places[way]


def _view(run: Run, path: Path, model: str, looked: Looked, way: str) -> None:
    if way == "rivals":
        _rivals(run, looked)
    elif way == "why":
        _why(run, model, looked)
    elif way == "map":
        feature_map(run)
    elif way == "clean":
        cleaning.of_run(run, looked.said, _name(run, model))
    elif way == "curves":
        curves.show(run, str(path), model, looked.names)
    else:
        views = {
            "cells": _cells,
            "worst": worst_answers,
            "classes": _classes,
            "calibration": _calibration,
            "noise": _noise,
        }
        views[way](looked)


def model_title(model: str) -> str:
    """Return the name of a run's model in words: ``linear_svm-pixels`` is a linear SVM on raw pixels."""
    head, dash, name = model.partition("-")
    return head_on(head, name) if dash else _("The network")


def opened(run: Run, model: str) -> Looked:
    """Return one model of a run, opened; raises a LabError where what it answered cannot be read."""
    folder = state.lab().folder
    said = outputs.load(prediction.checked_file(run, outputs.FILE, folder), model)
    names = run.result.class_names
    score = evaluation.evaluate(said.labels, said.predicted, len(names), said.probabilities)

    form = prediction.form_of(run)

    def items(rows: np.ndarray) -> np.ndarray:
        return outputs.test_images(said.images, folder, form)[rows]

    head = model.partition("-")[0]
    tempered = head in HEADS and HEADS[head].has_temperature
    n_validation = datasets.n_validation(run.spec.data) if tempered else 0
    return Looked(f"{run.id}_{model}", names, said, score, form, items, n_validation)


def _cells(looked: Looked) -> None:
    """The confusion matrix; a click on a cell, or the two boxes, shows its images."""
    names, key = looked.names, looked.key
    worst = evaluation.most_confused(np.array(looked.score.confusion), n=1)
    true, answer = worst[0][:2] if worst else (0, 0)
    boxes = {"true": (_("True class"), true), "answer": (_("Answered"), answer)}
    state.put(**{f"{name}_{key}": state.get(f"{name}_{key}", at) for name, (_label, at) in boxes.items()})
    left, right = st.columns(2, gap="medium")
    with left:
        for column, (name, (label, _at)) in zip(st.columns(2), boxes.items(), strict=True):
            column.selectbox(label, range(len(names)), format_func=names.__getitem__, key=f"{name}_{key}")
        true, answer = (int(state.get(f"{name}_{key}")) for name in boxes)
        show_figure(
            plots.clickable(plots.confusion(looked.score.confusion, names), names, (true, answer)),
            key=f"cells_{key}",
            on_select=lambda: _clicked(key),
            selection_mode="points",
            alt=_("Confusion matrix: true classes in rows, answers in columns; a click on a cell shows its images"),
        )
    with right:
        said = looked.said
        rows = np.flatnonzero((said.labels == true) & (said.predicted == answer))
        words = ngettext(
            "{n} image of {true} was called {answer}.", "{n} images of {true} were called {answer}.", len(rows)
        )
        st.markdown("**" + words.format(n=len(rows), true=plain(names[true]), answer=plain(names[answer])) + "**")
        sure = said.probabilities[rows, answer]
        _gallery(looked, rows[np.argsort(-sure if true != answer else sure)], _("how sure the model was of its answer"))


def _clicked(key: str) -> None:
    points = state.get(f"cells_{key}", {}).get("selection", {}).get("points", ())
    if points:
        true, answer = points[0]["customdata"]
        state.put(**{f"true_{key}": int(true), f"answer_{key}": int(answer)})


def _gallery(looked: Looked, rows: np.ndarray, under: str, pairs: bool = False) -> None:
    """Show images with how sure the model was under each, and what it took them for where that differs."""
    said, names = looked.said, looked.names
    first = rows[:MOST_IMAGES]
    if not len(first):
        return
    captions = [percent(float(said.probabilities[row, said.predicted[row]]), 0) for row in first]
    if pairs:
        turns = [f"{names[said.labels[row]]} → {names[said.predicted[row]]}" for row in first]
        captions = [f"{turn}, {share}" for turn, share in zip(turns, captions, strict=True)]
    st.html(gallery(looked.pictures(looked.items(first)), captions))
    more = _("The first {n} of {total:,}. ").format(n=len(first), total=len(rows)) if len(rows) > len(first) else ""
    st.caption(more + _("Under each image: {what}.").format(what=under))


def _why(run: Run, model: str, looked: Looked) -> None:
    """Why the model answered as it did, for the images it was most wrong about."""
    worst = np.argsort(-evaluation.losses(looked.said.labels, looked.said.probabilities))[:12]
    numbers = [f"{i + 1}" for i in range(len(worst))]
    turns = [f"{looked.names[looked.said.labels[row]]} → {looked.names[looked.said.predicted[row]]}" for row in worst]
    items = looked.items(worst)
    pictures = looked.pictures(items)
    st.html(gallery(pictures, [f"{n} · {turn}" for n, turn in zip(numbers, turns, strict=True)]))
    st.caption(_("The images with the highest loss: true class → answer."))
    chosen = st.pills(
        _("Which image"),
        range(len(worst)),
        format_func=numbers.__getitem__,
        default=0,
        required=True,
        key=f"why_{looked.key}",
        wrap=True,
    )
    found = asked(explain, _name(run, model), items[chosen], str(state.lab().folder))
    explanation(found, pictures[chosen], f"layer_{looked.key}")


def _name(run: Run, model: str) -> str:
    """Return the name of what answered: in a test of another run's model, of that."""
    if isinstance(run.spec, EvaluateSpec):
        return run.spec.model
    return str(ModelName.run(run.id) if model == "model" else ModelName.head(run.id, f"{model}{SUFFIX}"))


def worst_answers(looked: Looked) -> None:
    """The wrong answers with the highest loss, and the pairs that are mixed up most."""
    wrong = np.flatnonzero(looked.said.labels != looked.said.predicted)
    if not len(wrong):
        st.success(_("No test image was mixed up."))
        return
    found = evaluation.losses(looked.said.labels, looked.said.probabilities)[wrong]
    st.markdown(
        _(
            "**The images this model was most wrong about**, by their loss (minus the log of the probability it gave "
            "the true class):"
        )
    )
    worst = wrong[np.argsort(-found)[:24]]
    _gallery(looked, worst, _("true class → answer, and how sure the model was of it"), pairs=True)
    pairs = evaluation.most_confused(np.array(looked.score.confusion))
    st.markdown(_("**The pairs it mixes up most**"))
    st.dataframe(
        [
            {
                _("true class"): looked.names[true],
                _("answered"): looked.names[answer],
                _("images"): count,
                _("share of the class"): 100 * count / sum(looked.score.confusion[true]),
            }
            for true, answer, count in pairs
        ],
        hide_index=True,
        column_config={_("share of the class"): st.column_config.NumberColumn(format=PERCENT)},
    )


def _classes(looked: Looked) -> None:
    """Precision, recall and F1 of every class."""
    rows = evaluation.per_class(np.array(looked.score.confusion))
    right = [looked.score.confusion[i][i] for i in range(len(rows))]
    intervals = [evaluation.wilson(hits, int(row["n"])) for hits, row in zip(right, rows, strict=True)]
    st.dataframe(
        [
            {
                _("class"): name,
                _("precision"): 100 * row["precision"],
                _("recall"): 100 * row["recall"],
                _("recall, 95 % interval"): f"{percent(low)} – {percent(high)}",
                "F1": 100 * row["f1"],
                _("test images"): row["n"],
            }
            for name, row, (low, high) in zip(looked.names, rows, intervals, strict=True)
        ],
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format=PERCENT) for name in (_("precision"), _("recall"), "F1")
        },
    )
    st.caption(
        _(
            "Precision: of the images called this class, the share that is. Recall: of the images of this class, the "
            "share that was found. F1: their harmonic mean."
        )
    )


def _calibration(looked: Looked) -> None:
    """How far the model's certainty can be believed."""
    said = looked.said
    found = calibration.calibration(said.probabilities, said.predicted == said.labels)
    gap = found.confidence - found.accuracy
    verdict = (
        _("too sure of itself")
        if gap > 0.005
        else _("less sure than it should be")
        if gap < -0.005
        else _("about as right as it is sure")
    )
    st.markdown(
        _(
            "On average it is **{sure} sure** and **{right} right**: {verdict}. Expected calibration error: **{ece}**."
        ).format(sure=percent(found.confidence), right=percent(found.accuracy), verdict=verdict, ece=percent(found.ece))
    )
    show_figure(
        plots.reliability(found.bins),
        key=f"reliability_{looked.key}",
        alt=_("Accuracy of the answers by how sure the model was"),
    )
    words = _(
        "Each bar stands for the answers within one range of certainty; the number above it says how many. The error "
        "is the gap between bar and line, averaged over all answers (Guo et al. 2017, 15 ranges). Bars with few images "
        "are "
        "unreliable."
    )
    if looked.n_validation:
        tempered = _("Its certainty was adjusted by one number, the temperature, on {n:,} labelled validation images.")
        words += " " + tempered.format(n=looked.n_validation)
    st.caption(words)


def _noise(looked: Looked) -> None:
    """What the model says of images that show nothing."""
    n = outputs.N_NOISE
    pictures = looked.pictures(outputs.noise(looked.items(np.arange(min(n, looked.score.n))), looked.form))
    even, shuffled = map(shown, inputs.modality(looked.form.modality).noises)
    kinds = {0: even, n: shuffled}
    for column, (first, words) in zip(st.columns(2, gap="medium"), kinds.items(), strict=True):
        said = looked.said.noise[first : first + n]
        found = calibration.of_noise(said)
        with column:
            st.markdown(words)
            answers = [f"{looked.names[p.argmax()]}, {percent(p.max(), 0)}" for p in said[:6]]
            st.html(gallery(pictures[first : first + 6], answers))
            st.markdown(
                _(
                    "For **{sure}** of {n} such images it is at least 90 % sure of some class; on average it is {mean}"
                    " sure. Admitting it does not know would be {guess} for each class."
                ).format(
                    n=found.n,
                    sure=percent(found.sure, 0),
                    mean=percent(found.confidence, 0),
                    guess=percent(found.guess, 0),
                )
            )
            show_figure(
                plots.shares(found.shares, looked.names, found.guess),
                key=f"noise_{first}_{looked.key}",
                alt=_("How often each class was answered to noise"),
            )
    st.caption(
        _("A network has no answer for 'none of these': its probabilities are shared out among the classes it knows.")
    )


def _rivals(run: Run, looked: Looked) -> None:
    """This model against another on the same test images."""
    rivals = _candidates(run)
    mine = looked.key
    choices = {key: words for key, words in rivals.items() if key != mine}
    if not choices:
        target = titled(datasets.info(run.spec.data.target).title)
        st.info(_("Nothing to compare with yet: train another model on {target}.").format(target=target))
        return
    chosen = st.selectbox(_("Compare with"), list(choices), format_func=choices.__getitem__, key=f"rival_{mine}")
    run_id, _line, model = chosen.partition("_")
    other = opened(state.lab().store.get(run_id), model)
    words = _("This one: **{here}** · the other: **{there}**")
    st.markdown(words.format(here=percent(looked.score.headline), there=percent(other.score.headline)))
    labels = _("this one"), _("the other")
    runs = run, state.lab().store.get(run_id)
    contest.show(list(map(Entrant, labels, runs, (mine.partition("_")[2], model))), f"closer_{mine}")
    if other.said.images == looked.said.images:
        _paired(looked, other)


def _candidates(run: Run) -> dict[str, str]:
    """Return the models of this and other runs on the same target: "run id_model" with its name."""
    runs = state.access().runs(states=("done", "stopped"), limit=60)
    found: dict[str, str] = {}
    for other in [run, *(other for other in runs if other.id != run.id)]:
        if outputs.FILE not in other.result.files or other.spec.data.target != run.spec.data.target:
            continue
        models = [f"{row.head}-{row.input}" for row in other.result.heads] or ["model"]
        mark = _("this run") if other.id == run.id else f"{title(other)} · {other.id[:4]}"
        found |= {f"{other.id}_{model}": f"{model_title(model)} · {mark}" for model in models}
    return found


def _paired(looked: Looked, other: Looked) -> None:
    mine, theirs = (one.said.predicted == one.said.labels for one in (looked, other))
    found = evaluation.paired(mine, theirs)
    words = _("Of {n:,} images, {a} were right only here and {b} only with the other.")
    st.markdown(words.format(n=found.n, a=found.only_first, b=found.only_second))
    for column, rows, label in zip(
        st.columns(2, gap="medium"),
        (np.flatnonzero(mine & ~theirs), np.flatnonzero(theirs & ~mine)),
        (_("**Only this one is right**"), _("**Only the other is right**")),
        strict=True,
    ):
        with column:
            st.markdown(label)
            _gallery(looked, rows[:24], _("what this model said, and how sure it was"), pairs=True)
