"""Tokens, by which a program asks models in a person's name: made, listed, held against what is kept, revoked."""

import hashlib
import re
import secrets
import time
from collections.abc import Callable

from tlcore.errors import RightsError, SpecError
from tlcore.sentences import one_line
from tlcore.store import Store, Token

from .people import Person

PREFIX = "tlab_"  # by which people, and programs that search for leaked secrets, know one
BYTES = 32  # at random
LENGTH = len(PREFIX) + 43  # of the whole, in URL-safe base 64
MOST = 20  # tokens of one person
MOST_NAME = 60  # letters
NOTED_S = 60.0  # that a token was used is noted once a minute: a write for each picture would hold up the runs


class Tokens:
    """The tokens of a store. Each is looked up whenever it is used, so that a revoked one ends at once.

    Parameters
    ----------
    clock : tells UTC seconds
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time):
        self._rows, self._clock = store.tokens, clock

    def make(self, person: Person, name: str = "") -> tuple[str, Token]:
        """Make a token; it asks with the rights that ``person`` has. Return it, once, and its row.

        Raises
        ------
        RightsError
            The person has as many as may be, or a browser that keeps no cookie: nobody could revoke it there.
        """
        if person.passing:
            raise RightsError(
                "This browser blocks cookies, so a token that is made here could not be revoked. Allow cookies and "
                "reload the page."
            )
        text = PREFIX + secrets.token_urlsafe(BYTES)
        row = self._rows.add(_hashed(text), person.id, person.host, as_name(name), self._clock(), MOST)
        if row is None:
            raise RightsError("You have {n} tokens; that is the limit. Revoke one first.", n=MOST)
        return text, row

    def list(self, person: Person, everyone: bool = False) -> tuple[Token, ...]:
        """Return a person's tokens, the newest first; everybody's to a host who asks."""
        return self._rows.list(None if everyone and person.host else person.id)

    def whose(self, text: str) -> Person | None:
        """Return in whose name a token asks; None where it is none, or was revoked."""
        if len(text) != LENGTH or not text.startswith(PREFIX):
            return None
        row = self._rows.by_hash(_hashed(text))
        if row is None:
            return None
        now = self._clock()
        if row.used is None or abs(now - row.used) > NOTED_S:
            self._rows.note_use(row.id, now)
        return Person(row.person, row.host)

    def revoke(self, person: Person, token_id: str) -> None:
        """End a token of a person's, or of anybody's for the host.

        Raises
        ------
        SpecError
            There is none of this id that is theirs.
        """
        known = re.fullmatch("[0-9a-f]{8}", token_id) and self._rows.remove(
            token_id, None if person.host else person.id
        )
        if not known:
            raise SpecError(
                "You have no token {token_id!r}; it may have been revoked already. Look at the list of your tokens.",
                token_id=token_id[:40],
            )


def as_name(text: str) -> str:
    """Return what a person calls a token as it is shown: letters that can be seen, in one line.

    Examples
    --------
    >>> as_name("  my\\n robot ")
    'my robot'
    """
    return one_line(text[:400])[:MOST_NAME].strip()


def _hashed(text: str) -> str:
    # Neither salted nor slow: those are for words that people choose. Nobody guesses 32 random bytes, however fast.
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
