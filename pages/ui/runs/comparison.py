"""A comparison of ways to learn one task: which is better, what a tie saves, and what each way reached."""

from collections.abc import Sequence

import streamlit as st

from pages.ui.charts import palette
from pages.ui.session import state
from pages.ui.words import names
from pages.ui.words.numbers import percent
from pages.ui.words.text import _, plain, shown, whole, whole_words
from tlcore.evidence import finish, ways
from tlcore.evidence.contest import Contest, Entrant
from tlcore.evidence.ways import Trained
from tlcore.recipes import comparison
from tlcore.spec import FINE_TUNE, SCRATCH, ComparisonResult, ComparisonSpec, Evaluation, Way
from tlcore.store import Run

from . import contest
from .chart import steps_per_epoch
from .fine_tune import own_task
from .view import Chart, View
from .words import beside, per_class, target


class ComparisonView(View[ComparisonSpec, ComparisonResult]):
    def title(self, spec: ComparisonSpec) -> str:
        return _("Comparison on {target}, {n}: {ways}").format(
            target=target(spec.data), n=per_class(spec.data), ways=", ".join(map(way_name, spec.ways))
        )

    def stopping(self) -> str:
        return _("Stopping. The ways that are finished are kept.")

    def chart(self, spec: ComparisonSpec) -> Chart:
        return Chart(
            x_max=float(spec.tuning.epochs),
            measure="error",
            height=330,
            colours=colours(),
            steps=steps_per_epoch(spec.tuning),
        )

    def result(self, run: Run, result: ComparisonResult) -> None:
        verdict(run, result)
        reached(run, result)


def colours() -> dict[str, str]:
    """Return the colour of every way, the same on every chart."""
    ways = comparison.ways()
    return dict(zip(ways, palette.of_ways(ways), strict=True))


def way_name(way: str) -> str:
    """Return what a way is called."""
    return shown(ways.title(way))


def choice(way: str) -> str:
    """Return what a way is called where it is chosen: of a head, what it learns from too."""
    name = names.methods()[way]
    return name if way in (FINE_TUNE, SCRATCH) else _("Features + {head}").format(head=name)


def usual_ways() -> list[str]:
    """Return the ways that stand on the page; the other heads are among the settings."""
    few = (FINE_TUNE, "linear_svm", "random_forest", SCRATCH)
    return [way for way in comparison.ways() if way in few]


def find(result: ComparisonResult) -> tuple[Contest | None, Sequence[Trained]]:
    """Return which way is better, None while not every way was tested; and what was trained."""
    trained = ways.trained(result, state.lab().store) if result.complete else []
    return contest.find(list(map(_entrant, trained))), trained


def verdict(run: Run, result: ComparisonResult) -> Contest | None:
    """Say in large type which way is better, with accuracies, intervals and times, and what is saved where they tie."""
    found, trained = find(result)
    if found is None:
        return None
    st.header(plain(whole_words(shown(finish.ahead(found)))), anchor=False)
    sentences = [plain(shown(found.measure)), _saved(found, trained), _gained(found, trained), _numbers(trained)]
    st.markdown("  \n".join(sentence for sentence in sentences if sentence))
    return found


def reached(run: Run, result: ComparisonResult) -> None:
    """Show what each way reached, how the verdict was tested, and the way to be surer."""
    trained = ways.trained(result, state.lab().store)
    if not trained:
        st.info(_("Stopped before the first way was finished."))
        return
    with st.container(key=f"reached_{run.id}"):
        for column, each in zip(st.columns(len(trained)), trained, strict=True):
            with column:
                _reached(each, ways.counted(each.way for each in trained))
    entrants = list(map(_entrant, trained))
    found = contest.find(entrants) if result.complete else None
    what = _(
        "Processor seconds add up the time of all the server's processors, for this training only. They include "
        "computing the features of the training images, compiling and learning, but not validation or testing."
    )
    if not ways.counted(each.way for each in trained):
        what = _(
            "Times are in seconds on this server: computing the features of the training images, compiling and "
            "learning, without validation and test."
        )
    sentences = [what + " " + _("The ways were trained one after another on the same images.")]
    if result.balanced:
        sentences.append(_("The curves show the error over all images, whatever their class."))
    if found:
        sentences = [shown(found.tested), shown(found.scope), *sentences]
    st.caption(plain(" ".join(sentences)))
    if found:
        contest.offer(found, entrants, run.id)


def race_button(run: Run) -> None:
    """Show the way to the same lanes on the Race page."""
    if st.button(_("Show on Race"), key=f"race_{run.id}", icon=":material/flag:"):
        state.watch("compared_ways", run.id)
        st.switch_page("race.py")


def _entrant(each: Trained) -> Entrant:
    return each.entrant(way_name(each.way.name))


def _score(each: Trained) -> Evaluation | None:
    return _entrant(each).score


def _numbers(trained: Sequence[Trained]) -> str:
    """Return every way's accuracy with its interval and its time, the best first."""
    scored = [(score, each) for each in trained if (score := _score(each))]
    words, cpu = _("{name} {accuracy} ({low} to {high})"), ways.counted(each.way for each in trained)
    parts = []
    for score, each in sorted(scored, key=lambda pair: -pair[0].headline):
        reached = words.format(
            name=way_name(each.way.name),
            accuracy=percent(score.headline),
            low=percent(score.interval[0]),
            high=percent(score.interval[1]),
        )
        parts.append(" ".join(whole(part) for part in (reached, _("in {time}").format(time=_time(each.way, cpu)))))
    return plain(" · ".join(parts))


def _time(way: Way, cpu: bool) -> str:
    """Return what a way took to learn, in processor seconds where those of all ways were counted."""
    if cpu:
        return _("{seconds:.2f} processor seconds").format(seconds=way.cpu_s)
    return _("{seconds:.2f} s").format(seconds=way.learn_s)


def _saved(found: Contest, trained: Sequence[Trained]) -> str:
    """Return what the quickest of those that tie saves against the slowest; "" where one is better."""
    named = {way_name(each.way.name): each.way for each in trained}
    saving = ways.saving({name: named[name] for name in found.ranking.ties})
    return f"**{plain(shown(saving))}**" if saving else ""


def _gained(found: Contest, trained: Sequence[Trained]) -> str:
    """Return that transfer gains little where that was measured; "" where it was not."""
    words = ways.little_gained(found, {way_name(each.way.name): each.way for each in trained})
    return plain(shown(words)) if words else ""


def _reached(each: Trained, cpu: bool) -> None:
    """Show what a way reached and took; ``cpu``: in processor seconds, which all ways have."""
    way, entrant, score = each.way, _entrant(each), _score(each)
    if score is None:
        st.metric(plain(entrant.label), "–", border=True)
        st.caption(plain(shown(each.run.error)) or names.states()[each.run.state].capitalize())
        return
    st.metric(plain(entrant.label), percent(score.headline), border=True, **beside(score))
    words = _("{low} to {high} (95 %). {time} to learn.").format(
        low=percent(score.interval[0]), high=percent(score.interval[1]), time=_time(way, cpu)
    )
    if way.from_cache:
        words += " " + _("The features came from the cache; the time still includes computing them.")
    st.caption(f"{words} {own_task(way.forgetting)}".strip())
    if st.button(_("Open"), key=f"way_{each.run.id}", help=_("This run, with its proof and curves.")):
        state.watch("run", each.run.id)
        st.switch_page("runs.py")
