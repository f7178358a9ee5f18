"""What every chart hands out: its numbers as a table and as CSV, its picture as PNG and SVG, by a button for each."""

from pathlib import Path

from pages.ui.words.text import _

_HERE = Path(__file__)
FORMATS = ("png", "svg", "csv")


def with_script(file: Path) -> str:
    """Return a component's script with ``saveButtons`` before it."""
    return "\n".join(path.read_text(encoding="utf-8") for path in (_HERE.with_suffix(".js"), file))


def with_style(*files: Path) -> str:
    """Return a component's style sheet with that of the buttons."""
    return "\n".join(path.read_text(encoding="utf-8") for path in (_HERE.with_suffix(".css"), *files))


def words(label: str, table: bool = True) -> dict[str, str]:
    """Return what the buttons of a chart say.

    Parameters
    ----------
    label : the chart's alternative text
    table : whether there is one to show the numbers as a table; False where the chart has a table of its own
    """
    names = {kind: _("Save as {kind}: {chart}").format(kind=kind.upper(), chart=label) for kind in FORMATS}
    shown = {"table": _("Data table"), "numbers": _("Data table: {chart}").format(chart=label)} if table else {}
    return (
        names
        | shown
        | {
            "save": _("Save the chart"),
            "group": _("Save: {chart}").format(chart=label),
            "failed": _("This chart could not be saved. Wait until it is drawn, then press again."),
        }
    )
