"""ROC and precision-recall curves as Plotly figures."""

import plotly.graph_objects as go

from pages.ui.words.text import _
from tlcore.evaluation.curves import Curve

from .palette import COLOURS, GREY
from .plots import MARGIN


def roc(curve: Curve) -> go.Figure:
    """Return the true-positive rate over the false-positive rate, with the line of guessing."""
    figure = _figure(curve, _("found %{y:.2f} at false alarms %{x:.2f}"))
    _guess(figure, (0.0, 1.0))
    return _axes(figure, _("false-positive rate, 0 to 1"), _("true-positive rate, 0 to 1"))


def precision_recall(curve: Curve, share: float) -> go.Figure:
    """Return the precision over the recall, with the precision of guessing."""
    figure = _figure(curve, _("precision %{y:.2f} at recall %{x:.2f}"))
    _guess(figure, (share, share))
    return _axes(figure, _("recall, 0 to 1"), _("precision, 0 to 1"))


def _figure(curve: Curve, hover: str) -> go.Figure:
    figure = go.Figure()
    figure.add_scatter(
        name=_("this model"),
        x=curve.x,
        y=curve.y,
        mode="lines",
        line={"color": COLOURS[0], "width": 3},
        hovertemplate=hover + "<extra></extra>",
    )
    return figure


def _guess(figure: go.Figure, y: tuple[float, float]) -> None:
    figure.add_scatter(
        name=_("guessing"),
        x=[0, 1],
        y=y,
        mode="lines",
        line={"color": GREY, "dash": "dash", "width": 2},
        hoverinfo="skip",
    )


def _axes(figure: go.Figure, x: str, y: str) -> go.Figure:
    figure.update_xaxes(title=x, range=[-0.01, 1.01], dtick=0.25)
    figure.update_yaxes(title=y, range=[-0.01, 1.03], dtick=0.25)
    figure.update_layout(height=320, margin=MARGIN, legend={"orientation": "h", "y": 1.14})
    return figure
