"""Where files arrive in pieces: the list of them first, then piece after piece, each written to disk as it comes in.

And where a set of pictures is taken along.

The sender is who the browser's cookie names. What is refused is a sentence in the reader's ``language``; a piece out of
turn also gets ``arrived``, the byte at which the next one begins.
"""

import asyncio
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from pages.ui.session import state
from server import arrivals
from server.address import base_path
from server.arrivals import json_answer, sender
from tlcore.datasets import arriving, own_sets
from tlcore.datasets.arriving import PIECE, Arrival, File, OutOfTurn, Piece
from tlcore.errors import DataError, LabError, RightsError, SpecError, StoreError

BLOCK = 2**20  # bytes that are kept in memory until they are written
MOST_LIST = 8 * 2**20  # bytes of the list of files
STATUS = {RightsError: 403, SpecError: 404, OutOfTurn: 409, StoreError: 507}  # of any other refusal: 400

_writing: set[str] = set()  # sendings that a piece is being written to


def _arrived(error: LabError) -> dict[str, int | None]:
    return {"arrived": error.arrived} if isinstance(error, OutOfTurn) else {}


refusing = arrivals.refusing(STATUS, _arrived)


@refusing
async def begin(request: Request) -> Response:
    """Take the list of files, ``[[name, bytes, when changed], ...]``; answer with its id and what is there."""
    owner = sender(request)
    files = _files(await _body(request))
    arrival = await asyncio.to_thread(_begin, owner, files)
    return await _answer(arrival)


def _begin(owner: str | None, files: list[File]) -> Arrival:
    most = own_sets.limits().pictures + arriving.MOST_MORE
    return arriving.begin(owner, files, most, own_sets.check_room)


@refusing
async def piece(request: Request) -> Response:
    """Write a piece, whose first byte is the sending's byte ``at``."""
    arrival = await _arrival(request)
    at, n = _number(request.query_params.get("at")), _number(request.headers.get("content-length"))
    if arrival.id in _writing:
        raise OutOfTurn
    _writing.add(arrival.id)
    try:
        with await asyncio.to_thread(Piece, arrival, at, n) as place:
            await _write(request, place)
    except (DataError, StoreError):
        await _drain(request, n)
        raise
    finally:
        _writing.discard(arrival.id)
    return await _answer(arrival)


@refusing
async def look(request: Request) -> Response:
    """Say how much of a sending is there."""
    return await _answer(await _arrival(request))


@refusing
async def cancel(request: Request) -> Response:
    """Remove a sending."""
    arrival = await _arrival(request)
    await asyncio.to_thread(arriving.remove, arrival)
    return Response(status_code=204)


@refusing
async def download(request: Request) -> Response:
    """Answer with a set as a ZIP of class folders, to its owner and the host."""
    card = await asyncio.to_thread(own_sets.card, request.path_params["name"])
    keys = state.lab().keys
    if card.owner != (sender(request) or " ") and not keys.is_host(request.cookies.get(keys.host_name)):
        raise arriving.not_yours()
    file = await asyncio.to_thread(_packed, card.name)
    size = file.seek(0, os.SEEK_END)
    name = quote(f"{card.title}.zip")
    headers = {
        "content-length": str(size),
        "content-disposition": f"attachment; filename=\"pictures.zip\"; filename*=UTF-8''{name}",
        "cache-control": "no-store",
    }
    return StreamingResponse(_blocks(file), media_type="application/zip", headers=headers)


def _packed(name: str) -> BinaryIO:
    file = tempfile.TemporaryFile()  # noqa: SIM115 (it is closed when it was sent)
    own_sets.write_zip(name, file)
    return file


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while block := file.read(BLOCK):
            yield block


async def _arrival(request: Request) -> Arrival:
    return await asyncio.to_thread(arriving.get, sender(request), request.path_params["arrival_id"])


async def _answer(arrival: Arrival) -> Response:
    arrived = await asyncio.to_thread(lambda: arrival.arrived)
    body = {"id": arrival.id, "arrived": arrived, "size": arrival.size, "piece": PIECE}
    return json_answer(body)


async def _write(request: Request, place: Piece) -> None:
    """Write a body as it comes in, a block at a time: however large it is, memory holds one."""
    block = bytearray()
    try:
        async for received in request.stream():
            block += received
            if len(block) >= BLOCK:
                await asyncio.to_thread(place.write, bytes(block))
                block.clear()
    finally:  # what came of a piece that broke off is kept: the next one begins there
        if block:
            await asyncio.to_thread(place.write, bytes(block))


async def _drain(request: Request, n: int) -> None:
    """Read what a browser is still sending: it looks at the answer only then."""
    if n <= PIECE:
        with suppress(RuntimeError, ClientDisconnect):  # it is read already
            async for _received in request.stream():
                pass


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for received in request.stream():
        body += received
        if len(body) > MOST_LIST:
            raise arriving.no_list()
    return bytes(body)


def _files(body: bytes) -> list[File]:
    try:
        rows = json.loads(body)
        if not isinstance(rows, list):
            raise ValueError
        return [_file(*row) for row in rows]
    except (ValueError, TypeError, RecursionError) as error:
        raise arriving.no_list() from error


def _file(name: object, size: object, changed: object = 0) -> File:
    if not isinstance(name, str) or type(size) is not int or type(changed) is not int or not 0 <= size < 2**53:
        raise ValueError
    return File(name, size, changed)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else -1


def routes() -> list[Route]:
    """Return the routes, as the server mounts them."""
    here, one = base_path() + "/api/uploads", base_path() + "/api/uploads/{arrival_id}"
    return [
        Route(here, begin, methods=["POST"]),
        Route(one, piece, methods=["POST"]),
        Route(one, look, methods=["GET"]),
        Route(one, cancel, methods=["DELETE"]),
        Route(base_path() + "/api/sets/{name}.zip", download, methods=["GET"]),
    ]
