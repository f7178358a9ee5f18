"""How far off the time left is that a training or a comparison of heads tells after a fifth of its steps.

Phases of different cost, and heads of different cost. Where less than three seconds are left, it is a share of three
seconds: pages show whole seconds, and one more or less is then no news. A training's time left ends where its last
epoch does; the test and the saving come after it.
"""

import time
from dataclasses import replace

from bench import _timing
from tlcore.spec import DataSpec, FineTuneSpec, HeadSpec, Hooks, Phase, Progress

SHARE = 0.2  # of the steps, after which it should be near
LEAST_S = 3.0  # left; of less the figure is a share of this
WANTED = "at most 30 %"
FROZEN = ("conv_1", "conv_2")
TRAININGS = {
    "one_phase": ("Convolutions frozen", (Phase(20, FROZEN),)),
    "everything": ("Nothing frozen", (Phase(6),)),
    "head_first": ("The head first, then all after the convolutions",
                   (Phase(6, (*FROZEN, "dense_1")), Phase(6, FROZEN))),
    "deeper": ("The head, then the dense layers and conv_2, then everything",
               (Phase(4, (*FROZEN, "dense_1")), Phase(4, ("conv_1",)), Phase(4))),
    "frozen_later": ("Everything first, then frozen convolutions", (Phase(4), Phase(8, FROZEN))),
}  # fmt: skip
HEADS = ("linear_svm", "rbf_svm", "random_forest", "logistic_regression", "knn", "dense")


def training(case: str, per_class: int, seed: int) -> _timing.Result:
    """Return how far off a training was, after the shared parts of TensorFlow are warm."""
    from tlcore import datasets, sources, training
    from tlcore.jobs.fine_tune import FineTune

    FineTune().warm()
    spec = FineTuneSpec(data=DataSpec(per_class=per_class, seed=seed), phases=TRAININGS[case][1], seed=seed)
    data, told = datasets.load(spec.data), []
    model = sources.load(spec.source, n_classes=len(data.class_names), seed=seed)
    training.fit(model, data, spec, Hooks(on_progress=lambda progress: told.append((time.perf_counter(), progress))))
    return _off(told, time.perf_counter())


def heads(seeds: int, per_class: int, seed: int) -> _timing.Result:
    """Return how far off a comparison of all heads on both inputs was."""
    import tempfile
    from pathlib import Path

    from tlcore.jobs import execution
    from tlcore.jobs.reporter import Reporter
    from tlcore.store import Store

    told, original = [], Reporter.on_progress
    Reporter.on_progress = lambda self, now: told.append((time.perf_counter(), now)) or original(self, now)  # type: ignore[method-assign,func-returns-value]
    spec = HeadSpec(heads=HEADS, inputs=("features", "pixels"), curves=False)
    spec = replace(spec, data=DataSpec(per_class=per_class, seed=seed), seeds=tuple(range(seed, seed + seeds)))
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        for one in (replace(spec, data=DataSpec(per_class=5), seeds=(0,)), spec):  # the first imports what heads need
            told.clear()
            execution.execute(store.create(one).id, folder)
    return _off(told, time.perf_counter())


def _off(told: list[tuple[float, Progress]], end: float) -> _timing.Result:
    known = [(at, now) for at, now in told if now.n_steps and now.left_s is not None]
    at, now = next((at, now) for at, now in known if now.step >= SHARE * now.n_steps)
    was, left = end - at, now.left_s or 0.0
    return {"seconds": was, "said": left, "off": abs(left - was) / max(was, LEAST_S)}


def measure(quick: bool = False) -> list[_timing.Row]:
    repetitions, per_class = (1, 50) if quick else (5, 1000)
    cases = {case: {"way": "training", "case": case} for case in TRAININGS} | {
        "heads": {"way": "heads", "seeds": 3},
        "heads_of_one_seed": {"way": "heads", "seeds": 1},
    }
    titles = {case: title for case, (title, _phases) in TRAININGS.items()}
    titles |= {"heads": "Six heads on features and pixels, 3 seeds", "heads_of_one_seed": "The same, 1 seed"}
    rows = []
    for case, settings in cases.items():
        way = settings.pop("way")
        results = _timing.in_turn("bench.time_left", (way,), repetitions, per_class=per_class, **settings)[way]
        title = f"{titles[case]}: how far off the time left is after a fifth"
        off = [100 * one["off"] for one in results]
        rows.append(_timing.wait(f"time_left_{case}", title, off, unit="%", limit=WANTED))
    return rows


if __name__ == "__main__":
    _timing.script({"training": training, "heads": heads}, measure)
