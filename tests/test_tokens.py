"""Tokens: in whose name a program asks, what is kept of them, and that a revoked one ends at once."""

import json
import sqlite3
from contextlib import closing

import pytest

from tlcore import cli
from tlcore.errors import RightsError, SpecError
from tlcore.people import Person, tokens
from tlcore.people.tokens import Tokens
from tlcore.store import Store

ANN, BOB, HOST = Person("a" * 32), Person("b" * 32), Person("h" * 32, host=True)


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def kept(store, clock):
    return Tokens(store, clock)


def test_a_token_asks_in_the_name_of_who_made_it_until_it_is_revoked(kept, store):
    text, made = kept.make(ANN, "my robot")
    assert (made.name, made.made, made.used) == ("my robot", Clock.now, None)
    assert kept.whose(text) == ANN and Tokens(Store(store.folder)).whose(text) == ANN  # another server's too
    kept.revoke(ANN, made.id)
    assert kept.whose(text) is None and kept.list(ANN) == ()


def test_only_the_hash_is_kept(kept, store):
    text, _ = kept.make(ANN)
    assert len(text) == tokens.LENGTH and len({kept.make(ANN)[0] for _ in range(5)}) == 5
    with closing(sqlite3.connect(store.folder / "lab.db")) as connection:
        dump = "\n".join(connection.iterdump())
    assert text not in dump and text.removeprefix(tokens.PREFIX) not in dump and 'INSERT INTO "tokens"' in dump


@pytest.mark.parametrize(
    "spoil", [str.lower, lambda t: t[:-1], lambda t: t + "x", lambda t: t[5:], lambda t: "", lambda t: "ü" * 48]
)
def test_what_is_almost_a_token_is_nobodys(kept, spoil):
    text, _ = kept.make(ANN)
    assert kept.whose(spoil(text)) is None


def test_somebody_elses_token_is_neither_listed_nor_revoked_but_by_the_host(kept):
    text, made = kept.make(ANN)
    for_host, _ = kept.make(HOST)
    assert kept.list(BOB) == () and len(kept.list(HOST)) == 1
    assert len(kept.list(HOST, everyone=True)) == 2 and kept.list(BOB, everyone=True) == ()
    with pytest.raises(SpecError, match="You have no token"):
        kept.revoke(BOB, made.id)
    assert kept.whose(text) == ANN and kept.whose(for_host) == HOST
    kept.revoke(HOST, made.id)
    assert kept.whose(text) is None


def test_when_it_was_last_used_is_noted_once_a_minute(kept, clock, monkeypatch):
    text, _ = kept.make(ANN)
    noted = []
    note = kept._rows.note_use
    monkeypatch.setattr(kept._rows, "note_use", lambda *use: (noted.append(use), note(*use)))
    for clock.now in (1_000_000.0, 1_000_030.0, 1_000_061.0):
        assert kept.whose(text) == ANN
    assert len(noted) == 2 and kept.list(ANN)[0].used == 1_000_061.0


def test_a_person_has_twenty_at_most_and_a_browser_without_cookies_none(kept):
    for n in range(tokens.MOST):
        kept.make(ANN, f"n{n}")
    with pytest.raises(RightsError, match="You have 20 tokens; that is the limit"):
        kept.make(ANN)
    kept.make(BOB)
    with pytest.raises(RightsError, match="blocks cookies"):
        kept.make(Person("c" * 32, passing=True))


@pytest.mark.parametrize("sql", ["'; DROP TABLE tokens; --", "", "\x00", "0" * 99])
def test_an_id_that_is_none_is_one_sentence(kept, sql):
    with pytest.raises(SpecError, match="You have no token"):
        kept.revoke(ANN, sql)


def test_the_command_line_makes_lists_and_revokes(tmp_path, capsys):
    home = tmp_path / "lab"

    def do(line):
        code = cli.main(["--home", str(home), *line.split()])
        out, err = capsys.readouterr()
        return code, out, err

    assert do("token")[1] == do("token list")[1] == "No tokens.\n"
    made = json.loads(do("token make robot --json")[1])
    text = do("token make other")[1].strip()
    whose = Tokens(Store(home)).whose
    assert whose(made["token"]) == whose(text) == Person("", host=True)
    listed = do("token list")[1]
    assert "robot" in listed and "the host" in listed and made["token"] not in listed
    assert {row["name"] for row in json.loads(do("token --json")[1])} == {"robot", "other"}
    assert do(f"token revoke {made['id']}")[1] == f"Token {made['id']} is revoked.\n"
    assert whose(made["token"]) is None and whose(text)
    code, _, err = do(f"token revoke {made['id']}")
    assert code == 2 and "revoked already" in err
