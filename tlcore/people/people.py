"""Who somebody is, and what that lets them do: a signed cookie, the host's token, and rights over runs."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itsdangerous import BadSignature, Signer

from tlcore import datasets
from tlcore.errors import RightsError, SpecError, StoreError
from tlcore.machine.settings import whole_number
from tlcore.spec import RunState, Spec
from tlcore.store import Entry, Run, Store
from tlcore.store.disk import make_room

SECRET = "secret"  # the file in the data folder
SHORTEST_SECRET = 32  # characters


@dataclass(frozen=True)
class Person:
    """Somebody at a browser. ``passing`` is one whose browser keeps no cookie: gone with the session."""

    id: str
    host: bool = False
    passing: bool = False

    @property
    def short(self) -> str:
        """A name for logs, from which the id cannot be told."""
        return hashlib.sha256(self.id.encode()).hexdigest()[:8]

    def owns(self, run: Run) -> bool:
        """Return whether the run is this person's to stop, rename and delete; what nobody started is the host's."""
        return self.host or bool(self.id) and run.owner == self.id


def new_person() -> str:
    """Return the id of a person who was not here before: 128 random bits."""
    return secrets.token_hex(16)


def of_account(issuer: str, subject: str) -> str:
    """Return the id of who logged in; the account's own names stay out of the store and the log.

    Examples
    --------
    >>> of_account("https://id.example", "7") == of_account("https://id.example", "7") != of_account("x", "7")
    True
    """
    return hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()[:32]


class Keys:
    """Signs what a browser keeps, and knows the host's token. Replicas with one secret accept each other's cookies.

    Parameters
    ----------
    secret : at least 32 characters; who has it can be anybody
    """

    def __init__(self, secret: str):
        self._people, self._hosts = Signer(secret, salt="person"), Signer(secret, salt="host")
        self._accounts = Signer(secret, salt="account")
        # Cookies know no ports: two labs on one machine must not take each other's for forged.
        mark = hashlib.sha256(b"name" + secret.encode()).hexdigest()[:8]
        self.person_name, self.host_name = f"transfer_lab_{mark}", f"transfer_lab_host_{mark}"
        # Made from the secret, so that the link survives a restart and is the same on every replica.
        self.token = hmac.new(secret.encode(), b"host token", hashlib.sha256).hexdigest()[:32]

    def person_cookie(self, person_id: str) -> str:
        return self._people.sign(person_id).decode()

    def host_cookie(self) -> str:
        return self._hosts.sign(self.token).decode()

    def person(self, cookie: str | None) -> str | None:
        """Return whose cookie it is; None for none, a forged one or a changed one."""
        return _signed(self._people, cookie)

    def stand_in(self, browser: str, account: str) -> str:
        """Return what lets that browser, and no other, ask in the name of the account that is logged in there."""
        return self._accounts.sign(f"{browser}:{account}").decode()

    def account(self, browser: str | None, text: str | None) -> str | None:
        """Return whose account a browser may ask for with ``stand_in``'s text; None where that is not for it."""
        person, _, account = (_signed(self._accounts, text) or "").partition(":")
        return account if person and person == browser else None

    def is_host(self, cookie: str | None) -> bool:
        return self.is_token(_signed(self._hosts, cookie) or "")

    def is_token(self, text: str) -> bool:
        """Return whether ``text`` is the host's token; it takes as long for any text of its length."""
        return hmac.compare_digest(text.encode(), self.token.encode())


@dataclass(frozen=True)
class Limits:
    """How many runs may wait, of one person and of everybody together, and for how long when their owner left.

    ``results_mb`` is how much of the disk the results of all runs may take.
    """

    person: int = 20
    server: int = 200
    idle_minutes: int = 30
    results_mb: int = 20_000

    @property
    def idle_s(self) -> float:
        return 60.0 * self.idle_minutes


def limits(environ: Mapping[str, str] = os.environ) -> Limits:
    """Return the limits as set: TRANSFER_LAB_MOST_WAITING_PERSON, _MOST_WAITING_SERVER, _IDLE_MINUTES, _RESULTS_MB.

    Raises
    ------
    SpecError
        One is no whole number from 1 to 100,000.
    """
    names = {
        "person": "MOST_WAITING_PERSON",
        "server": "MOST_WAITING_SERVER",
        "idle_minutes": "IDLE_MINUTES",
        "results_mb": "RESULTS_MB",
    }
    usual = Limits()
    return Limits(
        **{field: whole_number(f"TRANSFER_LAB_{name}", getattr(usual, field), environ) for field, name in names.items()}
    )


class Access:
    """What one person may do with the runs of a store. Pages change runs through here only.

    Parameters
    ----------
    stop : ``stop(run_id)`` of the engine
    """

    def __init__(self, store: Store, person: Person, limits: Limits, stop: Callable[[str], None]):
        self._store, self._person, self._limits, self._stop = store, person, limits, stop

    def create(self, spec: Spec, name: str = "", repeats: str = "") -> Run:
        """Add a queued run of this person's; ``repeats`` names the run that it trains again.

        Raises
        ------
        RightsError
            As many wait already as may, the results of the server take all the room they may, or it learns from
            somebody else's pictures.
        """
        self._check_pictures(spec)
        self.check_room()
        return self._store.create(spec, name=name, owner=self._person.id, repeats=repeats)

    def go_on(self, run_id: str) -> Run:
        """Add a queued run of this person's that goes on where their stopped one ended; raises what ``create`` does."""
        self._check(run_id)
        self.check_room()
        return self._store.go_on(self._store.get(run_id), owner=self._person.id)

    def _check_pictures(self, spec: Spec) -> None:
        name = spec.data.target
        if datasets.own_sets.is_own(name):
            owner = datasets.own_sets.card(name).owner
            if owner and owner != self._person.id and not self._person.host:
                raise RightsError("These pictures belong to somebody else. Add them as your own to learn from them.")

    def check_room(self) -> None:
        """Raise a RightsError where no further run of this person's fits; as ``create`` does."""
        waiting, most = self._store.count(states=("queued",), owner=self._person.id), self._limits.person
        if waiting >= most:
            raise RightsError(
                "You already have {n} runs in the queue; the limit is {most}. Wait for one to start, or stop one.",
                n=waiting,
                most=most,
            )
        waiting, most = self._store.count(states=("queued",)), self._limits.server
        if waiting >= most:
            raise RightsError(
                "This server already has {n} runs in the queue; the limit is {most}. Try again in a few minutes.",
                n=waiting,
                most=most,
            )
        make_room(self._store, self._limits.results_mb)

    def runs(self, everyone: bool = False, **which: Any) -> tuple[Run, ...]:
        """Return this person's runs and those that nobody owns, newest first; all of them to a host who asks.

        Parameters
        ----------
        which : as in ``Store.list``
        """
        return self._store.list(owner=self._owners(everyone), **which)

    def count(self, everyone: bool = False, **which: Any) -> int:
        """Return how many runs ``runs`` would give without a limit."""
        return self._store.count(owner=self._owners(everyone), **which)

    def under_way(self, everyone: bool = False) -> Mapping[str, RunState]:
        """Return the state of each of the runs that ``runs`` gives and that waits or goes on, by its id."""
        return self._store.under_way(owner=self._owners(everyone))

    def listing(self, everyone: bool = False) -> tuple[Entry, ...]:
        """Return what a list shows of the runs that ``runs`` gives, all of them."""
        return self._store.listing(owner=self._owners(everyone))

    def test_uses(self, target: str) -> int:
        """Return how often this person's runs measured on the test images of ``target``, by whatever task's name."""
        return self._store.test_uses(datasets.sharing(target), self._person.id)

    def stop(self, run_id: str) -> None:
        """Ask a run to stop, as the engine does. From here on every method raises a RightsError on others' runs."""
        self._check(run_id)
        self._stop(run_id)

    def delete(self, run_id: str) -> None:
        """Take a run off the list and stop it."""
        self._check(run_id)
        self._store.delete(run_id)

    def restore(self, run_id: str) -> None:
        """Put a deleted run back on the list."""
        self._check(run_id)
        self._store.restore(run_id)

    def annotate(self, run_id: str, name: str | None = None, note: str | None = None) -> None:
        """Change a run's name or note; None leaves it."""
        self._check(run_id)
        self._store.annotate(run_id, name=name, note=note)

    def _owners(self, everyone: bool) -> tuple[str, ...] | None:
        return None if everyone and self._person.host else (self._person.id, "")

    def _check(self, run_id: str) -> None:
        if not self._person.owns(self._store.get(run_id)):
            raise RightsError(
                "Run {run_id} belongs to somebody else. You can watch it; only its owner or the host can change it.",
                run_id=run_id,
            )


def _signed(signer: Signer, cookie: str | None) -> str | None:
    try:
        return signer.unsign((cookie or "").encode()).decode()
    except (BadSignature, UnicodeError):
        return None


def keys(folder: Path, environ: Mapping[str, str] = os.environ) -> Keys:
    """Return the keys of a data folder: TRANSFER_LAB_SECRET, else a file there that only its owner can read.

    Raises
    ------
    SpecError
        The secret is too short to be one.
    StoreError
        The file cannot be made or read.
    """
    named = environ.get("TRANSFER_LAB_SECRET")
    if named is not None and len(named) < SHORTEST_SECRET:
        raise SpecError(
            "TRANSFER_LAB_SECRET must have at least {least} characters. Received: {n}. "
            "Leave it unset to have one made in the data folder.",
            least=SHORTEST_SECRET,
            n=len(named),
        )
    return Keys(named or _kept_secret(Path(folder) / SECRET))


def _kept_secret(path: Path) -> str:
    try:
        if not path.exists():
            _make_secret(path)
        path.chmod(0o600)
        found = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        raise StoreError(
            "The secret {path} cannot be made or read ({reason}). Make the data folder writable, or remove the file.",
            path=path,
            reason=getattr(error, "strerror", None) or "it is no text",
        ) from error
    if len(found) < SHORTEST_SECRET:
        raise StoreError(
            "The secret {path} is damaged. Remove the file; a new one is made, and everybody then counts as a new "
            "visitor.",
            path=path,
        )
    return found


def _make_secret(path: Path) -> None:
    """Write a new secret whole or not at all; of two servers that start at once both go on with one of the two."""
    part = path.with_name(f"{path.name}-{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink(missing_ok=True)
