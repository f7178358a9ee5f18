"""Who somebody is and what they may do, tried from the wrong side: forged cookies, others' runs, foreign sites."""

import stat

import pytest
from coroutines import finished

from server.door import Door, page_policy
from tlcore import people
from tlcore.errors import LabError, RightsError, SpecError, StoreError
from tlcore.people import Access, Keys, Limits, Person
from tlcore.spec import FineTuneSpec

KEYS = Keys("s" * 32)
USUAL = Limits()
ANN, BOB, HOST = Person("a" * 32), Person("b" * 32), Person("c" * 32, host=True)


@pytest.fixture
def access(store):
    """``access(person)``: what a person may do with the store's runs."""
    return lambda person, limits=USUAL: Access(store, person, limits, store.request_stop)


# -- cookies


def test_a_signed_cookie_names_its_person_and_another_lab_takes_it_for_none():
    cookie = KEYS.person_cookie(ANN.id)
    assert KEYS.person(cookie) == ANN.id
    assert Keys("t" * 32).person(cookie) is None
    assert KEYS.person_name != Keys("t" * 32).person_name  # cookies know no ports


def forgeries():
    mine, theirs = KEYS.person_cookie(ANN.id), KEYS.person_cookie(BOB.id)
    name, signature = mine.rsplit(".", 1)
    return [
        None, "", ".", "a", ANN.id, f"{ANN.id}.", f".{signature}", f"{BOB.id}.{signature}", f"{name}.{signature[::-1]}",
        mine[:-1], mine + "A", mine.upper(), theirs.rsplit(".", 1)[0] + "." + signature, KEYS.host_cookie(),
        "é" * 40, "\ud800", "\x00" * 50, "9" * 100_000, f"{mine}\n", f" {mine}", f"{name}.{signature}.{signature}",
    ]  # fmt: skip


@pytest.mark.parametrize("cookie", forgeries(), ids=lambda cookie: repr(cookie)[:20])
def test_a_forged_or_changed_cookie_is_nobodys(cookie):
    assert KEYS.person(cookie) is None
    if cookie != KEYS.host_cookie():
        assert not KEYS.is_host(cookie)


def test_a_persons_cookie_makes_no_host_and_only_the_whole_token_does():
    assert KEYS.is_host(KEYS.host_cookie()) and KEYS.is_token(KEYS.token)
    assert not KEYS.is_host(KEYS.person_cookie(KEYS.token))
    assert not any(KEYS.is_token(text) for text in ("", KEYS.token[:-1], KEYS.token + "0", KEYS.token.upper(), "é"))


def test_the_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path):
    first = people.keys(tmp_path, {})
    file = tmp_path / people.SECRET
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and [file] == list(tmp_path.iterdir())
    assert people.keys(tmp_path, {}).token == first.token
    assert people.keys(tmp_path, {"TRANSFER_LAB_SECRET": "x" * 32}).token == Keys("x" * 32).token
    file.write_text("short")
    for environ, kind in (({}, StoreError), ({"TRANSFER_LAB_SECRET": "short"}, SpecError)):
        with pytest.raises(kind):
            people.keys(tmp_path, environ)


# -- rights


def test_a_person_sees_their_own_runs_and_nobodys_and_the_host_sees_all(access, store):
    mine, theirs, recorded = access(ANN).create(FineTuneSpec()), access(BOB).create(FineTuneSpec()), FineTuneSpec()
    recorded = store.create(recorded)
    assert [run.id for run in access(ANN).runs()] == [recorded.id, mine.id]
    assert [run.id for run in access(ANN).runs(everyone=True)] == [recorded.id, mine.id]  # asking is not enough
    assert access(ANN).count() == 2 and access(HOST).count() == 1
    assert {run.id for run in access(HOST).runs(everyone=True)} == {mine.id, theirs.id, recorded.id}


def test_only_the_owner_or_the_host_stops_deletes_restores_and_renames(access, store):
    run, recorded = access(ANN).create(FineTuneSpec()), store.create(FineTuneSpec())
    actions = [
        lambda may, run: may.stop(run.id),
        lambda may, run: may.delete(run.id),
        lambda may, run: may.restore(run.id),
        lambda may, run: may.annotate(run.id, name="mine"),
    ]
    for person, target in ((BOB, run), (Person(""), run), (ANN, recorded), (Person(""), recorded)):
        for act in actions:
            with pytest.raises(RightsError, match="belongs to somebody else"):
                act(access(person), target)
    assert store.get(run.id) == run and store.get(recorded.id) == recorded
    for person, target in ((ANN, run), (HOST, run), (HOST, recorded)):
        for act in actions:
            act(access(person), target)
        assert store.get(target.id).name == "mine" and store.get(target.id).state == "stopped"


@pytest.mark.parametrize("run_id", ["../../secret", "..%2f..", "0" * 16, "", "'; DROP TABLE runs; --", "\x00"])
def test_an_id_that_is_none_reaches_no_file_and_no_run(access, store, run_id):
    for act in (access(HOST).stop, access(HOST).delete, access(HOST).restore, access(HOST).annotate):
        with pytest.raises(SpecError, match="There is no run"):
            act(run_id)
    if run_id != "0" * 16:
        with pytest.raises(SpecError):
            store.run_folder(run_id)


def test_who_has_too_many_waiting_is_told_and_others_are_not_kept_from_theirs(access, store):
    few = Limits(person=2, server=3)
    for _ in range(2):
        access(ANN, few).create(FineTuneSpec())
    with pytest.raises(RightsError, match="You already have 2 runs in the queue; the limit is 2"):
        access(ANN, few).create(FineTuneSpec())
    access(BOB, few).create(FineTuneSpec())
    with pytest.raises(RightsError, match="This server already has 3 runs in the queue"):
        access(BOB, few).create(FineTuneSpec())
    assert store.count() == 3  # nothing else is lost
    access(ANN, few).stop(access(ANN).runs()[0].id)
    access(ANN, few).create(FineTuneSpec())


@pytest.mark.parametrize("text", ["0", "-3", "many", "1e3", "2.5", "9" * 30, "٣"])
def test_a_limit_that_is_no_number_is_refused_with_its_name(text):
    with pytest.raises(LabError, match="TRANSFER_LAB_MOST_WAITING_SERVER must be a whole number"):
        people.limits({"TRANSFER_LAB_MOST_WAITING_SERVER": text})


# -- the door


def through(method="GET", kind="text/html", status=200, origins=(), websocket=False, scheme="http", **headers):
    """Send one request through the door; return whether it came in, the status, and the answer's headers."""
    came_in, sent = [], []

    async def inside(scope, receive, send):
        came_in.append(scope)
        if scope["type"] == "http":
            start = [(b"content-type", kind.encode())] if kind else []
            await send({"type": "http.response.start", "status": status, "headers": start})
            await send({"type": "http.response.body", "body": b""})

    async def send(message):
        sent.append(message)

    scope = {
        "type": "websocket" if websocket else "http",
        "scheme": scheme,
        "path": "/",
        "query_string": b"",
        "headers": [(b"host", b"lab.example:8501")]
        + [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    } | ({} if websocket else {"method": method})
    finished(Door(inside, lambda: KEYS, lambda: origins)(scope, None, send))
    found = {}
    for name, value in sent[0].get("headers", ()) if sent else ():
        found.setdefault(name.decode(), []).append(value.decode())
    return bool(came_in), (sent[0].get("status") or sent[0].get("code")) if sent else None, found


def cookie_of(headers):
    (found,) = headers["set-cookie"]
    value, *attributes = found.split("; ")
    return value.split("=", 1)[1], set(attributes)


def test_the_first_page_gives_a_cookie_and_the_next_keeps_the_person():
    value, attributes = cookie_of(through()[2])
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= attributes and "Secure" not in attributes
    again, _ = cookie_of(through(cookie=f"{KEYS.person_name}={value}")[2])
    assert KEYS.person(again) == KEYS.person(value)
    assert "Secure" in cookie_of(through(scheme="https")[2])[1]
    fresh, _ = cookie_of(through(cookie=f"{KEYS.person_name}={value[:-1]}")[2])
    assert KEYS.person(fresh) not in (None, KEYS.person(value))
    assert "set-cookie" not in through(kind="text/javascript")[2]  # else a page's parallel requests are many people


def test_every_answer_carries_its_headers_and_the_policy_names_no_other_site():
    for _, _, headers in (through(), through(kind="application/json", status=404), through("POST", origin="null")):
        assert headers["x-content-type-options"] == ["nosniff"] and headers["x-frame-options"] == ["DENY"]
        assert headers["content-security-policy"] == [page_policy()]
    assert through(scheme="https")[2]["cross-origin-opener-policy"] == ["same-origin"]
    assert "cross-origin-opener-policy" not in through()[2]  # on plain http it is ignored, with an error on the console
    assert "frame-ancestors 'none'" in page_policy() and "sha256-" in page_policy()
    assert "http" not in page_policy() and "*" not in page_policy() and "unsafe-eval" not in page_policy()


@pytest.mark.parametrize("origin", ["https://evil.example", "http://lab.example", "http://lab.example:85010", "null"])
def test_another_sites_post_and_websocket_are_refused(origin):
    assert through("POST", origin=origin)[:2] == (False, 403)
    assert through("PUT", origin=origin)[:2] == (False, 403)
    assert through(websocket=True, origin=origin)[:2] == (False, 1008)
    assert through(websocket=True, origin=origin, origins=(origin,))[0]


def test_our_own_post_and_websocket_come_in_and_a_websocket_must_say_where_it_is_from():
    assert through("POST", origin="http://lab.example:8501")[0] and through("POST")[0]
    assert through(websocket=True, origin="http://lab.example:8501")[0]
    assert through(websocket=True)[:2] == (False, 1008)
