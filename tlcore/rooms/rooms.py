"""Rooms: who may open one, who is in it, and what its host may do there."""

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import replace

from tlcore.errors import LabError, RightsError, SpecError
from tlcore.people import Person
from tlcore.sentences import one_line
from tlcore.store import Member, Room, Standing, Store

from . import counting, taught
from .activity import Activity
from .bets import VOTE
from .pace import Pace

# Neither vowels, which make words, nor what is mistaken for another when it is read aloud or from the last row.
LETTERS = "CDFGHJKMNPRTVWXY3479"
LENGTH = 5
MOST_OPEN = 20  # rooms of a server
MOST_MEMBERS = 300
LIVES_S = 24 * 3600.0
HERE_S = 45.0  # a phone asks every few seconds, and notes that it is here a few times a minute
NOTED_S = 20.0
MOST_NAME = 24  # letters of a nickname
EVERYBODY_OPENS = "everybody_opens_rooms"


class TooFast(LabError):
    """Somebody does something more often than a person can."""


class NoRoom(SpecError):
    """There is no such room for who asks."""


def new_code() -> str:
    """Return a code at random, such as ``"KX7WP"``: one of 3.2 million."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def as_code(text: str) -> str:
    """Return a code as it is stored from what somebody typed.

    Examples
    --------
    >>> as_code(" kx7-wp ")
    'KX7WP'
    """
    return re.sub(r"[^A-Z0-9]", "", text[:40].upper())[:LENGTH]


def as_name(text: str) -> str:
    """Return a nickname as it is shown: letters that can be seen, in one line, at most 24 of them.

    Examples
    --------
    >>> as_name("  Ann\\u202e\\n Lee ")
    'Ann Lee'
    """
    return one_line(text[:400])[:MOST_NAME].strip()


class Gate:
    """Lets nobody guess codes faster than a person types.

    Only wrong ones count, by address and in all; who has used up theirs waits, and so does a right code from there,
    or it would tell. Who comes by the QR code has the room's key, and never waits.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._by_address = Pace(burst=8, every_s=3.0, clock=clock)
        self._in_all = Pace(burst=200, every_s=0.5, clock=clock)

    def check(self, address: str) -> None:
        """Raise a TooFast for who has guessed too often."""
        wait_s = max(self._by_address.wait_s(address), self._in_all.wait_s(""))
        if wait_s:
            raise TooFast("Too many wrong codes. Wait {n:.0f} s and type the code again.", n=max(1.0, wait_s))

    def wrong(self, address: str) -> None:
        """Count a wrong code."""
        self._by_address.take(address)
        self._in_all.take("")


class Rooms:
    """The rooms of a store.

    Parameters
    ----------
    clock : tells UTC seconds
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time):
        self._rows, self._clock = store.rooms, clock
        self.gate = Gate()

    # -- opening -----------------------------------------------------------------------------------------------------

    def may_open(self, person: Person) -> bool:
        """Return whether somebody may open a room: the host, and everybody where the host allows it."""
        return person.host or self.everybody_opens()

    def everybody_opens(self) -> bool:
        return self._rows.switch(EVERYBODY_OPENS) == "yes"

    def let_everybody_open(self, person: Person, allowed: bool) -> None:
        """Set whether everybody may open rooms; a RightsError for all but the host."""
        if not person.host:
            raise RightsError("Only the host of this server can decide who opens rooms.")
        self._rows.set_switch(EVERYBODY_OPENS, "yes" if allowed else "no")

    def open(self, person: Person, activity: Activity | None = None) -> Room:
        """Open a room of somebody's and return it.

        Raises
        ------
        RightsError
            They may not, or as many rooms are open as may be.
        """
        if not self.may_open(person):
            raise RightsError("Only the host of this server can open a room. Ask them, or join a room by its code.")
        self.forget()
        if sum(room.closed is None for room in self._rows.list()) >= MOST_OPEN:
            raise RightsError("{n} rooms are open; that is the limit. Close one first.", n=MOST_OPEN)
        stored = (activity or Activity()).stored()
        while True:
            if room := self._rows.open(new_code(), secrets.token_hex(8), person.id, stored):
                return room

    def forget(self) -> tuple[str, ...]:
        """Delete the rooms of more than a day ago with all that was sent; return their ids."""
        gone = self._rows.forget(self._clock() - LIVES_S)
        for room_id in gone:
            taught.forget(room_id)
        return gone

    # -- who somebody is in a room -----------------------------------------------------------------------------------

    def run_by(self, person: Person) -> tuple[Room, ...]:
        """Return the rooms that somebody runs, all of them for the host: open ones first, then the newest first."""
        mine = [room for room in self._rows.list() if self._lives(room) and (person.host or room.owner == person.id)]
        return tuple(sorted(mine, key=lambda room: room.closed is not None))

    def of_host(self, person: Person, code: str) -> Room:
        """Return a room that somebody runs; a RightsError for everybody else, whether there is such a room or not."""
        room = self._rows.by_code(as_code(code))
        if room is None or not self._lives(room) or not (person.host or room.owner == person.id):
            raise RightsError("Only the host of a room can see and change its wall.")
        return room

    def of_member(self, person_id: str, code: str) -> tuple[Room, Member]:
        """Return a room and who somebody is in it.

        Raises
        ------
        NoRoom
            There is no such room, or they never joined it.
        RightsError
            The host has removed them.
        """
        standing = self.standing(person_id, code)
        return standing.room, standing.member

    def standing(self, person_id: str, code: str) -> Standing:
        """Return who somebody is in a room with what they have sent in this round; raises as ``of_member``."""
        found = self._rows.standing(as_code(code), person_id, VOTE)
        if found is None or not self._lives(found.room):
            raise NoRoom("You are not in this room. Type the code that stands on the wall.")
        if found.member.removed is not None:
            raise RightsError("The host has removed you from this room.")
        if self._clock() - found.member.seen > NOTED_S:
            self._rows.seen(found.room.id, found.member.number)
            found = replace(found, member=replace(found.member, seen=self._clock()))
        return found

    def join(self, person_id: str, code: str, name: str = "", *, key: str = "", address: str = "") -> Member:
        """Let somebody into a room, again as who they were.

        Parameters
        ----------
        key : the room's own, from the QR code
        address : of the network, by which wrong codes are counted

        Raises
        ------
        NoRoom
            There is no open room of that code.
        TooFast
            Too many wrong codes came from there.
        RightsError
            The host has removed them, or the room is full.
        """
        room = self._rows.by_code(as_code(code))
        has_key = room is not None and secrets.compare_digest(key.encode(), room.key.encode())
        is_member = room is not None and self._rows.member(room.id, person_id) is not None
        if not (has_key or is_member):
            self.gate.check(address)
        if room is None or not self._is_open(room) or not (has_key or is_member or not key):
            self.gate.wrong(address)
            raise NoRoom("There is no open room {code}. Check the code on the wall.", code=as_code(code) or "?")
        member = self._rows.join(room.id, person_id, as_name(name), MOST_MEMBERS)
        if member is None:
            raise RightsError("This room is full: {n} people have joined it.", n=MOST_MEMBERS)
        if member.removed is not None:
            raise RightsError("The host has removed you from this room.")
        return member

    # -- what the host does ------------------------------------------------------------------------------------------

    def begin(self, room: Room, activity: Activity) -> None:
        """Ask everybody something new; the wall begins again."""
        if activity.kind == "teach":
            taught.begin(room, activity.classes)
        self._rows.change(room.id, activity=activity.stored(), paused=False)

    def pause(self, room: Room, paused: bool) -> None:
        self._rows.change(room.id, paused=paused)

    def show_names(self, room: Room, names: bool) -> None:
        self._rows.change(room.id, names=names)

    def close(self, room: Room) -> None:
        """Close a room: nobody joins or sends any more; what was sent is kept until the room is forgotten."""
        self._rows.change(room.id, closed=self._clock())

    def clear(self, room: Room) -> None:
        """Take everything of this round off the wall."""
        now = self._rows.get(room.id) or room  # another window of the host's may have asked something new
        sent = self._rows.items(room.id, round=now.round, removed=False)
        self._rows.remove(room.id, [item.number for item in sent])
        taught.unlearn(room.id, sent)

    def remove_item(self, room: Room, number: int) -> None:
        """Take what somebody sent off the wall, and out of what is learned from."""
        sent = [item for item in self._rows.items(room.id, removed=False) if item.number == number]
        self._rows.remove(room.id, [number])
        taught.unlearn(room.id, sent)

    def remove_member(self, room: Room, number: int) -> None:
        """Take somebody out of a room for good, with all they sent."""
        taught.unlearn(room.id, self._rows.items(room.id, member=number, removed=False))
        self._rows.change_member(room.id, number, removed=self._clock())

    def let_back(self, room: Room, number: int) -> None:
        """Undo ``remove_member``; what they sent stays off the wall."""
        self._rows.change_member(room.id, number, removed=None)

    def hide_name(self, room: Room, number: int, hidden: bool = True) -> None:
        """Hide somebody's nickname on the wall, until they choose another one."""
        self._rows.change_member(room.id, number, hidden=hidden)

    # -- what members do ---------------------------------------------------------------------------------------------

    def check_open(self, room: Room) -> None:
        """Raise a RightsError while nothing can be sent to a room."""
        if room.closed is not None:
            raise RightsError("The host has closed this room.")
        if room.paused:
            raise RightsError("The host has paused the room. Your drawing stays here: send it when it goes on.")

    def send(self, room: Room, member: Member, kind: str, label: str, content: bytes, answers: dict) -> int:
        """Keep what somebody sent; return its number. Of a full room the oldest pictures go, and still count.

        Raises
        ------
        RightsError
            The room is paused or closed.
        """
        self.check_open(room)
        number = self._rows.add(room, member.number, kind, label, content, answers)
        counting.fade(self._rows, room)
        return number

    def n_here(self, room: Room) -> int:
        """Return how many are here now: their phones asked within the last 45 seconds."""
        return sum(is_here(one, self._clock()) for one in self._rows.members(room.id))

    def _is_open(self, room: Room) -> bool:
        return room.closed is None and self._lives(room)

    def _lives(self, room: Room) -> bool:
        return room.created > self._clock() - LIVES_S


def is_here(member: Member, now: float) -> bool:
    return member.removed is None and now - member.seen < HERE_S
