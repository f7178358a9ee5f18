"""Every visible string passes here: English in the code is the message id, other languages come from catalogues."""

import gettext
from functools import lru_cache
from pathlib import Path

from tlcore.errors import LabError

DOMAIN = "transfer_lab"
PERCENT = "%.1f %%"  # of a column of numbers up to 100
FOLDER = Path(__file__).resolve().parents[3] / "locales"


@lru_cache
def catalogue() -> gettext.NullTranslations:
    """Return the catalogue of the language the environment asks for; English where there is none."""
    return gettext.translation(DOMAIN, localedir=FOLDER, fallback=True)


def _(message: str) -> str:
    """Return ``message`` in the reader's language.

    Examples
    --------
    >>> _("Start training")
    'Start training'
    """
    return catalogue().gettext(message) if message else ""  # gettext("") would answer with the catalogue's header


def ngettext(singular: str, plural: str, n: int) -> str:
    """Return the form that fits ``n``, still with its fields.

    Examples
    --------
    >>> ngettext("{n} run", "{n} runs", 2).format(n=2)
    '2 runs'
    """
    return catalogue().ngettext(singular, plural, n)


def language() -> str:
    """Return the language tag (``"en"``, ``"zh-CN"``) of the words above, for number formats in the browser."""
    return (catalogue().info().get("language") or "en").replace("_", "-")


def tell(error: LabError) -> str:
    """Return an error's sentence in the reader's language, safe to show as Markdown."""
    return plain(_(error.template).format(**error.values))


def plain(sentence: str) -> str:
    """Return a text so that Markdown shows it letter for letter."""
    return "".join(f"\\{c}" if c in "\\$*_`[]<>#|~:" else c for c in sentence)
