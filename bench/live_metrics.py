"""What live points, progress, the heartbeat and the stop flag cost a training, and what checkpoints cost on top.

All ways are the lab's own training on kept features, where a step is shortest and reporting weighs most. They come in
drawn order inside one process, so that what differs is the reporting alone.
"""

import gc
import random
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench import _timing
from tlcore.spec import DataSpec, FineTuneSpec, Listener, Listeners, Phase

FULL = {"per_class": None, "epochs": 5, "turns": 9}
QUICK = {"per_class": 50, "epochs": 2, "turns": 3}


def both(seed: int, per_class: int | None, epochs: int, turns: int) -> _timing.Result:
    from tlcore import datasets, sources, training
    from tlcore.jobs.reporter import Keeper, Reporter
    from tlcore.store import Store, checkpoint

    data = DataSpec(target="mnist", split="article", per_class=per_class)
    phase = Phase(epochs=epochs, frozen=("conv_1", "conv_2"))
    spec = FineTuneSpec(data=data, phases=(phase,), batch_size=64, seed=seed)
    found, times = datasets.load(data), {"with": [], "without": [], "kept": []}

    def fit(cache: Path, *listeners: Listener) -> None:
        model = sources.load(spec.source, n_classes=10, seed=seed)
        training.fit(model, found, spec, Listeners(*listeners), cache=cache)

    with tempfile.TemporaryDirectory() as folder:
        store, cache = Store(Path(folder)), Path(folder) / "cache"
        fit(cache)
        ways = [*times] * turns
        random.Random(seed).shuffle(ways)  # whoever always comes first after a collection is the quicker one
        for way in ways:
            run = store.create(replace(spec))
            attempt = store.claim(run.id, "bench")
            gc.collect()
            with _timing.Stopwatch() as watch:
                if way == "without":
                    fit(cache)
                else:
                    with Reporter(store, attempt) as reporter:
                        fit(cache, reporter, *([Keeper(reporter, {})] if way == "kept" else []))
            times[way].append(watch.as_dict())
            if way != "without":
                assert len(store.points(run.id)) >= 2 * epochs
                kept = checkpoint.load(store.run_folder(run.id)) is not None
                assert kept == (way == "kept") or per_class is not None  # few images may be done before one is due
    medians = {f"{way}_{name}": median(one[name] for one in taken) for way, taken in times.items() for name in taken[0]}
    shares = [a["cpu_s"] / b["cpu_s"] for a, b in zip(times["with"], times["without"], strict=True)]
    return {**medians, "cpu_share": median(shares)}


def measure(quick: bool = False) -> list[_timing.Row]:
    found = _timing.in_turn("bench.live_metrics", ("both",), 1, **(QUICK if quick else FULL))["both"]
    rows = []
    for name, way, base, what in (
        ("live_metrics", "with", "without", "Live points and progress"),
        ("checkpoints", "kept", "with", "Checkpoints"),
    ):
        title = f"{what}, 55,000 images, 5 epochs on kept features (plain: none)"
        for unit, key, suffix in (("s", "seconds", ""), ("CPU s", "cpu_s", "_cpu")):
            ours, plain = ([{key: one[f"{which}_{key}"]} for one in found] for which in (way, base))
            rows.append(_timing.row(name + suffix, title, ours, plain, key=key, unit=unit))
    return rows


if __name__ == "__main__":
    _timing.script({"both": both}, measure)
