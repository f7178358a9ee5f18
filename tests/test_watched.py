"""Which images of several films are shown one by one, and what the networks say of them in every epoch."""

import json

import numpy as np
import pytest

from tlcore.training import film, watched
from tlcore.training.watched import Chosen, most_disputed

NINE_TO_ONE, ONE_TO_NINE = [0.9, 0.1], [0.1, 0.9]


def filmed(folder, tables, labels=(0, 1, 0), n_pictures=3):
    """Write what a watched run leaves of these shares, epoch by epoch."""
    inside = folder / film.FOLDER
    inside.mkdir(parents=True)
    cast = film.Cast(("5", "6"), labels, np.zeros((1, 2, 2), np.uint8), "", 0)
    (inside / "cast.json").write_text(json.dumps(film._cast_fields(cast)))
    pictures = np.arange(n_pictures, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
    np.save(inside / film.PICTURES, pictures)
    for epoch, table in enumerate(tables):
        np.save(inside / f"{film.SHARES}{epoch:04}.npy", np.asarray(table, np.float16))
    return folder


def test_images_answered_differently_come_first_and_of_those_the_ones_furthest_apart():
    one = np.array([NINE_TO_ONE, NINE_TO_ONE, [0.6, 0.4], NINE_TO_ONE])
    other = np.array([[0.5001, 0.4999], ONE_TO_NINE, [0.4, 0.6], NINE_TO_ONE])
    assert most_disputed([one, other], 4) == Chosen((1, 2, 0, 3), n_differ=2, n=4)
    assert most_disputed([one, other], 1).places == (1,)


def test_three_answers_divide_more_than_two():
    rows = np.eye(3)
    one, other, third = rows[[0, 0]], rows[[1, 1]], np.array([[0.3, 0.3, 0.4], [0.0, 1.0, 0.0]])
    assert most_disputed([one, other, third]).places == (0, 1)


def test_networks_that_agree_on_everything_differ_in_certainty_alone():
    one, other = np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([[0.9, 0.1], [0.6, 0.4]])
    assert most_disputed([one, other]) == Chosen((1, 0), n_differ=0, n=2)


def test_films_are_compared_at_their_ends_and_tell_the_chosen_images_in_every_epoch(tmp_path):
    start, end = [NINE_TO_ONE] * 3, [NINE_TO_ONE, ONE_TO_NINE, NINE_TO_ONE]
    folders = [filmed(tmp_path / "a", [start, start]), filmed(tmp_path / "b", [start, start, end])]
    chosen = watched.disputed(folders, 2)
    assert chosen is not None and (chosen.places[0], chosen.n_differ) == (1, 1)
    seen = watched.watched(folders[1], chosen.places)
    assert seen is not None and seen.labels[0] == 1 and int(seen.images[0, 0, 0]) == 1
    assert [seen.answers[epoch][0].label for epoch in range(3)] == [0, 0, 1]
    assert seen.answers[2][0].right == pytest.approx(0.9, abs=1e-3)


def test_films_of_older_versions_and_of_other_tasks_divide_nothing(tmp_path):
    two, three = filmed(tmp_path / "a", [[NINE_TO_ONE] * 3]), filmed(tmp_path / "b", [np.eye(3)])
    assert watched.disputed([two, three]) is None and watched.disputed([two, tmp_path / "none"]) is None
    assert watched.watched(tmp_path / "none", (0,)) is None and watched.watched(two, (7,)) is None
    (two / film.FOLDER / f"{film.SHARES}0000.npy").write_bytes(b"\x93NUMPY damaged")
    assert watched.shares(two) == {}
