"""What the list of runs shows, without a browser."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest

NAME = "transfer_lab_runs_table"


def table(app: AppTest) -> dict[str, Any] | None:
    """Return what the page gives the table of runs; None where it shows none."""
    shown = [element.proto for element in app.get("bidi_component") if NAME in element.proto.component_name]  # type: ignore[attr-defined]
    return json.loads(shown[0].json) if shown else None


def rows(app: AppTest) -> list[dict[str, Any]]:
    """Return the rows of the table, none where there is none."""
    found = table(app)
    return found["rows"] if found else []
