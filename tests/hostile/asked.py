"""What every hostile input is held against: one plain sentence."""

from pathlib import Path

from tlcore.errors import LabError
from tlcore.store import home

ROOT = str(Path(__file__).resolve().parents[2])


def is_one_sentence(text: str) -> bool:
    """Hold a refusal against what a person may see: a sentence or two on one line, no traceback, no server path."""
    assert text and "\n" not in text.strip() and "\r" not in text.strip(), text
    assert text.strip().endswith("."), text
    assert len(text) <= 600, f"{len(text)} characters: {text[:200]}"
    for inner in ("Traceback", 'File "', ROOT, str(home()), "site-packages", "0x7f"):
        assert inner not in text, text
    return True


def but_for(text: str, word: str) -> str:
    """Return a refusal without the person's own word, which may hold anything and comes back as it was given."""
    text = text.strip()  # a word may be a line break
    for form in (word, repr(word)[1:-1], str(Path(word))):
        text = text.replace(form, "…") if form.strip(" .") else text
    return text


def refusal(error: LabError) -> bool:
    return is_one_sentence(str(error))
