"""The networks that persons added, by their names and files; ``uploads`` adds and removes them."""

import hashlib
from contextlib import suppress
from pathlib import Path

from tlcore.errors import DataError, SpecError
from tlcore.spec import SourceInfo
from tlcore.store import shared_home

from .shipped import Saved

UPLOADS = "sources"  # the folder of uploaded models inside the data folder
UPLOAD, UPLOAD_DIGITS = "upload-", 12  # an uploaded model's name: this, and so many hex digits of its hash
TRAINED = "trained-"  # in its place where a run of this lab trained it


class Uploaded(Saved):
    """A person's own network, in the data folder."""

    def folder(self) -> Path:
        return shared_home() / UPLOADS

    def check_file(self, path: Path, card: SourceInfo) -> None:
        with suppress(OSError):
            if hashlib.sha256(path.read_bytes()).hexdigest() == card.sha256:
                return
        if self.name.startswith(TRAINED):
            raise DataError(
                "The network {title} was removed or is damaged. Use its run as a source again.", title=card.title
            )
        raise DataError("The uploaded model {name} was removed or is damaged. Upload it again.", name=self.name)


def is_uploaded(name: object) -> bool:
    """Return whether ``name`` has the form of a model's that a person added: uploaded, or trained by a run here.

    Examples
    --------
    >>> is_uploaded("upload-0123456789ab"), is_uploaded("trained-0123456789ab"), is_uploaded("digits")
    (True, True, False)
    """
    kind = next((kind for kind in (UPLOAD, TRAINED) if isinstance(name, str) and name.startswith(kind)), "")
    digits = str(name).removeprefix(kind) if kind else ""
    return len(digits) == UPLOAD_DIGITS and set(digits) <= set("0123456789abcdef")


def uploaded(owner: str | None = None, removed: bool = False) -> tuple[SourceInfo, ...]:
    """Return the cards of the models that persons added: of one person or of all, those on offer or those removed.

    A card that cannot be read is left out.
    """
    cards = []
    for path in sorted((shared_home() / UPLOADS).glob("*.json")):
        with suppress(DataError, SpecError):
            if not is_uploaded(path.stem):
                continue
            card = Uploaded(path.stem).card()
            if card.removed == removed and owner in (None, card.owner):
                cards.append(card)
    return tuple(cards)
