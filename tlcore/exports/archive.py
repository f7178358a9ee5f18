"""Everything of a run in one ZIP."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from tlcore import __version__
from tlcore.errors import LabError
from tlcore.evidence import ways
from tlcore.sentences import Sentence
from tlcore.spec import ComparisonResult
from tlcore.store import Run, Store
from tlcore.translation import best, translate

from . import record
from .exporter import Exporter, Part, offers

FORMAT = 2  # of ``contents.json``: a reader refuses a greater one
CONTENTS, README = "contents.json", "README.txt"
# What files are that a button for downloading has another title for, by the name of their form.
WHAT = {
    "model": Sentence("the network, as Keras reads it"),
    "heads": Sentence("a head, as skops reads it"),
    "answers": Sentence("the answers to every test image, as NumPy reads them"),
}
PACKED = {".keras", ".npz", ".skops"}  # are ZIPs themselves


@dataclass(frozen=True)
class Contents:
    """What goes into an archive: files by name, and why others are left out."""

    files: dict[str, bytes] = field(default_factory=dict)
    titles: dict[str, Sentence] = field(default_factory=dict)
    left_out: dict[str, Sentence] = field(default_factory=dict)


class Archive(Exporter):
    """Settings and result, points, network, heads, answers and report of a run that has ended, and a list of them.

    Of a comparison each way's run is in a folder of its own. Files that are made on request, for phones and browsers,
    are not in it.
    """

    name = "zip"
    only_by_name = True

    def parts(self, run: Run, store: Store) -> tuple[Part, ...]:
        if not run.final:
            return ()

        def read_in(language: str) -> bytes:
            return packed(run, store, language)

        title = Sentence("Everything in one archive (ZIP)")
        return (Part(".zip", title, lambda: read_in(best("")), "application/zip", read_in=read_in),)


def packed(run: Run, store: Store, language: str) -> bytes:
    """Return the archive; equal for an equal run, whenever it is made.

    What is missing or damaged is left out, and README and list say so.

    Parameters
    ----------
    language : the tag of a language on offer, for the report and the README
    """
    contents = Contents()
    for folder, each in _runs(run, store):
        _collect(contents, folder, each, store, language)
    listed = {
        "format": FORMAT,
        "made_with": f"Transfer Lab {__version__}",
        "run": run.id,
        "data_sha256": run.data_hash,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in contents.files.items()},
        "left_out": {name: str(reason) for name, reason in contents.left_out.items()},
    }
    told = _readme(run, contents, lambda text: translate(text, language))
    first = {README: told.encode(), CONTENTS: (json.dumps(listed, indent=2) + "\n").encode()}
    return zipped(first | contents.files, run.finished or 0.0)


def _runs(run: Run, store: Store) -> Iterator[tuple[str, Run]]:
    """Yield a run, and of a comparison those of its ways, each with the folder of its files."""
    yield "", run
    if isinstance(run.result, ComparisonResult):
        for number, each in enumerate(ways.trained(run.result, store), 1):
            yield f"{number}-{each.way.name}/", each.run


def _collect(contents: Contents, folder: str, run: Run, store: Store, language: str) -> None:
    contents.files[folder + record.FILE] = record.record(run, store)
    contents.titles[folder + record.FILE] = Sentence("the run as another lab reads it")
    for form, parts in offers(run, store).items():
        for part in parts:
            if form == Archive.name or part.make is not None:
                continue
            suffix = "settings.json" if part.suffix == ".json" else part.suffix.lstrip("-.")
            name = f"{folder}{Path(suffix).name}"
            try:
                part.check()
                contents.files[name] = part.read_in(language) if part.read_in else part.read()
                contents.titles[name] = WHAT.get(form, part.title)
            except LabError as error:
                contents.left_out[name] = error.sentence


def _readme(run: Run, contents: Contents, say: Callable[[str], str]) -> str:
    """Return what is in the archive, in the reader's language."""
    head = Sentence("Run {run} of Transfer Lab {version}: everything it left.", run=run.id, version=__version__)
    lines = [
        head,
        Sentence("Open report.html first, where there is one. contents.json holds the SHA-256 of every file."),
    ]
    lines += [Sentence("{file}: {what}", file=name, what=title) for name, title in contents.titles.items()]
    lines += [Sentence("Left out: {file}. {reason}", file=name, reason=why) for name, why in contents.left_out.items()]
    data = Sentence(
        "The images are not in it; the SHA-256 of those that the run used is {hash}.", hash=run.data_hash or "–"
    )
    return "\n".join(line.fill(say) for line in [*lines, data]) + "\n"


def zipped(files: Mapping[str, bytes], seconds: float) -> bytes:
    """Return files as a ZIP in which all are of the same time."""
    when = max(datetime.fromtimestamp(seconds, UTC), datetime(1980, 1, 1, tzinfo=UTC)).timetuple()[:6]
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, when)
            entry.compress_type = zipfile.ZIP_STORED if Path(name).suffix in PACKED else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return content.getvalue()
