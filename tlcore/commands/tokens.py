"""``token``: make, list and revoke tokens, by which programs ask models of a server."""

from argparse import Namespace
from dataclasses import asdict
from typing import Any

from tlcore.people import Person
from tlcore.people.tokens import Tokens
from tlcore.store import Store
from tlcore.translation import _

from . import console
from .options import add_command, add_json

HOST = Person("", host=True)  # who is at the command line may do what the host may


def token(commands: Any) -> None:
    """Add the lines of these commands."""
    words = _("list the tokens by which programs ask models, or make or revoke one")
    examples = ("token make robot", "token list", "token revoke 1a2b3c4d")
    listed = add_command(commands, "token", list_tokens, words, *examples)
    add_json(listed)
    actions = listed.add_subparsers(metavar="ACTION")
    words = _("make a token with the host's rights; it is printed once and kept nowhere")
    added = add_command(actions, "make", make_token, words, "token make robot")
    added.add_argument("name", metavar="NAME", help=_("what it is called in the list"))
    add_json(added)
    words = _("list the tokens of everybody on this server")
    add_json(add_command(actions, "list", list_tokens, words, "token list"))
    words = _("end a token; what asks with it is refused from the next request on")
    added = add_command(actions, "revoke", revoke_token, words, "token revoke 1a2b3c4d")
    added.add_argument("id", metavar="ID", help=_("as the list gives it"))


def make_token(options: Namespace) -> int:
    text, made = Tokens(Store(options.home)).make(HOST, options.name)
    return console.show(options, {**asdict(made), "token": text}, text)


def list_tokens(options: Namespace) -> int:
    listed = Tokens(Store(options.home)).list(HOST, everyone=True)
    rows = [
        [
            each.id,
            each.name,
            console.when(each.made),
            console.when(each.used) or _("never"),
            _("the host") if each.host else each.person[:8],
        ]
        for each in listed
    ]
    head = [_("id"), _("name"), _("made"), _("last used"), _("whose")]
    text = console.table(head, rows) if rows else _("No tokens.")
    return console.show(options, [asdict(each) for each in listed], text)


def revoke_token(options: Namespace) -> int:
    Tokens(Store(options.home)).revoke(HOST, options.id)
    console.say(_("Token {id} is revoked.").format(id=options.id))
    return console.OK
