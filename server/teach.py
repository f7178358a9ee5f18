"""Where pictures arrive that a person teaches with, or asks what was learned from: Teach's routes.

What is taught belongs to who the browser's cookie names, or to the account that is logged in there. Recorded pictures
are kept, as their person wants; others are not.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pages.ui.session import state
from pages.ui.teaching.cards import called
from pages.ui.words.text import read_in
from server.arrivals import json_answer
from server.frames import asked, body, in_turn, refusing, sender
from tlcore import teaching
from tlcore.errors import SpecError
from tlcore.inputs import frames
from tlcore.prediction import collected

RECORD_S = 30.0  # on a server that has just started the network is still being loaded, and who recorded has shown it


@refusing
async def record(request: Request) -> Response:
    """Keep a JPEG as an example of ``?class=``; answer with how many each class has: ``{"counts": {id: n}}``."""
    owner, kind = sender(request), request.path_params["kind"]
    label = request.query_params.get("class", "")
    if not (label.isascii() and label.isdigit() and len(label) < 4):
        raise SpecError("This class is not there any more. Reload the page.")
    content = await body(request)
    return json_answer({"counts": await in_turn(owner, _recorded, owner, kind, int(label), content)})


def _recorded(owner: str, kind: str, label: int, content: bytes) -> dict[str, int]:
    examples = teaching.of(owner, kind)
    item = frames.read(content, examples.kind.form)
    collected.keep(examples, label, item, state.lab().serving.predict, RECORD_S)
    return {str(one.id): len(one.examples) for one in examples.classes()}


@refusing
async def answer(request: Request) -> Response:
    """Answer a JPEG by what was taught: as the route of all other models does, with ``class_names``, which change."""
    owner, kind = sender(request), request.path_params["kind"]
    content, language = await body(request), request.query_params.get("language")
    return json_answer(await in_turn(owner, _answered, owner, kind, content, language))


def _answered(owner: str, kind: str, content: bytes, language: str | None) -> dict[str, Any]:
    with read_in(language or ""):
        examples = teaching.of(owner, kind, called())
    item, name = frames.read(content, examples.kind.form), collected.name_of(owner, kind)
    names = examples.names()
    return {**asked(item, [name], language), "class_names": list(names)}
