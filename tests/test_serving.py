"""The inference process and its client: batches, slow loads, deaths, limits."""

import os
import subprocess
import sys
import threading
import time
from functools import partial
from multiprocessing import active_children

import numpy as np
import pytest
import tiny_models
import waiting

from tlcore.datasets.mnist import FORM
from tlcore.errors import DataError
from tlcore.machine import is_alive
from tlcore.prediction import serving as serving_module
from tlcore.prediction.serving import BROKEN, BUSY, CLOSED, DIED, LATE, LOADING, MANY, Serving

LONG_S = 60
GREY, WHITE = (np.full(FORM.shape, grey, np.uint8) for grey in (128, 255))


@pytest.fixture
def serve(tmp_path):
    """Start a serving with tiny models, ready; closed at the end."""
    made = []

    def serve(load=tiny_models.load, shipped=tiny_models.plain_only, soon=None, ready=True):
        made.append(Serving(tmp_path, load=load, shipped=shipped, soon=soon))
        made[-1].start()
        assert not ready or made[-1].wait_ready(LONG_S)
        return made[-1]

    yield serve
    for one in made:
        one.close()


def together(*calls):
    """Call each in a thread of its own; return their answers when all have one."""
    answers = [None] * len(calls)
    threads = [
        threading.Thread(target=lambda i=i, call=call: answers.__setitem__(i, call())) for i, call in enumerate(calls)
    ]
    for thread in threads:
        thread.start()
    return lambda: [thread.join() for thread in threads] and answers


wait_for = partial(waiting.wait_for, timeout_s=LONG_S)


def loads(tmp_path):
    return [line.split()[0] for line in (tmp_path / "loads").read_text().splitlines()]


def test_each_model_answers_with_its_probabilities(serve):
    assert serve().predict(GREY, ["plain", "other"]) == {"plain": [0.5, 1.0], "other": [0.5, 1.0]}


def test_shipped_models_are_loaded_before_it_is_ready_and_the_others_once(serve, tmp_path):
    serving = serve()
    assert loads(tmp_path) == ["plain"]
    for _ in range(3):
        serving.predict(GREY, ["plain", "other"])
    assert loads(tmp_path) == ["plain", "other"]


def test_what_is_wanted_soon_is_loaded_once_it_is_ready_before_anybody_asks(serve, tmp_path):
    serving = serve(soon=tiny_models.slow_only)
    wait_for(lambda: loads(tmp_path) == ["plain", "slow"])
    assert serving.predict(GREY, ["plain"])["plain"] == [0.5, 1.0]  # it keeps nobody waiting
    (tmp_path / "slow").touch()
    assert serving.predict(GREY, ["slow"])["slow"] == [0.5, 1.0]
    assert loads(tmp_path) == ["plain", "slow"]


def test_start_returns_before_the_models_are_loaded_and_says_so(serve, tmp_path):
    serving = serve(shipped=tiny_models.slow_only, ready=False)
    assert not serving.ready
    assert serving.predict(GREY, ["plain"], timeout_s=0.05) == {"plain": LOADING}
    (tmp_path / "slow").write_text("")
    assert serving.predict(GREY, ["plain"], timeout_s=LONG_S) == {"plain": [0.5, 1.0]}
    assert serving.ready


def test_a_model_that_fails_says_why_and_the_others_answer(serve):
    answers = serve().predict(GREY, ["missing", "plain", "bug", "misshapen"])
    assert answers == {
        "missing": "The file of missing is missing. Train it again.",
        "plain": [0.5, 1.0],
        "bug": BROKEN,
        "misshapen": BROKEN,
    }


def test_requests_that_wait_are_answered_as_one_batch_and_not_mixed_up(serve, tmp_path):
    serving = serve(shipped=tiny_models.gate_and_plain, ready=False)
    (tmp_path / "gate").write_text("")
    assert serving.wait_ready(LONG_S)
    (tmp_path / "gate").unlink()
    first = together(lambda: serving.predict(GREY, ["gate"]))
    wait_for(lambda: serving._busy_since)  # the process is busy with the first
    others = together(*(lambda i=i: serving.predict(GREY // 4 * i, ["plain"]) for i in range(5)))
    wait_for(lambda: len(serving._waiting) == 5)
    (tmp_path / "gate").write_text("")
    assert first() == [{"gate": [0.5, 1.0]}]
    assert others() == [{"plain": [i * 0.125, 5.0]} for i in range(5)]


def test_a_model_that_loads_slowly_keeps_nobody_else_waiting(serve, tmp_path):
    serving = serve()
    slow = together(lambda: serving.predict(GREY, ["slow", "plain"], timeout_s=LONG_S))
    wait_for(lambda: "slow" in loads(tmp_path))
    assert serving.predict(GREY, ["plain"]) == {"plain": [0.5, 1.0]}
    late = serving.predict(GREY, ["plain", "slow"], timeout_s=0.2)
    assert late["plain"] == [0.5, 1.0] and isinstance(late["slow"], str)
    (tmp_path / "slow").write_text("")
    assert slow() == [{"slow": [0.5, 1.0], "plain": [0.5, 1.0]}]


@pytest.mark.slow
def test_a_dead_process_is_replaced_and_asked_once_more(serve):
    serving = serve()
    assert serving.predict(GREY, ["die_once"], timeout_s=LONG_S) == {"die_once": [0.5, 1.0]}
    assert serving.ready


@pytest.mark.slow
def test_a_model_that_kills_the_process_twice_is_given_up_and_the_rest_go_on(serve):
    serving = serve()
    assert serving.predict(GREY, ["die", "plain"], timeout_s=LONG_S)["die"] == DIED
    assert serving.predict(GREY, ["plain"], timeout_s=LONG_S) == {"plain": [0.5, 1.0]}


@pytest.mark.slow
def test_an_image_that_kills_the_process_takes_no_other_persons_along(serve, tmp_path):
    serving = serve(shipped=tiny_models.gate_and_white, ready=False)
    (tmp_path / "gate").write_text("")
    assert serving.wait_ready(LONG_S)
    (tmp_path / "gate").unlink()
    first = together(lambda: serving.predict(GREY, ["gate"], timeout_s=LONG_S))
    wait_for(lambda: serving._busy_since)
    images = [GREY, WHITE, GREY]
    others = together(*(lambda x=x: serving.predict(x, ["die_on_white"], timeout_s=LONG_S) for x in images))
    wait_for(lambda: len(serving._waiting) == 3)
    (tmp_path / "gate").write_text("")
    first()
    answers = [answer["die_on_white"] for answer in others()]
    assert answers == [[0.5, 1.0], DIED, [0.5, 1.0]]


@pytest.mark.slow
def test_a_killed_process_is_noticed_while_nobody_asks(serve):
    serving = serve()
    old = serving._process
    old.kill()
    wait_for(lambda: not serving.ready)
    assert serving.wait_ready(LONG_S) and serving._process.pid != old.pid


@pytest.mark.slow
def test_a_hanging_process_is_killed_and_replaced(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(serving_module, "STUCK_S", 0.2)
    serving = serve(shipped=tiny_models.gate_and_plain, ready=False)
    (tmp_path / "gate").write_text("")
    assert serving.wait_ready(LONG_S)
    (tmp_path / "gate").unlink()
    pid = serving._process.pid
    asked = together(lambda: serving.predict(GREY, ["gate"], timeout_s=LONG_S))
    wait_for(lambda: serving._process is not None and serving._process.pid != pid)
    (tmp_path / "gate").write_text("")
    assert asked() == [{"gate": [0.5, 1.0]}]


@pytest.mark.slow
def test_a_process_that_cannot_start_is_tried_again_ever_more_slowly(serve):
    serving = serve(shipped=tiny_models.cannot_start, ready=False)
    wait_for(lambda: serving._deaths >= 2)
    assert not serving.ready and serving._not_before - time.monotonic() > 1
    assert serving.predict(GREY, ["plain"], timeout_s=0.05) == {"plain": LOADING}


def test_beyond_a_full_queue_a_sentence_comes_at_once(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(serving_module, "MOST_WAITING", 3)
    serving = serve(shipped=tiny_models.slow_only, ready=False)
    waiting = together(*[lambda: serving.predict(GREY, ["plain"], timeout_s=LONG_S)] * 3)
    wait_for(lambda: len(serving._waiting) == 3)
    assert serving.predict(GREY, ["plain"], timeout_s=LONG_S) == {"plain": BUSY}
    (tmp_path / "slow").write_text("")
    assert [answer["plain"][0] for answer in waiting()] == [0.5] * 3


def test_who_gave_up_is_not_asked_for(serve):
    serving = serve(shipped=tiny_models.slow_only, ready=False)
    serving.predict(GREY, ["plain"], timeout_s=0.05)
    assert not serving._waiting


def test_too_many_models_at_once_is_said(serve):
    names = [f"model_{i}" for i in range(101)]
    assert set(serve(ready=False).predict(GREY, names).values()) == {MANY}


def test_no_models_is_no_question(serve):
    assert serve(ready=False).predict(GREY, []) == {}


def test_the_longest_unused_model_is_let_go(serve, tmp_path):
    serving = serve()
    for i in range(50):  # the fifty-first loaded: "plain" was used least lately
        serving.predict(GREY, [f"model_{i}"])
    serving.predict(GREY, ["model_0"])
    assert loads(tmp_path).count("model_0") == 1
    serving.predict(GREY, ["plain"])
    assert loads(tmp_path).count("plain") == 2


def test_what_tells_of_outside_takes_no_models_place(serve, tmp_path):
    serving = serve()
    for i in range(50):
        serving.predict(GREY, [f"outside:model_{i}"])
    serving.predict(GREY, ["plain", "outside:model_0"])
    assert loads(tmp_path).count("plain") == loads(tmp_path).count("outside:model_0") == 1
    serving.predict(GREY, ["outside:model_50"])
    serving.predict(GREY, ["outside:model_1"])  # used least lately
    assert loads(tmp_path).count("outside:model_1") == 2


def test_what_will_be_asked_is_loaded_while_nobody_waits(serve, tmp_path):
    serving = serve()
    serving.prepare(GREY, ["plain", "slow", "other"])
    wait_for(lambda: "slow" in loads(tmp_path))  # and stays at that
    assert serving.predict(GREY, ["plain"]) == {"plain": [0.5, 1.0]}
    (tmp_path / "slow").touch()
    wait_for(lambda: "other" in loads(tmp_path))
    assert serving.predict(GREY, ["slow", "other"], LONG_S) == {"slow": [0.5, 1.0], "other": [0.5, 1.0]}
    assert loads(tmp_path) == ["plain", "slow", "other"]


def test_who_ends_a_question_early_leaves_nothing_in_the_queue(serve):
    serving = serve(ready=False, shipped=tiny_models.slow_only)
    answers = serving.follow(GREY, ["plain"], LONG_S, 0.05)
    assert next(answers) == {"plain": LOADING} and len(serving._waiting) == 1
    answers.close()
    assert not serving._waiting


def test_what_is_there_is_shown_while_another_model_is_loaded(serve, tmp_path):
    serving = serve()
    answers = serving.follow(GREY, ["plain", "slow"], LONG_S, 0.2)
    first = next(found for found in answers if found["plain"] == [0.5, 1.0])
    assert first["slow"] == LATE
    (tmp_path / "slow").touch()
    *_, last = answers
    assert last == {"plain": [0.5, 1.0], "slow": [0.5, 1.0]}


def test_who_waits_for_one_model_first_hears_of_its_answer_at_once_and_not_before(serve, tmp_path):
    serving = serve()
    serving.predict(GREY, ["plain", "other"])
    for _ in range(20):  # what comes together is told together
        assert list(serving.follow(GREY, ["plain", "other"], LONG_S, LONG_S, first=["plain"]))[1:] == []
    answers = serving.follow(GREY, ["plain", "slow"], LONG_S, LONG_S, first=["plain"])  # else it yields every LONG_S
    assert next(answers) == {"plain": [0.5, 1.0], "slow": LATE}
    (tmp_path / "slow").touch()
    assert list(answers) == [{"plain": [0.5, 1.0], "slow": [0.5, 1.0]}]


@pytest.mark.parametrize(
    "item",
    [np.zeros(0), np.zeros(1_000_001, np.uint8), np.full((28, 28), np.nan), np.array("7"), [[0.5]], "seven", None],
)
def test_what_is_no_item_is_refused(serve, item):
    with pytest.raises(DataError, match="needs one item, an array of at most 1,000,000 numbers. Received: "):
        serve(ready=False).predict(item, ["plain"])


@pytest.mark.parametrize("item", [GREY[:, :27], GREY[..., 0], GREY / np.float32(255)])
def test_an_item_of_another_form_is_each_models_own_sentence_and_harms_no_other(serve, item):
    serving = serve()
    both = together(lambda: serving.predict(item, ["plain"]), lambda: serving.predict(GREY, ["plain"]))()
    assert both[0]["plain"].startswith("This model reads 28 × 28 numbers (uint8), but this is ")
    assert both[1] == {"plain": [0.5, 1.0]}


def test_close_leaves_no_process_and_nobody_waiting(serve):
    serving = serve()
    asked = together(lambda: serving.predict(GREY, ["slow"], timeout_s=LONG_S))
    wait_for(lambda: serving._flying)
    serving.close()
    assert asked() == [{"slow": CLOSED}]
    assert not [child for child in active_children() if child is serving._process]
    assert serving.predict(GREY, ["plain"]) == {"plain": CLOSED}


def test_the_process_loads_neither_keras_nor_streamlit_by_itself(serve, tmp_path):
    serve(load=tiny_models.modules).predict(GREY, ["plain"])
    loaded = set((tmp_path / "modules").read_text().split())
    assert not {"keras", "tensorflow", "sklearn", "streamlit"} & loaded


def test_a_process_dies_with_its_server(tmp_path):
    code = (
        "import tiny_models; from pathlib import Path; from tlcore.prediction.serving import Serving\n"
        "from tlcore.machine import identity; import threading\n"
        f"serving = Serving(Path({str(tmp_path)!r}), load=tiny_models.load, shipped=tiny_models.plain_only)\n"
        "serving.start(); serving.wait_ready(60); print(identity(serving._process.pid), flush=True)\n"
        "threading.Event().wait()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment) as server:
        child = server.stdout.readline().strip()
        assert is_alive(child)
        server.kill()
    wait_for(lambda: is_alive(child) is False)


@pytest.mark.keras
@pytest.mark.slow
def test_the_shipped_models_read_a_digit(tmp_path):
    from tlcore import datasets, sources

    images, labels = datasets.samples("mnist", 10, seed=0)
    serving = Serving(tmp_path)
    serving.start()
    try:
        assert serving.wait_ready(180)
        answers = [serving.predict(image, ["source:digits"])["source:digits"] for image in images]
        known = serving.predict(images[0], [f"source:{card.name}" for card in sources.catalogue() if card.answers])
    finally:
        serving.close()
    assert np.mean(np.argmax(answers, axis=1) == labels) >= 0.9
    assert all(isinstance(answer, list) and abs(sum(answer) - 1) < 1e-3 for answer in known.values())
