"""What a run was asked to do, and how to do it again."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from tlcore import __version__, datasets
from tlcore.errors import LabError
from tlcore.evidence import side_by_side
from tlcore.sentences import Sentence
from tlcore.spec import to_json
from tlcore.store import Run, Store

from .writer import Words, Writer

AGAIN = """\
# again.py: trains this run again in the folder "again", and prints its accuracy
from tlcore.jobs import execution
from tlcore.spec import from_json
from tlcore.store import Store

SETTINGS = r'''
{settings}
'''

if __name__ == "__main__":
    store = Store("again")
    run = store.create(from_json(SETTINGS))
    execution.execute(run.id, "again")
    print(store.get(run.id).error or store.get(run.id).accuracy)
"""


def when(seconds: float | None) -> str:
    """Return a time in UTC, written the same in all languages.

    Examples
    --------
    >>> when(0), when(None)
    ('1970-01-01 00:00 UTC', '')
    """
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def asked(writer: Writer, run: Run, store: Store) -> str:
    """Return every setting in words, and the note that a person wrote."""
    parts = [writer.heading(Sentence("What was asked")), writer.facts(side_by_side.settings(run.spec).items())]
    if run.note:
        parts += [writer.under(Sentence("Note")), writer.paragraph(run.note)]
    return "".join(parts)


def again(writer: Writer, run: Run, store: Store) -> str:
    """Return what the result depends on, and the program that trains the run again."""
    words = Sentence(
        "Save this as again.py in the folder of Transfer Lab {version} and run: python again.py. On the same kind of "
        "processor, with the same versions, the same seed gives the same result.",
        version=__version__,
    )
    return (
        writer.heading(Sentence("How to reproduce it"))
        + writer.facts(_facts(run))
        + writer.paragraph(words, *_own_pictures(run))
        + writer.code(AGAIN.format(settings=_settings(run)))
    )


def _facts(run: Run) -> Iterator[tuple[Words, Words]]:
    yield Sentence("Run"), run.id
    yield Sentence("Seed"), f"{run.seed}"
    yield Sentence("Began"), when(run.started)
    yield Sentence("Ended"), when(run.finished)
    if run.took_s is not None:
        yield Sentence("Time"), Sentence("{n:.1f} s", n=run.took_s)
    yield Sentence("Computed on"), run.result.device
    yield Sentence("Versions"), ", ".join([f"Transfer Lab {__version__}", *map(" ".join, run.versions.items())])
    yield Sentence("Data (SHA-256)"), run.data_hash
    for name, file in run.result.files.items():
        yield Sentence("SHA-256 of {file}", file=name), file.sha256


def _settings(run: Run) -> str:
    """Return the spec as JSON that can stand between three quotes: JSON itself escapes what would end them."""
    return json.dumps(json.loads(to_json(run.spec))).replace("'", "\\u0027")


def _own_pictures(run: Run) -> Iterator[Sentence]:
    """Yield that the images have to be brought, where they do not come with the program."""
    try:
        card = datasets.info(run.spec.data.target)
    except LabError:
        yield Sentence("The images of this task are not in this lab any more; without them it cannot be trained again.")
        return
    if run.spec.data.own or not card.offline or not card.attribution:
        yield Sentence("The images do not come with the program: bring them into that lab first, under the same name.")
