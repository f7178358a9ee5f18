"""The line of waiting runs: who is next, how long it takes, and what happens to what people leave behind."""

from dataclasses import replace

import pytest

from tlcore import jobs
from tlcore.engine import forecast
from tlcore.engine.forecast import Forecast, waits
from tlcore.people.presence import Presence
from tlcore.sentences import Sentence
from tlcore.spec import FineTuneSpec, HeadSpec, Phase, Progress

SHORT, LONG = FineTuneSpec(), FineTuneSpec(phases=(Phase(epochs=100),))


def make(store, *owners):
    return [store.create(FineTuneSpec(), owner=owner).id for owner in owners]


# -- whose turn it is


def test_one_persons_twenty_starts_do_not_starve_the_others(store):
    many = make(store, *["ann"] * 20)
    bob, cid, bob_2 = make(store, "bob", "cid", "bob")
    assert store.queued(limit=5) == (many[0], bob, cid, many[1], bob_2)
    assert store.queued(limit=100)[5:] == tuple(many[2:])
    assert [store.ahead(run_id) for run_id in (many[0], bob, cid, many[1], bob_2, many[19])] == [0, 1, 2, 3, 4, 22]


def test_what_somebody_has_running_counts_as_their_turn(store):
    first, second, third = make(store, "ann", "ann", "ann")
    (bob,) = make(store, "bob")
    store.claim(first)
    assert store.queued() == (bob, second, third)
    assert (store.ahead(bob), store.ahead(second), store.ahead(first)) == (1, 2, 0)


def test_everybody_gets_an_equal_share_whatever_they_have_waiting(store):
    """Two workers drain the line; ann left twelve runs there, bob comes with one now and then."""
    make(store, *["ann"] * 12)
    served, running = [], []
    for end in range(16):
        if end % 2 == 0 and end < 12:
            make(store, "bob")
        for run_id in store.queued(limit=2)[: 2 - len(running)]:
            assert store.claim(run_id)
            running.append(run_id)
            served.append(store.get(run_id).owner)
        store.finish(running.pop(0), "done")
    assert "".join(owner[0] for owner in served[:12]) == "abababababab"


# -- how long it takes


def finished(store, spec, seconds):
    run = store.create(spec)
    store.claim(run.id)
    store.finish(run.id, "done")
    run = store.get(run.id)
    return replace(run, finished=run.started + seconds)


def test_the_wait_is_what_comes_before_shared_between_the_workers(store):
    done = [
        finished(store, SHORT, 10),
        finished(store, SHORT, 12),
        finished(store, SHORT, 50),
        finished(store, LONG, 90),
    ]
    line = [store.create(spec) for spec in (LONG, SHORT, SHORT, HeadSpec())]
    running = store.create(SHORT)
    store.claim(running.id)
    running = store.get(running.id)
    found = waits(line, [running], done, n_workers=2, now=running.started + 4, work=jobs.work)
    # One worker is free at once, the other in 12 - 4 s; the long run takes the first for 90 s.
    assert [found[run.id] for run in line] == pytest.approx([0, 8, 20, 32])
    told = replace(running, progress=Progress(left_s=3.0))
    assert waits(line[1:], [told], done, 1, now=running.started, work=jobs.work) == pytest.approx(
        {line[1].id: 3, line[2].id: 15, line[3].id: 27}
    )


def test_nothing_is_foretold_before_anything_was_finished(store):
    (waiting,) = make(store, "ann")
    assert Forecast(store, lambda: 2, jobs.work).wait_s(waiting) is None
    finished(store, SHORT, 0)
    assert Forecast(store, lambda: 2, jobs.work).wait_s(waiting) == 0
    assert Forecast(store, lambda: 2, jobs.work).wait_s("0" * 16) is None


def test_where_more_wait_than_are_looked_at_those_that_come_next_are_foretold(store, monkeypatch):
    finished(store, SHORT, 10)
    monkeypatch.setattr(forecast, "MOST", 2)
    line = [store.create(SHORT).id for _ in range(6)]
    foretold = Forecast(store, lambda: 1, jobs.work)
    assert [foretold.wait_s(run_id) is not None for run_id in line] == [True, True, False, False, False, False]


def test_however_many_ask_for_their_place_a_long_line_is_looked_at_once_in_two_seconds(store, monkeypatch):
    line, looks, clock = make(store, *["ann"] * 3, "bob"), [], [0.0]
    look = store.ahead_of_all

    def slow():
        looks.append(clock[0])
        clock[0] += 0.2
        return look()

    monkeypatch.setattr(forecast.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(store, "ahead_of_all", slow)
    foretold = Forecast(store, lambda: 1, jobs.work)
    for _ in range(100):
        assert [foretold.ahead(run_id) for run_id in line] == [0, 2, 3, 1]
    assert len(looks) == 1
    later, *_ = make(store, "cid")
    assert foretold.ahead(later) == store.ahead(later) == 2  # a new one is told at once
    clock[0] += forecast.FRESH_S
    assert [foretold.ahead(run_id) for run_id in (*line, later)] == [0, 3, 4, 1, 2] and len(looks) == 2
    assert foretold.ahead("0" * 16) == 0


# -- who left


def test_what_somebody_who_left_has_waiting_is_let_go_with_its_reason_and_nothing_else_is(store):
    here, left, nobodys, left_running = make(store, "ann", "bob", "", "bob")
    store.claim(left_running)
    open_sessions = {"one", "two"}
    presence = Presence(store, idle_s=0.0, is_open=open_sessions.__contains__)
    presence.note("one", "ann")
    presence.note("two", "bob")
    store_idle = Presence(store, idle_s=3600, is_open=open_sessions.__contains__)
    store_idle.look()
    assert store.get(left).state == "queued"  # not away for long enough
    open_sessions.remove("two")
    with store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE runs SET created = created - 60")
    presence.look(may_let_go=False)
    assert store.get(left).state == "queued"
    presence._idle_s = 30
    presence.look()
    assert (store.get(left).state, store.get(left).attempt) == ("stopped", 0)
    assert "minutes after its owner left. Start it again." in str(store.get(left).error)
    assert [store.get(run_id).state for run_id in (here, nobodys, left_running)] == ["queued", "queued", "running"]
    assert presence.sessions() == {"one": "ann"}


def test_a_run_that_was_begun_is_not_let_go(store):
    (run,) = make(store, "ann")
    store.claim(run)
    store.requeue(run)
    with store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE runs SET created = created - 60")
    assert store.let_go(30, Sentence("gone")) == () and store.get(run).state == "queued"
