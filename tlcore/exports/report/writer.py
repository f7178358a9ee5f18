"""What a report is made of: sentences in the reader's language, tables and figures, everything escaped."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from itertools import count
from typing import Self

from tlcore.sentences import Sentence
from tlcore.translation import translate

_BEFORE_PERCENT = re.compile(r"(?<=\d) %")  # a sign that must not begin a line

Words = Sentence | str | int | None  # None: nothing was measured


@dataclass(frozen=True)
class Writer:
    """Writes HTML in one language.

    Attributes
    ----------
    language : the tag of a language on offer
    level : of its headings, 2 to 5
    numbers : of the figures, of all chapters together
    """

    language: str
    level: int = 2
    numbers: Iterable[int] = field(default_factory=lambda: count(1))

    def deeper(self) -> Self:
        """Return who writes what stands inside a chapter."""
        return replace(self, level=self.level + 1)

    def text(self, words: Words) -> str:
        """Return words in the reader's language, not escaped: for a value of a further sentence."""
        if words is None:
            return "–"
        return _BEFORE_PERCENT.sub("\u00a0%", self._plain(words))

    def _plain(self, words: Sentence | str | int) -> str:
        if isinstance(words, Sentence):
            return words.fill(lambda template: translate(template, self.language))
        return f"{words:,}" if isinstance(words, int) else words

    def say(self, words: Words) -> str:
        """Return words in the reader's language as HTML: what is in them is shown letter for letter."""
        return escape(self.text(words))

    def heading(self, words: Words) -> str:
        return f"<h{self.level}>{self.say(words)}</h{self.level}>"

    def under(self, words: Words) -> str:
        return f"<h{self.level + 1}>{self.say(words)}</h{self.level + 1}>"

    def chapter(self, words: Words, sections: str) -> str:
        """Return a chapter, which begins a page where it is printed; ``sections`` are HTML, ``deeper`` writes them."""
        return f'<section class="chapter">{self.heading(words)}{sections}</section>'

    def paragraph(self, *sentences: Words, kind: str = "") -> str:
        """Return sentences as one paragraph; those that say nothing are left out, and so is an empty paragraph."""
        texts = [self.say(words) for words in sentences if words]
        return f'<p class="{kind}">{" ".join(texts)}</p>' if texts else ""

    def items(self, sentences: Iterable[Words]) -> str:
        return "<ul>" + "".join(f"<li>{self.say(words)}</li>" for words in sentences if words) + "</ul>"

    def facts(self, rows: Iterable[tuple[Words, Words]]) -> str:
        """Return names with their values; those without a value, or with a dash for one, are left out."""
        lines = (f'<tr><th scope="row">{self.say(name)}</th><td>{self.say(value)}</td></tr>'
                 for name, value in rows if value and f"{value}" != "–")  # fmt: skip
        return f'<table class="facts">{"".join(lines)}</table>'

    def table(self, heads: Sequence[Words], rows: Iterable[Sequence[Words]]) -> str:
        """Return a table whose first column names the rows."""
        top = "".join(f'<th scope="col">{self.say(head)}</th>' for head in heads)
        lines = (f'<tr><th scope="row">{self.say(first)}</th>{"".join(map(self._cell, rest))}</tr>'
                 for first, *rest in rows)  # fmt: skip
        table = f"<table><thead><tr>{top}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
        return f'<div class="scroll">{table}</div>'

    def _cell(self, words: Words) -> str:
        return f"<td>{self.say(words)}</td>"

    def figure(self, content: str, caption: Words) -> str:
        """Return a numbered figure; ``content`` is HTML."""
        words = Sentence("Figure {n}. {caption}", n=next(iter(self.numbers)), caption=self.text(caption))
        return f"<figure>{content}<figcaption>{self.say(words)}</figcaption></figure>"

    def code(self, text: str) -> str:
        return f"<pre>{escape(text)}</pre>"
