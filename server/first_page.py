"""What is done before the server answers, so that whoever comes first need not wait for it."""

import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from pathlib import Path

import pages.ui
from server.assets import keep_first


async def ready_first_page(files: Mapping[str, Path]) -> None:
    """Do once, while the models load, what would otherwise take half a second of whoever comes first."""
    packing = asyncio.create_task(asyncio.to_thread(keep_first, files))
    for name in ("pandas", *(module.name for module in pkgutil.walk_packages(pages.ui.__path__, "pages.ui."))):
        importlib.import_module(name)
    inspect.stack()  # Streamlit looks once whether it is in a REPL, and the first look asks the disk about every module
    await packing
