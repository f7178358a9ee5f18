"""Run a coroutine to its end where another test's browser has left an event loop in the main thread."""

import asyncio
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def finished(coroutine: Awaitable[Any]) -> Any:
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, _awaited(coroutine)).result()


async def _awaited(coroutine: Awaitable[Any]) -> Any:
    return await coroutine
