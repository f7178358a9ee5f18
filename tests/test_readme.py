"""The README and the pages of docs/: what they say is so, and what they point to is there."""

import json
import re
from pathlib import Path

import pytest

from tlcore.evidence import recorded, savings
from tlcore.prediction import taught
from tlcore.prediction.taught import SCRATCH, TRANSFER
from tlcore.sentences import percent
from tlcore.spec import PIXELS
from tlcore.spec import SCRATCH as FROM_SCRATCH

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EVIDENCE = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")


def test_the_readme_is_one_screen_with_a_picture_that_loads_at_once():
    assert len(README.splitlines()) <= 60
    assert (ROOT / "docs" / "minute.gif").stat().st_size <= 3_000_000


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda path: path.name
)
def test_every_link_and_picture_of_a_page_is_there(path):
    links = re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []


def test_the_readme_lists_every_page_of_the_menu():
    menu = re.findall(r'listed\("\w+.py", _\("([^"]+)"\)', (ROOT / "pages" / "menu.py").read_text(encoding="utf-8"))
    assert re.findall(r"^\| ([A-Z][^|]*) \|", README, re.MULTILINE) == menu


def test_its_figure_of_fifty_images_is_the_recorded_one():
    card = taught.card()
    after, scratch = (card.over_seeds(way) for way in (TRANSFER, SCRATCH))
    assert f"reads {percent(after.mean)} of the MNIST test digits" in README
    assert f"on the same images, {percent(scratch.mean)}" in README
    words = re.sub(r"\s+", " ", EVIDENCE)
    for share in (after, scratch):
        assert f"{percent(share.mean)} (" in words and f"{100 * share.low:.1f} to {100 * share.high:.1f})" in words
    assert f"it reads {percent(card.share_before.mean)}," in words


def test_its_figure_of_labels_saved_is_the_recorded_one():
    cells = recorded.load("label_savings").cells
    transfer = savings.curve(cells, "linear_svm", "digits_0_4", "flatten")
    saved = savings.saving(transfer, savings.curve(cells, FROM_SCRATCH, None, PIXELS), 5)
    assert f"**{saved.k:.1f} times fewer labels.**" in README
    assert f"(95 % interval {saved.low:.1f} to {saved.high:.1f})" in README
    assert f"{saved.k:.1f} times as many (95 % interval {saved.low:.1f} to {saved.high:.1f})" in EVIDENCE


def test_its_figure_of_speed_is_the_measured_one():
    rows = {row["name"]: row for row in json.loads((ROOT / "bench" / "results.json").read_text(encoding="utf-8"))}
    row = rows["frozen_convs_55000x5"]
    assert f"**{row['ratio']:.1f} times faster.**" in README
    assert f"take {row['ours']:.1f} s" in README and f"against {row['plain']:.1f} s" in README
