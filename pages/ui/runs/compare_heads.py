"""A comparison of heads: the table with its tie, the bars, and the confusion matrices."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import streamlit as st

from pages.ui.charts import plots
from pages.ui.charts.figure import show_figure
from pages.ui.closer import evaluate, open_heads, together
from pages.ui.session import state
from pages.ui.words import names
from pages.ui.words.numbers import between, percent, spread
from pages.ui.words.text import _, plain, shown, tell, titled, whole_words
from tlcore import datasets, sources
from tlcore.errors import LabError
from tlcore.evidence import recorded_heads
from tlcore.evidence.contest import SEEDS, Contest, Entrant
from tlcore.evidence.recorded_heads import RecordedHeads
from tlcore.heads import CURVES, HEADS, LOSSES
from tlcore.spec import ByHand, HeadMean, HeadSpec, HeadsResult
from tlcore.store import Run

from . import contest, tuned
from .another_task import of_another_task
from .view import Chart, View
from .words import accuracy_name, beside, measure, per_class, target


class HeadsView(View[HeadSpec, HeadsResult]):
    def title(self, spec: HeadSpec) -> str:
        heads = ", ".join(names.head(name, spec.by_hand) for name in spec.heads)
        if len(spec.heads) > 2:
            heads = _("{n} heads").format(n=len(spec.heads))
        return _("{heads} on {layer} of {source} → {target}, {n}").format(
            heads=heads,
            layer=spec.layer,
            source=titled(sources.info(spec.source).title),
            target=target(spec.data),
            n=per_class(spec.data),
        )

    def lane(self, spec: HeadSpec) -> str:
        heads = ", ".join(names.head(name, spec.by_hand) for name in spec.heads)
        return _("{heads} on {layer}").format(heads=heads, layer=spec.layer)

    def stopping(self) -> str:
        return _("Stopping. The heads that are finished are kept.")

    def chart(self, spec: HeadSpec) -> Chart | None:
        """Of a comparison there would be too many curves."""
        if not spec.curves:
            return None
        if len(spec.heads) != 1 or spec.heads[0] not in HEADS:
            return Chart(x_title=_("Training images, trees or epochs"), loss_title=_("Loss of each head"))
        card = HEADS[spec.heads[0]]
        return Chart(x_title=shown(CURVES[card.curve]).capitalize(), loss_title=shown(LOSSES[card.loss]).capitalize())

    def closer(self, run: Run, result: HeadsResult) -> None:
        """Show the numbers behind a comparison, what was tried, every answer, and the heads from inside."""
        if not result.rows:
            return
        numbers(run, self.spec_of(run), result)
        tuned.tried(run, result)
        tuned.test_uses(run)
        evaluate.evaluation_of(run)
        together.one_image(run)
        open_heads.open_heads(run)

    def result(self, run: Run, result: HeadsResult) -> None:
        if not result.rows:
            st.info(_("Stopped before the first head was finished."))
        elif len(result.table) > 1:
            comparison(run, self.spec_of(run), result)
        else:
            _single(run, result)


def _single(run: Run, result: HeadsResult) -> None:
    """Show what one finished head reached, its confusion matrix folded."""
    if not result.rows:
        st.info(_("Stopped before the first head was finished."))
        return
    for line in result.table:
        a, b, c = st.columns(3)
        a.metric(accuracy_name(line.balanced), percent(line.mean), border=True, **beside(result.rows[0]))
        b.metric(_("Fit time"), f"{line.fit_s:.2f} s", border=True)
        c.metric(_("Features"), f"{line.n_features:,}", border=True)
    intervals = "; ".join(f"{percent(row.interval[0])} to {percent(row.interval[1])}" for row in result.rows)
    if words := measure(result.rows[0], result.class_names):
        st.markdown(words)
    st.caption(
        _("Accuracy on {n:,} test images never trained on; 95 % interval {intervals}.").format(
            n=result.rows[0].n, intervals=intervals
        )
        + " "
        + _("The features of {layer} took {seconds:.1f} s and {mb:.1f} MB. The whole backbone is frozen.").format(
            layer=result.layer, seconds=result.extract_s, mb=result.features_mb
        )
    )
    hand = run.spec.by_hand if isinstance(run.spec, HeadSpec) else ()
    for row in result.rows:
        if row.file:
            with st.expander(_("Confusion matrix: {head}").format(head=names.head(row.head, hand))):
                show_figure(
                    plots.confusion(row.confusion, result.class_names),
                    key=f"confusion_{run.id}_{row.file}",
                    alt=_("Confusion matrix: true classes in rows, answers in columns"),
                )


def _offer_seeds(spec: HeadSpec) -> None:
    """Offer the same comparison with as many seeds as a verdict on few labels takes."""
    st.button(
        _("Repeat with {n} seeds").format(n=SEEDS),
        key="repeat_heads",
        icon=":material/repeat:",
        help=_(
            "Fits every head again on other images of the same classes, so that the result depends less on which "
            "images were picked."
        ),
        on_click=_repeat,
        args=(replace(spec, seeds=tuple(range(spec.seed, spec.seed + SEEDS))),),
    )


def _repeat(spec: HeadSpec) -> None:
    try:
        state.watch("cmp", state.start(spec).id)
    except LabError as error:
        state.put(start_error=tell(error))


def costs(result: HeadsResult, line: HeadMean) -> dict[str, float | None]:
    """Return what a head costs with the backbone that its features need, and alone."""
    ms, mb = result.whole_cost(line)
    return {_("ms per image"): ms, _("head alone, ms"): line.ms_per_image, _("MB"): mb, _("head alone, MB"): line.mb}


def _validated(heads: Iterable[str]) -> str:
    """Return what the validation images are used for."""
    tempered = [names.head(head) for head in dict.fromkeys(heads) if head in HEADS and HEADS[head].has_temperature]
    use = _("tuned heads choose their settings on them")
    if tempered:
        words = _("{use}, and they adjust how sure {heads} are (one number, the temperature)")
        use = words.format(use=use, heads=", ".join(tempered))
    return use


def comparison(run: Run, spec: HeadSpec, result: HeadsResult) -> None:
    """Show what was found, the errors as dots, the table folded, and SVM beside random forest."""
    finding(run, spec, result)
    numbers(run, spec, result)


def finding(run: Run, spec: HeadSpec, result: HeadsResult) -> None:
    """Show what was found, and the errors as dots; nothing where no head was finished."""
    lines = result.table
    if not lines:
        return
    if run.final and len(result.rows) < result.n_planned:
        words = _("Stopped after {n} of {total} heads; only the seeds that all of them share are compared.")
        st.info(words.format(n=len(result.rows), total=result.n_planned))
    found = contest.find([Entrant(label, run, model) for model, label in _models(spec, lines).items()])
    with st.container(key="verdict_heads"):
        st.header(plain(whole_words(headline(run, lines, found))), anchor=False)
        if found:
            st.caption(plain(f"{shown(found.verdict)} {shown(found.scope)}"))
        elif words := measure(result.rows[0], result.class_names):
            st.caption(words)
    if found and found.offer and run.final:
        _offer_seeds(spec)
    _dots(lines, spec.by_hand, run.id)


def numbers(run: Run, spec: HeadSpec, result: HeadsResult) -> None:
    """Show the table folded, and SVM beside random forest."""
    models = _models(spec, result.table)
    found = contest.find([Entrant(label, run, model) for model, label in models.items()])
    with st.expander(_("Table: accuracy, time and size of every head")):
        _table(run, spec, result, models, found.ranking.ties if found else ())
    _side_by_side(run, result)


def recorded() -> None:
    """Show the comparison that ships, for who has not run one: labelled as recorded."""
    try:
        card = recorded_heads.load()
    except LabError as error:
        st.warning(tell(error))
        return
    with st.container(key="verdict_heads"):
        st.header(plain(whole_words(_headline(card.lines, card.clear))), anchor=False)
        st.caption(plain(shown(card.verdict)))
        with st.popover(_("Recorded"), icon=":material/info:", type="tertiary"):
            words = _(
                "A comparison of all heads on {layer} of {source} with {n} labels per class, measured on {date} "
                "({machine}) by `{command}`. **Compare heads** measures your own."
            )
            values = {"source": titled(sources.info(card.spec.source).title), "n": card.spec.data.per_class}
            st.markdown(words.format(**values, layer=card.spec.layer, **_origin(card)))
    _dots(card.lines, (), "recorded")
    of_another_task(card.spec.data.target)


def _origin(card: RecordedHeads) -> dict[str, str]:
    return {"date": card.date, "machine": card.machine, "command": card.command}


def _models(spec: HeadSpec, lines: Iterable[HeadMean]) -> dict[str, str]:
    """Return what every head on every input is called, by its model's name."""
    return {f"{line.head}-{line.input}": names.head_on(line.head, line.input, spec.by_hand) for line in lines}


def _dots(lines: Sequence[HeadMean], hand: Sequence[ByHand], key: str) -> None:
    show_figure(
        plots.head_dots(lines, {line.head: names.head(line.head, hand) for line in lines}, names.inputs()),
        key=f"dots_{key}",
        alt=_("Test error of every head, on features and on raw pixels"),
    )


def headline(run: Run, lines: Sequence[HeadMean], found: Contest | None) -> str:
    """Return what was found: whether features beat pixels where both were tried, else which head is best."""
    firsts = _firsts(lines)
    if len(firsts) < 2:
        return shown(found.headline) if found else names.head_on(lines[0].head, lines[0].input)
    called = names.inputs()
    pair = contest.find([Entrant(called[name], run, f"{line.head}-{name}") for name, line in firsts.items()])
    if pair and pair.too_few:
        return shown(pair.headline)
    if pair is None or (found and _tie(run, firsts.values(), found)):
        return _headline(lines, False)
    return _headline(lines, pair.clear, pair.ranking.rivals[0].clear)


def _tie(run: Run, lines: Collection[HeadMean], found: Contest) -> bool:
    """Return whether all of these are among those that tie once the number of comparisons is allowed for."""
    called = _models(run.spec, lines)  # type: ignore[arg-type]
    return set(called.values()) <= set(found.ranking.ties)


def _firsts(lines: Sequence[HeadMean]) -> dict[str, HeadMean]:
    """Return the best head of each input."""
    return {line.input: line for line in reversed(lines)}


def _headline(lines: Sequence[HeadMean], clear: bool, here: bool = False) -> str:
    """Return the headline; ``here``: clear on the images of one draw alone, which with few labels is no verdict."""
    found = _features_or_pixels(lines, clear, here)
    return _("{found} (balanced accuracy)").format(found=found) if lines[0].balanced else found


def _features_or_pixels(lines: Sequence[HeadMean], clear: bool, here: bool) -> str:
    features, pixels = (_firsts(lines)[name] for name in ("features", "pixels"))
    if not clear and not here:
        words = _("A tie: {features} on features, {pixels} on pixels")
        return words.format(features=percent(features.mean), pixels=percent(pixels.mean))
    if features.mean > pixels.mean:
        words = _("Features beat pixels: {first} against {second}")
        if not clear:
            words = _("On these images features got more right than pixels: {first} against {second}")
        return words.format(first=percent(features.mean)[:-2], second=percent(pixels.mean))
    words = _("Pixels beat features: {first} against {second}")
    if not clear:
        words = _("On these images pixels got more right than features: {first} against {second}")
    return words.format(first=percent(pixels.mean)[:-2], second=percent(features.mean))


def _table(run: Run, spec: HeadSpec, result: HeadsResult, models: Mapping[str, str], best: Collection[str]) -> None:
    lines = result.table
    if len(best) > 1:
        st.caption(_("The heads marked ★ tie."))
    accuracy = _("balanced accuracy") if result.balanced else _("accuracy")
    st.dataframe(
        [
            {
                "": "★" if models[f"{line.head}-{line.input}"] in best else "",
                _("head"): names.head(line.head, spec.by_hand),
                _("fitted on"): names.inputs()[line.input],
                accuracy: spread(line.mean, line.sd),
                _("95 % interval"): between(*line.interval),
                _("fit seconds"): line.fit_s,
                **costs(result, line),
                _("features"): line.n_features,
                _("seeds"): line.n_seeds,
            }
            for line in lines
        ],
        hide_index=True,
        column_config={
            _("fit seconds"): st.column_config.NumberColumn(format="%.3f"),
            **dict.fromkeys((_("ms per image"), _("head alone, ms")), st.column_config.NumberColumn(format="%.3f")),
            **dict.fromkeys((_("MB"), _("head alone, MB")), st.column_config.NumberColumn(format="%.2f")),
        },
        height="content",
        alt=_("Heads with accuracy, times and size, best first"),
    )
    st.caption(
        _(
            "ms per image and MB count the network up to {layer} where a head needs its features. "
            "Training features: {n:,} images × {d:,} numbers. With the test features they take {mb:.1f} MB, took "
            "{seconds:.1f} s to compute, and are reused next time. "
            "Each head learned from {m:,} images; accuracy ± standard deviation over {k} seeds, "
            "each on {t:,} test images; the interval is that of the mean, the test's own noise included. "
            "Another {v:,} labelled images are for validation: {use}."
        ).format(
            n=result.n_trained,
            d=result.n_features,
            layer=result.layer,
            seconds=result.extract_s,
            mb=result.features_mb,
            m=result.n_trained,
            k=lines[0].n_seeds,
            t=result.rows[0].n,
            v=datasets.n_validation(run.spec.data),
            use=_validated(line.head for line in lines),
        )
    )


def _side_by_side(run: Run, result: HeadsResult) -> None:
    """Show the confusion matrices of the SVM and the forest beside each other, where both were fitted on features."""
    kept = [row for row in result.rows if row.file and row.input == "features" and row.head in HEADS]
    firsts = (next((row for row in kept if HEADS[row.head].opens == kind), None) for kind in ("svm", "forest"))
    pair = [row for row in firsts if row]
    if len(pair) == 2:
        st.subheader(_("SVM beside random forest"), anchor=False)
    for column, row in zip(st.columns(2), pair, strict=False):
        with column:
            show_figure(
                plots.confusion(row.confusion, result.class_names, names.head(row.head)),
                key=f"pair_{run.id}_{row.head}",
                alt=_("Confusion matrix of {head}").format(head=names.head(row.head)),
            )
