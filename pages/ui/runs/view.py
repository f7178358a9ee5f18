"""One run on a page, in whatever state it is: waiting, running, done, stopped or failed."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import streamlit as st

from pages.ui.charts import plots
from pages.ui.components.copy_link import copy_link
from pages.ui.components.film import film, has_film
from pages.ui.components.live_chart import LiveRun, Rule, live_chart
from pages.ui.evidence import sweep as sweep_view
from pages.ui.session import state
from pages.ui.words import names
from pages.ui.words.text import _, ngettext, plain, shown, tell
from tlcore import datasets, jobs, prediction, sources
from tlcore.errors import LabError
from tlcore.evidence import sweeps
from tlcore.exports import export
from tlcore.features import freezing
from tlcore.heads import CURVES, HEADS, LOSSES
from tlcore.recipes import article_recipe
from tlcore.sentences import percent, spread
from tlcore.spec import (
    NETWORK,
    Evaluation,
    ExampleResult,
    ExampleSpec,
    FineTuneResult,
    FineTuneSpec,
    HeadSpec,
    HeadsResult,
    ProofRow,
    Spec,
    SweepResult,
    SweepSpec,
)
from tlcore.store import Run

from . import example as example_view

# Plotly's own default offers to send the data to a server of theirs.
PLOT = {"displayModeBar": False, "displaylogo": False, "showSendToCloud": False}

BADGES: dict[str, Any] = {
    "queued": ("gray", ":material/schedule:"),
    "running": ("blue", ":material/play_arrow:"),
    "done": ("green", ":material/check:"),
    "stopped": ("orange", ":material/stop:"),
    "failed": ("red", ":material/error:"),
}


def stopping(kind: str) -> str:
    """Return what happens to a run of that kind after Stop."""
    return {
        FineTuneSpec.kind: _("Stopping after the current batch; what was learned so far is kept."),
        HeadSpec.kind: _("Stopping. The heads that are finished are kept."),
        ExampleSpec.kind: _("Stopping after the current batch. The example has a result only at its end."),
        SweepSpec.kind: _("Stopping. Every finished experiment is kept, and the sweep can be continued later."),
    }[kind]


def title(run: Run) -> str:
    """Return a run's name, or one made from what it does."""
    return run.name or describe(run.spec)


def describe(spec: Spec) -> str:
    """Return what a spec does in a few words."""
    if isinstance(spec, ExampleSpec):
        return _("Keras' own example, mnist_transfer_cnn")
    if isinstance(spec, SweepSpec):
        return _("Sweep → {target}: {n:,} experiments").format(
            target=datasets.info(spec.target).title, n=len(sweeps.plan(spec))
        )
    per_class = _("all images") if spec.data.per_class is None else _("{n} per class").format(n=spec.data.per_class)
    target = datasets.info(spec.data.target).title
    source = sources.info(spec.source).title
    if isinstance(spec, HeadSpec):
        heads = (
            ", ".join(names.heads()[name] for name in spec.heads)
            if len(spec.heads) < 3
            else _("{n} heads").format(n=len(spec.heads))
        )
        return _("{heads} on {layer} of {source} → {target}, {n}").format(
            heads=heads, layer=spec.layer, source=source, target=target, n=per_class
        )
    if not isinstance(spec, FineTuneSpec):
        return jobs.describe(spec)
    if _is_the_articles(spec):
        return _("The article's recipe → {target}").format(target=target)
    frozen = freezing.words(spec.source, spec.phases[-1].frozen)
    if len(spec.phases) > 1:
        frozen = _("{frozen}, two phases").format(frozen=frozen or _("nothing"))
    if spec.source == "random" and not frozen:
        return _("From scratch → {target}, {n}").format(target=target, n=per_class)
    return _("{source}, frozen: {frozen} → {target}, {n}").format(
        source=source, frozen=frozen or _("nothing"), target=target, n=per_class
    )


def _is_the_articles(spec: FineTuneSpec) -> bool:
    plain = replace(spec, seed=0, film=False, data=replace(spec.data, seed=0))
    with suppress(LabError):  # layers that its source no longer has
        return freezing.canonical(plain, sources.info(spec.source).layers) == article_recipe()
    return False


def run_rows(runs: Sequence[Run]) -> None:
    """Show runs as a short list: what, state, accuracy, and a way to open each."""
    for run in runs:
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"row_{run.id}"):
            colour, icon = BADGES[run.state]
            st.badge(names.states()[run.state], color=colour, icon=icon)
            st.markdown(plain(title(run)), width="stretch")
            found = run.accuracy
            st.markdown(f"**{percent(found)}**" if found is not None else "–")
            if st.button(_("Open"), key=f"open_{run.id}"):
                open_run(run)


def open_run(run: Run) -> None:
    """Go to the Runs page with this run open."""
    state.watch("run", run.id)
    st.switch_page("runs.py")


def show(run: Run, slot: str) -> Run:
    """Show a run with its curves, and Stop while it goes; return it as it stands."""
    colour, icon = BADGES[run.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        if not has_chart(run):  # a chart says the state itself
            st.badge(names.states()[run.state], color=colour, icon=icon)
        st.markdown(f"**{plain(title(run))}**", width="stretch")
        mine = state.person().owns(run)
        if (
            mine
            and not run.final
            and st.button(_("Stop"), key=f"stop_{slot}", icon=":material/stop:", shortcut="Alt+S")
        ):
            state.access().stop(run.id)
            st.toast(stopping(run.kind))
        about = _("Whoever has this address can watch the run and download its result, and change nothing.")
        copy_link(state.link(run, slot), key=f"link_{slot}", about=about)
    if not mine and run.owner:
        st.caption(_("Shared by link: you can watch this run; who started it, or the host, can stop and change it."))
    elif not mine:
        st.caption(_("Everybody can watch this run; the host of this lab can stop and change it."))
    if run.state == "queued" and not has_chart(run) and (ahead := state.lab().store.ahead(run.id)):
        words = ngettext("Waiting: {n} run comes before this one.", "Waiting: {n} runs come before this one.", ahead)
        wait = state.lab().forecast.wait_s(run.id)
        start = (
            _("It starts by itself.")
            if wait is None or wait < 1
            else _("It starts by itself, in about {seconds:.0f} s.")
        )
        st.info(words.format(n=ahead) + " " + start.format(seconds=wait))
    if has_chart(run):
        curves(run, slot)
    elif not run.final:
        progress(run.id)
    if run.state == "failed" and not has_chart(run):
        st.error(plain(shown(run.error)), icon=":material/error:")
    if run.state == "stopped" and run.error and not has_chart(run):
        st.info(plain(shown(run.error)))
    if run.state == "stopped" and not run.stored and run.kind != SweepSpec.kind:  # a sweep's experiments are kept
        st.info(_("Stopped before anything was finished, so there is no result to show."))
    return run


def has_chart(run: Run) -> bool:
    """Return whether a run measures curves; those of a comparison would be too many."""
    return isinstance(run.spec, FineTuneSpec) or (isinstance(run.spec, HeadSpec) and run.spec.curves)


@st.fragment(run_every=0.7)
def progress(run_id: str) -> None:
    """Show how far a run without curves is; when it ends, the page runs again."""
    run = state.lab().store.get(run_id)
    if run.final:
        st.rerun()
    now = run.progress
    words = _("step {step} of {n}").format(step=now.step, n=now.n_steps)
    if now.message:
        words = _("{step}: {message}").format(step=words, message=shown(now.message))
    if now.left_s is not None:
        words += _(", about {seconds:.0f} s left").format(seconds=now.left_s)
    st.progress(now.step / max(now.n_steps, 1), text=plain(words))


def curves(run: Run, slot: str) -> None:
    """Show the live chart of a run; when it ends while shown, the page runs again."""
    spec = run.spec
    labels: dict[str, Any] = {"label": _("Loss and accuracy of {run}").format(run=title(run))}
    if isinstance(spec, FineTuneSpec):
        ends = [sum(phase.epochs for phase in spec.phases[:count]) for count in range(1, len(spec.phases))]
        rules = [
            Rule(x, _("frozen: {names}").format(names=freezing.words(spec.source, phase.frozen) or _("nothing")))
            for x, phase in zip(ends, spec.phases[1:], strict=True)
        ]
        labels |= {"x_max": float(spec.epochs), "rules": rules}
    elif isinstance(spec, HeadSpec) and len(spec.heads) == 1:
        card = HEADS[spec.heads[0]]
        labels |= {
            "x_title": shown(CURVES[card.curve]).capitalize(),
            "loss_title": shown(LOSSES[card.loss]).capitalize(),
        }
    else:
        labels |= {"x_title": _("Training images, trees or epochs"), "loss_title": _("Loss of each head")}
    url = f"/api/runs/{run.id}/metrics"
    live_chart(f"chart_{slot}", runs=[LiveRun(run.id, url, state=run.state)], **labels)


def fine_tune_result(run: Run) -> None:
    """Show what a finished fine-tuning reached: test accuracy, cost, proof, confusion."""
    result = run.result
    assert isinstance(result, FineTuneResult) and result.test is not None
    test = result.test
    a, b, c = st.columns(3)
    a.metric(_("Test accuracy"), percent(test.accuracy), help=interval_words(test), border=True)
    b.metric(_("Training time"), f"{result.fit_s:.1f} s", border=True)
    share = result.n_trainable / result.n_weights
    c.metric(_("Weights that trained"), percent(share), border=True)
    st.caption(
        interval_words(test)
        + " "
        + _(
            "{speed:,.0f} training images a second on {device}; the first step, with compiling, took {first:.1f} s."
        ).format(speed=result.images_per_s, device=result.device, first=result.first_step_s)
        + " "
        + plain(shown(result.reason))
    )
    if resumed := result.resumed_after:
        words = _("Its process was lost on the way: it went on after epoch {epochs}, with the same result.")
        st.caption(words.format(epochs=", ".join(map(str, resumed))))
    proof_badge(result.proof)
    with st.expander(_("Confusion matrix"), expanded=False):
        st.plotly_chart(
            plots.confusion(test.confusion, result.class_names),
            key=f"confusion_{run.id}",
            config=PLOT,
            alt=_("Confusion matrix: true classes in rows, answers in columns"),
        )
    if has_film(run):
        st.subheader(_("Film of its epochs"), anchor=False)
        film(run, f"film_{run.id}")
    download(run, NETWORK, _("Download the model"))


def interval_words(test: Evaluation) -> str:
    """Return an accuracy with its interval as a sentence."""
    return _("Measured on {n:,} test images never trained on; 95 % interval {low} to {high}.").format(
        n=test.n, low=percent(test.low), high=percent(test.high)
    )


def proof_badge(rows: Sequence[ProofRow]) -> None:
    """Say whether every frozen layer stayed equal and every trained one changed, layer by layer."""
    if not rows:
        st.info(_("Stopped before the first batch: no weight was trained, so there is nothing to prove."))
        return
    wrong = sorted({row.layer for row in rows if not row.ok})
    if wrong:
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
        return _("the weights of all {n} layers are bit for bit unchanged").format(n=frozen)
    words = _("the weights of {n} frozen layers are bit for bit unchanged, those of {m} trained layers changed")
    return words.format(n=frozen, m=trained)


def head_result(run: Run) -> None:
    """Show what one finished head reached, its confusion matrix folded."""
    result = run.result
    assert isinstance(result, HeadsResult)
    if not result.rows:
        st.info(_("Stopped before the first head was finished."))
        return
    for line in result.table:
        a, b, c = st.columns(3)
        a.metric(_("Test accuracy"), percent(line.mean), border=True)
        b.metric(_("Fit time"), f"{line.fit_s:.2f} s", border=True)
        c.metric(_("Features"), f"{line.n_features:,}", border=True)
    intervals = "; ".join(f"{percent(row.low)} to {percent(row.high)}" for row in result.rows)
    st.caption(
        _("Accuracy on {n:,} test images never trained on; 95 % interval {intervals}.").format(
            n=result.rows[0].n, intervals=intervals
        )
        + " "
        + _("The features of {layer} took {seconds:.1f} s and {mb:.1f} MB. The backbone is frozen whole.").format(
            layer=result.layer, seconds=result.extract_s, mb=result.features_mb
        )
    )
    for row in result.rows:
        if row.file:
            with st.expander(_("Confusion matrix: {head}").format(head=names.heads()[row.head])):
                st.plotly_chart(
                    plots.confusion(row.confusion, result.class_names),
                    key=f"confusion_{run.id}_{row.file}",
                    config=PLOT,
                    alt=_("Confusion matrix: true classes in rows, answers in columns"),
                )


def show_result(run: Run) -> None:
    """Show the result of a run that ended with one."""
    result = run.result
    if isinstance(result, FineTuneResult) and result.test:
        fine_tune_result(run)
    elif isinstance(result, SweepResult):
        sweep_view.result(run)
    elif isinstance(result, ExampleResult) and result.test:
        example_view.result(result)
    elif isinstance(result, HeadsResult) and len(result.table) > 1:
        head_comparison(run)
    elif isinstance(result, HeadsResult) and run.stored:
        head_result(run)


def download(run: Run, file: str, label: str, key: str = "") -> None:
    """Offer one of a run's files, checked against the hash the run stored; a damaged one is said, and nothing else."""
    if file not in run.result.files:
        return
    try:
        path = prediction.checked_file(run, file, state.lab().folder)
    except LabError as error:
        st.warning(tell(error))
        return
    st.download_button(
        label,
        path.read_bytes,
        file_name=f"{run.id[:6]}-{path.name}",
        key=f"download_{key or run.id}_{file}",
        icon=":material/download:",
        on_click="ignore",
    )


def when(seconds: float | None) -> str:
    """Return a time in the server's zone, to the minute."""
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M") if seconds else "–"


def head_comparison(run: Run) -> None:
    """Show the table of heads, best first, the bars, and SVM beside random forest."""
    result = run.result
    assert isinstance(result, HeadsResult)
    lines = result.table
    tied = [line for line in lines if line.best]
    titles = names.heads()
    if len(tied) > 1:
        st.info(
            _("No clear winner: the lead of the best is within the noise of {n} of its rivals (marked ★).").format(
                n=len(tied) - 1
            )
        )
    st.dataframe(
        [
            {
                "": "★" if line.best else "",
                _("head"): titles[line.head],
                _("fitted on"): names.inputs()[line.input],
                _("accuracy"): spread(line.mean, line.sd),
                _("fit seconds"): line.fit_s,
                _("ms per image"): line.ms_per_image,
                _("MB"): line.mb,
                _("features"): line.n_features,
                _("seeds"): line.n_seeds,
            }
            for line in lines
        ],
        hide_index=True,
        column_config={
            _("fit seconds"): st.column_config.NumberColumn(format="%.3f"),
            _("ms per image"): st.column_config.NumberColumn(format="%.3f"),
            _("MB"): st.column_config.NumberColumn(format="%.2f"),
        },
        height="content",
        alt=_("Heads with accuracy, times and size, best first"),
    )
    st.caption(
        _(
            "{n:,} × {d:,} features of {layer} to learn from; with those of the test images, {mb:.1f} MB, they were "
            "ready in {seconds:.1f} s and are kept for the next run. "
            "Each head learned from {m:,} images; accuracy ± standard deviation over {k} seeds, "
            "each on {t:,} test images."
        ).format(
            n=result.n_trained,
            d=result.n_features,
            layer=result.layer,
            seconds=result.extract_s,
            mb=result.features_mb,
            m=result.n_trained,
            k=lines[0].n_seeds,
            t=result.rows[0].n,
        )
    )
    st.plotly_chart(
        plots.head_bars(lines, titles, names.inputs()),
        key=f"bars_{run.id}",
        config=PLOT,
        alt=_("Test accuracy of every head"),
    )
    pair = [
        row
        for row in result.rows
        if row.file and row.input == "features" and row.head in ("linear_svm", "random_forest")
    ]
    if len(pair) == 2:
        st.subheader(_("SVM beside random forest"), anchor=False)
    for column, row in zip(st.columns(2), pair, strict=False):
        with column:
            st.plotly_chart(
                plots.confusion(row.confusion, result.class_names, titles[row.head]),
                key=f"pair_{run.id}_{row.head}",
                config=PLOT,
                alt=_("Confusion matrix of {head}").format(head=titles[row.head]),
            )


def downloads(run: Run) -> None:
    """Offer everything a run left: model, heads, metrics, settings."""
    with st.container(horizontal=True):
        for file in run.result.files:
            if file != run.result.network:
                download(run, file, _("Download {file}").format(file=file.removeprefix("heads/")), key=f"all_{run.id}")
        st.download_button(
            _("Metrics (CSV)"),
            lambda: export.metrics_csv(state.lab().store.points(run.id)),
            file_name=f"{run.id[:6]}-metrics.csv",
            mime="text/csv",
            key=f"csv_{run.id}",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            _("Settings and result (JSON)"),
            lambda: export.run_json(run),
            file_name=f"{run.id[:6]}.json",
            mime="application/json",
            key=f"json_{run.id}",
            icon=":material/download:",
            on_click="ignore",
        )


def settings(run: Run) -> None:
    """Show what a run was asked to do, and with which versions and data."""
    with st.expander(_("Settings, versions and data")):
        st.code(export.run_json(run, result=False), language="json")
        if not state.person().owns(run):
            st.caption(plain(run.note) or _("No note."))
            return
        st.text_input(_("Name"), run.name, key=f"name_{run.id}", max_chars=80, on_change=_rename, args=(run.id, "name"))
        st.text_area(
            _("Note"), run.note, key=f"note_{run.id}", max_chars=2000, on_change=_rename, args=(run.id, "note")
        )


def _rename(run_id: str, field: str) -> None:
    state.access().annotate(run_id, **{field: state.get(f"{field}_{run_id}", "")})
