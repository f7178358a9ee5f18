"""Files written into a folder, all of them or none."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tlcore.errors import StoreError


def write(files: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Write files into a folder, which is made when missing, and return their paths.

    All are complete under other names before the first takes its own: no reader ever sees a part of one, and a full
    disk leaves none.

    Raises
    ------
    StoreError
        The folder cannot be written.
    """
    written: dict[Path, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            part = folder / f".{name}.{secrets.token_hex(4)}.part"
            written[part] = folder / name
            with open(part, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for part, path in written.items():
            os.replace(part, path)
    except OSError as error:
        raise StoreError(
            "The folder {folder} cannot be written ({reason}). Nothing incomplete was left; name another folder.",
            folder=folder,
            reason=error.strerror or error,
        ) from error
    finally:
        for part in written:
            with suppress(OSError):
                part.unlink(missing_ok=True)
    return list(written.values())
