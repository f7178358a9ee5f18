"""Modules from outside: imported where they are named, left out with a sentence where they cannot be."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
import tiny_tasks
from browser.lab_server import LabServer
from waiting import wait_for

from tlcore import extensions
from tlcore.cli import main
from tlcore.engine import LocalEngine
from tlcore.errors import SpecError
from tlcore.spec import FineTuneSpec


@pytest.fixture
def named(monkeypatch, tmp_path):
    """Write a module, put it in the path and name it; return the folder."""

    def name(**modules):
        for module, code in modules.items():
            (tmp_path / f"{module}.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setenv(extensions.VARIABLE, " , ".join(modules))

    return name


def test_every_named_module_is_imported_in_order(named, tmp_path):
    note = f"open({str(tmp_path / 'order')!r}, 'a').write(__name__ + ' ')"
    named(first_one=note, second_one=note)
    assert extensions.load() == ()
    assert (tmp_path / "order").read_text() == "first_one second_one "


def test_without_the_setting_nothing_is_imported():
    assert extensions.load(environment={}) == extensions.load(environment={extensions.VARIABLE: " , "}) == ()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def (", "SyntaxError"),
    ],
)
def test_a_module_that_cannot_be_imported_is_one_sentence_and_the_others_count(named, code, reason):
    named(broken_one=code, sound_one="")
    told = []
    (problem,) = extensions.load(told.append)
    assert isinstance(problem, SpecError) and told == [str(problem)]
    assert "'broken_one' cannot be imported" in told[0] and reason in told[0] and "\n" not in told[0]


def test_the_command_line_says_so_and_works(named, capsys, tmp_path):
    named(broken_two="1 / 0")
    assert main(["--home", str(tmp_path / "home"), "datasets"]) == 0
    seen = capsys.readouterr()
    assert "mnist_5_9" in seen.out and seen.err.count("'broken_two' cannot be imported") == 1


def test_each_worker_imports_them(named, store, tmp_path):
    named(
        noted_one=f"import os; open({str(tmp_path / 'seen')!r}, 'a').write(f'{{os.getpid()}} ')", broken_three="1 / 0"
    )
    run = store.create(FineTuneSpec(), name="quick")
    engine = LocalEngine(store.folder, n_workers=1, execute=tiny_tasks.execute)
    try:
        wait_for(lambda: store.get(run.id).state == "done", 60)
    finally:
        engine.close()
    (_, child, parent) = (store.folder / "executed").read_text().split()
    assert child in (tmp_path / "seen").read_text().split() and parent == str(os.getpid())


@pytest.mark.slow
def test_every_process_of_a_server_imports_them_and_it_starts_without_the_broken_one(named, tmp_path):
    note = tmp_path / "seen"
    named(noted_two=f"import os; open({str(note)!r}, 'a').write(f'{{os.getpid()}} ')", broken_four="1 / 0")
    server = LabServer(tmp_path / "home", PYTHONPATH=str(tmp_path), TRANSFER_LAB_WORKERS="1")
    try:
        server.wait_ready()
        # The server, the process that answers, a worker and the what-if.
        wait_for(lambda: len(set(note.read_text().split())) >= 4, 120)
        children = _below(server.process.pid)
        pids = set(note.read_text().split())
        assert str(server.process.pid) in pids and len(pids & children) >= 3
        wait_for(lambda: server.log.read_text().count("'broken_four' cannot be imported") >= len(pids), 30)
        assert server.ask("/healthz")["engine"]["alive"]
    finally:
        server.close()


def _below(pid: int | str) -> set[str]:
    """Return the processes that a process started, and those that they did."""
    children: set[str] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it has ended meanwhile
            children.update(task.read_text().split())
    return children.union(*map(_below, children))
