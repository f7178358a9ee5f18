"""The networks that persons added, by their names and files; ``uploads`` adds and removes them."""

import hashlib
from contextlib import suppress
from pathlib import Path

from tlcore.errors import DataError, SpecError
from tlcore.spec import SourceInfo
from tlcore.store import home

from .shipped import Saved

UPLOADS = "sources"  # the folder of uploaded models inside the data folder
UPLOAD, UPLOAD_DIGITS = "upload-", 12  # an uploaded model's name: this, and so many hex digits of its hash


class Uploaded(Saved):
    """A person's own network, in the data folder."""

    def folder(self) -> Path:
        return home() / UPLOADS

    def check_file(self, path: Path, card: SourceInfo) -> None:
        with suppress(OSError):
            if hashlib.sha256(path.read_bytes()).hexdigest() == card.sha256:
                return
        raise DataError("The uploaded model {name} was removed or is damaged. Upload it again.", name=self.name)


def is_uploaded(name: object) -> bool:
    """Return whether ``name`` has the form of an uploaded model's."""
    digits = name.removeprefix(UPLOAD) if isinstance(name, str) and name.startswith(UPLOAD) else ""
    return len(digits) == UPLOAD_DIGITS and set(digits) <= set("0123456789abcdef")


def uploaded(owner: str | None = None, removed: bool = False) -> tuple[SourceInfo, ...]:
    """Return the cards of the uploaded models: of one person or of all, those on offer or those removed.

    A card that cannot be read is left out.
    """
    cards = []
    for path in sorted((home() / UPLOADS).glob(f"{UPLOAD}*.json")):
        with suppress(DataError, SpecError):
            card = Uploaded(path.stem).card()
            if is_uploaded(path.stem) and card.removed == removed and owner in (None, card.owner):
                cards.append(card)
    return tuple(cards)
