"""Pictures that are their own buttons: one of them is chosen, as in a group of radio buttons."""

from collections.abc import Sequence
from pathlib import Path

from streamlit.components.v2 import component

_HERE = Path(__file__)
_group = component(
    "transfer_lab_picture_buttons",
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
)


def picture_buttons(key: str, label: str, pictures: Sequence[str], names: Sequence[str], rev: int = 0) -> int:
    """Show the pictures and return the position of the chosen one, at first 0.

    Parameters
    ----------
    label : what the group is for, read out by screen readers
    pictures : addresses, ``data:image/png;base64,...``
    names : of each picture, for who does not see it
    rev : raise it with other pictures: the first is chosen again
    """
    data = {
        "label": label,
        "rev": rev,
        "pictures": [{"src": s, "name": n} for s, n in zip(pictures, names, strict=True)],
    }
    group = _group(key=key, data=data, on_picked_change=_nothing)
    return check_value(group.get("picked"), len(pictures), rev)


def check_value(value: object, n: int, rev: int) -> int:
    """Return the position that a browser sent; 0 where it is of other pictures, or no such position.

    Examples
    --------
    >>> check_value({"rev": 1, "at": 2}, 12, rev=1), check_value({"rev": 0, "at": 2}, 12, rev=1), check_value("x", 3, 0)
    (2, 0, 0)
    """
    if not isinstance(value, dict) or value.get("rev") != rev:
        return 0
    at = value.get("at")
    return at if isinstance(at, int) and not isinstance(at, bool) and 0 <= at < n else 0


def _nothing() -> None:
    """Streamlit lists a state value in the result only when it has a callback."""
