"""The commands' own sentences: a port in use, no port at all, a Python too old, no browser."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="needs make")


def make(*arguments, **environment):
    """Run make with this very environment's packages, taken as installed; return its exit code and what it said."""
    installed = ["-o", f"{sys.prefix}/.run-stamp", f"VENV={sys.prefix}"]
    settings = {**os.environ, **environment}
    settings.pop("MAKEFLAGS", None)  # of the make that may run these tests
    done = subprocess.run(["make", *installed, *arguments], cwd=ROOT, capture_output=True, text=True, env=settings)
    return done.returncode, done.stdout + done.stderr


def test_a_port_in_use_is_one_sentence_and_no_traceback():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = make("run", f"PORT={port}")
    assert code != 0 and "Traceback" not in said
    sentence = f"Cannot listen on 127.0.0.1:{port}: Address already in use. Stop what uses it, or pick another: PORT="
    assert sentence in said


@pytest.mark.grid(1)
@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1"])
def test_a_port_that_is_none_is_one_sentence(port):
    code, said = make("run", f"PORT={port}")
    assert code != 0 and f"PORT must be a whole number from 1 to 65535. Received: '{port}'. Try PORT=8501." in said


def test_a_python_too_old_is_one_sentence(tmp_path):
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        (tmp_path / name).write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit\nexit 1\n')
        (tmp_path / name).chmod(0o755)
    code, said = make("run", f"VENV={tmp_path / 'venv'}", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert code != 0 and "Python 3.11 or newer is needed; Python 3.9.2 was found." in said
    assert not (tmp_path / "venv").exists()


def test_no_browser_is_a_failure_that_says_what_to_do():
    command = [sys.executable, ROOT / "tests" / "browser" / "find_chromium.py"]
    environment = {**os.environ, "CHROMIUM_PATH": "/no/such/browser"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 1 and "No Chromium was found" in done.stderr


def test_help_lists_every_target():
    code, said = make("help")
    assert code == 0 and all(
        f"make {target} " in said for target in ("run", "test", "check", "soak", "bench", "assets", "clean")
    )
