"""What this computer's processor is called."""

import platform
from contextlib import suppress
from functools import cache
from pathlib import Path

INFO = Path("/proc/cpuinfo")


@cache
def processor() -> str:
    """Return the name of this computer's processor; its architecture where the system names none."""
    with suppress(OSError):
        for line in INFO.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine()
