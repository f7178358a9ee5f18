"""Photographs on a MobileNetV2 that ships: features, a thawed training with its frozen part kept, 5,000 taken in.

The photographs are hands, and copies of hands that are shifted, turned and zoomed where 2,000 are wanted. ``plain`` is
Keras as it comes: ``model.predict`` for features, ``fit`` with the same layers frozen for the training, at the same
rate, which falls to 0 along a cosine: a rate that stays ends where the last batches threw it, with ours and with Keras
alike (test accuracies of eight seeds: 88 to 97 %). Those that are taken in are made: 400 × 300 with
noise, as large as a phone's small ones.
"""

import io
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean
from typing import Any

from bench import _timing, _tree
from tlcore.spec import DataSpec, FineTuneSpec, Phase

FEATURES = {"n": 2000}
THAW = {"n": 2000, "epochs": 10}
N_TAKEN = 5000
RATE = 2e-4
QUICK_FEATURES, QUICK_THAW, QUICK_TAKEN = {"n": 100}, {"n": 100, "epochs": 2}, 60
SIZE, CLASSES = (400, 300), ("cat", "dog", "owl", "fox")


def photographs(n: int, seed: int):
    """Return ``n`` training photographs of hands with their labels, and the whole data set; copies fill up."""
    import numpy as np

    from tlcore import datasets, inputs

    data = datasets.load(DataSpec("hands", per_class=None, seed=seed))
    rows = np.arange(n) % len(data.x_train)
    x = data.x_train[rows]
    if n > len(data.x_train):
        more = slice(len(data.x_train), n)
        x[more] = inputs.modality(data.form.modality).augment(x[more], seed)
    return x, data.y_train[rows], data


# ------------------------------------------------------------------ features


def keras_features(seed: int, n: int) -> _timing.Result:
    _timing.keras_as_it_comes()
    from tlcore import features, sources

    x, _y, _data = photographs(n, seed)
    model = features.submodel(sources.load("mobilenet_v2"), "average")
    model.predict(x[:64], verbose=0)
    with _timing.Stopwatch() as watch:
        made = model.predict(x, verbose=0)
    return {**watch.as_dict(), "sum": float(made.sum())}


def our_features(seed: int, n: int) -> _timing.Result:
    from tlcore import features, sources

    x, _y, data = photographs(n, seed)
    model = sources.load("mobilenet_v2")
    features.extract(model, x[:64], "average", data.form)
    with _timing.Stopwatch() as watch:
        made = features.extract(model, x, "average", data.form)
    return {**watch.as_dict(), "sum": float(made.sum())}


# ------------------------------------------------------------------ thawed from block 13


def _spec(seed: int, epochs: int) -> FineTuneSpec:
    from tlcore import sources
    from tlcore.features import freezing

    frozen = freezing.presets(sources.info("mobilenet_v2").layers)["last_stage"]
    data = DataSpec("hands", per_class=None, seed=seed)
    phases = (Phase(epochs, frozen, RATE, schedule="cosine"),)
    return FineTuneSpec("mobilenet_v2", data, phases, batch_size=16, seed=seed)


def _model(spec: FineTuneSpec):
    from tlcore import sources

    return sources.load(spec.source, n_classes=10, seed=spec.seed)


def _tested(model, data) -> _timing.Result:
    from tlcore import features

    answers = features.activations(model, data.x_test)
    return {"accuracy": float((answers.argmax(axis=1) == data.y_test).mean())}


def keras_thaw(seed: int, n: int, epochs: int) -> _timing.Result:
    _timing.keras_as_it_comes()
    import keras

    from tlcore import sources
    from tlcore.features.freezing import Freezing

    spec = _spec(seed, epochs)
    x, y, data = photographs(n, seed)
    for images in (x[:32], x):  # the first time a rehearsal
        model = _model(spec)
        Freezing(sources.describe(model), spec.phases[0].frozen, spec.source).apply(model)
        turns = epochs if len(images) == n else 1
        rate = keras.optimizers.schedules.CosineDecay(RATE, turns * -(-len(images) // spec.batch_size))
        model.compile(optimizer=keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy")
        keras.utils.set_random_seed(seed)
        with _timing.Stopwatch() as watch:
            model.fit(images, y[: len(images)], spec.batch_size, turns, verbose=0)
    return {**watch.as_dict(), **_tested(model, data)}


def our_thaw(seed: int, n: int, epochs: int) -> _timing.Result:
    from dataclasses import replace

    from tlcore import training

    spec = _spec(seed, epochs)
    x, y, data = photographs(n, seed)
    none = {"x_validation": data.x_validation[:0], "y_validation": data.y_validation[:0]}
    alone = replace(data, x_train=x, y_train=y, **none)
    few = replace(alone, x_train=x[:32], y_train=y[:32])
    with tempfile.TemporaryDirectory() as folder:
        training.fit(_model(spec), few, replace(spec, phases=(replace(spec.phases[0], epochs=1),)))
        model = _model(spec)
        with _timing.Stopwatch() as watch:
            fitted = training.fit(model, alone, spec, cache=Path(folder))
        again = _model(spec)
        with _timing.Stopwatch() as second:
            kept = training.fit(again, alone, spec, cache=Path(folder))
    assert fitted.cached and kept.prefix_s < fitted.prefix_s and all(row.ok for row in fitted.proof)
    return {**watch.as_dict(), "kept_s": second.seconds, "prefix_s": fitted.prefix_s, **_tested(model, data)}


# ------------------------------------------------------------------ 5,000 photographs taken in


def archive(folder: Path, n: int) -> Path:
    """Write a ZIP of class folders with ``n`` JPEGs of 400 × 300."""
    import numpy as np
    from PIL import Image

    path, rng = folder / "pictures.zip", np.random.default_rng(0)
    width, height = SIZE
    grounds = [rng.integers(0, 200, (height // 10, width // 10, 3)) for _ in CLASSES]
    with zipfile.ZipFile(path, "w") as file:
        for at in range(n):
            label = at % len(CLASSES)
            rough = grounds[label] + rng.integers(0, 56, grounds[label].shape)  # no two are twins
            picture = Image.fromarray(rough.astype(np.uint8)).resize(SIZE, Image.Resampling.BICUBIC)
            content = io.BytesIO()
            picture.save(content, "JPEG", quality=88)
            file.writestr(f"{CLASSES[label]}/{at}.jpg", content.getvalue())
    return path


@contextmanager
def watched(pid: int) -> Iterator[dict[str, Any]]:
    """Note the most memory that a server has beside before, and that the largest of the processes it starts has."""
    before, known, ended = _tree.pss_mb([pid]), set(_tree.tree(pid)), threading.Event()
    most = {"server": 0.0, "child": 0.0}

    def look() -> None:
        while not ended.wait(0.2):
            most["server"] = max(most["server"], _tree.pss_mb([pid]) - before)
            new = [_tree.pss_mb([child]) for child in _tree.tree(pid) if child not in known]
            most["child"] = max([most["child"], *new])

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


def taken_in(n: int) -> _timing.Row:
    """Send a ZIP through the page's own field to the route, until the set is kept."""
    from playwright.sync_api import sync_playwright

    from bench._served import find_chromium, lab

    chromium = find_chromium()  # before Playwright's loop runs here: it asks Playwright too
    with tempfile.TemporaryDirectory() as folder, lab() as server, sync_playwright() as play:
        path = archive(Path(folder), n)
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = play.chromium.launch(executable_path=chromium, args=options)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(600_000)
        page.goto(f"{server.url}/data")
        field = page.locator(".tl-drop input[type=file]").first
        with watched(server.process.pid) as most:
            began = time.perf_counter()
            field.set_input_files(path)
            page.get_by_role("button", name="Add this set").click()
            page.get_by_role("button", name="Train with it").wait_for()
            seconds = time.perf_counter() - began
        browser.close()
        megabytes = path.stat().st_size / 2**20
    note = (
        f"a ZIP of {megabytes:,.0f} MB through the Data page, looked at and kept; server {most['server']:+,.0f} MB, "
        f"largest child {most['child']:,.0f} MB; wanted: 60 s, 100 MB, 1,024 MB"
    )
    return _timing.figure(f"photographs_taken_{n}", f"{n:,} photographs of 400 × 300 taken in", seconds, "s", note)


def measure(quick: bool = False) -> list[_timing.Row]:
    made = _timing.in_turn("bench.photographs", ("predict", "extract"), 3, **(QUICK_FEATURES if quick else FEATURES))
    for one, other in zip(made["predict"], made["extract"], strict=True):
        assert abs(one["sum"] / other["sum"] - 1) < 0.01, "the features differ"
    sizes = QUICK_THAW if quick else THAW
    trained = _timing.in_turn("bench.photographs", ("fit", "thaw"), 3, **sizes)
    ours, plain = trained["thaw"], trained["fit"]
    accuracy = [100 * mean(one["accuracy"] for one in way) for way in (ours, plain)]
    note = f"test accuracy {accuracy[0]:.1f} % against {accuracy[1]:.1f} %, 3 seeds"
    n, epochs = f"{sizes['n']:,}", sizes["epochs"]
    name, title = f"thaw_13_{sizes['n']}x{epochs}", f"Thawed from block 13, {n} photographs, {epochs} epochs"
    kept = [{**one, "seconds": one["kept_s"]} for one in ours]
    features = f"Features of {(QUICK_FEATURES if quick else FEATURES)['n']:,} photographs (plain: model.predict)"
    return [
        _timing.row("photograph_features", features, made["extract"], made["predict"]),
        _timing.row(name, f"{title}, nothing kept yet", ours, plain, note=note),
        _timing.row(f"{name}_kept", f"{title}, features kept by an earlier run", kept, plain, note="wanted: 4 times"),
        taken_in(QUICK_TAKEN if quick else N_TAKEN),
    ]


WAYS = {"predict": keras_features, "extract": our_features, "fit": keras_thaw, "thaw": our_thaw}

if __name__ == "__main__":
    _timing.script(WAYS, measure)
