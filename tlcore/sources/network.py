"""The network that ships: two 3×3 convolutions with 2×2 pooling, a dense layer of 64 and the softmax."""

from typing import TYPE_CHECKING, Any

from tlcore.datasets.mnist import FORM
from tlcore.errors import SpecError

from .layers import calls
from .preprocessing import UNIT

if TYPE_CHECKING:
    import keras

HEAD = "dense_2"  # the layer that a new target replaces
MOST_CLASSES = 1000


def network(n_classes: int, seed: int) -> "keras.Model":
    """Return the untrained 32-64-64 network: 121,930 weights at ten classes, its initial weights fixed by ``seed``.

    It reads pixels 0..255 and scales them itself.

    References
    ----------
    The layer sizes of "Deep Learning with Python" (Chollet), section 5.1, which the article took up.
    """
    import keras
    from keras import layers

    check_n_classes(n_classes)

    def start(place: int) -> keras.Initializer:  # one generator a layer: equal seeds would give equal numbers
        return keras.initializers.GlorotUniform(seed=seed * 4 + place)

    image = keras.Input(FORM.shape, dtype=FORM.dtype, name="image")
    x = layers.Rescaling(UNIT, name="rescaling")(image)
    x = layers.Conv2D(32, 3, activation="relu", kernel_initializer=start(0), name="conv_1")(x)  # (26, 26, 32)
    x = layers.MaxPooling2D(2, name="pool_1")(x)  # (13, 13, 32)
    x = layers.Conv2D(64, 3, activation="relu", kernel_initializer=start(1), name="conv_2")(x)  # (11, 11, 64)
    x = layers.MaxPooling2D(2, name="pool_2")(x)  # (5, 5, 64)
    x = layers.Flatten(name="flatten")(x)  # (1600,)
    x = layers.Dense(64, activation="relu", kernel_initializer=start(2), name="dense_1")(x)
    x = layers.Dense(n_classes, activation="softmax", kernel_initializer=start(3), name=HEAD)(x)
    return keras.Model(image, x, name="cnn")


def with_new_head(model: "keras.Model", n_classes: int, seed: int) -> "keras.Model":
    """Return ``model`` with a fresh softmax layer, named as the last one was, in the place of its last layer.

    The other layers are the same objects: their weights are shared, not copied.
    """
    import keras

    check_n_classes(n_classes)
    last = calls(model)[-1]
    start = keras.initializers.GlorotUniform(seed=seed)
    head = keras.layers.Dense(n_classes, activation="softmax", kernel_initializer=start, name=last.operation.name)
    return keras.Model(model.inputs[0], head(last.input_tensors[0]), name=model.name)


def check_n_classes(n_classes: Any) -> None:
    """Raise a SpecError when no network can have so many classes."""
    whole = isinstance(n_classes, int) and not isinstance(n_classes, bool)
    if not whole or not 2 <= n_classes <= MOST_CLASSES:
        raise SpecError(
            "A network needs from 2 to {most:,} classes. Received: {value!r}.", most=MOST_CLASSES, value=n_classes
        )
