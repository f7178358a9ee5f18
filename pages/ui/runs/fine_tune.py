"""A fine-tuning: its epochs, its result and the proof that frozen layers did not change."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import streamlit as st

from pages.ui.charts import plots
from pages.ui.charts.figure import show_figure
from pages.ui.components.film import film
from pages.ui.components.live_chart import Rule
from pages.ui.words.numbers import percent
from pages.ui.words.text import _, plain, shown, titled, unbroken
from tlcore import sources
from tlcore.errors import LabError
from tlcore.features import freezing
from tlcore.jobs.fine_tune import early_words, forgetting_words
from tlcore.recipes import article_recipe, is_scratch
from tlcore.spec import Evaluation, FineTuneResult, FineTuneSpec, Forgetting, ProofRow
from tlcore.store import Run

from .chart import steps_per_epoch
from .downloads import download
from .view import Chart, View
from .words import accuracy_name, beside, interval, measure, per_class, target


class FineTuneView(View[FineTuneSpec, FineTuneResult]):
    offers = ("model",)

    def title(self, spec: FineTuneSpec) -> str:
        source, target_title = titled(sources.info(spec.source).title), target(spec.data)
        if _is_the_articles(spec):
            return _("The article's recipe → {target}").format(target=target_title)
        frozen = freezing.words(spec.source, spec.phases[-1].frozen)
        if len(spec.phases) > 1:
            frozen = _in_phases(frozen or _("nothing"), spec)
        if is_scratch(spec):
            return _("From scratch → {target}, {n}").format(target=target_title, n=per_class(spec.data))
        return _("{source}, frozen: {frozen} → {target}, {n}").format(
            source=source, frozen=frozen or _("nothing"), target=target_title, n=per_class(spec.data)
        )

    def lane(self, spec: FineTuneSpec) -> str:
        if is_scratch(spec):
            return _("From scratch")
        frozen = freezing.words(spec.source, spec.phases[-1].frozen)
        words = _("Frozen: {names}").format(names=frozen) if frozen else _("Nothing frozen")
        return words if len(spec.phases) == 1 else _in_phases(words, spec)

    def cost(self, result: FineTuneResult) -> str:
        words = _("{seconds:.1f} s, {n:,} weights trained.").format(seconds=result.fit_s, n=result.n_trainable)
        return f"{words} {own_task(result.forgetting)}".strip()

    def stopping(self) -> str:
        return _("Stopping after the current batch; what was learned so far is kept.")

    def chart(self, spec: FineTuneSpec) -> Chart:
        """The epochs of all phases, with a line where the next phase begins."""
        ends = [sum(phase.epochs for phase in spec.phases[:count]) for count in range(1, len(spec.phases))]
        rules = [
            Rule(x, _("frozen: {names}").format(names=freezing.words(spec.source, phase.frozen) or _("nothing")))
            for x, phase in zip(ends, spec.phases[1:], strict=True)
        ]
        return Chart(x_max=float(spec.epochs), rules=rules, steps=steps_per_epoch(spec))

    def result(self, run: Run, result: FineTuneResult) -> None:
        """Show test accuracy, cost, proof, confusion and film."""
        if result.test is None:
            return
        if result.cut_short:
            words = _("Stopped after {n:.3g} of {total} epochs; this is the network as it was then.")
            st.info(words.format(n=result.epochs, total=result.n_epochs), icon=":material/stop:")
        if words := early_words(result):
            st.info(shown(words), icon=":material/timer:")
        _numbers(result, result.test)
        proof_badge(result.proof)
        with st.expander(_("Confusion matrix"), expanded=False):
            show_figure(
                plots.confusion(result.test.confusion, result.class_names),
                key=f"confusion_{run.id}",
                alt=_("Confusion matrix: true classes in rows, answers in columns"),
            )
        if self.spec_of(run).film:
            st.subheader(_("Film of its epochs"), anchor=False)
            film(run, f"film_{run.id}")
        download(run, "model")


def own_task(found: Forgetting | None) -> str:
    """Return how well a network knew its source's own task before and after; "" where that was not measured."""
    return _("The source's own task: {change}.").format(change=unbroken(found.change)) if found else ""


def _in_phases(frozen: str, spec: FineTuneSpec) -> str:
    if not all(phase.recompiled for phase in spec.phases):
        return _("{frozen}, {n} phases, not compiled again").format(frozen=frozen, n=len(spec.phases))
    if len(spec.phases) == 2:
        return _("{frozen}, two phases").format(frozen=frozen)
    return _("{frozen}, {n} phases").format(frozen=frozen, n=len(spec.phases))


def _is_the_articles(spec: FineTuneSpec) -> bool:
    plain = replace(spec, seed=0, film=False, data=replace(spec.data, seed=0))
    with suppress(LabError):  # layers that its source no longer has
        return freezing.canonical(plain, sources.info(spec.source).layers) == article_recipe()
    return False


def _numbers(result: FineTuneResult, test: Evaluation) -> None:
    a, b, c = st.columns(3)
    a.metric(accuracy_name(test.balanced), percent(test.headline), help=interval(test), border=True, **beside(test))
    b.metric(_("Training time"), f"{result.fit_s:.1f} s", border=True)
    c.metric(_("Weights that trained"), percent(result.n_trainable / result.n_weights), border=True)
    if words := measure(test, result.class_names):
        st.markdown(words)
    if result.forgetting:
        st.markdown(plain(shown(forgetting_words(result))))
    speed = _("{speed:,.0f} training images a second on {device}; the first step, with compiling, took {first:.1f} s.")
    sentences = [
        interval(test),
        speed.format(speed=result.images_per_s, device=result.device, first=result.first_step_s),
        plain(shown(result.reason)),
        plain(shown(result.not_measured)),
    ]
    if result.bfloat16:
        sentences.append(
            _(
                "The frozen layers were computed in bfloat16. On a processor without it, the same seed gives slightly "
                "different numbers."
            )
        )
    st.caption(" ".join(filter(None, sentences)))
    if result.resumed_after:
        words = _(
            "The training was interrupted after epoch {epochs} and went on from there. "
            "The result is the same as without the interruption."
        )
        st.caption(words.format(epochs=", ".join(map(str, result.resumed_after))))


def proof_badge(rows: Sequence[ProofRow]) -> None:
    """Say whether every frozen layer stayed equal and every trained one changed, layer by layer."""
    if not rows:
        st.info(_("Stopped before the first batch: no weight was trained, so there is nothing to prove."))
        return
    wrong = sorted({row.layer for row in rows if not row.ok})
    if stale := freezing.uncompiled(rows):
        st.warning(plain(shown(stale)), icon=":material/build:")
    elif wrong:
        words = _("Proof failed: {layers} did not do what freezing promised. Please report this.")
        st.error(words.format(layers=", ".join(wrong)), icon=":material/gpp_bad:")
    else:
        phases = sorted({row.phase for row in rows})
        parts = [_proof_words([row for row in rows if row.phase == phase]) for phase in phases]
        if len(parts) > 1:
            words = _("In phase {phase}, {words}.")
            parts = [words.format(phase=phase, words=part) for phase, part in zip(phases, parts, strict=True)]
        st.success(_("Proof: {words}").format(words=" ".join(parts)), icon=":material/verified:")
    with st.expander(_("Hashes of every layer, before and after")):
        st.dataframe(
            [
                {
                    _("phase"): row.phase,
                    _("layer"): row.layer,
                    _("was"): _("frozen") if row.frozen else _("trainable"),
                    _("sha256 before"): row.before,
                    _("sha256 after"): row.after,
                    _("as promised"): "✓" if row.ok else "✗",
                }
                for row in rows
            ],
            hide_index=True,
        )


def _proof_words(rows: Sequence[ProofRow]) -> str:
    frozen = sum(row.frozen for row in rows)
    trained = len(rows) - frozen
    if not frozen:
        return _("nothing was frozen, and the weights of all {m} layers changed").format(m=trained)
    if not trained:
        words = _("no weight of the network was trained; those of all {n} layers are bit for bit unchanged")
        return words.format(n=frozen)
    words = _("the weights of {n} frozen layers are bit for bit unchanged, those of {m} trained layers changed")
    return words.format(n=frozen, m=trained)
