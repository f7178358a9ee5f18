"""Every visible string passes here: English in the code is the message id, other languages come from catalogues.

Whose language: what the reader chose in the bar, else that of their browser, else the server's own
(``TRANSFER_LAB_LANGUAGE``, ``LANGUAGE`` and its like). So nothing is translated at import, and no translated text is
kept between two people.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from tlcore.errors import LabError
from tlcore.sentences import Sentence
from tlcore.translation import best, catalogue, offered, translate

NO_BREAK, NO_BREAK_HYPHEN = "\u00a0", "\u2011"  # a space and a hyphen at which no line ends
PERCENT = "%.1f %%"  # of a column of numbers up to 100
COOKIE = "transfer_lab_language"  # written by server/page.js when a language is chosen
MOST_SESSIONS = 10_000  # whose choice is remembered without asking the cookie again
_BEFORE_PERCENT = re.compile(r"(?<=[\d}]) %(?![{\w])")
_WITHIN_A_NAME = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_WITHIN_A_WORD = re.compile(r"(?<=\w)-(?=\w)")
_reader: ContextVar[str] = ContextVar("reader", default="")  # of a page that Streamlit does not make
_chosen: dict[str, str] = {}  # by session; thousands of texts a page ask, so no cookie is read for each


def _(message: str) -> str:
    """Return ``message`` in the reader's language.

    Examples
    --------
    >>> _("Start training")
    'Start training'
    """
    return unbroken(translate(message, language()))


def titled(title: str) -> str:
    """Return the title of a network, a data set or the like in the reader's language; a person's own stays as it is."""
    return unbroken(translate(title, language()))


def ngettext(singular: str, plural: str, n: int) -> str:
    """Return the form that fits ``n``, still with its fields.

    Examples
    --------
    >>> ngettext("{n} run", "{n} runs", 2).format(n=2)
    '2 runs'
    """
    return unbroken(catalogue(language()).ngettext(singular, plural, n))


def shown(sentence: Sentence, language: str | None = None) -> str:
    """Return a sentence in the reader's language, or in another one on offer.

    Examples
    --------
    >>> shown(Sentence("{n} of {what}", n=5, what=Sentence("the images")))
    '5 of the images'
    """
    tag = _own() if language is None else best(language)
    return unbroken(sentence.fill(lambda template: unbroken(translate(template, tag))))


def unbroken(text: str) -> str:
    """Return a text in which no per cent sign can come to stand on a line of its own.

    Examples
    --------
    >>> unbroken("right 98.2 % of the time, {share:.0f} % sure")
    'right 98.2\\xa0% of the time, {share:.0f}\\xa0% sure'
    """
    return _BEFORE_PERCENT.sub(f"{NO_BREAK}%", text) if "%" in text else text


def whole(text: str) -> str:
    """Return a text within which no line ends.

    Examples
    --------
    >>> whole("Fine-tuning 86.1 %") == "Fine\u2011tuning\u00a086.1\u00a0%"
    True
    """
    return text.replace(" ", NO_BREAK).replace("-", NO_BREAK_HYPHEN)


def whole_words(text: str) -> str:
    """Return a text in which no line ends within a word.

    Examples
    --------
    >>> whole_words("Fine-tuning leads on digits 0-4") == "Fine\u2011tuning leads on digits 0\u20114"
    True
    """
    return _WITHIN_A_WORD.sub(NO_BREAK_HYPHEN, text)


def parted(text: str) -> str:
    """Return a text in which a line may end between the parts of a long name, with a hyphen.

    Examples
    --------
    >>> parted("Nothing frozen but BatchNormalization") == "Nothing frozen but Batch\\u00adNormalization"
    True
    """
    return _WITHIN_A_NAME.sub("\u00ad", text)


def tell(error: LabError) -> str:
    """Return an error's sentence in the reader's language, safe to show as Markdown."""
    return plain(shown(error.sentence))


def plain(sentence: str) -> str:
    """Return a text so that Markdown shows it letter for letter."""
    return "".join(f"\\{c}" if c in "\\$*_`[]<>#|~:" else c for c in sentence)


def language() -> str:
    """Return the language tag (``"en"``, ``"zh-CN"``) of the reader's words, also for number formats in the browser."""
    if wanted := _reader.get():
        return best(wanted)
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return best("")
    chosen = _chosen.get(context.session_id)
    if chosen is None:
        chosen = choose(st.context.cookies.get(COOKIE, ""))
    info = context.context_info
    return chosen or best(info.locale if info is not None and info.HasField("locale") else "")


@contextmanager
def read_in(wanted: str) -> Iterator[None]:
    """Let what is said here be in the language on offer that fits ``wanted``: for answers outside a page's script."""
    token = _reader.set(wanted)
    try:
        yield
    finally:
        _reader.reset(token)


_own = language  # where a parameter has its name


def choose(tag: str) -> str:
    """Let the reader of this session read a language from now on, and return it; "" is the browser's."""
    chosen = tag if tag in offered() else ""
    if context := get_script_run_ctx(suppress_warning=True):
        if len(_chosen) >= MOST_SESSIONS:
            _chosen.pop(next(iter(_chosen)), None)
        _chosen[context.session_id] = chosen
    return chosen


def forget() -> None:
    """Ask every session's cookie again."""
    _chosen.clear()
