"""What the store keeps of rooms: who is in them, and what they drew or chose. Rights and rules are ``tlcore.rooms``."""

import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import sqlalchemy as sa

from .connection import Database
from .tables import room_items as items
from .tables import room_members as members
from .tables import rooms, switches


@dataclass(frozen=True)
class Room:
    """One room as it stood when it was read. Times are UTC, in seconds since 1970.

    ``rev`` grows with every change of the room, of who is in it and of what they sent; ``round`` with every new task.
    """

    id: str
    code: str
    key: str
    owner: str
    created: float
    closed: float | None
    paused: bool
    names: bool
    round: int
    activity: Mapping[str, Any]
    rev: int


@dataclass(frozen=True)
class Member:
    """Somebody in a room: ``number`` counts them in the order in which they came."""

    number: int
    person: str
    name: str
    hidden: bool
    removed: float | None
    seen: float


@dataclass(frozen=True)
class Item:
    """What a member sent: a drawing, a picture or a vote; ``answers`` is what the networks read in it."""

    number: int
    member: int
    round: int
    kind: str
    label: str
    content: bytes
    answers: Mapping[str, Any]
    removed: float | None
    rev: int


@dataclass(frozen=True)
class Standing:
    """Somebody in a room, with what stands of theirs in this round: how many items, and the label of their vote."""

    room: Room
    member: Member
    sent: int
    vote: str


@dataclass(frozen=True)
class Change:
    """What counts of an item: ``answers`` without its content."""

    number: int
    round: int
    kind: str
    label: str
    answers: Mapping[str, Any]
    removed: float | None
    rev: int


class RoomTables:
    """The rows of all rooms. Safe to share between threads; every method may raise a StoreError."""

    def __init__(self, database: Database):
        self._database = database

    # -- rooms -------------------------------------------------------------------------------------------------------

    def open(self, code: str, key: str, owner: str, activity: Mapping[str, Any]) -> Room | None:
        """Add a room; None where the code is taken."""
        row = {
            "id": secrets.token_hex(8), "code": code, "key": key, "owner": owner, "created": time.time(),
            "paused": False, "names": True, "round": 1, "activity": json.dumps(activity), "rev": 1,
        }  # fmt: skip
        with self._database.writing() as connection:
            if connection.execute(sa.select(rooms.c.id).where(rooms.c.code == code)).first():
                return None
            connection.execute(rooms.insert().values(**row))
        return self.get(row["id"])

    def get(self, room_id: str) -> Room | None:
        return self._one(rooms.c.id == room_id)

    def by_code(self, code: str) -> Room | None:
        return self._one(rooms.c.code == code)

    def list(self) -> tuple[Room, ...]:
        """Return all rooms, the newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(rooms.select().order_by(rooms.c.created.desc())).mappings()
            return tuple(map(_room, rows))

    def change(self, room_id: str, **columns: Any) -> None:
        """Set columns of a room; an ``activity`` begins a new round."""
        values: dict[str, Any] = {"rev": rooms.c.rev + 1} | columns
        if "activity" in columns:
            values |= {"activity": json.dumps(columns["activity"]), "round": rooms.c.round + 1}
        with self._database.writing() as connection:
            connection.execute(rooms.update().where(rooms.c.id == room_id).values(**values))

    def amend(self, room: Room, activity: Mapping[str, Any]) -> bool:
        """Say how far a room's activity is; False where that is not what the room does any more."""
        values = {"activity": json.dumps(activity), "rev": rooms.c.rev + 1}
        same = [rooms.c.id == room.id, rooms.c.round == room.round, rooms.c.activity == json.dumps(room.activity)]
        with self._database.writing() as connection:
            return connection.execute(rooms.update().where(*same).values(**values)).rowcount == 1

    def forget(self, before: float) -> tuple[str, ...]:
        """Delete the rooms that were opened before a time, with all in them; return their ids."""
        with self._database.writing() as connection:
            old = sa.select(rooms.c.id).where(rooms.c.created < before)
            ids = tuple(connection.execute(old).scalars())
            if ids:
                connection.execute(rooms.delete().where(rooms.c.id.in_(ids)))
        return ids

    def _one(self, where: sa.ColumnElement[bool]) -> Room | None:
        with self._database.reading() as connection:
            row = connection.execute(rooms.select().where(where)).mappings().first()
        return None if row is None else _room(row)

    # -- who is in them ----------------------------------------------------------------------------------------------

    def join(self, room_id: str, person: str, name: str, most: int) -> Member | None:
        """Return a person's membership, made where there is none; None where the room is full.

        A name replaces the one of before; without one that is kept.
        """
        with self._database.writing() as connection:
            mine = sa.and_(members.c.room_id == room_id, members.c.person == person)
            if row := connection.execute(members.select().where(mine)).mappings().first():
                if name and name != row["name"]:
                    connection.execute(members.update().where(mine).values(name=name, hidden=False))
                    _touch(connection, room_id)
            else:
                here = sa.select(sa.func.count()).where(members.c.room_id == room_id)
                if (n := connection.execute(here).scalar_one()) >= most:
                    return None
                row = {"room_id": room_id, "number": n + 1, "person": person, "name": name, "hidden": False}
                connection.execute(members.insert().values(**row, seen=time.time()))
                _touch(connection, room_id)
            row = connection.execute(members.select().where(mine)).mappings().one()
        return _member(row)

    def member(self, room_id: str, person: str) -> Member | None:
        with self._database.reading() as connection:
            mine = sa.and_(members.c.room_id == room_id, members.c.person == person)
            row = connection.execute(members.select().where(mine)).mappings().first()
        return None if row is None else _member(row)

    def standing(self, code: str, person: str, vote: str) -> Standing | None:
        """Return where somebody stands in the room of a code, in one question; None where they are not in it.

        Parameters
        ----------
        vote : the kind of item that is a vote
        """
        theirs = [items.c.room_id == rooms.c.id, items.c.round == rooms.c.round, items.c.member == members.c.number]
        n_sent = sa.func.count(items.c.number)
        label = sa.func.max(sa.case((items.c.kind == vote, items.c.label), else_=""))
        query = (
            sa.select(rooms, *(column.label(f"of_{column.name}") for column in members.c), n_sent, label)
            .join_from(rooms, members, sa.and_(members.c.room_id == rooms.c.id, members.c.person == person))
            .outerjoin(items, sa.and_(*theirs, items.c.removed.is_(None)))
            .where(rooms.c.code == code)
            .group_by(rooms.c.id, members.c.room_id, members.c.number)
        )
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        room = dict(zip(rooms.c.keys(), row, strict=False))
        member = dict(zip(members.c.keys(), row[len(room) :], strict=False))
        return Standing(_room(room), _member(member), row[-2], row[-1] or "")

    def members(self, room_id: str) -> tuple[Member, ...]:
        """Return who is or was in a room, in the order in which they came."""
        query = members.select().where(members.c.room_id == room_id).order_by(members.c.number)
        with self._database.reading() as connection:
            return tuple(_member(row) for row in connection.execute(query).mappings())

    def seen(self, room_id: str, number: int) -> None:
        """Note that a member is here."""
        with self._database.writing() as connection:
            connection.execute(members.update().where(_numbered(members, room_id, number)).values(seen=time.time()))

    def change_member(self, room_id: str, number: int, **columns: Any) -> None:
        """Set columns of a member; what they sent counts as changed too, for it carries the name."""
        with self._database.writing() as connection:
            rev = _touch(connection, room_id)
            connection.execute(members.update().where(_numbered(members, room_id, number)).values(**columns))
            theirs = sa.and_(items.c.room_id == room_id, items.c.member == number)
            connection.execute(items.update().where(theirs).values(rev=rev))
            if columns.get("removed"):
                still = sa.and_(theirs, items.c.removed.is_(None))
                connection.execute(items.update().where(still).values(removed=columns["removed"]))

    # -- what they sent ----------------------------------------------------------------------------------------------

    def add(self, room: Room, member: int, kind: str, label: str, content: bytes, answers: Mapping[str, Any]) -> int:
        """Keep what a member sent in this round; return its number."""
        with self._database.writing() as connection:
            rev, number = _touch(connection, room.id), _next(connection, room.id)
            row = {
                "room_id": room.id, "number": number, "member": member, "round": room.round, "kind": kind,
                "label": label, "content": content, "answers": json.dumps(answers), "rev": rev,
            }  # fmt: skip
            connection.execute(items.insert().values(**row))
        return number

    def replace(self, room: Room, member: int, kind: str, label: str) -> bool:
        """Keep one label of a member in place of that of before; False where the room has gone on to something else."""
        with self._database.writing() as connection:
            rev = _touch(connection, room.id)
            now = _room(connection.execute(rooms.select().where(rooms.c.id == room.id)).mappings().one())
            if any(getattr(now, name) != getattr(room, name) for name in ("round", "activity", "paused", "closed")):
                return False
            row = {"room_id": room.id, "member": member, "round": room.round, "kind": kind}
            same = [items.c[name] == value for name, value in row.items()]
            connection.execute(
                items.update().where(*same, items.c.removed.is_(None)).values(removed=time.time(), rev=rev)
            )
            row |= {"number": _next(connection, room.id), "label": label, "content": b"", "answers": "{}", "rev": rev}
            connection.execute(items.insert().values(**row))
        return True

    def count(self, room_id: str, kinds: Sequence[str]) -> int:
        """Return how many items of these kinds a room keeps, those among them that were removed."""
        query = sa.select(sa.func.count()).where(items.c.room_id == room_id, items.c.kind.in_(kinds))
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one()

    def newest(self, room_id: str, round: int, kinds: Sequence[str], n: int) -> int:
        """Return the number at which the newest ``n`` items of these kinds begin; 0 where there are no more than these.

        What was removed is not counted.
        """
        chosen = [
            items.c.room_id == room_id,
            items.c.round == round,
            items.c.kind.in_(kinds),
            items.c.removed.is_(None),
        ]
        query = sa.select(items.c.number).where(*chosen).order_by(items.c.number.desc()).offset(n - 1).limit(2)
        with self._database.reading() as connection:
            numbers = connection.execute(query).scalars().all()
        return numbers[0] if len(numbers) > 1 else 0

    def fold(
        self, room_id: str, kinds: Sequence[str], n: int, summed: Callable[[Sequence[Item]], Sequence[Item]]
    ) -> None:
        """Delete the oldest ``n`` items of these kinds and keep in their place what ``summed`` makes of them."""
        with self._database.writing() as connection:
            rev = _touch(connection, room_id)  # of two who fold at once the second waits here
            chosen = items.select().where(items.c.room_id == room_id, items.c.kind.in_(kinds))
            oldest = [_item(row) for row in connection.execute(chosen.order_by(items.c.number).limit(n)).mappings()]
            numbers = [item.number for item in oldest]
            connection.execute(items.delete().where(items.c.room_id == room_id, items.c.number.in_(numbers)))
            for item in summed(oldest):
                row = {**asdict(item), "room_id": room_id, "answers": json.dumps(item.answers), "rev": rev}
                connection.execute(items.insert().values(**row))

    def items(
        self,
        room_id: str,
        *,
        since: int = 0,
        round: int | None = None,
        kind: str | None = None,
        member: int | None = None,
        first: int = 0,
        removed: bool = True,
    ) -> tuple[Item, ...]:
        """Return what was sent and changed after ``since``, in the order in which it came.

        Parameters
        ----------
        round, kind, member : only of these
        first : the lowest number
        removed : whether what was removed is among it
        """
        asked = {items.c.round: round, items.c.kind: kind, items.c.member: member}
        chosen = [items.c.room_id == room_id, items.c.rev > since, items.c.number >= first]
        chosen += [column == value for column, value in asked.items() if value is not None]
        chosen += [] if removed else [items.c.removed.is_(None)]
        with self._database.reading() as connection:
            rows = connection.execute(items.select().where(*chosen).order_by(items.c.number)).mappings()
            return tuple(_item(row) for row in rows)

    def marks(self, room_id: str, kind: str) -> Sequence[tuple[int, str, Mapping[str, Any]]]:
        """Return round, label and answers of all that was sent of a kind and not removed."""
        chosen = [items.c.room_id == room_id, items.c.kind == kind, items.c.removed.is_(None)]
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(items.c.round, items.c.label, items.c.answers).where(*chosen))
            return [(round, label, json.loads(answers)) for round, label, answers in rows]

    def changed(self, room_id: str, kinds: Sequence[str], since: int) -> Sequence[Change]:
        """Return what counts of the items of these kinds that changed after ``since``; removed ones are among them."""
        chosen = [items.c.room_id == room_id, items.c.rev > since, items.c.kind.in_(kinds)]
        columns = [items.c[each.name] for each in fields(Change)]
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(*columns).where(*chosen)).mappings()
            return [Change(**{**row, "answers": json.loads(row["answers"])}) for row in rows]

    def remove(self, room_id: str, numbers: Iterable[int]) -> None:
        """Take items off the wall."""
        with self._database.writing() as connection:
            rev = _touch(connection, room_id)
            for number in numbers:
                here = _numbered(items, room_id, number)
                connection.execute(items.update().where(here).values(removed=time.time(), rev=rev))

    # -- the host's switches -----------------------------------------------------------------------------------------

    def switch(self, name: str) -> str:
        """Return what the host set; "" when nothing."""
        with self._database.reading() as connection:
            query = sa.select(switches.c.value).where(switches.c.name == name)
            return connection.execute(query).scalar() or ""

    def set_switch(self, name: str, value: str) -> None:
        with self._database.writing() as connection:
            connection.execute(switches.delete().where(switches.c.name == name))
            connection.execute(switches.insert().values(name=name, value=value))


def _touch(connection: sa.Connection, room_id: str) -> int:
    """Count a change of the room; return the new number."""
    connection.execute(rooms.update().where(rooms.c.id == room_id).values(rev=rooms.c.rev + 1))
    return connection.execute(sa.select(rooms.c.rev).where(rooms.c.id == room_id)).scalar_one()


def _next(connection: sa.Connection, room_id: str) -> int:
    last = sa.select(sa.func.coalesce(sa.func.max(items.c.number), 0)).where(items.c.room_id == room_id)
    return connection.execute(last).scalar_one() + 1


def _numbered(table: sa.Table, room_id: str, number: int) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.room_id == room_id, table.c.number == number)


def _room(row: Any) -> Room:
    return Room(**{**row, "activity": json.loads(row["activity"])})


def _member(row: Any) -> Member:
    return Member(**{name: value for name, value in row.items() if name != "room_id"})


def _item(row: Any) -> Item:
    kept = {name: value for name, value in row.items() if name != "room_id"}
    return Item(**{**kept, "content": bytes(row["content"]), "answers": json.loads(row["answers"])})
