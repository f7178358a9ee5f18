"""Files that ship with the app: where they lie, and that each is the one that was shipped."""

import hashlib
import json
from pathlib import Path

from tlcore.errors import DataError

ASSETS = Path(__file__).parent.parent / "assets"


def read_asset(path: Path, sha256: str) -> bytes:
    """Return the bytes of a shipped file after checking them.

    Raises
    ------
    DataError
        The file is missing, unreadable or not the one that was shipped.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            "The file {file} that ships with the app cannot be read ({reason}). Install the app again.",
            file=path.name,
            reason=error.strerror or error,
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataError(
            "The file {file} that ships with the app is damaged (its SHA-256 is not the recorded one). Install the app"
            " again.",
            file=path.name,
        )
    return content


def read_card(path: Path) -> dict:
    """Return the JSON object that lies beside a shipped file; DataError when missing or damaged."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(card, dict):
            raise ValueError("not an object")
    except (OSError, ValueError) as error:
        raise DataError(
            "The file {file} that ships with the app is missing or damaged. Install the app again.", file=path.name
        ) from error
    return card
