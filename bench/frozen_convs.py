"""Both convolutions frozen, 55,000 images, 5 epochs at batch 64: Keras' ``fit`` against the lab's own training.

Ours is timed twice: with an empty folder of kept features, and again, as the next run finds it. Both ways have done
a few steps on a handful of images before the clock starts, as a warm worker has.
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import mean

from bench import _timing
from tlcore.spec import DataSpec, FineTuneSpec, Hooks, Phase

FROZEN = ("conv_1", "conv_2")
FULL = {"per_class": None, "epochs": 5}
QUICK = {"per_class": 100, "epochs": 2}


def spec_for(seed: int, per_class: int | None, epochs: int) -> FineTuneSpec:
    data = DataSpec(target="mnist", split="article", per_class=per_class)
    return FineTuneSpec(data=data, phases=(Phase(epochs=epochs, frozen=FROZEN),), batch_size=64, seed=seed)


def plain(seed: int, per_class: int | None, epochs: int) -> _timing.Result:
    _timing.keras_as_it_comes()
    import keras

    from tlcore import datasets
    from tlcore.features import freezing

    spec = spec_for(seed, per_class, epochs)
    _keras_fit(_model(spec), datasets.load(replace(spec.data, per_class=8)), spec)
    data, model = datasets.load(spec.data), _model(spec)
    before = freezing.hashes(model)
    keras.utils.set_random_seed(seed)
    with _timing.Stopwatch() as watch:
        _keras_fit(model, data, spec)
    return {**watch.as_dict(), **_checked(model, data, before)}


def _keras_fit(model, data, spec):
    import keras

    for layer in model.layers:
        layer.trainable = layer.name not in FROZEN
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    validation = (data.x_validation, data.y_validation)
    model.fit(data.x_train, data.y_train, spec.batch_size, spec.epochs, verbose=0, validation_data=validation)


def ours(seed: int, per_class: int | None, epochs: int) -> _timing.Result:
    from tlcore import datasets, training
    from tlcore.features import freezing

    spec = spec_for(seed, per_class, epochs)
    training.fit(_model(spec), datasets.load(replace(spec.data, per_class=8)), spec)
    data, model = datasets.load(spec.data), _model(spec)
    before, points = freezing.hashes(model), []
    with tempfile.TemporaryDirectory() as folder:
        with _timing.Stopwatch() as watch:
            fitted = training.fit(model, data, spec, Hooks(on_metric=points.append), cache=Path(folder))
        assert fitted.cached and not fitted.from_cache and all(row.ok for row in fitted.proof)
        again = _model(spec)
        with _timing.Stopwatch() as second:
            kept = training.fit(again, data, spec, cache=Path(folder))
        assert kept.from_cache and freezing.hashes(again) == freezing.hashes(model)
    parts = {"prefix_s": fitted.prefix_s, "kept_s": second.seconds, "kept_prefix_s": kept.prefix_s}
    return {**watch.as_dict(), **parts, "points": len(points), **_checked(model, data, before)}


def _model(spec: FineTuneSpec):
    from tlcore import sources

    return sources.load(spec.source, n_classes=10, seed=spec.seed)


def _checked(model, data, before) -> _timing.Result:
    """Return the test accuracy after checking that the model is whole, saves, and kept its frozen weights."""
    import keras
    import numpy as np

    from tlcore.features import freezing

    answers = model.predict(data.x_test, batch_size=512, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        loaded = keras.models.load_model(path)
    assert loaded.count_params() == 121_930 and loaded.input_shape == (None, 28, 28, 1)
    np.testing.assert_array_equal(loaded.predict(data.x_test, batch_size=512, verbose=0), answers)
    after = freezing.hashes(loaded)
    assert {name for name in before if before[name] == after[name]} == set(FROZEN)
    return {"accuracy": float((answers.argmax(axis=1) == data.y_test).mean())}


def measure(quick: bool = False) -> list[_timing.Row]:
    results = _timing.in_turn("bench.frozen_convs", ("plain", "ours"), 3, **(QUICK if quick else FULL))
    a, b = results["ours"], results["plain"]
    accuracy = [100 * mean(one["accuracy"] for one in way) for way in (a, b)]
    note = f"test accuracy {accuracy[0]:.2f} % against {accuracy[1]:.2f} %, 3 seeds"
    name, title = "frozen_convs_55000x5", "Both convolutions frozen, 55,000 images, 5 epochs"
    kept = [{**one, "seconds": one["kept_s"]} for one in a]
    return [
        _timing.row(name, f"{title}, nothing kept yet", a, b, note=note),
        _timing.row(f"{name}_kept", f"{title}, features kept by an earlier run", kept, b),
    ]


if __name__ == "__main__":
    _timing.script({"plain": plain, "ours": ours}, measure)
