"""Runs that come in whole: they have ended in another lab."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tlcore import sentences
from tlcore.spec import Cell, MetricPoint, to_json

from .attempts import cell_rows, encode, point_rows
from .connection import Database
from .tables import cells as cells_table
from .tables import points as points_table
from .tables import runs

if TYPE_CHECKING:
    from .runs import Run

KEPT = (
    *("id", "kind", "state", "created", "started", "finished", "seed", "data_hash", "attempt", "name", "note"),
    *("owner", "parent"),
)


@dataclass(frozen=True)
class Arrival:
    """A run under an id that is new here, with its points and experiments; its files are in its folder already."""

    run: "Run"
    points: Sequence[MetricPoint] = ()
    cells: Sequence[Cell] = ()


def bring_in(database: Database, arrivals: Sequence[Arrival]) -> None:
    """Write runs, all of them or none; see ``Store.bring_in``."""
    with database.writing() as connection:
        for arrival in arrivals:
            run = arrival.run
            columns = {name: getattr(run, name) for name in KEPT} | {
                "spec": to_json(run.spec),
                "result": json.dumps(run.stored),
                "error": sentences.dumps(run.error),
                "versions": json.dumps(run.versions),
                "provenance": encode(asdict(run.provenance)),
            }
            connection.execute(runs.insert().values(**columns))
            if arrival.points:
                connection.execute(points_table.insert(), point_rows(run.id, arrival.points))
            if arrival.cells:
                connection.execute(cells_table.insert(), cell_rows(run.id, arrival.cells))
