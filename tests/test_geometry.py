"""Where a layer's cells lie on the image, against the pixels that their gradient reaches."""

import numpy as np
import pytest
from branched_networks import residual

from tlcore import features, sources
from tlcore.inspection import geometry

pytestmark = pytest.mark.keras


def seen(model, layer, cell):
    """The middle of the pixels that one cell of a layer depends on, down and across."""
    import tensorflow as tf

    part = features.submodel(model, layer)
    image = tf.constant(np.random.default_rng(0).random((1, *model.input_shape[1:]), np.float32))
    with tf.GradientTape() as tape:
        tape.watch(image)
        value = tf.reduce_sum(tf.abs(part(image)[0, cell[0], cell[1]]))
    places = np.nonzero(np.asarray(tape.gradient(value, image))[0].any(axis=-1))
    return [(axis.min() + axis.max()) / 2 for axis in places]


def stack():
    """One of each layer that moves or scales a grid, all in the middle of what they see, on 40 × 64 pixels."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((40, 64, 2)),
            layers.ZeroPadding2D(((1, 0), (3, 1)), name="padded"),
            layers.Conv2D(3, 3, strides=(2, 1), padding="same", name="same"),
            layers.Cropping2D(((1, 2), (0, 3)), name="cropped"),
            layers.DepthwiseConv2D(3, dilation_rate=2, name="dilated"),
            layers.AveragePooling2D((2, 4), name="pooled"),
            layers.BatchNormalization(name="norm"),
            layers.SeparableConv2D(2, 3, padding="same", name="separable"),
        ]
    )


@pytest.mark.parametrize("layer", ["padded", "same", "cropped", "dilated", "pooled", "norm", "separable"])
def test_the_pixels_a_cell_sees_are_where_its_gradient_is(layer):
    model = stack()
    grid, (h, w) = geometry.grids(model)[layer], features.submodel(model, layer).output_shape[1:3]
    cell = (h // 2, w // 2)
    for middle, (start, step), at in zip(seen(model, layer, cell), grid, cell, strict=True):
        assert middle == pytest.approx(start + step * at, abs=0.5)


def test_the_shipped_networks_last_convolution_lies_where_it_did():
    assert geometry.grids(sources.load("digits"))["conv_2"] == ((3.5, 2.0), (3.5, 2.0))


def test_a_grid_passes_through_branches_and_ends_where_places_are_given_up():
    grids = geometry.grids(residual())
    assert grids["stem_conv"] == grids["block_1_add"] == grids["block_2_add"] == ((1.0, 4.0), (1.0, 4.0))
    assert not {"pool", "dense", "head"} & set(grids)


def test_a_map_lies_on_its_pixels_and_is_linear_between_them():
    cam = np.zeros((11, 11))
    cam[0, 10] = 1.0
    placed = geometry.placed_on(cam, ((3.5, 2.0), (3.5, 2.0)), (28, 28))
    assert placed.shape == (28, 28) and placed[3, 24] == 1.0  # rows to 3.5, columns from 23.5
    assert placed[4, 23] == pytest.approx(0.75 * 0.75) and placed[12, 12] == 0.0
    assert geometry.placed_on(np.ones((2, 3)), ((0.0, 4.0), (0.0, 2.0)), (8, 6)).shape == (8, 6)
