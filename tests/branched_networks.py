"""A tiny network with branches inside its blocks, for the tests: 28 × 28 grey images, two residual blocks."""

BLOCK_1 = (
    "block_1_conv_1", "block_1_bn_1", "block_1_relu", "block_1_conv_2", "block_1_bn_2", "block_1_add",
)  # fmt: skip
STEM = ("stem_conv", "stem_bn", "stem_relu")


def residual(n_classes: int = 5, seed: int = 0, dropout: float = 0.25, rescaled: bool = False):
    """Return an untrained network: a stem, two residual blocks, the second with dropout inside, a softmax.

    Its averages are as after some training, so that a BatchNormalization in training mode answers differently.
    """
    import keras
    import numpy as np
    from keras import layers

    keras.utils.set_random_seed(seed)

    def block(x, number, dropout):
        def name(what):
            return f"block_{number}_{what}"

        y = layers.Conv2D(4, 3, padding="same", use_bias=False, name=name("conv_1"))(x)
        y = layers.BatchNormalization(name=name("bn_1"))(y)
        y = layers.ReLU(name=name("relu"))(y)
        y = layers.Dropout(dropout, name=name("dropout"))(y) if dropout else y
        y = layers.Conv2D(4, 3, padding="same", use_bias=False, name=name("conv_2"))(y)
        y = layers.BatchNormalization(name=name("bn_2"))(y)
        return layers.Add(name=name("add"))([x, y])

    image = keras.Input((28, 28, 1), name="image")
    x = layers.Rescaling(1 / 255, name="scale")(image) if rescaled else image
    x = layers.Conv2D(4, 3, strides=4, name="stem_conv")(x)  # (7, 7, 4)
    x = layers.BatchNormalization(name="stem_bn")(x)
    x = layers.ReLU(name="stem_relu")(x)
    x = block(x, 1, 0.0)
    x = block(x, 2, dropout)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(8, activation="relu", name="dense")(x)
    model = keras.Model(image, layers.Dense(n_classes, activation="softmax", name="head")(x), name="residual")
    draws = np.random.default_rng(seed)
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            size = layer.gamma.shape[0]
            layer.set_weights([draws.uniform(low, 1.5, size) for low in (0.5, -0.5, -0.5, 0.5)])
    return model
