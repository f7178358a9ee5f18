"""How the pages show the runs of one kind; what a kind does not say itself follows from its job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import streamlit as st

from pages.ui.components.live_chart import Rule
from pages.ui.session import state
from pages.ui.words.text import _, plain, shown
from tlcore import jobs
from tlcore.jobs.report import Entry, Table
from tlcore.sentences import Sentence
from tlcore.spec import Result, Spec
from tlcore.store import Run

S = TypeVar("S", bound=Spec)
R = TypeVar("R", bound=Result)


@dataclass(frozen=True)
class Chart:
    """What the axes of a run's live chart are; see ``live_chart``, and ``LiveRun`` for the steps."""

    x_max: float | None = None
    x_title: str = ""
    loss_title: str = ""
    rules: Sequence[Rule] = ()
    measure: str = "both"
    height: int = 480
    colours: Mapping[str, str] = field(default_factory=dict)
    steps: float = 0.0  # gradient steps of one unit of x
    together: bool = False  # a race, drawn from a common start


class View(Generic[S, R]):
    """The view of a kind of run; this one serves every kind that has none of its own."""

    offers: tuple[str, ...] = ()  # exporters whose files ``result`` offers itself
    tells_of_nothing = False  # whether ``result`` is shown, and says something, where nothing was finished

    def spec_of(self, run: Run) -> S:
        """Return what a run was asked to do; a view is asked for runs of its own kind."""
        return run.spec  # type: ignore[return-value]

    def title(self, spec: S) -> str:
        """Return what a spec does in a few words."""
        return jobs.describe(spec)

    def lane(self, spec: S) -> str:
        """Return what sets a spec apart from others on the same task."""
        return self.title(spec)

    def cost(self, result: R) -> str:
        """Return what a result took, in a few words; "" where a kind has nothing to say."""
        return ""

    def stopping(self) -> str:
        """Return what a person reads who has pressed Stop."""
        return _("Stopping. What is finished by then is kept.")

    def chart(self, spec: S) -> Chart | None:
        """Return the axes of the live chart; None where a run measures no curves."""
        n = jobs.of(spec).epochs(spec)
        return Chart(x_max=float(n)) if n else None

    def outcome(self, run: Run, result: R) -> None:
        """Say how a run ended and what that cost, where its figures stand elsewhere."""

    def closer(self, run: Run, result: R) -> None:
        """Show what a run that has ended reached, and all that a look from near can show of it."""
        self.result(run, result)

    def result(self, run: Run, result: R) -> None:
        """Show what a run that has ended reached."""
        for part in jobs.of(run.spec).report(result, state.lab().store.run_folder(run.id)):
            if isinstance(part, Table):
                st.dataframe(
                    [dict(zip(map(_worded, part.heads), map(_worded, row), strict=True)) for row in part.rows],
                    hide_index=True,
                    height="content",
                    alt=self.title(run.spec),  # type: ignore[arg-type]
                )
            else:
                st.markdown(plain(_worded(part)))


def _worded(part: Entry) -> Any:
    """Return an entry of a report with its words in the reader's language."""
    return shown(part) if isinstance(part, Sentence) else part
