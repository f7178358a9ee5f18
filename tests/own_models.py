"""Keras models as people save them, tiny and untrained, for the tests of own models. Imports Keras."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def save(model: Any, path: Path) -> bytes:
    model.save(path)
    return path.read_bytes()


def cnn(*front: Any, shape: Any = (28, 28, 1), n: int = 10, last: Any = "softmax", middle=(), end=(), **options: Any):
    convolution = layers.Conv2D(4, 3, strides=2, **{"activation": "relu", **options})
    return keras.Sequential(
        [keras.Input(shape), *front, convolution, *middle, layers.Flatten(), layers.Dense(n, activation=last), *end]
    )


def every_layer():
    """Return a model with nearly every type of layer that may be added; ``in_one_dimension`` has the others."""
    return keras.Sequential(
        [
            *(keras.Input((28, 28)), layers.Reshape((28, 28, 1)), layers.Rescaling(2.0, -1.0)),
            *(layers.Resizing(30, 30), layers.CenterCrop(28, 28), layers.Normalization(mean=0.1, variance=0.2)),
            layers.Conv2D(4, 3, padding="same", strides=2, name="first"),
            *(layers.BatchNormalization(), layers.ReLU(max_value=6.0), layers.DepthwiseConv2D(3, use_bias=False)),
            *(layers.SeparableConv2D(8, 3, dilation_rate=2), layers.LayerNormalization(), layers.LeakyReLU()),
            *(layers.ZeroPadding2D(((1, 2), (0, 3))), layers.Cropping2D(1), layers.SpatialDropout2D(0.1)),
            *(layers.Conv2D(4, 1, groups=2, activation="gelu"), layers.MaxPooling2D(2, padding="same")),
            *(layers.UpSampling2D(2), layers.Permute((2, 1, 3)), layers.GroupNormalization(2), layers.PReLU()),
            *(layers.AveragePooling2D(2, 1), layers.GaussianNoise(0.1), layers.GaussianDropout(0.1)),
            *(layers.RMSNormalization(), layers.UnitNormalization(), layers.Identity(), layers.AlphaDropout(0.1)),
            *(layers.GlobalMaxPooling2D(keepdims=True), layers.GlobalAveragePooling2D(), layers.Flatten()),
            *(layers.Dense(6, use_bias=False), layers.Activation("tanh"), layers.ELU(), layers.Softmax()),
            *(layers.ActivityRegularization(l2=0.1), layers.Dropout(0.2), layers.Dense(7, activation="softmax")),
        ]
    )


def in_one_dimension():
    return keras.Sequential(
        [
            *(keras.Input((28, 28)), layers.Conv1D(6, 3, padding="causal"), layers.SpatialDropout1D(0.1)),
            *(layers.MaxPooling1D(2), layers.AveragePooling1D(2), layers.GlobalMaxPooling1D(keepdims=True)),
            *(layers.GlobalAveragePooling1D(), layers.Dense(10, activation="softmax")),
        ]
    )


def with_softmax_as_a_layer():
    return cnn(last=None, end=[layers.Softmax()])


def with_softmax_as_an_activation_layer_behind_a_dropout():
    return cnn(last=None, end=[layers.Dropout(0.1), layers.Activation("softmax")])


def with_augmentation_in_a_model_of_its_own():
    return cnn(
        keras.Sequential([layers.RandomRotation(0.1), layers.RandomZoom(0.1)], name="augmentation"),
        layers.RandomTranslation(0.1, 0.1),
        middle=[layers.Dropout(0.3)],
    )


def nested_twice_with_equal_names():
    inner = keras.Sequential([layers.Conv2D(3, 3, name="conv"), layers.BatchNormalization()], name="one")
    inner.trainable = False
    outer = keras.Sequential([inner, layers.Conv2D(4, 3, name="conv")], name="two")
    head = keras.Sequential([layers.Dense(6, name="conv"), layers.Dense(10, activation="softmax")])
    return keras.Sequential([keras.Input((28, 28, 1)), outer, layers.Flatten(), head])


def functional_in_functional():
    image = keras.Input((28, 28, 1))
    base = keras.Model(image, layers.Flatten()(layers.Conv2D(4, 3, 3)(image)), name="base")
    again = keras.Input((28, 28, 1), name="Bild")
    return keras.Model({"image": again}, layers.Dense(10, activation="softmax", name="Antwort-1")(base(again)))


def with_names_that_are_no_plain_words():
    image = keras.Input((28, 28, 1), name="my image")
    x = layers.Flatten(name="größer, flach")(layers.Conv2D(4, 3, 3, name="conv one")(image))
    return keras.Model(image, layers.Dense(10, activation="softmax", name="out put")(x))


def with_a_fixed_batch():
    image = keras.Input(batch_shape=(32, 28, 28, 1))
    return keras.Sequential([image, layers.Flatten(), layers.Dense(10, activation="softmax")])


def of_any_size():
    chain = [layers.Conv2D(4, 3, 2), layers.GlobalAveragePooling2D(), layers.Dense(10, activation="softmax")]
    return keras.Sequential([keras.Input((None, None, 1)), *chain])


def with_784_numbers_in_a_row():
    return keras.Sequential([keras.Input((784,)), layers.Dense(5, "relu"), layers.Dense(10, "softmax")])


def with_activations_given_as_functions_and_layers():
    return keras.Sequential(
        [
            *(keras.Input((28, 28, 1)), layers.Conv2D(4, 3, 3, activation=tf.nn.relu), layers.Flatten()),
            *(layers.Dense(6, activation=tf.nn.swish), layers.Dense(6, activation=layers.LeakyReLU(0.1))),
            *(layers.Dense(6), layers.PReLU(), layers.Dense(10, activation=tf.nn.softmax)),
        ]
    )


def with_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return cnn()
    finally:
        keras.config.set_dtype_policy("float32")


def my_loss(y: Any, answers: Any) -> Any:
    return 0.0 * answers


def with_losses_metrics_and_starts_of_ones_own():
    class Loss(keras.losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return my_loss(y_true, y_pred)

    class Metric(keras.metrics.Mean):
        pass

    model = cnn(kernel_initializer=my_start, kernel_regularizer=my_penalty)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 10)), Loss(), metrics=[Metric()])
    return model


def my_start(shape: Any, dtype: Any = None) -> Any:
    return np.full(shape, 0.1, np.float32)


def my_penalty(weights: Any) -> float:
    return 0.0


def trained_with_a_lambda_as_its_loss():
    model = cnn()
    model.compile("adam", lambda y, answers: 0.0 * answers)
    model.fit(np.zeros((2, 28, 28, 1)), np.zeros((2, 10)), verbose=0)
    return model


# -- to be refused ----------------------------------------------------------------------------------


def with_a_lambda_layer():
    return cnn(layers.Lambda(lambda x: x / 255))


def that_reads_line_by_line():
    return keras.Sequential([keras.Input((28, 28)), layers.GRU(4), layers.Dense(10, activation="softmax")])


def quantised():
    model = cnn()
    model.quantize("int8")
    return model


def with_lora():
    model = cnn()
    model.layers[-1].enable_lora(2)
    return model


def with_a_skip_connection():
    image = keras.Input((28, 28, 1))
    x = layers.Conv2D(1, 3, padding="same")(image)
    x = layers.Flatten()(layers.Add()([x, image]))
    return keras.Model(image, layers.Dense(10, activation="softmax")(x))


def with_two_outputs():
    image = keras.Input((28, 28, 1))
    x = layers.Flatten()(image)
    return keras.Model(image, [layers.Dense(10, activation="softmax")(x), layers.Dense(2, activation="softmax")(x)])


def with_channels_first():
    return cnn(shape=(1, 28, 28), data_format="channels_first")


def with_an_activation_of_ones_own():
    return cnn(activation=my_penalty)


def with_a_lambda_as_activation():
    return cnn(activation=lambda x: x)


def with_a_layer_with_weights_as_activation():
    return cnn(activation=layers.PReLU())


def with_a_layer_of_ones_own():
    class Mine(layers.Layer):
        def call(self, x: Any) -> Any:
            return x

    return cnn(Mine())


def of_a_class_of_its_own():
    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.answer = layers.Dense(10)

        def call(self, x: Any) -> Any:
            return self.answer(x)

        def get_config(self) -> dict[str, Any]:
            return {}

    model = Mine()
    model(np.zeros((1, 784)))
    return model


def that_ends_in_sigmoids():
    return cnn(last="sigmoid")


def that_answers_with_one_number():
    return cnn(n=1, last="sigmoid")


def that_ends_in_pooling():
    chain = [layers.Conv2D(10, 3, 2), layers.GlobalAveragePooling2D(), layers.Softmax()]
    return keras.Sequential([keras.Input((28, 28, 1)), *chain])


def that_answers_at_every_place():
    return keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(4, 3), layers.Dense(10, activation="softmax")])


def never_built():
    return keras.Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")])


def of_another_shape():
    return cnn(shape=(28, 28, 4))


def too_large():
    return keras.Sequential(
        [keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(6000), layers.Dense(10, "softmax")]
    )


def that_computes_between_layers():
    image = keras.Input((28, 28, 1))
    x = layers.Flatten()(keras.ops.exp(image))
    return keras.Model(image, layers.Dense(10, activation="softmax")(x))
