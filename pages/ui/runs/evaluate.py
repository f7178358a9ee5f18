"""A finished model tested on another set: how it did there, beside its own test images."""

from contextlib import suppress

import streamlit as st

from pages.ui.charts import plots
from pages.ui.charts.figure import show_figure
from pages.ui.session import state
from pages.ui.words.numbers import percent
from pages.ui.words.text import _, plain, shown
from tlcore import datasets, evaluation, prediction
from tlcore.errors import LabError
from tlcore.jobs.evaluate import left_out_words
from tlcore.prediction import ModelName
from tlcore.spec import EvaluateResult, EvaluateSpec, Evaluation
from tlcore.store import Run

from .view import View
from .words import beside, interval, measure


class EvaluateView(View[EvaluateSpec, EvaluateResult]):
    def title(self, spec: EvaluateSpec) -> str:
        return _("{model}, tested on {target}").format(
            model=model_title(spec.model), target=datasets.info(spec.target).title
        )

    def stopping(self) -> str:
        return _("Stopping. A test has a result only at its end.")

    def chart(self, spec: EvaluateSpec) -> None:
        return None

    def result(self, run: Run, result: EvaluateResult) -> None:
        spec = self.spec_of(run)
        if result.test is None:
            return
        own = own_test(spec)
        a, b = st.columns(2)
        label = _("Balanced accuracy on {target}") if result.test.balanced else _("Accuracy on {target}")
        label = label.format(target=plain(datasets.info(spec.target).title))
        a.metric(label, percent(result.test.headline), help=interval(result.test), border=True, **beside(result.test))
        if own:
            label = _("On its own test images")
            b.metric(label, percent(own.headline), help=interval(own), border=True, **beside(own))
            st.markdown(against_own(result.test, own))
        words = interval(result.test), measure(result.test, result.class_names), shown(left_out_words(result))
        st.caption(" ".join(filter(None, words)))
        show_figure(
            plots.confusion(result.test.confusion, result.class_names),
            key=f"confusion_{run.id}",
            alt=_("Confusion matrix: true classes in rows, answers in columns"),
        )


def model_title(name: str) -> str:
    """Return what a model is called; where its run is gone by its name alone."""
    asked = ModelName.parse(name)
    with suppress(LabError):
        if asked.kind in ("run", "head"):
            infos = prediction.of_run(state.lab().store.get(asked.id))
        else:
            infos = list(state.models(0))
        return next(shown(info.title) for info in infos if info.name == name)
    return asked.short


def own_test(spec: EvaluateSpec) -> Evaluation | None:
    """Return how the model did on the test images of its own run; None where it has none, or is gone."""
    asked = ModelName.parse(spec.model)
    if asked.kind not in ("run", "head"):
        return None
    with suppress(LabError):
        run = state.lab().store.get(asked.id)
        model = asked.file.partition(".")[0] or "model"
        return run.result.tests(model, run.seed).get(run.seed)
    return None


def against_own(test: Evaluation, own: Evaluation) -> str:
    """Return in a sentence how a set compares with the model's own test images."""
    values = {"here": percent(test.headline), "own": percent(own.headline)}
    if evaluation.no_clear_winner(test, own):
        return _("About as often right as on its own test images: {here} here, {own} there.").format(**values)
    points = f"{100 * abs(test.headline - own.headline):.1f}"
    if test.headline < own.headline:
        return _("**{points} points less** than on its own test images: {here} here, {own} there.").format(
            points=points, **values
        )
    return _("**{points} points more** than on its own test images: {here} here, {own} there.").format(
        points=points, **values
    )
