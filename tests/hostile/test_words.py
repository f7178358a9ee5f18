"""Hostile words on the command line, in the environment, and in addresses: one sentence, and nothing runs."""

import json
import os
import re

import pytest
from coroutines import finished
from hostile.asked import but_for, is_one_sentence, refusal
from hostile.tried import count
from hostile.words import WORDS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from pages.ui.session import state
from tlcore import cli, spec
from tlcore.commands import catalogues, launch, local_run
from tlcore.errors import DataError, LabError, SpecError
from tlcore.features import cache
from tlcore.inputs import drawing
from tlcore.lab import Lab
from tlcore.people import embedding, limits, whole_number
from tlcore.prediction import predictor, serving
from tlcore.store import Store, home

OPTIONS = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}
# What a command line or an address can carry: no NUL, and bytes that are no text as surrogates.
TEXT = st.text(st.characters(exclude_characters="\0"), max_size=40)

# Every place of a line that takes a word.
LINES = (
    "{}", "{} --json", "sources {}", "sources --json {}", "sources rebuild {}", "sources add {}",
    "sources remove {}", "sources add x.keras --classes {}", "sources rebuild digits --epochs {}",
    "sources rebuild digits --data {}", "describe {}", "describe digits --freeze {}", "describe digits --preset {}",
    "train {}", "train --source {}", "train --target {}", "train --split {}", "train --per-class {}",
    "train --epochs {}", "train --batch-size {}", "train --learning-rate {}", "train --optimizer {}", "train --seed {}",
    "train --recipe {}", "train --freeze {}", "train --preset {}", "heads --heads {}", "heads --layer {}",
    "heads --inputs {}", "heads --seeds {}", "heads --source {}", "predict {}", "predict --model {} x.png", "runs {}",
    "runs --state {}", "runs --kind {}", "runs --limit {}", "runs show {}", "runs delete {}", "runs restore {}",
    "runs stop {}", "export {} --to out", "export 0123456789abcdef --to {}",
    "export 0123456789abcdef --to out --what {}", "serve --port {}", "serve {}", "datasets {}",
    "datasets report {}", "datasets add x {}", "teach {}", "predict --csv out {}", "evaluate {}", "explain {}",
    "import {}", "reproduce {}", "runs report --to out {}", "runs report --to out --since {}",
    "runs send {} --to http://127.0.0.1:9", "token make {}", "token revoke {}", "rooms open --draw {}",
    "rooms close {}", "look {}", "inside {}", "map {}",
)  # fmt: skip


@pytest.fixture
def do(tmp_path, monkeypatch, capsys):
    """Run a command line; whatever would train, build, listen or serve only notes that it was reached."""
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path / "lab"))
    empty = tmp_path / "around" / "here"  # "", "." and ".." are folders too
    empty.mkdir(parents=True)
    monkeypatch.chdir(empty)
    monkeypatch.setattr(os, "execve", lambda *_: pytest.fail("the server was started"))
    for module, name in (
        (local_run, "train"),
        (local_run, "compare_heads"),
        (catalogues, "rebuild_source"),
        (launch, "serve_command"),
    ):
        monkeypatch.setattr(module, name, lambda options: 0)

    def run(line: str, word: str) -> None:
        code = cli.main([word if part == "{}" else part for part in line.split()])
        printed, said = capsys.readouterr()
        assert code in (0, 1, 2), (line, word)
        assert "Something went wrong" not in said, (line, word, said)
        if code:
            # A person's own word comes back as they wrote it, so the server's paths may be in it only then.
            assert is_one_sentence(but_for(said, word)), (line, word)
        count("command line")

    return run


@pytest.mark.grid(8)
@pytest.mark.parametrize("line", LINES)
def test_a_hostile_word_on_the_command_line(do, tmp_path, line):
    for word in WORDS[LINES.index(line) % 12 :: 1 if line == "{}" else 12]:
        if "\0" not in word:
            do(line, word)
    assert set(os.listdir(tmp_path)) <= {"lab", "around"} and set(os.listdir()) <= {"out"}
    assert Store(tmp_path / "lab").count() == 0


@pytest.mark.slow
@given(line=st.sampled_from(LINES), word=TEXT)
@settings(max_examples=100, **OPTIONS)
def test_any_word_on_the_command_line(do, line, word):
    do(line, word)


# -- the environment


NAME = re.compile(r"[\w.-]+")
LIMITS = ("TRANSFER_LAB_MOST_WAITING_PERSON", "TRANSFER_LAB_MOST_WAITING_SERVER")


@pytest.mark.parametrize("name", ["TRANSFER_LAB_WORKERS", *LIMITS, "PORT", "HOST", embedding.SETTING])
def test_a_hostile_environment_keeps_the_server_from_starting_in_one_sentence(name):
    for word in WORDS:
        try:
            asked = whole_number("TRANSFER_LAB_WORKERS", 2, {name: word}, most=64)
            limits({name: word})
            host, port = launch.address(None, None, {name: word})
            assert 1 <= asked <= 64 and 1 <= port <= 65535
            if name == "HOST" and host != launch.HOST and not NAME.fullmatch(host):  # a name is looked up far away
                launch.check_free(host, 1)
            assert all(re.fullmatch(r"https://[a-z0-9.:-]+", site) for site in embedding.sites({name: word}))
        except LabError as error:
            assert is_one_sentence(but_for(str(error), word)), word
        count("environment")


def test_a_hostile_cache_size_is_the_default(monkeypatch):
    for word in WORDS:
        if "\0" in word or "\ud83d" in word:  # the system has no such variables
            continue
        monkeypatch.setenv("TRANSFER_LAB_CACHE_MB", word)
        assert 0 <= cache._limit() <= 10**9 * 2**20
        count("environment")


def test_a_hostile_data_folder_is_used_or_refused_in_one_sentence(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for word in WORDS:
        if (
            "\0" in word or "\ud83d" in word or word.startswith(("/", "..", "~root"))
        ):  # those are folders of this machine
            continue
        monkeypatch.setenv("TRANSFER_LAB_HOME", word)
        try:
            if word:
                Store(home()).close()
        except LabError as error:
            assert is_one_sentence(but_for(str(error), word)), word
        count("environment")


# -- addresses


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A lab that has a store and nothing that runs."""
    store = Store(tmp_path / "lab")
    found = Lab(store.folder, store, None, serving.Serving(store.folder), None)  # type: ignore[arg-type]
    monkeypatch.setattr(state, "lab", lambda: found)
    run = store.create(spec.FineTuneSpec())
    attempt = store.claim(run.id)
    attempt.add_points([spec.MetricPoint("train", float(x), 1.0, 0.5) for x in range(5)])
    return run


def asked(run_id: str, query: str) -> tuple[int, dict]:
    """Ask the metrics route as Starlette would."""
    from server import live

    scope = {
        **{"type": "http", "method": "GET", "path": "/", "root_path": "", "scheme": "http", "headers": []},
        **{"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 1)},
        "query_string": query.encode("utf-8", "replace"),
        "path_params": {"run_id": run_id},
    }
    response = finished(live.metrics(Request(scope)))
    count("address")
    return response.status_code, json.loads(bytes(response.body))


@pytest.mark.grid(12)
@pytest.mark.parametrize("word", WORDS)
def test_a_hostile_run_id_or_since_is_answered_in_one_sentence(lab, word):
    status, body = asked(word, "since=0")
    assert status in (400, 403, 404, 503) and is_one_sentence(but_for(body["error"], word))
    status, body = asked(lab.id, "since=" + word)
    assert status == 200 or is_one_sentence(body["error"])
    for query in (f"{word}=1", f"since=0&since={word}", "&" * 1000 + word):
        status, body = asked(lab.id, query)
        assert status == 200 or is_one_sentence(body["error"])


@given(run_id=TEXT, query=TEXT)
@settings(max_examples=100, **OPTIONS)
def test_any_run_id_and_query_is_answered_in_one_sentence(lab, run_id, query):
    for status, body in (asked(run_id, query), asked(lab.id, query)):
        assert status == 200 or is_one_sentence(but_for(body["error"], run_id))


# -- names of models, settings and drawings: what a browser sends through the pages


@pytest.mark.slow
def test_a_hostile_name_of_a_model_is_refused(tmp_path):
    Store(tmp_path)
    for word in WORDS:
        for name in (word, f"source:{word}", f"run:{word}", f"head:{word}/x", f"head:0123456789abcdef/{word}"):
            if name == "source:random":
                continue
            if name == "source:digits":
                continue
            with pytest.raises(LabError) as caught:
                predictor(name, tmp_path)
            assert is_one_sentence(but_for(str(caught.value), word)), name
            count("name of a model")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
STROKES = st.lists(
    st.fixed_dictionaries(
        {}, optional={"width": JSON, "points": st.lists(st.lists(JSON, max_size=3), max_size=6) | JSON}
    )
    | JSON,
    max_size=5,
)


@pytest.mark.slow
@given(value=STROKES | JSON)
@settings(max_examples=200, **OPTIONS)
def test_any_drawing_is_drawn_or_refused(value):
    count("drawing")
    try:
        image = drawing.render(drawing.check_strokes(value), 28)
    except DataError as error:
        assert refusal(error)
        return
    assert image.shape == (28, 28) and 0 <= image.min() <= image.max() <= 1


def _nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        _nested(50_000),
        [{"points": _nested(50_000)}],
        [{"width": 10**400, "points": [[10**400, 0]]}],
        [{"width": 0.1, "points": [[0.5, 0.5]] * 5_001}],
        [{"width": 0.1, "points": [[0.5, 0.5]]}] * 201,
        [{"width": 0.5, "points": [[-1, -1], [2, 2]] * 2_500}],
        [{"width": 1e308, "points": [[1e308, -1e308]]}],
        [{"width": "0.1", "points": "0123"}],
        [{"width": 0.1, "points": [{"0": 1, "1": 2}]}],
        {"strokes": []},
        "M0 0L1 1",
        b"\0" * 100,
    ],
    ids=range(12),
)
def test_a_hostile_drawing_is_drawn_or_refused(value):
    count("drawing")
    try:
        drawing.render(drawing.check_strokes(value), 28)
    except DataError as error:
        assert refusal(error)


@given(text=TEXT | st.builds(json.dumps, st.dictionaries(st.sampled_from(["kind", "data", "phases", "seed"]), JSON)))
@settings(max_examples=100, **OPTIONS)
def test_any_settings_are_read_or_refused(text):
    count("settings")
    try:
        spec.from_json(text)
    except SpecError as error:
        assert "\n" not in str(error)


@given(image=JSON)
@settings(max_examples=60, **OPTIONS)
def test_any_image_is_asked_or_refused(image):
    count("drawing")
    try:
        serving._checked(image)
    except DataError as error:
        assert refusal(error)
