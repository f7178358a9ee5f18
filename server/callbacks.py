"""What a click asks for is done to its end, also when the next click comes meanwhile."""

import threading
from functools import wraps
from typing import Any

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.state.safe_session_state import SafeSessionState

_now = threading.local()  # whether this thread is in a callback


def finish_callbacks() -> None:
    """Let no callback of a widget be cut short; the next click is looked at when it is over.

    Streamlit ends a script for the next click wherever the script looks at the session, in its callbacks too, and never
    comes back to them: of two quick clicks the first started a run that its page then knew nothing of.
    """
    interrupt, call = ScriptRunner._maybe_handle_execution_control_request, SafeSessionState.on_script_will_rerun
    if hasattr(call, "__wrapped__"):
        return  # done before

    @wraps(interrupt)
    def interrupt_unless_in_callback(runner: ScriptRunner) -> None:
        if not getattr(_now, "in_callback", False):
            interrupt(runner)

    @wraps(call)
    def call_to_the_end(session: SafeSessionState, *arguments: Any, **options: Any) -> None:
        session._yield_callback()
        _now.in_callback = True
        try:
            call(session, *arguments, **options)
        finally:
            _now.in_callback = False

    for kind, method in ((ScriptRunner, interrupt_unless_in_callback), (SafeSessionState, call_to_the_end)):
        setattr(kind, method.__name__, method)
