"""What a run can be taken along as: an Exporter for each form, registered by its name."""

from collections.abc import Callable
from dataclasses import dataclass

from tlcore.sentences import Sentence
from tlcore.store import Run, Store


def nothing() -> None:
    """Find nothing wrong."""


@dataclass(frozen=True)
class Part:
    """One file of an export, made when it is read.

    Attributes
    ----------
    suffix : what follows the run's id in the file's name: "-metrics.csv"
    check : raises a LabError where ``read`` would, so that a page does not offer what is missing or damaged
    make : of a file that takes seconds: its content, and what trying it gave; ``read`` gives the content alone
    read_in : of a file to be read by people: its content in the language of a tag on offer; ``read`` gives it in the
        language of who started this process
    """

    suffix: str
    title: Sentence
    read: Callable[[], bytes]
    mime: str = "application/octet-stream"
    check: Callable[[], object] = nothing
    make: Callable[[], tuple[bytes, Sentence]] | None = None
    read_in: Callable[[str], bytes] | None = None


class Exporter:
    """One form in which a run can be taken along.

    Attributes
    ----------
    name : what the command line calls it
    only_by_name : whether it is left out where everything is asked for
    in_menu : whether a page offers it in its menu of downloads; else it has a place of its own there
    """

    name: str
    only_by_name: bool = False
    in_menu: bool = True

    def parts(self, run: Run, store: Store) -> tuple[Part, ...]:
        """Return the files that a run gives; none where it has nothing of this form."""
        raise NotImplementedError


EXPORTERS: dict[str, Exporter] = {}


def register(exporter: Exporter) -> None:
    """Let runs be taken along in a further form."""
    EXPORTERS[exporter.name] = exporter


def offers(run: Run, store: Store) -> dict[str, tuple[Part, ...]]:
    """Return what a run gives, by the exporter's name; those that it gives nothing for are left out."""
    parts = {name: exporter.parts(run, store) for name, exporter in EXPORTERS.items()}
    return {name: files for name, files in parts.items() if files}
