"""This computer: processes and what they died of, the lock, the log, scratch files."""

from .lock import Lock
from .processes import (
    ChildProcess,
    LeanContext,
    LeanProcess,
    begin_child,
    identity,
    import_keras,
    is_alive,
    uncollected,
)

__all__ = [
    "ChildProcess",
    "LeanContext",
    "LeanProcess",
    "Lock",
    "begin_child",
    "identity",
    "import_keras",
    "is_alive",
    "uncollected",
]
