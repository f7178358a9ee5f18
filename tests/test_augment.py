"""Distortions and pen strokes that the drawing model is trained on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlcore.sources import augment, strokes

STILL = np.eye(2)[None]


def dot(row, column, side=9):
    image = np.zeros((1, side, side), np.float32)
    image[0, row, column] = 1
    return image


def test_no_distortion_changes_nothing():
    images = np.random.default_rng(0).random((5, 28, 28), dtype=np.float32)
    assert np.allclose(augment.distort(images, augment.Distortion(), np.random.default_rng(1)), images, atol=1e-5)


def test_a_shift_moves_right_and_down_and_drops_what_leaves():
    moved = augment.warp(dot(2, 3), STILL, np.array([[4.0, 1.0]]))
    assert np.allclose(moved, dot(3, 7))
    assert not augment.warp(dot(2, 3), STILL, np.array([[7.0, 0.0]])).any()


def test_half_a_pixel_is_shared_by_two():
    moved = augment.warp(dot(4, 4), STILL, np.array([[0.5, 0.0]]))
    assert moved[0, 4, 4:6] == pytest.approx([0.5, 0.5])


def test_scaling_and_turning_are_about_the_centre():
    one, none, quarter = np.ones(1), np.zeros(1), np.full(1, np.pi / 2)
    doubled = augment.warp(dot(4, 5), augment.affine(2 * one, 2 * one, none, none), np.zeros((1, 2)))
    assert doubled[0, 4, 6] == pytest.approx(1)
    turned = augment.warp(dot(4, 6), augment.affine(one, one, quarter, none), np.zeros((1, 2)))
    assert turned[0, 6, 4] == pytest.approx(1)  # from the right to below: clockwise on a screen


def test_strokes_grow_by_a_pixel_on_each_side_and_shrink_by_one():
    bar = np.zeros((1, 9, 9), np.float32)
    bar[0, 3:6] = 1
    fat, fatter, thin = (augment.stroke_weight(bar, np.array([amount])) for amount in (1.0, 2.0, -1.0))
    assert [int(image[0, :, 4].sum()) for image in (fat, fatter, thin)] == [5, 7, 1]
    assert augment.stroke_weight(bar, np.array([0.5]))[0, 2, 4] == pytest.approx(0.5)


def test_blurring_keeps_the_ink():
    assert augment.blur(dot(4, 4), np.array([1.0])).sum() == pytest.approx(1)
    assert augment.blur(dot(4, 4), np.array([1.0]))[0, 4, 3:6] == pytest.approx([0.125, 0.25, 0.125])


everything = augment.Distortion(
    shift=5, scale=(0.5, 1.3), aspect=0.3, rotation=20, slant=0.4, elastic=1.5, weight=(-1, 2), contrast=0.5, flip=True
)


@given(seed=st.integers(0, 2**31), n=st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_distorted_images_stay_images_and_follow_from_the_seed(seed, n):
    images = np.random.default_rng(seed).random((n, 28, 28), dtype=np.float32)
    one, again = (augment.distort(images, everything, np.random.default_rng(seed)) for _ in range(2))
    assert one.dtype == np.float32
    assert one.shape == images.shape
    assert 0 <= one.min() <= one.max() <= 1
    assert np.array_equal(one, again)


def test_drawn_digits_are_even_over_the_classes_and_follow_from_the_seed():
    images, labels = strokes.draw(30, seed=2)
    assert images.shape == (30, 28, 28, 1)
    assert images.dtype == np.float32
    assert np.bincount(labels).tolist() == [3] * 10
    assert (images.max(axis=(1, 2, 3)) == 1).all()
    assert np.array_equal(images, strokes.draw(30, seed=2)[0])
    assert not np.array_equal(images, strokes.draw(30, seed=3)[0])


def test_a_curve_goes_through_its_knots():
    knots = [(0, 0), (10, 5), (20, 0)]
    assert np.allclose(strokes.curve(knots, n=4)[::4], knots)
