"""Finished heads opened up: the SVM as a sum beside the dual problem it solved, the forest tree by tree."""

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from pages.ui.charts import plots
from pages.ui.charts.figure import show_figure
from pages.ui.inputs.answers import gallery
from pages.ui.inputs.pictures import address
from pages.ui.session import state
from pages.ui.words.names import head_on
from pages.ui.words.numbers import percent
from pages.ui.words.text import _, plain, tell
from tlcore.errors import LabError
from tlcore.heads import HEADS
from tlcore.inspection import N_CHOICES, Choices, Dual, OpenedForest, OpenedSVM, forest, svm
from tlcore.spec import HeadRow
from tlcore.store import Run

from .inside import asked

MOST_PICTURES = 24
# In lines of their own: a phone is 360 px wide.
DUAL = (
    r"\begin{gathered} \max_{\alpha}\; W(\alpha) = \sum_i \alpha_i \\"
    r"-\, \tfrac12 \sum_i \sum_j \alpha_i \alpha_j\, y_i y_j\, K(x_i, x_j) \\"
    r"\text{s.t.}\quad 0 \le \alpha_i \le C, \quad \sum_i \alpha_i y_i = 0 \end{gathered}"
)


@st.fragment
def open_heads(run: Run) -> None:
    """Show the SVMs and forests of a finished run from inside, folded; nothing is computed before it is opened."""
    parts = {
        "svm": (_("Inside the SVM: its support vectors and the problem it solved"), _svm),
        "forest": (_("Inside the forest: its trees, one by one"), _forest),
    }
    for name, (words, show) in parts.items():
        files = {row.file: row for row in run.result.heads if row.head in HEADS and HEADS[row.head].opens == name}
        if not files:
            continue
        box = st.expander(words, key=f"open_{name}_{run.id}", icon=":material/frame_inspect:", on_change="rerun")
        if box.open:
            with box:
                file = _which(run, name, files)
                try:
                    show(run, file)
                except LabError as error:
                    st.warning(tell(error))


def _which(run: Run, name: str, files: Mapping[str, HeadRow]) -> str:
    hand = getattr(run.spec, "by_hand", ())
    titles = {file: head_on(row.head, row.input, hand) for file, row in files.items()}
    if len(titles) == 1:
        return next(iter(titles))
    return st.selectbox(_("Head"), list(titles), format_func=titles.__getitem__, key=f"opened_{name}_{run.id}")


def _svm(run: Run, file: str) -> None:
    names, key = run.result.class_names, f"{run.id}_{file}"
    a, b = st.columns(2)
    first = a.selectbox(_("This class (y = +1)"), range(len(names)), format_func=names.__getitem__, key=f"plus_{key}")
    others = [i for i in range(len(names)) if i != first]
    second = b.selectbox(_("against (y = −1)"), others, format_func=names.__getitem__, key=f"minus_{key}")
    choice = int(state.get(f"image_{key}") or 0)
    found: OpenedSVM = asked(svm.opened, run.id, file, (first, second), choice, str(state.lab().folder))
    which_machine(found)
    _pick(
        found.choices,
        names,
        f"image_{key}",
        _("Under each image, what the machine says of it: above 0 is {name}."),
        names[first],
    )
    svm_sum(found, names, first, second, f"formula_{key}")
    _dual(found.dual, found.C)


def which_machine(found: OpenedSVM) -> None:
    """Say in what the machine that is shown is the head's own."""
    words = (
        _(
            "An RBF SVM of several classes is one machine for every pair. The one for these two is solved again here, "
            "with the head's settings."
        )
        if found.exact
        else _(
            "The linear head is fitted one class against the rest and keeps weights instead of alphas (LinearSVC, "
            "squared hinge). So a machine with its kernel, scaling and C is fitted to this pair and opened here."
        )
    )
    if found.exact and found.n == found.n_all:
        words += " " + _(
            "It is fitted on the same images, so its answers are those of the head's own machine, up to the solver's "
            "tolerance."
        )
    if found.n < found.n_all:
        words += " " + _("To stay quick it sees {n:,} of the pair's {total:,} images.").format(
            n=found.n, total=found.n_all
        )
    st.caption(words)


def _pick(choices: Choices, names: Sequence[str], key: str, words: str, name: str = "") -> None:
    """Show the test images to pick from, with what the head says under each."""
    values = [f"{names[label]}: {value:+.2f}" if name else f"{names[label]}: {percent(value, 0)}" for label, value in
              zip(choices.labels, choices.values, strict=True)]  # fmt: skip
    numbers = [f"{i + 1}" for i in range(len(values))]
    st.html(gallery(choices.images, [f"{n} · {value}" for n, value in zip(numbers, values, strict=True)]))
    st.caption(
        _(
            "Test images, each with its true class first. The first {n} are in their usual order, the rest are the "
            "hardest ones."
        ).format(n=N_CHOICES // 2)
        + " "
        + words.format(name=plain(name))
    )
    st.pills(
        _("Which image"),
        range(len(values)),
        format_func=numbers.__getitem__,
        default=0,
        required=True,
        key=key,
        wrap=True,
    )


def svm_sum(
    found: OpenedSVM, names: Sequence[str], first: int, second: int, key: str, most: int = MOST_PICTURES
) -> None:
    """Show the decision as a sum over support vectors, the weightiest ``most`` of them as pictures."""
    st.markdown(_("**The answer is a sum over support vectors**"))
    terms = found.weights * found.kernels
    m = len(terms)
    with st.container(key=key):
        st.latex(r"f(x) = \sum_i \alpha_i y_i\, K(x_i, x) + b")
        st.latex(
            rf"\begin{{aligned}} f(x) &= {terms.sum():.6f} {found.intercept:+.6f} \\"
            rf"&= {found.shown_sum:.6f} \end{{aligned}}"
        )
    answer = names[first] if found.shown_sum > 0 else names[second]
    st.caption(
        _(
            "{m} of {n:,} training images are support vectors, {limit} of them at the limit C = {C:g}. The sum says "
            "**{answer}**. scikit-learn's decision_function says {value:.6f}; the two differ by {gap:.1e}."
        ).format(
            m=m,
            n=found.n,
            limit=found.n_at_limit,
            C=found.C,
            answer=plain(answer),
            value=found.decision,
            gap=abs(found.shown_sum - found.decision),
        )
    )
    shown = slice(0, most)
    captions = [f"{names[label]}: {term:+.3f}" for label, term in zip(found.labels[shown], terms[shown], strict=True)]
    st.html(gallery(found.vectors[shown], captions))
    st.caption(
        _("The {n} support vectors that weigh most on this image, with their class and their term in the sum.").format(
            n=min(m, most)
        )
    )
    with st.popover(_("All {n} terms").format(n=m)):
        st.dataframe(
            {
                _("image"): [address(image) for image in found.vectors],
                _("class"): [names[label] for label in found.labels],
                "α·y": found.weights,
                "K(xᵢ, x)": found.kernels,
                "α·y·K": terms,
            },
            hide_index=True,
            column_config={_("image"): st.column_config.ImageColumn(width="small")}
            | {name: st.column_config.NumberColumn(format="%.6f") for name in ("α·y", "K(xᵢ, x)", "α·y·K")},
        )


def _dual(found: Dual, C: float) -> None:
    """The dual problem in full, beside its live values."""
    st.markdown(_("**The problem it solved, in full**"))
    st.latex(DUAL)
    gap = found.primal - found.value
    rows = [
        (_("sum of the alphas"), "Σ αᵢ", f"{found.sum_alpha:.6f}"),
        (_("double sum, all i and j"), "ΣΣ αᵢ αⱼ yᵢ yⱼ K", f"{found.quadratic:.6f}"),
        (_("of which the terms with i = j"), "Σ αᵢ² K(xᵢ, xᵢ)", f"{found.diagonal:.6f}"),
        (_("the objective, first line minus half the second"), "W(α)", f"{found.value:.6f}"),
        (_("every alpha lies between 0 and C"), "0 ≤ αᵢ ≤ C", f"{found.smallest:.6f} … {found.largest:.6f} ≤ {C:g}"),
        (_("the alphas of both classes balance"), "Σ αᵢ yᵢ", f"{found.balance:.1e}"),
        (_("how far the optimality (KKT) conditions are missed"), "≤ 0.001", f"{found.residual:.1e}"),
        (_("the primal objective, never below the dual one"), "½‖w‖² + C Σ ξᵢ", f"{found.primal:.6f} (+{gap:.1e})"),
    ]
    labels = (_("what"), _("formula"), _("value"))
    st.table([dict(zip(labels, row, strict=True)) for row in rows])
    st.caption(
        _(
            "The article leaves out the sum of the alphas, the terms with i = j and both constraints. Without the "
            "first the best answer would be all zeros."
        )
    )


def _forest(run: Run, file: str) -> None:
    names, key = run.result.class_names, f"{run.id}_{file}"
    choice = int(state.get(f"image_{key}") or 0)
    found: OpenedForest = asked(forest.opened, run.id, file, choice, str(state.lab().folder))
    _pick(found.choices, names, f"image_{key}", _("Under each image, how sure the forest is of its answer."))
    forest_votes(found, names, key)


def forest_votes(found: OpenedForest, names: Sequence[str], key: str) -> None:
    """Show the trees' votes and their average, which is the forest's answer."""
    n, average = len(found.trees), found.trees.mean(axis=0)
    votes = np.bincount(found.trees.argmax(axis=1), minlength=len(names))
    st.markdown(
        _("**{n} trees, one answer: {answer}**").format(n=n, answer=plain(names[int(found.probabilities.argmax())]))
    )
    labels = (_("class"), _("trees that vote for it"), _("average of the trees"), "predict_proba")
    st.table(
        [
            dict(zip(labels, (name, f"{vote}", f"{mean:.6f}", f"{p:.6f}"), strict=True))
            for name, vote, mean, p in zip(names, votes, average, found.probabilities, strict=True)
        ]
    )
    st.caption(
        _(
            "The forest averages its trees' probabilities instead of counting votes, so a tree that is unsure counts "
            "less. The average and predict_proba differ by at most {gap:.1e}."
        ).format(gap=float(np.abs(average - found.probabilities).max()))
    )
    running = found.trees.cumsum(axis=0) / np.arange(1, n + 1)[:, None]
    show_figure(
        plots.running_average(running, names),
        key=f"trees_{key}",
        alt=_("The average of the first trees, class by class, as more trees are added"),
    )
    with st.popover(_("Every tree's answer")):
        st.dataframe(
            {_("tree"): range(1, n + 1), _("votes for"): [names[i] for i in found.trees.argmax(axis=1)]}
            | {name: found.trees[:, i] for i, name in enumerate(names)},
            hide_index=True,
            column_config={name: st.column_config.NumberColumn(format="%.3f") for name in names},
        )
