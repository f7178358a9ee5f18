"""Where a camera's pictures arrive, and what models answer to them. No picture is kept, and none is logged.

Who sends is named by the browser's cookie. What is refused is a sentence in the reader's ``language``.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from pages.ui.session import state
from pages.ui.words.text import shown
from server import arrivals
from server.arrivals import json_answer
from tlcore import prediction
from tlcore.errors import LabError, RightsError, SpecError
from tlcore.inputs import frames
from tlcore.inputs.frames import MOST_BYTES
from tlcore.prediction import ModelName
from tlcore.prediction.outside import read as read_outside
from tlcore.prediction.serving import LATE, LOADING, Answer
from tlcore.sentences import Sentence
from tlcore.spec import InputForm

MOST_MODELS = 8  # of one picture
MOST_FLYING = 4  # pictures of one person that wait for an answer; a camera sends the next when one is answered
MOST_AT_ONCE = 16  # of everybody's: they wait for the process that answers, in which they are put together
PATIENCE_S = 5.0
GRACE_S = 0.1  # for what tells whether a picture is outside, once the models have answered
OUTSIDE = Sentence("This looks like nothing it was trained on.")

_flying: Counter[str] = Counter()
# Threads of its own: those of asyncio send the frontend's files, and a slow model must not hold these up.
_threads = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="frames")


class TooMany(LabError):
    """More pictures of one person are on their way than a camera sends."""


class TooLarge(LabError):
    """More bytes than a camera's picture has."""


STATUS = {RightsError: 403, TooLarge: 413, TooMany: 429}  # of any other refusal: 400


refusing = arrivals.refusing(STATUS)


@refusing
async def answers(request: Request) -> Response:
    """Answer a JPEG with ``{"answers": {model: probabilities or a sentence}}``; ``?model=`` names one or several."""
    person, language = sender(request), request.query_params.get("language")
    names = request.query_params.getlist("model")
    if not 0 < len(names) <= MOST_MODELS:
        raise SpecError("Name one to {most} models to ask. Reload the page.", most=MOST_MODELS)
    content = await body(request)
    return json_answer(await in_turn(person, _asked, content, names, language))


def _asked(content: bytes, names: list[str], language: str | None) -> dict[str, Any]:
    return asked(frames.read(content, _form(names[0])), names, language)


def asked(item: np.ndarray, names: list[str], language: str | None) -> dict[str, Any]:
    """Return what models answer, and a ``note`` where the item is like nothing that the first of them has learned."""
    answers, is_outside = followed(item, names)
    said = {name: answer if isinstance(answer, str) else rounded(answer) for name, answer in answers.items()}
    return {"answers": said, "note": shown(OUTSIDE, language) if is_outside else ""}


def followed(
    item: np.ndarray, names: list[str], patience_s: float = PATIENCE_S
) -> tuple[dict[str, Answer], bool | None]:
    """Return what models answer, and whether the item is like nothing that the first of them has learned.

    The answers wait for that for a moment only: at first it has to be calibrated. Until then it is None.
    """
    outside, found, since = str(ModelName.outside(names[0])), {}, None
    for found in state.lab().serving.follow(item, [*names, outside], patience_s, GRACE_S, first=names):
        if any(found.get(name, LATE) in (LATE, LOADING) for name in names):
            continue
        since = since or time.monotonic()
        if found.get(outside) not in (LATE, LOADING) or time.monotonic() - since >= GRACE_S:
            break
    told = read_outside(found.get(outside))
    return {name: found.get(name, LATE) for name in names}, None if told is None else told.is_outside


@lru_cache(maxsize=500)
def _form(name: str) -> InputForm:
    """Ten pictures a second ask for the same; what a model reads never changes."""
    return prediction.form_of_model(name, state.lab().store.get)


def rounded(shares: list[float]) -> list[float]:
    """Return probabilities in the digits that a bar can show."""
    return [round(share, 4) for share in shares]


def sender(request: Request) -> str:
    """Return whose browser this is, or whose account it stands in for (``?as=``).

    Raises
    ------
    RightsError
        It sent no cookie of this lab.
    """
    person = arrivals.sender(request)
    if person is None:
        raise RightsError("This browser sent no cookie of this lab, and the camera needs it. Allow cookies and reload.")
    return person


async def body(request: Request) -> bytes:
    """Return what was sent; a TooLarge as soon as it is more than a camera's picture."""
    content = bytearray()
    async for received in request.stream():
        content += received
        if len(content) > MOST_BYTES:
            raise TooLarge("This picture has more than {n} KB. Send a smaller one.", n=MOST_BYTES // 2**10)
    return bytes(content)


async def in_turn(person: str, do: Callable[..., Any], *arguments: Any) -> Any:
    """Return ``do(*arguments)``, done in a thread; a TooMany while this person has too many pictures on their way."""
    with place(person):
        return await in_thread(do, *arguments)


@contextmanager
def place(person: str) -> Iterator[None]:
    """Count a picture of a person's as on its way; a TooMany while too many are."""
    if _flying[person] >= MOST_FLYING:
        raise TooMany("{n} of your pictures are still waiting for an answer. Wait for one.", n=_flying[person])
    _flying[person] += 1
    try:
        yield
    finally:
        _flying[person] -= 1
        if not _flying[person]:
            del _flying[person]


async def in_thread(do: Callable[..., Any], *arguments: Any) -> Any:
    """Return ``do(*arguments)``, done in one of the threads that pictures are answered in."""
    return await asyncio.get_running_loop().run_in_executor(_threads, do, *arguments)
