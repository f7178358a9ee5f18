"""The log's one form, its level, and what the lab measures of itself."""

import json
import logging
import subprocess
import sys

import pytest

from tlcore.engine import Status, Worker
from tlcore.engine.measures import Measures
from tlcore.errors import SpecError
from tlcore.machine import logs
from tlcore.sentences import Sentence
from tlcore.spec import FineTuneSpec


def in_a_process(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False, cwd="."
    ).stderr


def test_a_line_is_json_with_run_person_and_trace():
    code = """
import logging
from tlcore.machine import logs
logging.getLogger("library").addHandler(logging.StreamHandler())
logging.getLogger("library").propagate = False
logs.configure()
log = logging.getLogger("tlcore.x")
log.info("run %s is queued", "a" * 16, extra={"person": "12345678"})
log.debug("not said")
logging.getLogger("library").warning('two\\nlines "quoted"')
try: 1 / 0
except ZeroDivisionError: log.exception("it failed")
"""
    first, second, third = map(json.loads, in_a_process(code).splitlines())
    assert (first["run"], first["person"], first["level"]) == ("a" * 16, "12345678", "info")
    assert second["message"] == 'two\nlines "quoted"' and "run" not in second
    assert "ZeroDivisionError" in third["trace"] and third["logger"] == "tlcore.x"
    code = "from tlcore.machine import logs; import logging; logs.configure(); logging.getLogger('tlcore').info('x')"
    assert in_a_process(code, TRANSFER_LAB_LOG_LEVEL="warning") == ""


GATHERED = """
import logging, os, subprocess, sys, warnings
from tlcore.machine import logs
logs.gather(), logs.configure()
os.write(2, b"W0000 00:00:1795884181.325550   12609 port.cc:153] as TensorFlow says it\\nnot \\xff text\\n\\n")
logging.getLogger("streamlit.x").addHandler(handler := logging.StreamHandler())
handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
logging.getLogger("streamlit.x").propagate = False
logging.getLogger("streamlit.x").error("as Streamlit says it")
logging.getLogger("uvicorn.error").propagate = False  # and no handler, as under Streamlit
logging.getLogger("uvicorn.error").error("two\\nlines")
warnings.warn("a warning")
subprocess.run([sys.executable, "-c", "import faulthandler, os; faulthandler.enable(); os.abort()"])
print("[1, 2]", "x" * 200_000, file=sys.stderr)
os.execv(sys.executable, [sys.executable, "-c", "from tlcore.machine import logs; logs.gather(); HOW"])
"""


@pytest.mark.parametrize(
    ("how", "last"),
    [
        ("raise ValueError('uncaught')", "uncaught"),
        ("import os; os.write(2, b'no end of line'); os.kill(os.getpid(), 9)", "no end of line"),
        ("import sys; sys.exit('Transfer Lab cannot start')", "Transfer Lab cannot start"),
    ],
)
def test_every_line_on_standard_error_is_json_whoever_writes_it(how, last):
    code = GATHERED.replace("HOW", how if "ValueError" not in how else "logs.configure(); " + how)
    lines = [json.loads(line) for line in in_a_process(code).splitlines()]
    said = [line["message"] for line in lines]
    assert all(isinstance(line, dict) and line["time"] and line["level"] for line in lines)
    first = lines[0]
    assert (first["level"], first["logger"], first["message"]) == ("warning", "port.cc:153", "as TensorFlow says it")
    assert said[1:4] == ["not \ufffd text", "as Streamlit says it", "two\nlines"]
    assert any("a warning" in line for line in said) and any("Fatal Python error: Aborted" in line for line in said)
    assert sum(line.count("x") for line in said) >= 200_000  # in parts
    assert last in json.dumps(lines[-1])


@pytest.mark.parametrize("level", ["loud", "10", "NOTSET"])
def test_a_level_that_is_none_is_refused_before_anything_changes(level):
    before = logging.root.handlers[:]
    with pytest.raises(SpecError, match="TRANSFER_LAB_LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR"):
        logs.configure({"TRANSFER_LAB_LOG_LEVEL": level})
    assert logging.root.handlers == before


def test_the_measures_count_runs_workers_sessions_and_answers(store):
    runs = [store.create(FineTuneSpec()) for _ in range(3)]
    store.claim(runs[0].id)
    store.finish(runs[0].id, "failed", error=Sentence("x"))
    status = Status(n_workers=2, busy=1, queued=2, alive=True)
    measures = Measures(store, lambda: status, lambda: 7, lambda: True)
    for seconds in (0.04, 0.2, 20):
        measures.answers.observe(seconds)
    lines = measures.text().decode().splitlines()
    assert {
        "transfer_lab_queue_length 2.0",
        'transfer_lab_runs{state="queued"} 2.0',
        'transfer_lab_runs{state="failed"} 1.0',
        'transfer_lab_workers{state="busy"} 1.0',
        'transfer_lab_workers{state="idle"} 1.0',
        "transfer_lab_sessions 7.0",
        "transfer_lab_ready 1.0",
        'transfer_lab_answer_seconds_bucket{le="0.2"} 2.0',
        'transfer_lab_answer_seconds_bucket{le="+Inf"} 3.0',
        "transfer_lab_answer_seconds_count 3.0",
    } <= set(lines)


def test_the_measures_of_a_cluster_name_its_workers_and_count_those_that_get_no_runs(store):
    workers = (Worker("one", "10.0.0.7", 1, ("a",)), Worker("two", "10.0.0.8", 1, refusal=Sentence("no")))
    status = Status(n_workers=1, busy=1, queued=0, alive=True, workers=workers)
    lines = Measures(store, lambda: status, lambda: 0, lambda: True).text().decode().splitlines()
    assert {
        'transfer_lab_workers{state="busy"} 1.0',
        'transfer_lab_workers{state="idle"} 0.0',
        'transfer_lab_workers{state="refused"} 1.0',
        'transfer_lab_worker_runs{machine="10.0.0.7",worker="one"} 1.0',
    } <= set(lines)
    assert not any("10.0.0.8" in line for line in lines)
