"""The run store: what was asked, how far it came, what came out. The truth that every process reads and writes."""

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from logging import getLogger
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tlcore import sentences
from tlcore.errors import LabError, SpecError, StoreError
from tlcore.sentences import NOTHING, Sentence
from tlcore.spec import (
    FINAL_STATES,
    Cell,
    MetricPoint,
    Progress,
    Provenance,
    Result,
    RunState,
    Spec,
    from_json,
    result_from,
    to_json,
)
from tlcore.spec.codec import decode
from tlcore.spec.curves import of_series

from . import arrivals, attempts, files, listing, turns
from .arrivals import Arrival
from .attempts import Attempt
from .checkpoint import can_go_on
from .connection import FILE, Database, address, connect, plain_errors
from .listing import Entry
from .places import RUNS, home, make, shared_home
from .rooms import RoomTables
from .schema import prepare
from .tables import cells as cells_table
from .tables import points as points_table
from .tables import runs, switches
from .tokens import TokenTable

log = getLogger(__name__)

NumberedPoints = list[tuple[int, MetricPoint]]
MARK = "mark"  # the name of the switch that holds it


@dataclass(frozen=True)
class Run:
    """One run as it stood when it was read. Times are UTC, in seconds since 1970."""

    id: str
    kind: str
    spec: Spec
    state: RunState
    created: float
    started: float | None
    finished: float | None
    heartbeat: float | None
    progress: Progress
    result: Result  # so far; empty where nothing came out yet
    stored: Mapping[str, Any]  # the result as it was stored, in JSON values
    error: Sentence
    seed: int
    versions: dict[str, str]
    data_hash: str
    attempt: int
    name: str
    note: str
    stop_requested: bool
    deleted: bool
    worker: str = ""
    host: str = ""
    process: str = ""  # which process claimed it: ``processes.identity``
    lost: int = 0  # how often in a row that process was lost without having got further
    owner: str = ""  # whose it is; "" is nobody's
    parent: str = ""  # the comparison that began it
    provenance: Provenance = Provenance()

    @property
    def final(self) -> bool:
        return self.state in FINAL_STATES

    @property
    def accuracy(self) -> float | None:
        """The test accuracy; of heads the best mean over seeds; None before the run has ended with one."""
        return self.result.accuracy if self.final else None

    @property
    def took_s(self) -> float | None:
        """Seconds from the claim to the end; as the clock may jump between, not less than the work itself took."""
        if self.started is None or self.finished is None:
            return None
        return max(self.finished - self.started, self.result.total_s, 0.0)


class Store:
    """The runs of one data folder. Made anew in each process; safe to share between threads.

    Parameters
    ----------
    folder : the data folder, where the database is; made when missing. Default: ``home()``
    url : an SQLAlchemy address of the database; default: TRANSFER_LAB_DATABASE, else ``lab.db`` in the folder

    Attributes
    ----------
    shared : the folder in which the runs' folders are, and what people brought: ``shared_home``
    files : what brings the runs' files there and away, where they are in an object store

    Raises
    ------
    SpecError
        The object store that TRANSFER_LAB_RESULTS names is none, or needs a package.
    StoreError
        From here or any method: the folder or the database cannot be read or written.
    """

    def __init__(self, folder: Path | None = None, url: str | None = None):
        self.folder = Path(folder) if folder is not None else home()
        self.shared = shared_home(self.folder)
        self.files = files.of(self.shared)
        make(self.folder, self.shared / RUNS)
        url, file = url or address(), str(self.folder / FILE)
        engine = connect(url or sa.URL.create("sqlite", database=file))
        # Without the password: messages hold the name.
        self._database = Database(engine, engine.url.render_as_string() if url else file)
        with plain_errors(self._database.name):
            prepare(engine, self._database.name)
        self.rooms = RoomTables(self._database)
        self.tokens = TokenTable(self._database)

    def close(self) -> None:
        """Let go of the database's connections."""
        self._database.engine.dispose()

    @property
    def is_file(self) -> bool:
        """Whether the database is a file, which the processes of one machine alone may write to."""
        return self._database.engine.dialect.name == "sqlite"

    def mark(self) -> str:
        """Return this store's own mark, made when it is first asked for: whoever reads the same one shares it.

        Raises
        ------
        StoreError
            There is none yet, and none can be written.
        """
        query = sa.select(switches.c.value).where(switches.c.name == MARK)
        try:
            with self._database.writing() as connection:
                mark = connection.execute(query).scalar()
                if not mark:
                    mark = secrets.token_hex(8)
                    connection.execute(switches.insert().values(name=MARK, value=mark))
                return mark
        except StoreError:  # another process was quicker, or nothing can be written just now
            with self._database.reading() as connection:
                if mark := connection.execute(query).scalar():
                    return mark
            raise

    # -- making and reading ------------------------------------------------------------------------------------------

    def create(self, spec: Spec, name: str = "", owner: str = "", repeats: str = "") -> Run:
        """Add a queued run and return it.

        Parameters
        ----------
        repeats : the run whose training it repeats, to see whether the result is the same
        """
        columns = {"provenance": attempts.encode(asdict(Provenance(repeats=repeats)))} if repeats else {}
        return self.get(self._add(spec, name=name, owner=owner, state="queued", **columns))

    def go_on(self, run: Run, owner: str = "") -> Run:
        """Add a queued run that goes on where a stopped one ended: its spec, its points, a copy of what it left.

        The stopped run stays as it is.

        Raises
        ------
        SpecError
            It left no checkpoint.
        """
        if not can_go_on(self.run_folder(run.id)):
            raise SpecError("Run {run_id} left nothing to continue from. Start the same settings again.", run_id=run.id)
        further = secrets.token_hex(8)
        try:
            shutil.copytree(self.run_folder(run.id), self.run_folder(further))
            self.files.publish(further)
        except OSError as error:
            self.files.remove(further)
            raise _no_run_folder(self.run_folder(further), error.strerror) from error
        columns = [column.name for column in points_table.c if column.name != "run_id"]
        old = sa.select(sa.literal(further), *(points_table.c[name] for name in columns))
        with self._database.writing() as connection:
            kept = {"name": run.name, "note": run.note, "owner": owner, "state": "queued"}
            connection.execute(runs.insert().values(**_new(run.spec, further), **kept))
            chosen = old.where(points_table.c.run_id == run.id)
            connection.execute(points_table.insert().from_select(["run_id", *columns], chosen))
        return self.get(further)

    def begin(self, spec: Spec, owner: str = "", worker: str = "", parent: str = "") -> Attempt:
        """Add a run that this process executes at once, as a part of ``parent``, without a place in the queue."""
        run_id = self._add(spec, owner=owner, parent=parent, attempt=1, **attempts.claimed(worker))
        return Attempt(self._database, run_id, 1, self.files)

    def bring_in(self, brought: Sequence[Arrival]) -> None:
        """Add runs that have ended in another lab, all of them or none; their files are in their folders already."""
        arrivals.bring_in(self._database, brought)

    def get(self, run_id: str) -> Run:
        """Return one run, deleted ones too.

        Raises
        ------
        SpecError
            There is no such run, or its settings come from a version that this one cannot read.
        """
        row = None
        if run_id.isascii() and "\0" not in run_id:  # no database takes every string that an address can hold
            with self._database.reading() as connection:
                row = connection.execute(runs.select().where(runs.c.id == run_id)).mappings().first()
        if row is None:
            raise _unknown(run_id)
        return _run(row)

    def list(
        self,
        kind: str | None = None,
        states: Iterable[str] | None = None,
        deleted: bool = False,
        limit: int = 200,
        offset: int = 0,
        owner: str | Iterable[str] | None = None,
        ids: Iterable[str] | None = None,
    ) -> tuple[Run, ...]:
        """Return runs, newest first: those in the list, or with ``deleted`` those that can be restored.

        A run whose settings this version cannot read is left out, and logged.

        Parameters
        ----------
        ids : only these
        """
        query = runs.select().where(_where(kind, states, deleted, owner))
        if ids is not None:
            query = query.where(runs.c.id.in_(tuple(ids)))
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(runs.c.number.desc()).limit(limit).offset(offset)).mappings()
            return tuple(filter(None, map(_readable, rows)))

    def count(
        self,
        kind: str | None = None,
        states: Iterable[str] | None = None,
        deleted: bool = False,
        owner: str | Iterable[str] | None = None,
    ) -> int:
        """Return how many runs ``list`` would give without a limit."""
        query = sa.select(sa.func.count()).select_from(runs).where(_where(kind, states, deleted, owner))
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one()

    def under_way(self, owner: str | Iterable[str] | None = None) -> Mapping[str, RunState]:
        """Return the state of each run that waits or goes on and is not deleted, by its id."""
        query = sa.select(runs.c.id, runs.c.state).where(_where(None, ("queued", "running"), False, owner))
        with self._database.reading() as connection:
            return {row.id: row.state for row in connection.execute(query)}

    def listing(self, owner: str | Iterable[str] | None = None) -> tuple[Entry, ...]:
        """Return what a list shows of every run that is not deleted, newest first; see ``listing``."""
        return listing.read(self._database, _where(None, None, False, owner))

    def test_uses(self, targets: Sequence[str], owner: str) -> int:
        """Return how often a person's runs measured on the test images of ``targets``.

        Once a network, a head, or an experiment of a sweep; deleted runs count too: what was seen stays seen.
        """
        mine = sa.and_(runs.c.owner == owner, runs.c.state.in_(FINAL_STATES), runs.c.result != "{}")
        # Most runs name their task; a kind that does not is asked.
        named = sa.or_(*(runs.c.spec.like(f'%"target": "{target}"%') for target in targets))
        about = sa.or_(named, ~runs.c.spec.like('%"target": "%'))
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(runs.c.spec, runs.c.result).where(mine, about)).all()
        uses = [_test_uses(spec, result) for spec, result in rows]
        return sum(use.get(target, 0) for use in uses for target in targets)

    def queued(self, limit: int = 10) -> tuple[str, ...]:
        """Return the ids of the runs that wait, the next first: people take turns, see ``turns.line``."""
        with self._database.reading() as connection:
            return tuple(connection.execute(turns.line().limit(limit)).scalars())

    def ahead(self, run_id: str) -> int:
        """Return how many runs come before a queued one, those that run already included; else 0."""
        line = _ahead().subquery()
        with self._database.reading() as connection:
            return connection.execute(sa.select(line.c.ahead).where(line.c.id == run_id)).scalar() or 0

    def ahead_of_all(self) -> Mapping[str, int]:
        """Return what ``ahead`` says of each queued run, by its id; it takes about as long."""
        with self._database.reading() as connection:
            return {row.id: row.ahead for row in connection.execute(_ahead())}

    def points(self, run_id: str, since: int = 0, limit: int = 100_000) -> NumberedPoints:
        """Return the points after number ``since``, each with its number; they count from 1 in each run."""
        query = points_table.select().where(points_table.c.run_id == run_id, points_table.c.seq > since)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(points_table.c.seq).limit(limit))
            return [(row.seq, _point(row)) for row in rows]

    def cells(self, run_id: str) -> tuple[Cell, ...]:
        """Return the finished experiments of a sweep, by what they are; those of all its attempts."""
        query = cells_table.select().where(cells_table.c.run_id == run_id)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(*cells_table.primary_key)).mappings()
            return tuple(map(_cell, rows))

    def run_folder(self, run_id: str, create: bool = False) -> Path:
        """Return the folder of a run's files, which need not exist unless ``create`` is set.

        Without ``create`` it is first brought up to date with the object store, if there is one.

        Raises
        ------
        SpecError
            Not the id of a run: no path is ever made of other text.
        StoreError
            With ``create``: the folder cannot be made or written to.
        """
        if not re.fullmatch(r"[0-9a-f]{16}", run_id):
            raise _unknown(run_id)
        folder = self.shared / RUNS / run_id
        if create:
            try:
                folder.parent.mkdir(exist_ok=True)  # never the data folder: a disk that all share may be away
                folder.mkdir(exist_ok=True)
            except OSError as error:
                raise _no_run_folder(folder, error.strerror) from error
            if not os.access(folder, os.W_OK):
                raise _no_run_folder(folder, "it is read-only")
        else:
            self.files.bring(run_id)
        return folder

    # -- a run's life ------------------------------------------------------------------------------------------------

    def claim(self, run_id: str, worker: str = "", keep: int = 0, attempt: int | None = None) -> Attempt | None:
        """Take a queued run for this process: of all who try, one gets an attempt, the others None.

        The versions of what runs it are written down.

        Parameters
        ----------
        keep : how many points of earlier attempts stay, the first ones; the new ones are numbered after them
        attempt : only when the run is still at this attempt, for what can be kept was seen then
        """
        return attempts.claim(self._database, run_id, worker, keep, attempt, self.files)

    def beside(self, run: Run) -> Attempt:
        """Return what a helper of the process that runs ``run`` may write with, until it is another attempt's."""
        return Attempt(self._database, run.id, run.attempt, self.files)

    def request_stop(self, run_id: str) -> None:
        """Ask a run to stop; one that still waits is stopped at once, a finished one is left alone."""
        here = runs.c.id == run_id
        with self._database.writing() as connection:
            self._must_exist(connection, run_id)
            _stop(connection, here)

    def finish(
        self,
        run_id: str,
        state: str,
        result: dict[str, Any] | None = None,
        error: Sentence = NOTHING,
        attempt: int | None = None,
    ) -> bool:
        """Write the end of a run that somebody else claimed, or nobody; a final state never changes.

        Parameters
        ----------
        attempt : only when the run is still at this attempt

        Returns
        -------
        bool
            False when the run has ended already, or is at another attempt.
        """
        values = attempts.ending(state, result, error)
        still_open = sa.and_(_at(run_id, attempt), runs.c.state.not_in(FINAL_STATES))
        with self._database.writing() as connection:
            return connection.execute(runs.update().where(still_open).values(**values)).rowcount == 1

    def requeue(self, run_id: str, attempt: int | None = None, lost: bool = False) -> bool:
        """Put a running run back into the queue, at its old place.

        Returns False when it does not run (at that attempt), or was asked to stop.

        Parameters
        ----------
        lost : its process died; that is counted until the run gets further
        """
        running = sa.and_(_at(run_id, attempt), runs.c.state == "running", ~runs.c.stop_requested)
        values = {
            "state": "queued",
            "started": None,
            "heartbeat": None,
            "progress": "{}",
            "lost": runs.c.lost + int(lost),
        }
        with self._database.writing() as connection:
            return connection.execute(runs.update().where(running).values(**values)).rowcount == 1

    def stale(self, seconds: float) -> tuple[Run, ...]:
        """Return the running runs whose last heartbeat is older than ``seconds``, or as far ahead of our clock."""
        now = time.time()  # it may have jumped back: then a dead run's heartbeat lies in the future
        odd = sa.or_(runs.c.heartbeat < now - seconds, runs.c.heartbeat > now + seconds)
        old = sa.and_(runs.c.state == "running", odd)
        with self._database.reading() as connection:
            rows = connection.execute(runs.select().where(old).order_by(runs.c.number)).mappings()
            return tuple(filter(None, map(_readable, rows)))

    def attend(self, owners: Iterable[str]) -> None:
        """Note that these people are here: what they have waiting stays in the line."""
        waits = sa.and_(runs.c.state == "queued", runs.c.owner.in_(tuple(owners)))
        with self._database.writing() as connection:
            connection.execute(runs.update().where(waits).values(heartbeat=time.time()))

    def let_go(self, idle_s: float, reason: Sentence) -> tuple[str, ...]:
        """Stop, with a reason, what never began and whose owner was not here for that long; return the ids.

        What nobody owns stays.
        """
        seen = sa.func.coalesce(runs.c.heartbeat, runs.c.created)
        idle = sa.and_(runs.c.state == "queued", runs.c.owner != "", runs.c.attempt == 0, seen < time.time() - idle_s)
        with self._database.writing() as connection:
            ids = tuple(connection.execute(sa.select(runs.c.id).where(idle)).scalars())
            stopped = {"state": "stopped", "finished": time.time(), "stop_requested": True}
            told = {"error": sentences.dumps(reason)}
            connection.execute(runs.update().where(runs.c.id.in_(ids)).values(**stopped, **told))
        return ids

    # -- what a person does with runs --------------------------------------------------------------------------------

    def annotate(self, run_id: str, name: str | None = None, note: str | None = None) -> None:
        """Change a run's name or note; None leaves it."""
        given = {"name": name, "note": note}
        self._change(run_id, **{field: value for field, value in given.items() if value is not None})

    def delete(self, run_id: str) -> None:
        """Take a run off the list and stop it, with the runs that it began; ``restore`` undoes it until ``purge``."""
        whole = sa.or_(runs.c.id == run_id, runs.c.parent == run_id)
        with self._database.writing() as connection:
            self._must_exist(connection, run_id)
            there = sa.and_(whole, runs.c.deleted.is_(None))
            connection.execute(runs.update().where(there).values(deleted=time.time()))
            _stop(connection, whole)

    def restore(self, run_id: str) -> None:
        """Put a deleted run back on the list, with the runs that were deleted with it."""
        with self._database.writing() as connection:
            self._must_exist(connection, run_id)
            when = connection.execute(sa.select(runs.c.deleted).where(runs.c.id == run_id)).scalar()
            part = sa.and_(runs.c.parent == run_id, runs.c.deleted == when)
            connection.execute(runs.update().where(sa.or_(runs.c.id == run_id, part)).values(deleted=None))

    def purge(self, older_than_s: float = 0.0) -> int:
        """Remove for good what was deleted longer ago than that, with its files; return how many runs."""
        old = sa.and_(runs.c.deleted <= time.time() - older_than_s, runs.c.state.in_(FINAL_STATES))
        with self._database.writing() as connection:
            query = sa.select(runs.c.id).where(old).order_by(runs.c.number).with_for_update()
            ids = list(connection.execute(query).scalars())
            connection.execute(runs.delete().where(runs.c.id.in_(ids)))
        for run_id in ids:
            self.files.remove(run_id)
        return len(ids)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _add(self, spec: Spec, **columns: Any) -> str:
        run_id = secrets.token_hex(8)
        with self._database.writing() as connection:
            connection.execute(runs.insert().values(**_new(spec, run_id), **columns))
        return run_id

    def _change(self, run_id: str, **values: Any) -> None:
        with self._database.writing() as connection:
            self._must_exist(connection, run_id)
            if values:
                connection.execute(runs.update().where(runs.c.id == run_id).values(**values))

    def _must_exist(self, connection: sa.Connection, run_id: str) -> None:
        query = sa.select(runs.c.id).where(runs.c.id == run_id).with_for_update()  # nothing changes it meanwhile
        if connection.execute(query).first() is None:
            raise _unknown(run_id)


def _new(spec: Spec, run_id: str) -> dict[str, Any]:
    return {"id": run_id, "kind": spec.kind, "spec": to_json(spec), "seed": spec.seed, "created": time.time()}


def _no_run_folder(folder: Path, reason: str | None) -> StoreError:
    return StoreError(
        "The run folder {folder} cannot be written ({reason}). Make it writable, then start the run again.",
        folder=folder,
        reason=reason,
    )


def _unknown(run_id: str) -> SpecError:
    return SpecError("There is no run {run_id!r}. Pick one from the list of runs.", run_id=run_id)


def _at(run_id: str, attempt: int | None) -> sa.ColumnElement[bool]:
    return sa.and_(runs.c.id == run_id, sa.true() if attempt is None else runs.c.attempt == attempt)


def _where(
    kind: str | None, states: Iterable[str] | None, deleted: bool, owner: str | Iterable[str] | None = None
) -> sa.ColumnElement[bool]:
    conditions: list[sa.ColumnElement[bool]] = [runs.c.deleted.is_not(None) if deleted else runs.c.deleted.is_(None)]
    if kind is not None:
        conditions.append(runs.c.kind == kind)
    if states is not None:
        # A person's few runs are found by the owner's index; SQLite would look through all that wait.
        state = runs.c.state if owner is None else runs.c.state.concat("")
        conditions.append(state.in_(tuple(states)))
    if owner is not None:
        conditions.append(runs.c.owner.in_((owner,) if isinstance(owner, str) else tuple(owner)))
    return sa.and_(*conditions)


def _ahead() -> sa.Select:
    line = turns.line().subquery()
    # By process: a comparison and the run of it that is just trained are one thing to wait for.
    busy = sa.func.count(runs.c.process.distinct())
    running = sa.select(busy).where(_where(None, ("running",), False)).scalar_subquery()
    return sa.select(line.c.id, (line.c.place - 1 + running).label("ahead"))


def _stop(connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    queued, running = (sa.and_(which, runs.c.state == state) for state in ("queued", "running"))
    connection.execute(runs.update().where(queued).values(state="stopped", finished=time.time(), stop_requested=True))
    connection.execute(runs.update().where(running).values(stop_requested=True))


def _run(row: Any) -> Run:
    fields = dict(row)
    del fields["number"], fields["card"]
    fields["spec"] = from_json(fields["spec"])
    fields["progress"] = _progress(json.loads(fields["progress"]))
    fields["error"] = sentences.loads(fields["error"])
    fields["deleted"] = fields["deleted"] is not None
    fields["stored"] = json.loads(fields["result"])
    fields["result"] = result_from(fields["kind"], fields["stored"])
    fields["versions"] = json.loads(fields["versions"])
    fields["provenance"] = decode(Provenance, json.loads(fields["provenance"] or "{}"), strict=False)
    return Run(**fields)


def _test_uses(spec: str, result: str) -> Mapping[str, int]:
    try:
        asked = from_json(spec)
        return result_from(asked.kind, json.loads(result)).test_uses(asked.data.target)
    except SpecError:  # of a kind, or a version, that is not here
        return {}


def _progress(fields: dict[str, Any]) -> Progress:
    return Progress(**{**fields, "message": sentences.decode(fields.get("message", ""))})


def _point(row: Any) -> MetricPoint:
    fields = {"x": row.x, "loss": row.loss, "accuracy": row.accuracy, "elapsed_s": row.elapsed_s}
    return MetricPoint(**fields, **of_series(row.series))  # type: ignore[arg-type]


def _cell(row: Any) -> Cell:
    fields = {name: value for name, value in row.items() if name != "run_id"}
    return Cell(**{**fields, "error": sentences.loads(fields["error"])})


def _readable(row: Any) -> Run | None:
    try:
        return _run(row)
    except (LabError, ValueError, TypeError):
        log.warning("run %s was left out of a list", row["id"], exc_info=True)
        return None
