"""What routes share where something arrives: who sends it, a refusal in its sentence, and JSON that nobody keeps."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from pages.ui.session import state
from pages.ui.words.text import shown
from tlcore.errors import LabError

Route = Callable[[Request], Awaitable[Response]]


def refusing(
    statuses: Mapping[type[LabError], int],
    more: Callable[[LabError], dict[str, Any]] = lambda error: {},
    headers: Callable[[LabError], dict[str, str]] = lambda error: {},
) -> Callable[[Route], Route]:
    """Return a decorator: answer what a route refuses in its sentence, in the reader's ``language``.

    Parameters
    ----------
    statuses : by kind of refusal; of any other: 400
    more : what the answer says of a refusal beside its sentence
    headers : what stands in its head
    """

    def decorate(route: Route) -> Route:
        @wraps(route)
        async def answer(request: Request) -> Response:
            try:
                return await route(request)
            except ClientDisconnect:
                return Response(status_code=499)
            except LabError as error:
                status = next((statuses[kind] for kind in type(error).__mro__ if kind in statuses), 400)
                words = shown(error.sentence, request.query_params.get("language"))
                refusal = json_answer({"error": words, **more(error)}, status)
                refusal.headers.update(headers(error))
                return refusal

        return answer

    return decorate


def sender(request: Request) -> str | None:
    """Return whose browser this is, or whose account it stands in for (``?as=``); None without a cookie of this lab."""
    keys = state.lab().keys
    browser = keys.person(request.cookies.get(keys.person_name))
    return keys.account(browser, request.query_params.get("as")) or browser


def json_answer(content: Any, status: int = 200) -> JSONResponse:
    """Return JSON that no browser keeps."""
    return JSONResponse(content, status, headers={"cache-control": "no-store"})
