"""Race without a browser: the recorded one first, a common start, how it ended, and films of one slider."""

import json
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from pages.test_pages import SCORE, TUNED, finished, lab, opened, sound, words  # noqa: F401

from pages.ui.components import film as component
from pages.ui.runs import race as race_view
from tlcore import sources
from tlcore.evidence import recorded_race
from tlcore.recipes import race
from tlcore.spec import FineTuneSpec
from tlcore.training import film
from tlcore.training.film import Cast, Frame
from tlcore.training.watched import Chosen

LANES = race.lanes(FineTuneSpec(), sources.info("digits_0_4").layers, ("nothing", "scratch"))


def findings(app) -> list[str]:
    shown = [element.proto.body.replace("\u00a0", " ") for element in app.get("html")]
    return [body for body in shown if 'class="found"' in body]


def filmed(store, run, share: float, source: tuple[float, float] | None) -> None:
    """Leave a film of two epochs that gives the first class so large a share in the end."""
    folder = store.run_folder(run.id) / film.FOLDER
    folder.mkdir(parents=True)
    labels = tuple(place % 2 for place in range(20))
    cast = Cast(("5", "6"), labels, np.zeros((12, 28, 28), np.uint8), "MNIST digits 0-4" if source else "", 1000)
    (folder / "cast.json").write_text(json.dumps(film._cast_fields(cast)))
    np.save(folder / film.PICTURES, np.zeros((20, 28, 28), np.uint8))
    for epoch in (0, 1):
        table = np.full((20, 2), 0.5, np.float16) if epoch == 0 else np.tile([share, 1 - share], (20, 1))
        np.save(folder / f"{film.SHARES}{epoch:04}.npy", table.astype(np.float16))
        frame = Frame(epoch, {"dense_1": 0.1 * epoch}, source[epoch] if source else None, 0.5, ())
        (folder / f"{epoch:04}.json").write_text(json.dumps(asdict(frame)))


def raced(store) -> list:
    """Return two lanes that have ended, the first one better."""
    tests = (
        {**SCORE, "accuracy": 0.9, "low": 0.88, "high": 0.92},
        {**SCORE, "accuracy": 0.7, "low": 0.68, "high": 0.72},
    )
    runs = [
        finished(store, {**TUNED, "files": {}, "test": test, "class_names": ["5", "6"]}, spec=spec)
        for spec, test in zip(LANES.values(), tests, strict=True)
    ]
    filmed(store, runs[0], 0.9, (0.99, 0.71))
    filmed(store, runs[1], 0.1, None)
    return runs


def test_before_anything_is_raced_the_recorded_race_stands_there_labelled(lab):  # noqa: F811
    app = sound(opened("race"))
    card = recorded_race.load()
    (finding,) = findings(app)
    assert str(card.headline) in finding and str(card.details) in finding
    (popover,) = (each for each in app.get("popover") if each.proto.popover.label == "Recorded")
    assert "Recorded" in str(popover.proto) and "A race with the default settings" in popover.markdown[0].value
    assert [metric.label for metric in app.metric] == [str(race.TITLES[lane.name]) for lane in card.lanes]
    assert not app.button(key="start_race").disabled


def test_the_lanes_share_one_start_and_a_third_on_two_workers_is_said_to_wait(lab):  # noqa: F811
    two, three = (words(opened("race", race_lanes=race.LANES[:n])) for n in (2, 3))
    assert "All lanes start level: each counts from its own first step." in two and "at a time" not in two
    assert "This server trains 2 at a time: 1 lane, drawn by lot, waits for another to end." in three


def test_while_a_race_goes_on_its_headline_is_still_to_come(lab):  # noqa: F811
    app = opened("race", race_lanes=("nothing", "scratch"))
    app = sound(app.button(key="start_race").click().run())
    assert ["The race is on" in finding for finding in findings(app)] == [True]
    assert str(recorded_race.load().headline) not in str(findings(app))


def test_a_lane_that_has_ended_shows_what_it_reached_while_others_go_on(lab, monkeypatch):  # noqa: F811
    shown = []
    monkeypatch.setattr(race_view.lanes, "metrics", lambda running, costs: shown.extend(running))
    monkeypatch.setattr(race_view.state, "lab", lambda: lab)
    first, second = raced(lab.store)
    before = replace(first, state="running", result=replace(first.result, test=None))  # when the page was drawn
    race_view.reached([race_view.Lane("a", before), race_view.Lane("b", second)])
    assert [lane.run.accuracy for lane in shown] == [0.9, 0.7]


def test_a_race_that_has_ended_says_who_won_what_was_forgotten_and_shows_what_divides_the_lanes(lab, monkeypatch):  # noqa: F811
    shown = []
    monkeypatch.setattr(race_view.film, "show", lambda key, *films: shown.append((key, *films)))
    first, second = raced(lab.store)
    app = sound(opened("race", run_lane1=first.id, run_lane2=second.id))
    (finding,) = findings(app)
    assert "Nothing frozen got more right than From scratch: 90.0 % against 70.0 %" in finding
    assert "Old task, MNIST digits 0-4: Nothing frozen fell from 99.0 % to 71.0 %." in finding
    ((_key, reels, together, note),) = shown
    assert [reel.title for reel in reels] == ["Nothing frozen", "From scratch"]
    assert [[said.label for said in one.answers[1]] for one in together] == [[0] * 12, [1] * 12]
    assert note.startswith("In the end the lanes answer 20 of 20 test images differently.")
    json.dumps(component.payload(reels, together, note), allow_nan=False)


def test_lanes_that_differ_in_their_seed_alone_are_told_apart_and_have_a_result(lab):  # noqa: F811
    test = {**SCORE, "accuracy": 0.7, "low": 0.68, "high": 0.72}
    specs = [replace(LANES["nothing"], seed=seed) for seed in (1, 2)]
    runs = [
        finished(lab.store, {**TUNED, "files": {}, "test": test, "class_names": ["5", "6"]}, spec=spec)
        for spec in specs
    ]
    app = sound(opened("race", run_lane1=runs[0].id, run_lane2=runs[1].id))
    (finding,) = findings(app)
    assert "fewer than two" not in finding
    assert [metric.label for metric in app.metric] == ["Nothing frozen, Seed 1", "Nothing frozen, Seed 2"]


def test_seconds_are_told_only_where_they_compare(lab):  # noqa: F811
    runs = [replace(run, result=replace(run.result, learn_s=2.0 + place)) for place, run in enumerate(raced(lab.store))]
    apart = [replace(run, started=10.0 * place, finished=10.0 * place + 5) for place, run in enumerate(runs, start=1)]
    assert race_view.costs(apart) == ["2.00 s to learn, 40 weights trained.", "3.00 s to learn, 40 weights trained."]
    assert race_view.costs([replace(run, started=10.0, finished=15.0) for run in runs]) == ["40 weights trained."] * 2


def test_films_of_an_older_version_are_shown_without_what_divides_them(lab, monkeypatch):  # noqa: F811
    shown = []
    monkeypatch.setattr(race_view.film, "show", lambda key, *films: shown.append(films))
    runs = raced(lab.store)
    for path in (lab.store.run_folder(runs[0].id) / film.FOLDER).glob(f"{film.SHARES}*"):
        path.unlink()
    sound(opened("race", run_lane1=runs[0].id, run_lane2=runs[1].id))
    assert [len(films) for films in shown] == [1]


def test_which_images_were_chosen_is_said_as_it_is():
    chosen = Chosen(tuple(range(12)), 52, 300)
    assert "52 of 300" in race_view.divided(chosen)
    assert "only 5 of 300" in race_view.divided(replace(chosen, n_differ=5))
    assert "all 300" in race_view.divided(replace(chosen, n_differ=0))


def run_of(spec) -> Any:
    return SimpleNamespace(spec=spec)


def test_a_lane_is_called_by_what_it_freezes():
    assert [race_view.lane(run_of(spec)).label for spec in LANES.values()] == ["Nothing frozen", "From scratch"]
    spec = replace(LANES["nothing"], phases=(replace(LANES["nothing"].phases[0], frozen=("conv_1",)),))
    assert race_view.lane(run_of(spec)).label == "Frozen: conv_1"
    assert race_view.lane(run_of(replace(spec, source="gone"))).label.startswith("Frozen")


def test_what_a_person_set_is_called_so_on_the_chart_and_told_below():
    spec = replace(LANES["nothing"], phases=(replace(LANES["nothing"].phases[0], frozen=("conv_1",)),))
    mine, scratch = race_view.of([run_of(spec), run_of(LANES["scratch"])])
    assert (mine.label, mine.told) == ("My settings", "Frozen: conv_1") and (scratch.label, scratch.told) == (
        "From scratch",
        "",
    )
    other = replace(spec, phases=(replace(spec.phases[0], frozen=("conv_2",)),))  # two of them, by a shared address
    assert [each.label for each in race_view.of([run_of(spec), run_of(other)])] == ["Frozen: conv_1", "Frozen: conv_2"]
