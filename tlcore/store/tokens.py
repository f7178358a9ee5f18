"""What the store keeps of the tokens by which programs ask: a row for each. Rights and rules are ``tlcore.people``."""

import secrets
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from .connection import Database
from .tables import tokens


@dataclass(frozen=True)
class Token:
    """A token as a list shows it; the token itself is kept nowhere. Times are UTC, in seconds since 1970.

    Attributes
    ----------
    host : whether who asks with it has the host's rights
    used : when it was last used, to the minute; None before it was
    """

    id: str
    person: str
    host: bool
    name: str
    made: float
    used: float | None


class TokenTable:
    """The rows of all tokens. Safe to share between threads; every method may raise a StoreError."""

    def __init__(self, database: Database):
        self._database = database

    def add(self, sha256: str, person: str, host: bool, name: str, made: float, most: int) -> Token | None:
        """Add a token by its hash; None where the person has ``most`` already."""
        token = Token(secrets.token_hex(4), person, host, name, made, None)
        with self._database.writing() as connection:
            theirs = sa.select(sa.func.count()).where(tokens.c.person == person)
            if connection.execute(theirs).scalar_one() >= most:
                return None
            connection.execute(tokens.insert().values(sha256=sha256, **vars(token)))
        return token

    def list(self, person: str | None = None) -> tuple[Token, ...]:
        """Return the tokens of a person, or of everybody, the newest first."""
        query = tokens.select().order_by(tokens.c.made.desc(), tokens.c.id)
        if person is not None:
            query = query.where(tokens.c.person == person)
        with self._database.reading() as connection:
            return tuple(_token(row) for row in connection.execute(query).mappings())

    def by_hash(self, sha256: str) -> Token | None:
        with self._database.reading() as connection:
            row = connection.execute(tokens.select().where(tokens.c.sha256 == sha256)).mappings().first()
        return None if row is None else _token(row)

    def note_use(self, token_id: str, when: float) -> None:
        """Say when a token was last used."""
        with self._database.writing() as connection:
            connection.execute(tokens.update().where(tokens.c.id == token_id).values(used=when))

    def remove(self, token_id: str, person: str | None = None) -> bool:
        """Delete a token, of a person or of anybody; return whether there was one."""
        chosen = tokens.c.id == token_id
        if person is not None:
            chosen = sa.and_(chosen, tokens.c.person == person)
        with self._database.writing() as connection:
            return connection.execute(tokens.delete().where(chosen)).rowcount > 0


def _token(row: Any) -> Token:
    return Token(**{name: value for name, value in row.items() if name != "sha256"})
