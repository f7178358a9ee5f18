"""What the components' Python sides make of what a browser sends: anything at all."""

import doctest
import importlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from pages.ui.components import film, layer_picker, live_chart, pad
from pages.ui.words import text
from server import live
from tlcore import sources, translation
from tlcore.spec import DataSpec, FineTuneSpec, LayerInfo, MetricPoint, Phase, Progress
from tlcore.training.film import Cast, Frame

LAYERS = (
    LayerInfo(0, "conv_1", "Conv2D", (26, 26, 32), 320),
    LayerInfo(1, "pool_1", "MaxPooling2D", (13, 13, 32), 0),
    LayerInfo(2, "conv_2", "Conv2D", (11, 11, 64), 18496),
    LayerInfo(3, "pool_2", "MaxPooling2D", (5, 5, 64), 0),
    LayerInfo(4, "flatten", "Flatten", (1600,), 0),
    LayerInfo(5, "dense_1", "Dense", (64,), 102464),
    LayerInfo(6, "dense_2", "Dense", (10,), 650),
)
STROKES = [{"width": 0.085, "points": [[0.25, 0.25], [0.75, 0.25]]}]
JUNK = [None, 0, "x", [], {}, {"rev": "0"}, {"rev": True}, {"rev": None}, {"rev": [0]}, {"rev": float("nan")}]


COMPONENTS = ("pad", "live_chart", "layer_picker", "film", "descent", "picture_buttons", "pixel_grid", "camera")


@pytest.mark.parametrize("name", [*(f"components.{name}" for name in COMPONENTS), "words.text"])
def test_examples_in_docstrings_hold(name):
    result = doctest.testmod(importlib.import_module(f"pages.ui.{name}"))
    assert result.failed == 0


# ------------------------------------------------------------------ the pad


def test_a_drawing_of_this_revision_is_taken():
    value = {"rev": 3, "strokes": STROKES, "final": False}
    assert pad.check_value(value, rev=3) == {"rev": 3, "strokes": STROKES, "final": False}


def test_a_drawing_of_an_older_revision_gives_way_to_what_replaced_it():
    value = {"rev": 2, "strokes": [], "final": False}
    assert pad.check_value(value, strokes=STROKES, rev=3) == {"rev": 3, "strokes": STROKES, "final": True}


@pytest.mark.parametrize("value", JUNK)
def test_what_is_no_drawing_leaves_the_revisions_own_strokes(value):
    assert pad.check_value(value, strokes=STROKES, rev=1)["strokes"] == STROKES


@pytest.mark.parametrize(
    "strokes",
    [
        None,
        "strokes",
        [1],
        [{"width": 0.1}],
        [{"width": "fat", "points": [[0, 0]]}],
        [{"width": 0.1, "points": [[0]]}],
        [{"width": 0.1, "points": [[0, float("inf")]]}],
        STROKES * 201,
        [{"width": 0.1, "points": [[0.5, 0.5]] * 5001}],
    ],
)
def test_strokes_that_no_pad_sends_count_as_blank(strokes):
    assert pad.check_value({"rev": 0, "strokes": strokes}) == {"rev": 0, "strokes": [], "final": True}


# ------------------------------------------------------------------ the layer picker


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (["conv_2", "pool_1", "conv_1"], ("conv_1", "conv_2")),
        (["conv_1", "pool_1"], ("conv_1",)),
        (["pool_1", "conv_2", "flatten", "dense_2"], ("conv_2", "dense_2")),
        ([layer.name for layer in LAYERS], ("conv_1", "conv_2", "dense_1", "dense_2")),
    ],
)
def test_what_the_browser_chose_comes_back_in_its_one_spelling(chosen, names):
    """Wherever among layers without weights the boundary stood."""
    value = {"rev": 0, "frozen": chosen}
    assert layer_picker.check_value(value, LAYERS) == names
    assert layer_picker.check_value({"rev": 0, "frozen": list(names)}, LAYERS) == names


def test_unknown_names_and_things_that_are_no_names_are_dropped():
    value = {"rev": 0, "frozen": ["conv_9", 3, None, ["conv_2"], "conv_1"]}
    assert layer_picker.check_value(value, LAYERS) == ("conv_1",)


@pytest.mark.parametrize(
    "value", [*JUNK, {"rev": 1}, {"rev": 1, "frozen": "conv_1"}, {"rev": 1, "frozen": [""] * 10001}]
)
def test_what_is_no_choice_leaves_the_revisions_own(value):
    assert layer_picker.check_value(value, LAYERS, frozen=("conv_1",), rev=1) == ("conv_1",)


def test_a_choice_made_before_a_preset_gives_way_to_it():
    value = {"rev": 4, "frozen": ["dense_1"]}
    assert layer_picker.check_value(value, LAYERS, frozen=("conv_1",), rev=5) == ("conv_1",)


def test_blocks_grow_with_the_logarithm_of_their_weights():
    sizes = {block["name"]: block["size"] for block in layer_picker.blocks(LAYERS)}
    assert sizes["dense_1"] == 1.0
    assert sizes["pool_1"] == 0.0
    assert sizes["conv_1"] == pytest.approx(0.5, abs=0.01)  # log 321 / log 102465


def test_a_network_without_weights_is_drawn_too():
    assert [block["size"] for block in layer_picker.blocks(LAYERS[3:5])] == [0.0, 0.0]
    assert layer_picker.blocks(()) == []


def test_many_layers_are_drawn_as_groups_that_lose_none():
    names = ["Conv1", *(f"block_{b}_{part}" for b in range(19) for part in ("expand", "BN", "relu")), "top"]
    layers = [LayerInfo(i, name, "Conv2D", (8, 8, 3), 10) for i, name in enumerate(names)]
    blocks = layer_picker.blocks(layers)
    assert [block["name"] for block in blocks] == ["Conv1", *(f"block_{b}" for b in range(19)), "top"]
    assert [name for block in blocks for name, _weights in block["members"]] == names
    assert blocks[1]["type"] == "3 layers"
    assert blocks[1]["weights"] == "30 weights"


def test_a_network_with_branches_is_drawn_by_its_blocks_however_few():
    rows = [("stem", ""), ("a_conv", "a"), ("a_add", "a"), ("b_conv", "b"), ("b_add", "b"), ("top", "")]
    layers = [LayerInfo(i, name, "Conv2D", (8, 8, 3), 10, block=block) for i, (name, block) in enumerate(rows)]
    blocks = layer_picker.blocks(layers)
    assert [block["name"] for block in blocks] == ["stem", "a", "b", "top"]
    assert [len(block["members"]) for block in blocks] == [1, 2, 2, 1]


# ------------------------------------------------------------------ the live chart


@pytest.mark.parametrize("value", ["running", "queued", "", None, 1, ["done"], {"state": "done"}])
def test_only_a_final_state_ends_a_chart(value):
    assert live_chart.check_state(value) is None


def test_a_loss_that_is_no_number_travels_as_null():
    points = [(7, MetricPoint("train", 0.5, float("nan"), 0.25))]
    answer = json.loads(live.dumps(live.payload("failed", Progress(left_s=float("inf")), points)))
    curve = {"head": "", "input": "", "part": "train"}
    assert answer["points"] == [{"seq": 7, **curve, "x": 0.5, "loss": None, "accuracy": 0.25, "elapsed_s": 0.0}]
    assert answer["progress"]["left_s"] is None
    assert answer["final"] is True


def test_elapsed_seconds_end_with_the_run():
    answer = live.payload("done", Progress(), [], started=100.0, finished=112.5)
    assert answer["elapsed_s"] == 12.5
    assert live.payload("queued", Progress(), [])["elapsed_s"] is None


# ------------------------------------------------------------------ words


def test_an_empty_message_stays_empty():
    assert text._("") == ""


def test_a_missing_catalogue_means_english(monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_LANGUAGE", "xx")
    translation.forget()
    assert text._("Undo") == "Undo"
    assert text.ngettext("{n} layer", "{n} layers", 1) == "{n} layer"
    assert text.language() == "en"


# ------------------------------------------------------------------ the film


def frames(n):
    return [Frame(epoch, {"dense_1": float(epoch)}, None, 0.5, ()) for epoch in range(n)]


@pytest.mark.parametrize(("n", "kept"), [(0, 0), (1, 1), (60, 60), (61, 60), (1000, 60)])
def test_a_long_film_leaves_out_epochs_evenly_and_keeps_its_ends(n, kept):
    found = [frame.epoch for frame in film.thinned(frames(n))]
    assert len(found) == kept and found[:1] + found[-1:] == ([0, n - 1] if n else [])
    gaps = {b - a for a, b in zip(found, found[1:], strict=False)}
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_a_film_tells_which_layers_were_frozen_in_each_epoch_and_fits_into_json():
    spec = FineTuneSpec(phases=(Phase(1, ("conv_1",)), Phase(2, ())), film=True)
    cast = Cast(("5", "6"), (0, 1), np.zeros((2, 28, 28), np.uint8), "MNIST", 1000)
    data = film.payload([film.Reel(spec, cast, frames(4), {3: np.ones((2, 2))}), film.Reel(spec, cast, frames(9))])
    assert [frame["frozen"] for frame in data["lanes"][0]["frames"]] == [["conv_1"], ["conv_1"], [], []]
    assert data["lanes"][0]["n_source"] == "1,000"
    assert data["drift_top"] == 8.0 and list(data["lanes"][0]["maps"]) == [3]
    json.dumps(data, allow_nan=False)


def test_a_film_of_a_network_of_blocks_tells_them_and_not_their_hundred_layers():
    layers = sources.info("mobilenet_v2").layers
    frozen = tuple(x.name for x in layers if x.can_freeze and not x.name.startswith(("block_16_project", "head")))
    drift = {x.name: 0.0 for x in layers if x.can_freeze} | {"block_16_project": 0.25, "head": 0.5}
    spec = FineTuneSpec("mobilenet_v2", DataSpec("hands"), (Phase(1, frozen),), film=True)
    cast = Cast(("5", "6"), (0, 1), np.zeros((2, 96, 96, 3), np.uint8), "", 0)
    lane = film.payload([film.Reel(spec, cast, [Frame(1, drift, None, 0.5, ())])])["lanes"][0]
    told = lane["frames"][0]
    assert list(told["drift"])[:3] == ["Conv1", "expanded_conv", "block_1"] and len(told["drift"]) == 20
    assert (told["drift"]["block_15"], told["drift"]["block_16"], told["drift"]["head"]) == (0.0, 0.25, 0.5)
    assert {"block_1", "block_15", "Conv_1"} <= set(told["frozen"]) and not {"block_16", "head"} & set(told["frozen"])
    assert "Of a block it is that of the layer that moved most." in lane["drift_note"]


def test_a_film_that_has_not_begun_has_no_frames():
    assert film.payload([film.Reel(FineTuneSpec(), None, ())])["lanes"][0]["frames"] == []


def test_text_grows_with_the_size_that_a_browser_is_set_to():
    root = Path(live.__file__).parents[1]
    styles = [path for folder in ("pages", "server") for path in (root / folder).rglob("*.css")]
    fixed = re.compile(r"^(?!html).*font(-size)?:[^;}\n]*\dpx.*", re.MULTILINE)
    lines = [found.group().strip() for path in styles for found in fixed.finditer(path.read_text(encoding="utf-8"))]
    # What is drawn grows with its drawing; "html" is what the others are sizes of.
    assert [line for line in lines if " text {" not in line and not line.startswith("html")] == []
