"""A sweep in the list of runs; its figures are the evidence's own."""

from pages.ui.evidence import sweep
from pages.ui.words.text import _, titled
from tlcore import datasets
from tlcore.evidence import sweeps
from tlcore.spec import SweepResult, SweepSpec
from tlcore.store import Run

from .view import View


class SweepView(View[SweepSpec, SweepResult]):
    offers = ("experiments",)
    tells_of_nothing = True  # its experiments are kept, however it ends

    def title(self, spec: SweepSpec) -> str:
        title, n = titled(datasets.info(spec.target).title), len(sweeps.plan(spec))
        return _("Sweep → {target}: {n:,} experiments").format(target=title, n=n)

    def stopping(self) -> str:
        return _("Stopping. Every finished experiment is kept, and the sweep can be continued later.")

    def result(self, run: Run, result: SweepResult) -> None:
        sweep.result(run, self.spec_of(run), result)

    def outcome(self, run: Run, result: SweepResult) -> None:
        sweep.outcome(run, result)
