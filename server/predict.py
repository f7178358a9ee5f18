"""Where programs ask: a picture or its pixels for one model, by a token, from anywhere.

The token alone says who asks. Cookies count for nothing, so no other site can have a visitor's browser ask in the
visitor's name; what other sites send together with a cookie is turned away at the door.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache, wraps
from math import ceil
from typing import Any

from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pages.ui.session import state
from server import arrivals, frames, openapi
from server.address import base_path
from server.arrivals import json_answer
from server.frames import TooLarge, TooMany
from tlcore.errors import DataError, LabError, RightsError, SpecError
from tlcore.people import Person
from tlcore.people.tokens import Tokens
from tlcore.prediction import programs, reads_whole
from tlcore.prediction.serving import BUSY, CLOSED, LATE, LOADING
from tlcore.rooms.pace import Pace
from tlcore.sentences import Sentence, verbatim

PATH = "/api/predict"
MOST_BYTES = 10 * 2**20  # of a picture, as on the pages
MOST_JSON = 4 * 2**20  # of pixels: lists of numbers take ten times that in memory
BURST, EVERY_S = 30, 0.2
LONGEST_NAME = 200  # letters of a model's name
PATIENCE_S = 20.0  # a network of photographs is loaded first

# By person, not by token: whoever makes more tokens is answered no more often.
pace = Pace(burst=BURST, every_s=EVERY_S)


class NoToken(LabError):
    """Nothing says in whose name this is asked."""


class NotSent(LabError):
    """Nothing was sent: a browser opened the address."""


class TooOften(LabError):
    """More pictures of one person than are answered; in ``wait_s`` seconds there is time for the next."""

    def __init__(self, wait_s: float):
        words = Sentence(
            "That is too fast: {n} pictures a second are answered, and {burst} at once. Wait {wait} s and ask again.",
            n=round(1 / EVERY_S),
            burst=BURST,
            wait=max(1, ceil(wait_s)),
        )
        self.wait_s = wait_s
        super().__init__(words.template, **words.values)

    def __reduce__(self):
        return TooOften, (self.wait_s,)


class NotNow(LabError):
    """The model does not answer just now; it will in a moment."""


class Silent(LabError):
    """The model cannot answer."""


STATUS = {
    NoToken: 401, RightsError: 403, SpecError: 404, NotSent: 405, TooLarge: 413, TooMany: 429, TooOften: 429,
    Silent: 500, NotNow: 503,
}  # fmt: skip

ANYWHERE = {"access-control-allow-origin": "*", "access-control-expose-headers": "Retry-After"}  # but no credentials
PREFLIGHT = ANYWHERE | {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "Authorization, Content-Type",
    "access-control-max-age": "600",
}


def _headers(error: LabError) -> dict[str, str]:
    if isinstance(error, NoToken):
        return {"www-authenticate": "Bearer"}
    if isinstance(error, NotSent):
        return {"allow": "POST"}
    wait_s = error.wait_s if isinstance(error, TooOften) else 1.0
    return {"retry-after": str(max(1, ceil(wait_s)))} if isinstance(error, TooOften | TooMany | NotNow) else {}


refusing = arrivals.refusing(STATUS, headers=_headers)


def from_anywhere(route: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Let pages of other sites read what a route answers, and ask before they send, as browsers do."""

    @wraps(route)
    async def answer(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=PREFLIGHT)
        found = await route(request)
        found.headers.update(ANYWHERE)
        return found

    return answer


@from_anywhere
@refusing
async def predict(request: Request) -> Response:
    """Answer a picture with the label, its probability and every class with its own, by the model that is named.

    The picture is the body itself, the file ``picture`` of a form, or ``pixels`` in JSON; ``model`` stands in the
    address, the form or the JSON.
    """
    if request.method != "POST":
        raise NotSent("Programs send a picture here by POST. {path} describes how.", path=base_path() + openapi.PATH)
    person = await asyncio.to_thread(whose, request.headers.get("authorization", ""))
    if wait_s := pace.take(person.id):
        raise TooOften(wait_s)
    with frames.place(person.id):
        name, sent = await _received(request)
        return json_answer(await frames.in_thread(_answered, person, name, sent))


def whose(authorization: str) -> Person:
    """Return in whose name a request asks; a NoToken where it has no token that holds."""
    kind, _, token = authorization.partition(" ")
    person = tokens().whose(token.strip()) if kind.lower() == "bearer" else None
    if person is None:
        raise NoToken(
            "This needs a token that holds, in the header Authorization: Bearer TOKEN. Make one on the page Try, under "
            "Use from a program."
        )
    return person


def tokens() -> Tokens:
    """Return the tokens of the lab."""
    return _tokens(state.lab().store)


@cache
def _tokens(store: Any) -> Tokens:
    return Tokens(store)


async def _received(request: Request) -> tuple[str, Any]:
    """Return the name of the model that is asked, and what was sent for it: bytes of a picture, or pixels."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    content = await _body(request, MOST_JSON if kind == "application/json" else MOST_BYTES)
    named: Any = request.query_params.get("model")
    sent: Any = content
    if kind == "application/json":
        fields = await frames.in_thread(_json, content)
        named, sent = named or fields.get("model"), fields.get("pixels")
    elif kind == "multipart/form-data":
        fields = await _form(request, content)
        named, sent = named or fields.get("model"), fields.get("picture")
    if not isinstance(named, str) or not named:
        raise DataError("Name the model to ask, such as model=source:digits in the address.")
    if sent is None or sent == b"":
        raise DataError('Send a picture: as the body, as the file "picture" of a form, or as "pixels" in JSON.')
    return named[:LONGEST_NAME], sent


async def _body(request: Request, most: int) -> bytes:
    """Return what was sent; a TooLarge as soon as it is more than ``most`` bytes."""
    content = bytearray()
    async for received in request.stream():
        content += received
        if len(content) > most:
            raise TooLarge("This has more than {n} MB. Send a smaller picture.", n=most // 2**20)
    return bytes(content)


def _json(content: bytes) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        fields = json.loads(content)
        if isinstance(fields, dict):
            return fields
    raise DataError('This is not a JSON object. Send one with "model" and "pixels".')


async def _form(request: Request, content: bytes) -> dict[str, Any]:
    """Return the fields of a form by name, a file as its bytes."""

    async def stream():
        yield content

    try:
        form = await MultiPartParser(request.headers, stream(), max_files=1, max_fields=8).parse()
    except MultiPartException as error:
        raise DataError('This form cannot be read. Send it with one file, "picture".') from error
    try:
        return {name: field if isinstance(field, str) else await field.read() for name, field in form.multi_items()}
    finally:
        await form.close()


def _answered(person: Person, name: str, sent: Any) -> dict[str, Any]:
    lab = state.lab()
    info = programs.model_for(person, name, lab.store)
    item = programs.item_of(sent, info.form, reads_whole(info.name, lab.store.get))
    answers, outside = frames.followed(item, [info.name], PATIENCE_S)
    answer = answers[info.name]
    if isinstance(answer, str):
        reason = verbatim(answer)
        raise (NotNow if answer in (BUSY, CLOSED, LATE, LOADING) else Silent)(reason.template)
    if len(answer) != len(info.class_names):  # of what is being taught: one came or went since
        raise NotNow("The classes have just changed. Ask again.")
    return {"model": name, **programs.as_words(info.class_names, answer), "outside": outside}


async def description(request: Request) -> Response:
    """Answer with what describes `predict` to programs, as OpenAPI has it."""
    return json_answer(openapi.document(base_path() + "/api"))


def routes() -> list[Route]:
    """Return the routes, as the server mounts them."""
    methods = ["POST", "GET", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return [
        Route(base_path() + PATH, predict, methods=methods),
        Route(base_path() + openapi.PATH, description, methods=["GET"]),
    ]


def open_paths() -> tuple[str, ...]:
    """Return the paths that pages of other sites may send to, as long as no cookie comes with it."""
    return (base_path() + PATH,)
