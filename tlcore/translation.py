"""Which languages there are, and what is written in them: catalogues for pages, routes and the command line alike.

English in the code is the message id. ``locales/<language>/LC_MESSAGES/transfer_lab.po`` is what translators write, the
``.mo`` beside it is made of it when something starts; without either a reader gets English.
"""

import gettext
import logging
import os
from functools import lru_cache
from pathlib import Path

from .sentences import Sentence

log = logging.getLogger(__name__)

DOMAIN = "transfer_lab"
FOLDER = Path(__file__).resolve().parents[1] / "locales"
# Who started this process reads the first of these that is set.
SETTINGS = ("TRANSFER_LAB_LANGUAGE", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


def _(message: str) -> str:
    """Return ``message`` in the language of whoever started this process.

    Examples
    --------
    >>> _("done")
    'done'
    """
    return translate(message, best(""))


def translate(message: str, tag: str) -> str:
    """Return ``message`` in a language on offer."""
    # gettext("") answers with the catalogue's header
    return catalogue(tag).gettext(message) if message else ""


def ngettext(singular: str, plural: str, n: int) -> str:
    """Return the form that fits ``n``, still with its fields, in the language of whoever started this process."""
    return catalogue(best("")).ngettext(singular, plural, n)


def shown(sentence: Sentence) -> str:
    """Return a sentence in the language of whoever started this process.

    Examples
    --------
    >>> shown(Sentence("{n} of {what}", n=5, what=Sentence("the images")))
    '5 of the images'
    """
    return sentence.fill(_)


@lru_cache(maxsize=1000)
def best(wanted: str) -> str:
    """Return the language on offer that fits a wanted one; this process' own where none does.

    Parameters
    ----------
    wanted : a browser's tag ("zh-TW") or a system's name ("zh_CN.UTF-8"); "" for the process' own
    """
    own = next((name for setting in SETTINGS if (name := os.environ.get(setting, ""))), "").split(":")
    known = offered()
    for tag in (wanted, *own):
        exact = tag.partition(".")[0].replace("_", "-")
        base = exact.partition("-")[0]
        for tried in (exact, base, *known):
            if tried in known and tried.partition("-")[0] == base:
                return tried
    return "en"


@lru_cache
def offered() -> tuple[str, ...]:
    """Return the tags of the languages that can be read here, English first: ``("en", "zh-CN")``."""
    paths = sorted(FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.mo"))
    return ("en", *(path.parent.parent.name.replace("_", "-") for path in paths))


@lru_cache
def catalogue(tag: str) -> gettext.NullTranslations:
    """Return the catalogue of a language; English needs none."""
    return gettext.translation(DOMAIN, FOLDER, languages=[tag.replace("-", "_")], fallback=True)


def forget() -> None:
    """Look for catalogues again, and at the environment."""
    for cached in (best, offered, catalogue):
        cached.cache_clear()


def compile_catalogues() -> None:
    """Make the ``.mo`` of every ``.po`` that is newer; what cannot be made is a line in the log, and English."""
    for path in FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po"):
        made = path.with_suffix(".mo")
        try:
            if not made.exists() or made.stat().st_mtime < path.stat().st_mtime:
                _compile(path, made)
                forget()
        except Exception as error:
            log.warning("%s was not made of its .po: %s", made, error)


def _compile(path: Path, made: Path) -> None:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with open(path, "rb") as file:
        read = read_po(file, locale=path.parent.parent.name, domain=DOMAIN)
    part = made.with_suffix(f".{os.getpid()}")
    with open(part, "wb") as file:
        write_mo(file, read)
    os.replace(part, made)  # at once: another process may be reading it
