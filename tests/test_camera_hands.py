"""Hands before a camera on other grounds: cut out, turned, moved, and read as the route reads what is sent."""

import json

import numpy as np
import pytest

from tlcore import datasets
from tlcore.errors import DataError
from tlcore.evidence import camera_hands
from tlcore.evidence.camera_hands import GROUNDS, SHIFT, CameraHands, Row
from tlcore.inputs import frames


def hand(shade=180, skin=(170, 120, 90)):
    """A wall with a bar of skin that has a large hole, as the sign 0 has."""
    item = np.full((96, 96, 3), shade, np.uint8)
    item[20:96, 30:66] = skin
    item[40:60, 40:56] = shade
    return item


def test_the_mask_is_the_skin_and_leaves_a_large_hole_open():
    found = camera_hands.mask(hand())
    truth = (hand() != 180).any(axis=2)
    assert (found != truth).mean() < 0.03 and not found[50, 48] and found[90, 50]
    lit = (hand() * np.linspace(0.5, 1.2, 96)[None, :, None]).clip(0, 255).astype(np.uint8)
    assert (camera_hands.mask(lit) != truth).mean() < 0.04  # a shadow is no hand


def test_shipped_hands_are_found_whole():
    items = datasets.get("hands").items("test", np.arange(40))
    shares = [camera_hands.mask(item).mean() for item in items]
    assert min(shares) > 0.05 and max(shares) < 0.6


@pytest.mark.parametrize("ground", GROUNDS)
def test_a_hand_keeps_its_colours_on_another_ground_and_the_wall_is_gone(ground):
    picture = camera_hands.composed(hand(), ground, seed=3)
    assert picture.shape == (frames.SIDE, frames.SIDE, 3) and picture.dtype == np.uint8
    skin = np.abs(picture.astype(int) - (170, 120, 90)).max(axis=2) < 8
    share = (hand() != 180).any(axis=2).mean()
    assert skin.mean() > 0.5 * share
    if ground in ("dark", "busy"):
        assert (np.abs(picture.astype(int) - 180).max(axis=2) < 4).mean() < 0.05
    np.testing.assert_array_equal(picture, camera_hands.composed(hand(), ground, seed=3))
    assert (picture != camera_hands.composed(hand(), ground, seed=4)).any()


def test_hands_are_turned_and_moved_and_stay_in_the_picture():
    places = []
    for seed in range(12):
        picture = camera_hands.composed(hand(), "dark", seed)
        down, across = np.nonzero(picture.max(axis=2) > 100)
        places.append((down.mean(), across.mean()))
    spread = np.ptp(np.array(places), axis=0)
    assert (spread > 0.05 * frames.SIDE).all() and (spread < 3 * SHIFT * frames.SIDE).all()


def test_what_is_sent_is_read_as_the_route_reads_it():
    form = datasets.info("hands").form
    item = frames.read(camera_hands.as_sent(camera_hands.composed(hand(), "plain", 0)), form)
    assert item.shape == form.shape and item.dtype == np.uint8


def found(**shares):
    rows = tuple(
        Row(ground, way, (round(100 * share) - (way == "head"),), 100)
        for ground, share in shares.items()
        for way in ("head", "network")
    )
    return CameraHands(rows, 20, (0,), tuple("0123456789"), "2026-01-01", "a machine", "a command")


def test_below_seven_in_ten_on_any_other_ground_a_plain_one_is_asked_for():
    low, high = found(plain=0.8, busy=0.4, dark=0.75, skin=0.72), found(plain=0.8, busy=0.71, dark=0.75, skin=0.72)
    assert low.asks_for_plain and not high.asks_for_plain
    assert low.best("busy").way == "network" and low.best("busy").share == 0.4
    assert low.best("busy").interval == pytest.approx((0.309, 0.498), abs=2e-3)


def test_what_ships_was_measured_on_every_ground_with_both_ways():
    shipped = camera_hands.load()
    assert {(row.ground, row.way) for row in shipped.rows} == {(g, w) for g in GROUNDS for w in ("head", "network")}
    assert {row.n for row in shipped.rows} == {datasets.info("hands").n_test}
    assert all(len(row.n_right) == len(shipped.seeds) for row in shipped.rows)
    assert shipped.best("plain").share > shipped.best("busy").share


def test_a_damaged_file_is_one_sentence(tmp_path):
    path = tmp_path / "camera.json"
    path.write_text(json.dumps({"rows": 3}))
    with pytest.raises(DataError, match="camera.json that ships with the app is damaged"):
        camera_hands.load(path)


def test_hands_called_outside_are_counted_for_each_ground_and_named_where_they_are_many():
    rows = tuple(Row(ground, "head", (60, 70), 100, (few, few)) for ground, few in (("plain", 5), ("busy", 30)))
    counted = CameraHands(rows, 20, (0, 1), tuple("0123456789"), "2026-01-01", "a machine", "a command")
    assert [counted.best(ground).outside for ground in ("plain", "busy")] == [0.05, 0.3] and counted.often_outside
    assert found(plain=0.8).best("plain").outside is None and not found(plain=0.8).often_outside
