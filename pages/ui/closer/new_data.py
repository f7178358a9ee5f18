"""Test a finished run's model on another set, and see how it did there."""

from collections.abc import Sequence

import streamlit as st

from pages.ui.charts import plots
from pages.ui.charts.figure import show_figure
from pages.ui.runs import run as run_view
from pages.ui.runs import tuned
from pages.ui.runs.evaluate import against_own, own_test
from pages.ui.runs.words import balanced, interval, measure, target, when
from pages.ui.session import state
from pages.ui.words.numbers import between, percent
from pages.ui.words.text import PERCENT, _, ngettext, plain, shown, tell
from tlcore import prediction
from tlcore.datasets import DatasetInfo
from tlcore.errors import LabError
from tlcore.evaluation import new_data
from tlcore.jobs.evaluate import asked, left_out_words
from tlcore.prediction import PredictorInfo
from tlcore.spec import EvaluateResult, EvaluateSpec, Part
from tlcore.store import Run

from .evaluate import opened, worst_answers

MOST_TESTS = 200  # runs among which those of a model are looked for


@st.fragment
def offer(run: Run) -> None:
    """Offer to test what a run left on another set; nothing is read before it is opened."""
    infos = prediction.of_run(run) if run.final else []
    if not infos:
        return
    label = _("Test on new data: another set with the same classes")
    box = st.expander(label, key=f"new_data_{run.id}", icon=":material/science:", on_change="rerun")
    if not box.open:
        return
    with box:
        try:
            _panel(run, infos)
        except LabError as error:
            st.warning(tell(error))


def _panel(run: Run, infos: Sequence[PredictorInfo]) -> None:
    model = infos[0]
    if len(infos) > 1:
        titles = {info.name: shown(info.title) for info in infos}
        name = st.selectbox(_("Model"), list(titles), format_func=titles.__getitem__, key=f"tested_{run.id}")
        model = next(info for info in infos if info.name == name)
    entry = _set(run, model)
    if entry is None:
        return
    whole = st.toggle(
        _("Its training images too"),
        key=f"whole_{run.id}",
        help=_("More images, so a narrower interval. Images that the model learned from are always left out."),
    )
    part: Part = "all" if whole else "test"
    tests = [test for test in _tests(model.name) if test.final or test.spec.data.target == entry.name]
    this = next((test for test in tests if _is_of(test, entry.name, part)), None)
    misfit = shown(new_data.misfit(model.class_names, model.form, entry))
    if misfit:
        st.warning(plain(misfit))
    st.button(
        _("Test on {title}").format(title=plain(entry.title)),
        key=f"test_{run.id}",
        type="primary",
        icon=":material/science:",
        disabled=bool(misfit) or (this is not None and not this.final),
        on_click=_start,
        args=(model.name, entry.name, part),
    )
    if error := state.take("test_error"):
        st.error(error, icon=":material/error:")
    if this:
        _show(this)
    _earlier([test for test in tests if test.accuracy is not None])


def _set(run: Run, model: PredictorInfo) -> DatasetInfo | None:
    """Choose the set; those with the model's classes come first."""
    own = run.spec.data.target
    entries = [entry for entry in state.targets_on_offer() if entry.form == model.form and entry.name != own]
    if not entries:
        st.info(_("There is no other set that this model can read. Add one on the Data page."))
        st.page_link("data.py", label=_("Open Data"), icon=":material/folder:")
        return None
    entries.sort(key=lambda entry: bool(new_data.misfit(model.class_names, model.form, entry)))
    names = {entry.name: entry for entry in entries}
    chosen = st.selectbox(_("Set"), list(names), format_func=lambda name: names[name].title, key=f"test_set_{run.id}")
    return names[chosen]


def _tests(model: str) -> list[Run]:
    """Return this person's tests of a model, newest first."""
    tests = state.access().runs(kind=EvaluateSpec.kind, limit=MOST_TESTS)
    return [test for test in tests if isinstance(test.spec, EvaluateSpec) and test.spec.model == model]


def _is_of(test: Run, target: str, part: Part) -> bool:
    return isinstance(test.spec, EvaluateSpec) and (test.spec.target, test.spec.part) == (target, part)


def _start(model: str, target: str, part: Part) -> None:
    try:
        state.start(asked(model, target, state.lab().folder, part))
    except LabError as error:
        state.put(test_error=tell(error))


def _show(test: Run) -> None:
    """Show a test in whatever state it is: progress and Stop, or accuracy, confusion and worst answers."""
    if not test.final and st.button(_("Stop"), key=f"stop_{test.id}", icon=":material/stop:"):
        state.access().stop(test.id)
    result = test.result
    if not test.final or test.state != "done" or not isinstance(result, EvaluateResult) or result.test is None:
        run_view.show(test, f"tested_{test.id}", heading=False)
        return
    own = own_test(test.spec)  # type: ignore[arg-type]
    st.markdown(f"### {balanced(percent(result.test.headline), result.test.balanced)}")
    words = interval(result.test), measure(result.test, result.class_names), shown(left_out_words(result))
    st.caption(" ".join(filter(None, words)))
    if own:
        st.markdown(against_own(result.test, own))
    left, right = st.columns(2, gap="medium")
    with left:
        show_figure(
            plots.confusion(result.test.confusion, result.class_names),
            key=f"new_confusion_{test.id}",
            alt=_("Confusion matrix: true classes in rows, answers in columns"),
        )
    with right:
        worst_answers(opened(test, "model"))
    tuned.test_uses(test)
    if st.button(_("Open this test"), key=f"open_test_{test.id}", icon=":material/open_in_new:"):
        run_view.open_run(test)


def _earlier(tests: Sequence[Run]) -> None:
    """Show how the model did on every set that it was tested on."""
    if len(tests) < 2:
        return
    st.markdown(ngettext("**{n} test of this model**", "**{n} tests of this model**", len(tests)).format(n=len(tests)))
    st.dataframe(
        [
            {
                _("set"): target(test.spec.data),
                _("accuracy"): 100 * (test.accuracy or 0.0),
                _("95 % interval"): between(*test.result.test.interval),
                _("images"): test.result.test.n,
                _("when"): when(test.finished),
            }
            for test in tests
            if test.result.test
        ],
        hide_index=True,
        column_config={_("accuracy"): st.column_config.NumberColumn(format=PERCENT)},
        alt=_("Every set that this model was tested on, with its accuracy"),
    )
