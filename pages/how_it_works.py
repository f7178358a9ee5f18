"""The article's mathematics, every formula beside the numbers of a real run."""

import plotly.graph_objects as go
import streamlit as st

from pages.ui import at_a_glance, frame
from pages.ui.charts import lesson_charts, plots
from pages.ui.charts.figure import show_figure
from pages.ui.components.descent import descent
from pages.ui.runs.words import describe, title
from pages.ui.session import state
from pages.ui.words.numbers import percent
from pages.ui.words.text import _, plain, tell
from tlcore.errors import LabError
from tlcore.features import freezing
from tlcore.inspection import lesson
from tlcore.inspection.lesson import RATES, Lesson

frame.heading(
    _("How it works"),
    _("The mathematics behind the curves. Every number below comes from one real run; pick your own."),
)


def pick() -> Lesson:
    """Show which run the numbers are of; return its lesson, the recorded one where there is none or it fails."""
    access = state.access()
    runs = [run for kind in lesson.kinds() for run in access.runs(kind=kind, states=("done", "stopped"), limit=30)]
    titles = {run.id: title(run) for run in runs if lesson.teaches(run)}
    known = lesson.recorded()
    names = {"": _("Recorded: {run}").format(run=describe(known.settings))} | titles
    chosen = st.selectbox(_("Numbers from"), list(names), format_func=names.__getitem__, key="lesson_run")
    if chosen:
        try:
            with st.spinner(_("Taking the run's first step again. A few seconds.")):
                return state.lesson_of(chosen)
        except LabError as error:
            st.warning(tell(error))
    else:
        st.caption(
            _("Recorded on {date} by `{command}` with Keras {keras}. {hint}").format(
                date=known.made,
                command=known.command,
                keras=dict(known.versions)["keras"],
                hint=_("Runs of your own are in the list.")
                if titles
                else _("Runs you train will appear in this list."),
            )
        )
    return known


def figure(chart: go.Figure, key: str, alt: str) -> None:
    show_figure(chart, key, alt)


def _lines(*formulas: str) -> str:
    """Return formulas one below the other, so that a phone shows them whole."""
    return r"\begin{gathered} " + r" \\ ".join(formulas) + r" \end{gathered}"


def objective(shown: Lesson) -> None:
    st.header(_("1 · What training minimises"), anchor=False)
    n, k = len(shown.labels), len(shown.class_names)
    st.markdown(
        _(
            "The network gives every class a probability, its share of 100 %. The loss looks at the share of the "
            "**true** class only: sure "
            "and right costs 0; sure and wrong costs without limit. Each point is an image of the first batch."
        )
    )
    figure(lesson_charts.costs(shown.shares, shown.loss), "lesson_costs", _("What each image of the batch costs"))
    st.latex(r"J(w) \;=\; -\frac{1}{B} \sum_{i=1}^{B} \log p_w(y_i \mid x_i)")
    st.markdown(_("The mean over the batch is the objective, called cross-entropy. Training minimises it."))
    a, b, c = st.columns(3)
    a.metric(_("Images in the batch, B"), f"{n}", border=True)
    b.metric(_("Loss of the first batch, J"), f"{shown.loss:.3f}", border=True)
    c.metric(_("After the whole run"), f"{shown.trained_loss:.3f}", border=True)
    st.caption(_("Guessing among {k} classes costs log {k} = {guess:.3f}.").format(k=k, guess=lesson.cost(1 / k)))
    with st.expander(_("The {n} terms of this sum").format(n=n)):
        rows = zip(shown.labels, shown.shares, strict=True)
        st.dataframe(
            [
                {
                    _("true class"): shown.class_names[label],
                    _("its share p"): share,
                    _("−log p"): lesson.cost(share),
                }
                for label, share in rows
            ],
            hide_index=True,
        )


def step(shown: Lesson) -> int:
    """Show one step at a rate that a person picks; return its place in ``RATES``."""
    st.header(_("2 · One step downhill"), anchor=False)
    st.markdown(
        _(
            "The gradient says how the loss changes with every single weight. A step goes against it; the learning "
            "rate η says how far. Take the steps, then try a rate that is too small and one that is too large."
        )
    )
    rate = st.select_slider(
        _("Learning rate η"), RATES, value=0.01, format_func=lambda value: f"{value:g}", key="lesson_rate"
    )
    place = RATES.index(rate)
    if shown.walk:
        descent(shown.walk, RATES, place, "lesson_walk")
        st.caption(
            _(
                "Measured on this network: the loss of its first batch along the line on which it falls fastest at the "
                "start. The first step is the one that training takes; the next ones stay on this line, so that they "
                "can be drawn."
            )
        )
    st.latex(r"w \;\leftarrow\; w - \eta\, \frac{\partial J}{\partial w}")
    left, right = st.columns([1, 1], gap="large")
    with left:
        st.markdown(_("**The first step in numbers**, at the rate chosen above."))
        a, b = st.columns(2)
        a.metric(_("Loss before"), f"{shown.loss:.3f}", border=True)
        change = shown.losses[place] - shown.loss
        b.metric(_("Loss after"), f"{shown.losses[place]:.3f}", f"{change:+.3f}", "inverse", border=True)
        st.caption(
            _("If the slope stayed the same, the loss would change by {expected:+.3f} (−η ‖∂J/∂w‖²). {word}").format(
                expected=-shown.expected_fall(rate), word=verdict(change, -shown.expected_fall(rate))
            )
        )
    with right:
        figure(
            plots.steps(RATES, shown.losses, shown.loss, place),
            "lesson_steps",
            _("Loss after one step against the learning rate; the line is the loss before"),
        )
    words = _("Plain gradient descent, to keep the formula short.")
    if shown.settings.optimizer != "sgd":
        words += " " + _("{optimizer} also scales each weight's step by its past gradients.").format(
            optimizer=shown.settings.optimizer.capitalize()
        )
    st.caption(words)
    return place


def verdict(change: float, expected: float) -> str:
    """Return in words how the real change compares with the straight slope's."""
    if change > 0:
        return _("The step was too long: the loss rose.")
    if change > 0.5 * expected:
        return _("The slope bends, so the step gave less than half of that.")
    return _("The step was short enough for that to be about right.")


def frozen(shown: Lesson, place: int) -> None:
    st.header(_("3 · What freezing does to the step"), anchor=False)
    figure(
        lesson_charts.frozen_step(shown.layers, place),
        "lesson_frozen",
        _("Every layer's gradient, and how far the step moves it: frozen layers not at all"),
    )
    otherwise = _("where frozen, else")
    st.latex(
        _lines(
            r"w \;\leftarrow\; w - \eta\, m \odot \frac{\partial J}{\partial w}",
            rf"m = 0 \text{{ {otherwise} }} 1",
        )
    )
    st.markdown(
        _(
            "A frozen layer has a gradient too; it is multiplied by 0. Its weights do not move at all. And before the "
            "first layer that trains, the gradient need not even be computed: that is the time freezing saves."
        )
    )
    with st.expander(_("Every layer in numbers")):
        st.dataframe(
            [
                {
                    _("layer"): one.layer,
                    _("state"): _("frozen") if one.frozen else _("trainable"),
                    _("weights"): one.n_weights,
                    "‖∂J/∂w‖": one.gradient,
                    _("moved by ‖Δw‖ at η = {rate:g}").format(rate=RATES[place]): one.moved[place],
                }
                for one in shown.layers
            ],
            hide_index=True,
            alt=_("Gradient and step of every layer"),
        )
    spec = shown.settings
    cost = freezing.of(spec.source, spec.phases[0].frozen).cost
    st.caption(
        _("Here {n:,} of {total:,} weights move, and an image costs {share} less to train on.").format(
            n=sum(one.n_weights for one in shown.layers if not one.frozen),
            total=sum(one.n_weights for one in shown.layers),
            share=percent(1 - cost.share, 0),
        )
    )


def matrix(shown: Lesson) -> None:
    st.header(_("4 · Features are a table"), anchor=False)
    m, d = shown.matrix
    if shown.rows:
        names = [shown.class_names[label] for label in shown.row_labels]
        words = _("A corner of the table of features: a row for each image")
        figure(lesson_charts.table(shown.rows, names), "lesson_table", words)
    rows = r"\begin{pmatrix} \varphi(x_1)^\top \\ \vdots \\ \varphi(x_M)^\top \end{pmatrix}"
    st.latex(_lines(rf"\Phi \;=\; {rows} \in \mathbb{{R}}^{{M \times D}}", rf"M = {m}, \quad D = {d}"))
    st.markdown(
        _(
            "Freeze everything up to a layer, and each image becomes one row: what that layer makes of it. Here "
            "**{layer}** turns M = {m:,} training images into D = {d:,} numbers each, {mb:.1f} MB in all. Any "
            "classifier can learn from such a table."
        ).format(layer=shown.layer, m=m, d=d, mb=m * d * 4 / 2**20)
    )


def svm(shown: Lesson) -> None:
    st.header(_("5 · The support vector machine's problem, in full"), anchor=False)
    if shown.svm.sides:
        figure(
            lesson_charts.margin(shown.svm),
            "lesson_margin",
            _("Where the support vector machine puts its training images, the larger the more they count"),
        )
        st.markdown(
            _(
                "Each point is a training image; the larger, the more the machine counts it (α). It looks for the "
                "widest gap between the two classes: no image should lie between the dotted lines."
            )
        )
    double = r"\sum_{i=1}^{M} \sum_{j=1}^{M} \alpha_i \alpha_j\, y_i y_j\, \varphi(x_i)^\top \varphi(x_j)"
    st.latex(_lines(r"\max_{\alpha}\; \sum_{i=1}^{M} \alpha_i", rf"-\; \frac12 {double}"))
    st.latex(_lines(r"\text{subject to}\quad 0 \le \alpha_i \le C", r"\text{and}\quad \sum_{i=1}^{M} \alpha_i y_i = 0"))
    st.markdown(
        _(
            "The article prints only the double sum. But without Σα the best answer would be to learn nothing (all α = "
            "0), the terms with i = j belong in the double sum, and both constraints are needed. Here is the solution "
            "for a machine that tells **{first}** from **{second}**, fitted on {n} rows of the table above:"
        ).format(first=shown.svm.pair[0], second=shown.svm.pair[1], n=shown.svm.n)
    )
    dual = shown.svm.dual
    rows = [
        (r"\sum \alpha_i", f"{dual.sum_alpha:.4f}", _("what the objective wants large")),
        (r"\tfrac12 \sum_{i = j}", f"{dual.diagonal / 2:.4f}", _("each vector with itself")),
        (r"\tfrac12 \sum_{i \ne j}", f"{(dual.quadratic - dual.diagonal) / 2:.4f}", _("each with the others")),
        (r"\text{dual value}", f"{dual.value:.4f}", _("the first line minus the next two")),
        (r"\text{primal value}", f"{dual.primal:.4f}", _("½‖w‖² + C Σ slack: equal at the solution")),
        (r"\sum \alpha_i y_i", f"{dual.balance:.1e}", _("the second constraint: 0, up to rounding")),
        (r"\min \alpha,\ \max \alpha", f"{dual.smallest:.4f}, {dual.largest:.4f}", _("the first: between 0 and C")),
    ]
    lines = "\n".join(f"| ${term}$ | {value} | {words} |" for term, value, words in rows)
    heads = " | ".join((_("term"), _("value"), _("what it is")))
    st.markdown(f"| {heads} |\n|---|---|---|\n{lines}")
    st.caption(
        _("{k} of {n} images are support vectors (α > 0); C = {c:g}. All others could be thrown away.").format(
            k=shown.svm.n_support, n=shown.svm.n, c=shown.svm.C
        )
    )


def spared(shown: Lesson) -> None:
    """Say what freezing spared in this run, and what it reached all the same."""
    spec = shown.settings
    cost = freezing.of(spec.source, spec.phases[0].frozen).cost
    values = {"before": f"{shown.loss:.2f}", "after": f"{shown.trained_loss:.2f}"}
    if cost.share < 1:
        words = _("Freezing spares {share} of each step, and the loss still falls from {before} to {after}")
    else:
        words = _("Nothing is frozen here, and the loss falls from {before} to {after}")
    more = _("{n:,} of {total:,} weights train.").format(n=cost.n_trainable, total=cost.n_weights)
    with at_a_glance.show("lesson", words.format(share=percent(1 - cost.share, 0), **values), more):
        if st.button(_("Train one yourself"), key="train_one", type="primary", icon=":material/play_arrow:"):
            st.switch_page("train.py")


shown = pick()
spared(shown)
objective(shown)
place = step(shown)
frozen(shown, place)
matrix(shown)
svm(shown)
st.caption(plain(_("Automated tests check every formula here against the code.")))
frame.next_page("train.py", _("Next: train one yourself"))
