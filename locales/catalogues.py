"""``make locales``: find every visible string, merge them into the catalogues, compile these, and say what is missing.

A string is visible where it is an argument of one of ``KEYWORDS``; there it is a literal (``tests/test_texts.py``).
"""

import sys
from collections.abc import Iterator
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tlcore import datasets, errors, sources, translation  # noqa: E402
from tlcore.evidence import outsiders, recorded_heads  # noqa: E402

SOURCES = ("pages", "server", "tlcore")
# Who takes a template; ``refuse`` makes a DataError of it.
REFUSALS = ("NoRoom", "NotNow", "NoToken", "NotSent", "TooFast", "TooLarge", "TooMany")  # of classes elsewhere
TEMPLATES = (
    "Sentence",
    "refuse",
    *REFUSALS,
    *(name for name, value in vars(errors).items() if isinstance(value, type)),
)
KEYWORDS = {"_": None, "translate": None, "ngettext": (1, 2), **dict.fromkeys(TEMPLATES)}
KEYWORDS |= {"check_choice": (1,), "choice": (1,), "add_word": (3,)}  # what is chosen, a noun in a refusal
HEADER = "# Transfer Lab in another language; locales/README.md has the words to use."
PYTHON = [("**/locales/**", "ignore"), ("**.py", "python")]


def found() -> Catalog:
    """Return every visible string, without a translation."""
    catalogue = empty(None)
    with redirect_stderr(StringIO()):  # Babel tells of empty messages, which nobody translates
        for folder in SOURCES:
            for name, _line, message, _comments, _context in extract_from_dir(ROOT / folder, PYTHON, keywords=KEYWORDS):
                if message and message != ("", ""):
                    catalogue.add(message, locations=[(f"{folder}/{name}", None)])
    for title in titles():
        catalogue.add(title, locations=[("tlcore/assets", None)])
    return catalogue


def titles() -> Iterator[str]:
    """Yield what the networks and data sets that ship say of themselves."""
    for card in (*sources.catalogue(), *datasets.catalogue()):
        yield from filter(None, (card.title, card.note, getattr(card, "dataset", "")))
    yield from (row.title for row in outsiders.recorded().rows)
    for separator in (" ", ", ", "; "):  # what ``join`` puts between sentences
        yield from (separator.join(f"{{part_{i}}}" for i in range(n)) for n in (2, 3, 4))
    yield from (value for value in recorded_heads.load().verdict.values.values() if " on " in str(value))


def empty(language: str | None) -> Catalog:
    """Return a catalogue without strings, whose header says nothing that changes by itself."""
    return Catalog(language, translation.DOMAIN, HEADER, "Transfer Lab", "", charset="utf-8", fuzzy=False)


def files() -> list[Path]:
    """Return the catalogue of each language."""
    return sorted(translation.FOLDER.glob(f"*/LC_MESSAGES/{translation.DOMAIN}.po"))


def read(path: Path) -> Catalog:
    with open(path, "rb") as file:
        return read_po(file, locale=path.parent.parent.name, domain=translation.DOMAIN)


def merge(path: Path, template: Catalog) -> Catalog:
    """Bring a catalogue up to date: new strings are empty, those that nobody shows any more go."""
    catalogue = read(path)
    # Never a guess: a translation of a similar sentence says something else.
    catalogue.update(template, no_fuzzy_matching=True, update_header_comment=False, update_creation_date=False)
    catalogue.obsolete.clear()
    for message in catalogue:
        message.flags &= {"fuzzy"} if message.id else message.flags  # "98 % of" is no format, whatever it looks like
    write(path, catalogue)
    return catalogue


def write(path: Path, catalogue: Catalog) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        write_po(file, catalogue, width=100, sort_by_file=True, include_lineno=False)


def missing(catalogue: Catalog) -> Iterator[Message]:
    """Yield the strings that have no translation."""
    for message in catalogue:
        texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.id and (message.fuzzy or not all(texts)):
            yield message


def main(languages: list[str]) -> None:
    """Bring every catalogue up to date, and begin one for each language that is named: ``make locales NEW=fr``."""
    template = found()
    for name in languages:
        path = translation.FOLDER / name / "LC_MESSAGES" / f"{translation.DOMAIN}.po"
        if not path.exists():
            write(path, empty(name))
    for path in files():
        left = list(missing(merge(path, template)))
        for message in left:
            print(f"  {message.id!r}")
        print(f"{path.relative_to(ROOT)}: {len(template)} strings, {len(left)} without a translation")
    translation.compile_catalogues()


if __name__ == "__main__":
    main(sys.argv[1:])
