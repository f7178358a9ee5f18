"""A click's callback comes to its end, whatever is clicked meanwhile."""

import pytest
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests
from streamlit.runtime.state.safe_session_state import SafeSessionState

from server.callbacks import finish_callbacks


class Session:
    """A session with one callback, which looks at the session twice; a click comes in between."""

    def __init__(self, runner):
        self.runner, self.done = runner, []
        self.safe = SafeSessionState(self, runner._maybe_handle_execution_control_request)

    def on_script_will_rerun(self, *arguments, **options):
        self.safe["first"] = 1
        self.runner._requests.request_rerun(RerunData())  # the next click
        self.safe["second"] = 2

    def __setitem__(self, key, value):
        self.done.append(key)


@pytest.fixture
def runner():
    found = ScriptRunner.__new__(ScriptRunner)
    found._execing, found._requests = True, ScriptRequests()
    found._is_in_script_thread = lambda: True
    return found


@pytest.fixture
def patched(monkeypatch):
    for kind, name in (
        (ScriptRunner, "_maybe_handle_execution_control_request"),
        (SafeSessionState, "on_script_will_rerun"),
    ):
        method = getattr(kind, name)
        monkeypatch.setattr(kind, name, getattr(method, "__wrapped__", method))
    finish_callbacks()


def test_a_callback_is_not_cut_short_by_the_next_click_which_is_heard_after_it(runner, patched):
    session = Session(runner)
    session.safe.on_script_will_rerun(None)
    assert session.done == ["first", "second"]
    with pytest.raises(RerunException):
        session.safe["later"] = 3
    assert session.done == ["first", "second"]


def test_a_click_that_came_before_a_callback_goes_first(runner, patched):
    session = Session(runner)
    runner._requests.request_rerun(RerunData())
    with pytest.raises(RerunException):
        session.safe.on_script_will_rerun(None)
    assert session.done == []


def test_a_callback_that_fails_leaves_later_scripts_to_be_ended(runner, patched):
    session = Session(runner)
    session.__class__ = type("Broken", (Session,), {"__setitem__": lambda self, key, value: 1 / 0})
    with pytest.raises(ZeroDivisionError):
        session.safe.on_script_will_rerun(None)
    runner._requests.request_rerun(RerunData())
    with pytest.raises(RerunException):
        runner._maybe_handle_execution_control_request()


def test_twice_is_once(patched):
    once = SafeSessionState.on_script_will_rerun
    finish_callbacks()
    assert SafeSessionState.on_script_will_rerun is once
