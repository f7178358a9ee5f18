"""Has the links of a lesson plan open in one window beside it: the plan stays on the presenter's own screen."""

from pathlib import Path

from streamlit.components.v2 import component

_HERE = Path(__file__)
_links = component(
    "transfer_lab_stage_links",
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def stage_links(selector: str) -> None:
    """Let every link that ``selector`` finds open in the window of the steps, one for all of them."""
    _links(key="stage_links", data={"links": selector})
