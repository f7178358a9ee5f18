"""A run as the pages show it: a view for each kind, by its name, imported when it is first shown."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tlcore.spec import Spec

if TYPE_CHECKING:
    from .view import View

VIEWS: dict[str, str] = {}
PLAIN = "pages.ui.runs.view:View"  # of a kind that has none of its own


def register(kind: str, view: str) -> None:
    """Let the pages show runs of a further kind.

    Parameters
    ----------
    view : "module:Class" of a ``View``; processes without pages never import it
    """
    VIEWS[kind] = view


def view_of(spec: Spec) -> "View[Any, Any]":
    """Return the view of a spec's kind."""
    module, _, name = VIEWS.get(spec.kind, PLAIN).partition(":")
    return getattr(import_module(module), name)()


register("fine_tune", "pages.ui.runs.fine_tune:FineTuneView")
register("heads", "pages.ui.runs.compare_heads:HeadsView")
register("comparison", "pages.ui.runs.comparison:ComparisonView")
register("sweep", "pages.ui.runs.sweep:SweepView")
register("example", "pages.ui.runs.example:ExampleView")
register("evaluate", "pages.ui.runs.evaluate:EvaluateView")
