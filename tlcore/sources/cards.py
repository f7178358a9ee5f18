"""The card of a network: what a picker says of it, in a file beside the network's own."""

from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path

from tlcore.datasets import read_card
from tlcore.errors import DataError
from tlcore.spec import SourceInfo
from tlcore.spec.codec import decode

from .layers import numbered
from .network import FORM

FOR_REBUILDERS = ("epochs", "weights_sha256")  # in a card's file, not in SourceInfo


def read(path: Path) -> SourceInfo:
    """Return the card in a file; what it holds for rebuilding alone is passed over.

    Raises
    ------
    DataError
        It is missing or damaged.
    """
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return _read(path, 0)  # which says what is missing


@lru_cache(maxsize=256)  # a page asks for many cards again and again; a changed file is read anew
def _read(path: Path, mtime_ns: int) -> SourceInfo:
    fields = {name: value for name, value in read_card(path).items() if name not in FOR_REBUILDERS}
    try:
        card = decode(SourceInfo, {"form": asdict(FORM), **fields})  # a card of before there were others has no form
    except (TypeError, KeyError) as error:
        raise DataError(
            "The card {file} that ships with the app is damaged. Install the app again.", file=path.name
        ) from error
    return replace(card, layers=numbered(card.layers))
