"""A room's routes: phones join and send here, ask what to do, and the wall asks what is new.

Who asks is named by the browser's cookie; a person's id goes into no answer. What is refused is a sentence in the
reader's ``language``, and of more than one phone can send nothing is read.
"""

import asyncio
import json
from collections.abc import Callable
from functools import cache
from logging import getLogger
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pages.ui.session import state
from server import arrivals
from server.address import base_path
from server.arrivals import json_answer
from server.frames import TooLarge, body, in_turn
from tlcore.errors import DataError, LabError, RightsError, SpecError
from tlcore.people import Person
from tlcore.prediction import signs
from tlcore.rooms import Activity, NoRoom, Rooms, TooFast, bets, drawn, of_class, scoring, shown, strokes, taught, wall
from tlcore.rooms.pace import Pace
from tlcore.rooms.scoring import Scorer
from tlcore.store import Member, Room

log = getLogger(__name__)

PATIENCE_S = 10.0
FORGET_S = 600.0
MOST_BYTES = 128 * 2**10  # of a drawing's strokes
FEW_BYTES = 4 * 2**10  # of anything else
STATUS = {NoRoom: 404, RightsError: 403, TooLarge: 413, TooFast: 429}  # of any other refusal: 400

# A phone asks every two seconds, a person draws a digit in two: more than that is a program.
messages, drawings = Pace(burst=30, every_s=0.2), Pace(burst=6, every_s=1.5)

refusing = arrivals.refusing(STATUS)


def rooms() -> Rooms:
    """Return the rooms of the lab, with who has guessed codes at this server."""
    return _rooms(state.lab().store)


@cache
def _rooms(store: Any) -> Rooms:
    return Rooms(store)


async def forget_old(forget: Callable[[], object], every_s: float = FORGET_S) -> None:
    """Forget the rooms of more than a day ago, now and every ten minutes, until this is cancelled."""
    while True:
        try:
            await asyncio.to_thread(forget)
        except LabError:  # the store may be away for a while
            log.exception("old rooms could not be forgotten")
        await asyncio.sleep(every_s)


def scorer() -> Scorer:
    """Return what counts how well the rooms of the lab are taught."""
    return _scorer(state.lab().store)


@cache
def _scorer(store: Any) -> Scorer:
    return scoring.scorer(store, state.lab().serving.predict)


def sender(request: Request, pace: Pace) -> str:
    """Return whose browser this is.

    Raises
    ------
    RightsError
        It sent no cookie of this lab.
    TooFast
        It sends more than a person does.
    """
    person = arrivals.sender(request)
    if person is None:
        raise RightsError("This browser sent no cookie of this lab, and a room needs it. Allow cookies and reload.")
    wait_s = pace.take(person)
    if wait_s:
        raise TooFast("That was too fast for one phone. Wait {n:.0f} s and try again.", n=max(1.0, wait_s))
    return person


def host(request: Request) -> Person:
    """Return who asks, with the host's rights if this browser has them."""
    keys = state.lab().keys
    return Person(arrivals.sender(request) or "", keys.is_host(request.cookies.get(keys.host_name)))


@refusing
async def join(request: Request) -> Response:
    """Let a phone in: ``{"name": nickname}``, ``?key=`` from the QR code; answer as ``look``."""
    person = sender(request, messages)
    sent = await asked(request, FEW_BYTES)
    code, key = request.path_params["code"], request.query_params.get("key", "")
    address = request.client.host if request.client else ""
    name = sent.get("name") if isinstance(sent.get("name"), str) else ""
    return json_answer(await asyncio.to_thread(_joined, person, code, name or "", key, address))


def _joined(person: str, code: str, name: str, key: str, address: str) -> dict[str, Any]:
    rooms().join(person, code, name, key=key, address=address)
    return for_member(person, code)


@refusing
async def look(request: Request) -> Response:
    """Say what a member's phone shows."""
    return json_answer(await asyncio.to_thread(for_member, sender(request, messages), request.path_params["code"]))


def for_member(person: str, code: str) -> dict[str, Any]:
    """Return what ``look`` answers; raises what ``Rooms.of_member`` does."""
    return wall.for_member(rooms().standing(person, code))


@refusing
async def draw(request: Request) -> Response:
    """Take ``{"strokes": ...}`` of the pad onto the wall; answer with what the networks read in it."""
    person = sender(request, drawings)
    sent = await asked(request, MOST_BYTES)
    room, member = await asyncio.to_thread(rooms().of_member, person, request.path_params["code"])
    rooms().check_open(room)
    content = strokes.packed(sent.get("strokes"))
    return json_answer(await in_turn(person, _drawn, room, member, content, sent.get("label")))


def _drawn(room: Room, member: Member, content: bytes, label: object) -> dict[str, Any]:
    activity, predict = Activity.of(room.activity), state.lab().serving.predict
    if activity.kind == "teach":
        activity = of_class(activity, label)
        answers = taught.learn(room, activity.label, content, predict, PATIENCE_S)
        scorer().ask(room.id)
    elif activity.kind == "draw":
        answers = drawn.answered(drawn.item(content), predict, PATIENCE_S)
    else:
        raise RightsError("The room does not draw just now. Look at the wall.")
    number = rooms().send(room, member, activity.kind, activity.label, content, answers)
    return {"number": number, "label": activity.label, "answers": answers}


@refusing
async def picture(request: Request) -> Response:
    """Take a JPEG of a hand onto the wall; answer as ``draw``."""
    person = sender(request, drawings)
    content = await body(request)
    room, member = await asyncio.to_thread(rooms().of_member, person, request.path_params["code"])
    rooms().check_open(room)
    return json_answer(await in_turn(person, _pictured, room, member, content))


def _pictured(room: Room, member: Member, content: bytes) -> dict[str, Any]:
    activity = Activity.of(room.activity)
    if activity.kind != "hands":
        raise RightsError("The room takes no pictures just now. Look at the wall.")
    photograph = shown.item(content)
    answers = shown.answered(photograph, state.lab().serving.predict, PATIENCE_S)
    number = rooms().send(room, member, activity.kind, activity.label, shown.packed(photograph), answers)
    return {"number": number, "label": activity.label, "answers": answers}


@refusing
async def sign(request: Request) -> Response:
    """Answer with a photograph of a sign, as an example of what is asked for."""
    content = await asyncio.to_thread(lambda: shown.packed(signs.example(request.path_params["label"])))
    return Response(content, media_type="image/jpeg", headers={"cache-control": "public, max-age=86400"})


@refusing
async def vote(request: Request) -> Response:
    """Take ``{"lane": ..., "round": ...}`` as a member's bet on what their phone showed; answer as ``look``."""
    person = sender(request, messages)
    sent = await asked(request, FEW_BYTES)
    return json_answer(await asyncio.to_thread(_voted, person, request.path_params["code"], sent))


def _voted(person: str, code: str, sent: dict[str, Any]) -> dict[str, Any]:
    room, member = rooms().of_member(person, code)
    rooms().check_open(room)
    bets.vote(state.lab().store, room, member, sent.get("lane"), sent.get("round"))
    return for_member(person, code)


@refusing
async def show(request: Request) -> Response:
    """Say what is new on the wall since ``?since=`` in the round ``?round=``, to who runs the room."""
    since, round = (_number(request.query_params.get(name)) for name in ("since", "round"))
    return json_answer(await asyncio.to_thread(_shown, host(request), request.path_params["code"], since, round))


def _shown(person: Person, code: str, since: int, of_round: int) -> dict[str, Any]:
    room = bets.settle(state.lab().store, rooms().of_host(person, code))
    return wall.on_wall(state.lab().store, room, since, of_round)


@refusing
async def change(request: Request) -> Response:
    """Do what the host asks of the wall: ``{"do": "remove", "number": 5}``."""
    person = host(request)
    sent = await asked(request, FEW_BYTES)
    await asyncio.to_thread(_changed, person, request.path_params["code"], sent)
    return Response(status_code=204)


def _changed(person: Person, code: str, sent: dict[str, Any]) -> None:
    room, number = rooms().of_host(person, code), sent.get("number")
    acts: dict[str, Callable[[Room, int], None]] = {
        "remove": rooms().remove_item,
        "remove_person": rooms().remove_member,
        "hide_name": rooms().hide_name,
        "show_name": lambda room, number: rooms().hide_name(room, number, hidden=False),
    }
    act = acts.get(str(sent.get("do")))
    if act is None or type(number) is not int or not 0 < number < 2**31:
        raise SpecError("This is nothing that can be changed on a wall. Reload the page.")
    act(room, number)
    scorer().ask(room.id)


async def asked(request: Request, most: int) -> dict[str, Any]:
    """Return the JSON object that was sent; a TooLarge as soon as it is more than ``most`` bytes."""
    content = bytearray()
    async for received in request.stream():
        content += received
        if len(content) > most:
            raise TooLarge("This is more than a phone sends: the limit is {n} KB. Clear the pad.", n=most // 2**10)
    try:
        sent = json.loads(bytes(content) or b"{}")
    except (ValueError, RecursionError) as error:
        raise DataError("This cannot be read: it is not JSON. Reload the page.") from error
    if not isinstance(sent, dict):
        raise DataError("This cannot be read: it is not JSON. Reload the page.")
    return sent


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else 0


def started(person: str | None, code: str) -> dict[str, Any] | None:
    """Return what a phone that opens the page again shows; None where it is not in the room."""
    try:
        return for_member(person, code) if person and code else None
    except LabError:
        return None


def routes() -> list[Route]:
    """Return the routes, as the server mounts them."""
    room = base_path() + "/api/rooms/{code}"
    return [
        Route(room + "/join", join, methods=["POST"]),
        Route(room + "/me", look, methods=["GET"]),
        Route(room + "/drawings", draw, methods=["POST"]),
        Route(room + "/pictures", picture, methods=["POST"]),
        Route(base_path() + "/api/signs/{label}.jpg", sign, methods=["GET"]),
        Route(room + "/votes", vote, methods=["POST"]),
        Route(room + "/wall", show, methods=["GET"]),
        Route(room + "/wall", change, methods=["POST"]),
    ]
