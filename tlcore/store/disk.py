"""How much of the disk the results of a data folder take, and that they stay within a bound."""

import time
from pathlib import Path

from tlcore.errors import RightsError

from .runs import Store

LOOK_S = 60.0  # a look walks through every run's folder: half a second for 10,000 runs
UNDO_S = 3600.0  # a run that was deleted within the last hour can always be brought back

_seen: dict[Path, tuple[float, float]] = {}  # folder -> when it was looked at, and its MB


def results_mb(store: Store, at_most_s: float = LOOK_S) -> float:
    """Return the MB that the files of all runs take, deleted ones too, as of at most ``at_most_s`` seconds ago."""
    if store.files.remote:  # a look asks an object store for every name: ten seconds for 10,000 runs
        at_most_s *= 10
    when, mb = _seen.get(store.folder, (-at_most_s, 0.0))
    if time.monotonic() - when >= at_most_s:
        mb = store.files.n_bytes() / 2**20
        _seen[store.folder] = time.monotonic(), mb
    return mb


def make_room(store: Store, most_mb: int) -> None:
    """See that there is room for one more run: what was deleted goes for good first, earlier than it would.

    Raises
    ------
    RightsError
        There is none: the results that people keep take ``most_mb`` already.
    """
    if results_mb(store) < most_mb:
        return
    store.purge(older_than_s=UNDO_S)
    if (mb := results_mb(store, at_most_s=0.0)) >= most_mb:
        raise RightsError(
            "Stored results use {mb:,.0f} of the {most:,} MB allowed on this server. Delete runs that you no "
            "longer need and try again in an hour, or ask the host for more room (TRANSFER_LAB_RESULTS_MB).",
            mb=mb,
            most=most_mb,
        )
