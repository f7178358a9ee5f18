"""A race: how it ended, its lanes on one chart and inside each of them; one's own, or the one that ships."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui import frame
from pages.ui.charts import palette
from pages.ui.components import film
from pages.ui.components.film import Reel
from pages.ui.components.live_chart import LiveRun
from pages.ui.session import state
from pages.ui.words.numbers import percent
from pages.ui.words.text import _, plain, shown, tell
from tlcore import sources
from tlcore.errors import LabError
from tlcore.evidence import Entrant, finish, recorded_race, side_by_side
from tlcore.evidence.recorded_race import RecordedLane, RecordedRace
from tlcore.recipes import race
from tlcore.sentences import Sentence
from tlcore.spec import FineTuneSpec
from tlcore.store import Run
from tlcore.training import watched
from tlcore.training.watched import Chosen

from . import contest, lanes, view_of
from .another_task import of_another_task
from .chart import chart
from .lanes import Lane
from .view import Chart


def lane(run: Run) -> Lane:
    """Return a run as a lane, with what it is called."""
    spec: FineTuneSpec = run.spec  # type: ignore[assignment]
    name, called = "draft", ""
    with suppress(LabError):  # its source was removed meanwhile
        name = race.lane_of(spec, sources.info(spec.source).layers)
        called = shown(race.title(name, spec.source))
    label = view_of(spec).lane(spec) if name == "draft" else called
    return Lane(label, run, name)


def of(runs: Sequence[Run]) -> list[Lane]:
    """Return runs as lanes, called differently; what a person set is told below where it differs from all others."""
    found = [lane(run) for run in runs]
    drafts = [each for each in found if each.way == "draft"]
    mine = shown(race.TITLES["draft"])
    named = [replace(each, label=mine, told=each.label) if drafts == [each] else each for each in found]
    labels = side_by_side.labels([each.label for each in named], [run.spec for run in runs], shown)
    return [replace(each, label=label) for each, label in zip(named, labels, strict=True)]


def show(running: Sequence[Lane], picture: DeltaGenerator) -> None:
    """Show a race as far as it is; the end brings its headline, what each lane reached and images that divide them.

    Parameters
    ----------
    picture : the place of the headline and the chart; the rest stands where this is called
    """
    over = all(lane.run.final for lane in running)
    entrants = [Entrant(lane.label, lane.run) for lane in running]
    found = contest.find(entrants) if over else None
    with picture.container(key="finish"):
        if found:
            ends = finish.finishes({lane.label: lane.run for lane in running}, state.lab().store)
            _ended(finish.headline(found, ends), finish.details(found, ends))
        elif over:
            frame.finding(_("No result: fewer than two lanes finished"))
        else:
            frame.finding(_("The race is on"))
            st.caption(_("The result appears here when all lanes have finished."))
            lanes.stop(running, "race")
    with picture:
        lanes.show(running, "race", _("Loss and accuracy of every lane"), together=True)
    with st.container(key="race_reached"):
        (reached if over else st.fragment(reached, run_every=1.0))(running)
        if found:
            st.caption(plain(f"{shown(found.tested)} {shown(found.scope)}"))
    st.subheader(_("Inside each lane"), anchor=False)
    (films if over else st.fragment(films, run_every=1.0))(running, lanes.colours(running))
    if found:
        contest.offer(found, entrants, "lanes")


def _ended(headline: Sentence, details: Sentence) -> None:
    """Show how a race ended; no line ends between a number and its per cent sign."""
    frame.finding(*map(shown, (headline, details)))


def reached(running: Sequence[Lane]) -> None:
    """Show what each lane has reached by now: one that has ended shows it while others go on."""
    store = state.lab().store
    now = [replace(lane, run=store.get(lane.run.id)) for lane in running]
    took = costs([lane.run for lane in now])
    lanes.metrics(now, [f"{lane.told}. {cost}" if lane.told else cost for lane, cost in zip(now, took, strict=True)])


def costs(runs: Sequence[Run]) -> list[str]:
    """Return what each lane took: how many weights it trained, and the seconds of learning where they compare."""
    seconds = finish.comparable_seconds(runs)
    words, timed = _("{n:,} weights trained."), _("{seconds:.2f} s to learn, {n:,} weights trained.")
    if all(run.result.cpu_s for run in runs):
        timed = _("{seconds:.2f} processor seconds to learn, {n:,} weights trained.")
    trained = [getattr(run.result, "n_trainable", 0) for run in runs]
    if not seconds:
        return [words.format(n=n) for n in trained]
    return [timed.format(seconds=took, n=n) for took, n in zip(seconds, trained, strict=True)]


def films(running: Sequence[Lane], colours: Sequence[str]) -> None:
    """Show the films of several runs side by side; in the end with the images on which they differ most."""
    reels = [film.reel(lane.run, lane.label, colour) for lane, colour in zip(running, colours, strict=True)]
    folders = [state.lab().store.run_folder(lane.run.id) for lane in running]
    chosen = watched.disputed(folders) if all(lane.run.final for lane in running) else None
    seen = [watched.watched(folder, chosen.places) for folder in folders] if chosen else []
    images = [each for each in seen if each]
    if chosen and len(images) == len(running):
        film.show("film_race", reels, images, divided(chosen))
    else:
        film.show("film_race", reels)


def divided(chosen: Chosen) -> str:
    """Say which images were chosen."""
    n_shown, values = len(chosen.places), {"n": chosen.n, "k": chosen.n_differ, "shown": len(chosen.places)}
    if chosen.n_differ >= n_shown:
        words = _(
            "In the end the lanes answer {k} of {n} test images differently. These are the {shown} on which they "
            "differ most."
        )
    elif chosen.n_differ:
        words = _(
            "In the end the lanes answer only {k} of {n} test images differently. Those come first; on the others "
            "their certainty differs most."
        )
    else:
        words = _(
            "In the end all lanes give the same answers to all {n} test images. These are the {shown} on which their "
            "certainty differs most."
        )
    return words.format(**values)


# ------------------------------------------------------------------ the one that ships


def recorded(picture: DeltaGenerator) -> None:
    """Show the race that ships, for who has not run one: labelled as recorded, and replayed on demand."""
    try:
        card = recorded_race.load()
    except LabError as error:
        st.warning(tell(error))
        return
    with picture.container(key="finish"):
        _ended(card.headline, card.details)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(plain(shown(card.tested)), width="content")
            with st.popover(_("Recorded"), icon=":material/info:", type="tertiary"):
                st.markdown(_provenance(card))
    of_another_task(card.lanes[0].spec.data.target)
    paired = list(zip(card.lanes, palette.of_ways([lane.name for lane in card.lanes]), strict=True))
    runs = [
        LiveRun(
            lane.name,
            "",
            _title(lane),
            colour,
            state="done",
            recorded=[asdict(point) for point in lane.points],
            learn_s=lane.learn_s,
            told=True,
        )
        for lane, colour in paired
    ]
    about = Chart(x_max=float(max(lane.spec.epochs for lane in card.lanes)), together=True)
    with picture:
        chart("recorded_race", runs, _("Loss and accuracy of the recorded race"), about)
    for column, lane in zip(st.columns(len(card.lanes)), card.lanes, strict=True):
        accuracy, low, high = lane.test
        with column:
            st.metric(plain(_title(lane)), percent(accuracy), border=True)
            st.caption(_("{low} to {high} (95 %).").format(low=percent(low), high=percent(high)))
    st.subheader(_("Inside each lane"), anchor=False)
    reels = [Reel(lane.spec, card.cast(lane), lane.frames, title=_title(lane), colour=c) for lane, c in paired]
    film.show("film_recorded", reels, [lane.watched for lane in card.lanes], divided(card.chosen))


def _title(lane: RecordedLane) -> str:
    return shown(race.TITLES[lane.name])


def _provenance(card: RecordedRace) -> str:
    return _(
        "A race with the default settings, measured on {date} ({machine}) by `{command}`, one lane after the other. "
        "**Start the race** runs your own."
    ).format(date=card.date, machine=card.machine, command=card.command)
