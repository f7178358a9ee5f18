"""Whose turn it is: people take turns, however many runs each of them has waiting."""

import sqlalchemy as sa

from .tables import runs


def line() -> sa.Select:
    """Return the query for the runs that wait, with columns ``id`` and ``place`` (from 1), the next one first.

    A run's turn is its place among its owner's waiting runs, after those of the owner's that run already: everybody's
    first comes before anybody's second. Within a turn it is first come first served.
    """
    waits = sa.and_(runs.c.state == "queued", runs.c.deleted.is_(None))
    running = (
        sa.select(runs.c.owner, sa.func.count().label("n"))
        .where(runs.c.state == "running")
        .group_by(runs.c.owner)
        .subquery()
    )
    nth = sa.func.row_number().over(partition_by=runs.c.owner, order_by=runs.c.number)
    turns = (
        sa.select(runs.c.id, runs.c.number, (nth + sa.func.coalesce(running.c.n, 0)).label("turn"))
        .select_from(runs.outerjoin(running, running.c.owner == runs.c.owner))
        .where(waits)
        .subquery()
    )
    place = sa.func.row_number().over(order_by=(turns.c.turn, turns.c.number)).label("place")
    return sa.select(turns.c.id, place).order_by(place)
