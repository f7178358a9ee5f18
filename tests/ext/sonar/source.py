"""The networks to start from: two blocks with branches inside, trained on the calls, and the same untrained.

``python -c "from ext.sonar import source; source.make()"`` in tests/ writes the file and its card again.
"""

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tlcore.sources import Saved, Source, describe
from tlcore.spec import SourceInfo

from .data import CALLS
from .echo import FORM, LOUD

FOLDER = Path(__file__).parent


class SonarNet(Saved):
    def folder(self) -> Path:
        return FOLDER


class SonarUntrained(Source):
    name = "sonar_untrained"

    def card(self) -> SourceInfo:
        trained = SonarNet("sonar_net").card()
        return replace(
            trained, name=self.name, title="Ears that never heard", dataset="", accuracy=None, sha256="", task=""
        )

    def load(self, n_classes: int | None, seed: int) -> Any:
        return network(n_classes or len(CALLS.info.class_names), seed)


def network(n_classes: int, seed: int) -> Any:
    import keras
    from keras import layers

    def conv(x: Any, name: str, size: Any = 3) -> Any:
        start = keras.initializers.GlorotUniform(seed=seed * 100 + sum(map(ord, name)))
        return layers.Conv2D(4, size, padding="same", activation="relu", kernel_initializer=start, name=name)(x)

    def dense(x: Any, units: int, activation: str, name: str) -> Any:
        start = keras.initializers.GlorotUniform(seed=seed * 100 + len(name))
        return layers.Dense(units, activation=activation, kernel_initializer=start, name=name)(x)

    item = keras.Input(FORM.shape, dtype=FORM.dtype, name="echo")
    x = layers.Rescaling(1 / (4 * LOUD), name="quieter")(item)
    x = conv(x, "stem")  # (8, 6, 4)
    x = layers.Add(name="block_1_add")([x, conv(x, "block_1_conv"), conv(x, "block_1_side", 1)])
    x = layers.Concatenate(name="block_2_join")([conv(x, "block_2_long", (3, 1)), conv(x, "block_2_wide", (1, 3))])
    x = layers.AveragePooling2D(2, name="pool")(x)  # (4, 3, 8)
    x = layers.Flatten(name="flat")(x)  # (96,)
    x = dense(x, 16, "tanh", "dense")
    return keras.Model(item, dense(x, n_classes, "softmax", "answer"), name="sonar")


def make() -> None:
    """Train the network on the calls and write it with its card."""
    import keras

    keras.utils.set_random_seed(0)
    raw, info = CALLS.read(), CALLS.info
    model = network(len(info.class_names), seed=0)
    model.compile(optimizer=keras.optimizers.Adam(0.002), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(raw.x_train, raw.y_train, batch_size=16, epochs=8, verbose=0)
    accuracy = float(model.evaluate(raw.x_test, raw.y_test, verbose=0)[1])
    model.save(FOLDER / "sonar_net.keras")
    card = SourceInfo(
        name="sonar_net",
        title="Ears that know calls",
        dataset="made-up calls",
        class_names=info.class_names,
        layers=describe(model),
        form=FORM,
        seed=0,
        accuracy=round(accuracy, 4),
        n_train=len(raw.x_train),
        n_test=len(raw.x_test),
        rebuild="from ext.sonar import source; source.make()",
        sha256=hashlib.sha256((FOLDER / "sonar_net.keras").read_bytes()).hexdigest(),
        task=info.name,
        untrained="sonar_untrained",
    )
    (FOLDER / "sonar_net.json").write_text(json.dumps(asdict(card), indent=1) + "\n")
