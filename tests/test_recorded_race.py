"""The race that ships: whole, small, and of the form that its command makes."""

from tlcore import sources
from tlcore.evidence import recorded_race
from tlcore.recipes import race
from tlcore.spec import FineTuneSpec


def test_the_recorded_race_is_the_default_one_whole_and_small():
    card = recorded_race.load()
    draft = FineTuneSpec()
    assert draft.data.per_class == 5
    names = [lane.name for lane in card.lanes]
    assert [lane.spec for lane in card.lanes] == list(
        race.lanes(draft, sources.info(draft.source).layers, names).values()
    )
    assert card.command == recorded_race.COMMAND and card.date and recorded_race.FILE.stat().st_size < 300_000
    for lane in card.lanes:
        assert [frame.epoch for frame in lane.frames] == list(range(draft.epochs + 1))
        assert lane.points[0].elapsed_s == 0.0 and max(point.x for point in lane.points) == draft.epochs
        assert all(len(frame.answers) == len(lane.watched.labels) == 12 for frame in lane.frames)


def test_its_twelve_images_divide_its_lanes():
    card = recorded_race.load()
    last = [[said.label for said in lane.frames[-1].answers] for lane in card.lanes]
    differing = [len(set(answers)) > 1 for answers in zip(*last, strict=True)]
    assert sum(differing) == min(12, card.chosen.n_differ) and differing == sorted(differing, reverse=True)


def test_its_headline_tells_time_and_forgetting_as_measured():
    card = recorded_race.load()
    best = max(card.lanes, key=lambda lane: lane.test[0])
    assert f"{race.TITLES[best.name]} {100 * best.test[0]:.1f} %" in str(card.headline)
    kept = [lane for lane in card.lanes if lane.frames[0].source is not None]
    assert kept
    for lane in kept:
        before, after = (f"{100 * lane.frames[place].source:.1f} %" for place in (0, -1))
        assert f"{race.TITLES[lane.name]} fell from {before} to {after}" in str(card.details)
