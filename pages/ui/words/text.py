"""Every visible string passes here: English in the code is the message id, other languages come from catalogues.

Whose language: that of the browser that looks, else the server's own (``LANGUAGE`` and its like). So nothing is
translated at import, and no translated text is kept between two people.
"""

import gettext
import os
import re
from functools import lru_cache
from pathlib import Path

from streamlit.runtime.scriptrunner import get_script_run_ctx

from tlcore.errors import LabError
from tlcore.sentences import Sentence

DOMAIN = "transfer_lab"
NO_BREAK = "\u00a0"  # a space at which no line ends
PERCENT = "%.1f %%"  # of a column of numbers up to 100
_BEFORE_PERCENT = re.compile(r"(?<=[\d}]) %(?![{\w])")
FOLDER = Path(__file__).resolve().parents[3] / "locales"


def _(message: str) -> str:
    """Return ``message`` in the reader's language.

    Examples
    --------
    >>> _("Start training")
    'Start training'
    """
    # gettext("") answers with the catalogue's header
    return unbroken(_catalogue(language()).gettext(message)) if message else ""


def ngettext(singular: str, plural: str, n: int) -> str:
    """Return the form that fits ``n``, still with its fields.

    Examples
    --------
    >>> ngettext("{n} run", "{n} runs", 2).format(n=2)
    '2 runs'
    """
    return unbroken(_catalogue(language()).ngettext(singular, plural, n))


def shown(sentence: Sentence, language: str | None = None) -> str:
    """Return a sentence in the reader's language, or in another one on offer.

    Examples
    --------
    >>> shown(Sentence("{n} of {what}", n=5, what=Sentence("the images")))
    '5 of the images'
    """
    translate = _ if language is None else _catalogue(_best(language)).gettext
    return unbroken(sentence.fill(translate))


def unbroken(text: str) -> str:
    """Return a text in which no per cent sign can come to stand on a line of its own.

    Examples
    --------
    >>> unbroken("right 98.2 % of the time, {share:.0f} % sure")
    'right 98.2\\xa0% of the time, {share:.0f}\\xa0% sure'
    """
    return _BEFORE_PERCENT.sub(f"{NO_BREAK}%", text) if "%" in text else text


def tell(error: LabError) -> str:
    """Return an error's sentence in the reader's language, safe to show as Markdown."""
    return plain(shown(error.sentence))


def plain(sentence: str) -> str:
    """Return a text so that Markdown shows it letter for letter."""
    return "".join(f"\\{c}" if c in "\\$*_`[]<>#|~:" else c for c in sentence)


def language() -> str:
    """Return the language tag (``"en"``, ``"zh-CN"``) of the reader's words, also for number formats in the browser."""
    context = get_script_run_ctx(suppress_warning=True)
    info = context.context_info if context else None
    return _best(info.locale if info is not None and info.HasField("locale") else "")


@lru_cache(maxsize=1000)
def _best(wanted: str) -> str:
    """Return the language on offer that fits a browser's best; the server's own where none does."""
    names = (os.environ.get(name, "") for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))
    server = next((name for name in names if name), "").split(":")
    for tag in (wanted, *server):
        exact = tag.partition(".")[0].replace("_", "-")
        base = exact.partition("-")[0]
        offered = ("en", *_offered())
        for tried in (exact, base, *offered):
            if tried in offered and tried.partition("-")[0] == base:
                return tried
    return "en"


@lru_cache
def _offered() -> tuple[str, ...]:
    """Return the tags of the languages that have a catalogue."""
    paths = FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")
    return tuple(path.parent.parent.name.replace("_", "-") for path in paths)


@lru_cache
def _catalogue(tag: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, FOLDER, languages=[tag.replace("-", "_")], fallback=True)


def forget() -> None:
    """Look for catalogues again, and at the environment."""
    for cached in (_best, _offered, _catalogue):
        cached.cache_clear()
