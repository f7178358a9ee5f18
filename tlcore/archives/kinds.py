"""What a file is that somebody brings, by what is in it: a run, a network, a head, or settings."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Literal

from tlcore.errors import DataError, LabError
from tlcore.exports.archive import CONTENTS
from tlcore.prediction import own_heads
from tlcore.sentences import Sentence
from tlcore.sources.foreign import archive
from tlcore.spec import Spec, from_json
from tlcore.spec.codec import check

from . import reading
from .reading import MOST_BYTES

Kind = Literal["run", "network", "head", "settings"]
MOST_SETTINGS = 2**20
BY_MEMBER: Mapping[str, Kind] = {CONTENTS: "run", "metadata.json": "network", "schema.json": "head"}


def kind_of(content: bytes) -> Kind:
    """Return what a file is, by a first look; whether it is a good one is seen when it is taken.

    Raises
    ------
    DataError
        It is none of these.
    """
    kind: Kind | None = None
    if content[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as file:
                names = set(file.namelist())
        except Exception as error:  # zipfile raises whatever it comes upon in a damaged file
            raise DataError("This file is a damaged ZIP. Download or export it again.") from error
        kind = next((kind for member, kind in BY_MEMBER.items() if member in names), None)
    elif content[:MOST_SETTINGS].lstrip()[:1] == b"{":
        kind = "settings"
    if kind is None:
        raise DataError(
            "This file is none that a lab exports. Bring the ZIP of a run, a model (.keras), a head (.skops) or "
            "settings (.json)."
        )
    return kind


def look_at(content: bytes) -> Kind:
    """Return what a file is, once all that can be seen without a process of its own is good.

    Raises
    ------
    DataError
        It is nothing that a lab exports, is too large, or is refused at once by what would take it.
    """
    if len(content) > MOST_BYTES:
        raise DataError("This file has more than {most} MB, which is the limit.", most=MOST_BYTES // 2**20)
    kind = kind_of(content)
    looks: Mapping[Kind, Callable[[bytes], object]] = {
        "run": reading.look_at,
        "network": archive.look_at,
        "head": own_heads.look_at,
        "settings": settings,
    }
    looks[kind](content)
    return kind


def settings(content: bytes) -> Spec:
    """Return the settings of a JSON file: those that a run exported, or a spec alone.

    Raises
    ------
    DataError
        It holds no settings that can be read.
    """
    try:
        if len(content) > MOST_SETTINGS:
            raise ValueError("it is too long")
        values = json.loads(content)
        spec = from_json(json.dumps(values.get("spec", values)))
        check(type(spec), spec)
    except (ValueError, TypeError, AttributeError, RecursionError, LabError) as error:
        reason = getattr(error, "sentence", None) or Sentence("it is not the JSON of a run")
        raise DataError(
            "These settings cannot be used: {reason} Export a run with --what json, and bring that file.",
            reason=_ended(reason),
        ) from error
    return spec


def _ended(reason: Sentence) -> Sentence:
    return reason if str(reason).endswith(".") else Sentence("{reason}.", reason=reason)
