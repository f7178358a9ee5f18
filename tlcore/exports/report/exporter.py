"""The report as a form that a run can be taken along in."""

from functools import partial

from tlcore.sentences import Sentence
from tlcore.store import Run, Store
from tlcore.translation import best

from ..exporter import Exporter, Part
from . import page


class Report(Exporter):
    """One HTML page of a run that trained and was tested: what was asked, what came out, how sure that is, the card."""

    name = "report"
    only_by_name = True

    def parts(self, run: Run, store: Store) -> tuple[Part, ...]:
        if not page.has_report(run):
            return ()
        read_in = partial(page.written, run, store)
        title = Sentence("Report (HTML, to read and print)")
        return (Part("-report.html", title, lambda: read_in(best("")), "text/html", read_in=read_in),)
