"""Teach a network ten digits from five images of each, with transfer and without: what Home shows as recorded.

``python -m tlcore.evidence.teaching`` chooses what is frozen and the learning rate of either way by the validation
images alone, measures the two choices on the test digits over ten seeds, and writes the networks of the median seed.
"""

import argparse
import contextlib
import hashlib
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tlcore import datasets, features, inputs, sources, training
from tlcore.datasets import Data
from tlcore.errors import LabError, TrainingError
from tlcore.features import freezing
from tlcore.prediction.taught import CARD, FOLDER, IMAGES, SCRATCH, TRANSFER, Taught, Way
from tlcore.recipes import scratch_control
from tlcore.sources.making import weights_hash
from tlcore.spec import DataSpec, FineTuneSpec, Phase
from tlcore.store import versions

from .recorded import machine

if TYPE_CHECKING:
    import keras

SEEDS = tuple(range(10))
PER_CLASS = 5
EPOCHS = 75  # of 4 steps: the 300 steps that the recorded sweeps give a network
RATES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
COMMAND = "python -m tlcore.evidence.teaching"

Say = Callable[[str], object]


@dataclass(frozen=True)
class Lesson:
    """Who is taught what: the source, the task, and how long."""

    source: str = "digits_0_4"
    target: str = "mnist"
    per_class: int = PER_CLASS
    epochs: int = EPOCHS
    rates: tuple[float, ...] = RATES
    seeds: tuple[int, ...] = SEEDS

    def candidates(self) -> dict[str, list[FineTuneSpec]]:
        """Return the settings to choose from, the same rates for either way; from scratch nothing can be frozen."""
        card = sources.info(self.source)
        presets = freezing.presets(card.layers)
        frozen = dict.fromkeys(presets[name] for name in ("nothing", "convolutions", "all_but_head"))
        data = DataSpec(self.target, per_class=self.per_class)
        tuned = [
            FineTuneSpec(self.source, data, (Phase(self.epochs, names, rate),))
            for names in frozen
            for rate in self.rates
        ]
        return {TRANSFER: tuned, SCRATCH: list(dict.fromkeys(map(scratch_control, tuned)))}


def teach(spec: FineTuneSpec, data: Data) -> "keras.Model":
    """Return the network after its training; nothing is measured on the way."""
    # Without validation images: they are looked at once, at the end, and not after every epoch.
    bare = replace(data, x_validation=data.x_validation[:0], y_validation=data.y_validation[:0])
    model = sources.load(spec.source, n_classes=len(data.class_names), seed=spec.seed, new_head=True)
    training.fit(model, bare, spec)
    return model


def right(answer: Callable[[np.ndarray], np.ndarray], images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return of each image whether it is answered with its label: bool, shape (n,)."""
    parts = range(0, len(images), 1000)
    return np.concatenate([answer(images[i : i + 1000]).argmax(axis=1) == labels[i : i + 1000] for i in parts])


def seeded(spec: FineTuneSpec, seed: int) -> FineTuneSpec:
    return replace(spec, seed=seed, data=replace(spec.data, seed=seed))


def validated(spec: FineTuneSpec, data: Mapping[int, Data]) -> float:
    """Return the mean accuracy on the validation images over the seeds; 0 for a seed whose training diverged."""
    accuracies = []
    for seed, one in data.items():
        try:
            answer = features.compiled(teach(seeded(spec, seed), one))
            accuracies.append(right(answer, one.x_validation, one.y_validation).mean())
        except TrainingError:
            accuracies.append(0.0)
    return float(np.mean(accuracies))


def choose(candidates: Sequence[FineTuneSpec], data: Mapping[int, Data], say: Say) -> tuple[FineTuneSpec, list[float]]:
    """Return the settings with the best mean accuracy on validation images, of equals the first, and every mean."""
    scores: list[float] = []
    for spec in candidates:
        scores.append(validated(spec, data))
        phase = spec.phases[0]
        say(f"{spec.source}, frozen {list(phase.frozen)}, rate {phase.learning_rate:g}: {scores[-1]:.4f} on validation")
    return candidates[int(np.argmax(scores))], scores


def median_seed(seeds: Sequence[int], n_right: Sequence[Sequence[int]]) -> int:
    """Return the seed whose results lie nearest to their medians, by the larger of its distances; of equals the first.

    Parameters
    ----------
    n_right : for each way its results, in the order of ``seeds``

    Examples
    --------
    >>> median_seed([0, 1, 2], [[90, 80, 85], [70, 75, 60]])
    0
    """
    results = np.array(n_right, float)  # (ways, seeds)
    apart = np.abs(results - np.median(results, axis=1, keepdims=True)).max(axis=0)
    return seeds[int(np.argmin(apart))]


def write(lesson: Lesson = Lesson(), folder: Path = FOLDER, say: Say = print) -> Taught:
    """Measure the lesson and write card, networks and training images into ``folder``; return the card."""
    import tensorflow as tf

    began = time.perf_counter()
    with contextlib.suppress(RuntimeError):  # too late when this process has computed before
        tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    folder.mkdir(parents=True, exist_ok=True)
    data = {
        seed: datasets.load(DataSpec(lesson.target, per_class=lesson.per_class, seed=seed)) for seed in lesson.seeds
    }
    test = next(iter(data.values()))  # the test part is the same for every seed
    ways: dict[str, Way] = {}
    tried: list[dict[str, object]] = []
    models: dict[str, dict[int, keras.Model]] = {}
    read: dict[str, dict[int, np.ndarray]] = {}  # which test images were read
    for name, candidates in lesson.candidates().items():
        spec, scores = choose(candidates, data, say)
        tried += [
            {
                "way": name,
                "frozen": one.phases[0].frozen,
                "learning_rate": one.phases[0].learning_rate,
                "validation": score,
            }
            for one, score in zip(candidates, (round(score, 4) for score in scores), strict=True)
        ]
        models[name] = {seed: teach(seeded(spec, seed), one) for seed, one in data.items()}
        read[name] = {
            seed: right(features.compiled(one), test.x_test, test.y_test) for seed, one in models[name].items()
        }
        counts = tuple(int(each.sum()) for each in read[name].values())
        say(f"{name}: {np.mean(counts) / len(test.y_test):.4f} on the test images over {len(counts)} seeds")
        ways[name] = Way(spec.phases[0].frozen, spec.phases[0].learning_rate, round(max(scores), 4), counts, "", "")
    seed = median_seed(lesson.seeds, [way.n_right for way in ways.values()])
    for name, taught_models in models.items():
        path = folder / f"{name}.keras"
        taught_models[seed].save(path)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        ways[name] = replace(ways[name], sha256=sha256, weights_sha256=weights_hash(taught_models[seed]))
    sheet = png(data[seed])
    (folder / IMAGES).write_bytes(sheet)
    source = features.compiled(sources.load(lesson.source))
    taught = Taught(
        **{name: value for name, value in asdict(lesson).items() if name != "rates"},
        n_steps=training.n_steps(candidates[0], len(test.x_train)),
        seed=seed,
        n_test=len(test.y_test),
        n_right_before=int(right(source, test.x_test, _as_the_source_says(lesson, test)).sum()),
        n_right_both=int((read[TRANSFER][seed] & read[SCRATCH][seed]).sum()),
        ways=ways,
        images_sha256=hashlib.sha256(sheet).hexdigest(),
        class_names=test.class_names,
        form=test.form,
        date=date.today().isoformat(),
        machine=machine(),
        command=COMMAND,
    )
    more = {"versions": versions(), "seconds": round(time.perf_counter() - began, 1), "tried": tried}
    card = json.dumps({**asdict(taught), **more}, indent=1, ensure_ascii=False)
    (folder / CARD).write_text(card + "\n", encoding="utf-8")
    return taught


def _as_the_source_says(lesson: Lesson, test: Data) -> np.ndarray:
    """Return the test labels as numbers of the source's classes; −1 for a class that it does not know."""
    known = sources.info(lesson.source).class_names
    numbers = np.array([known.index(name) if name in known else -1 for name in test.class_names])
    return numbers[test.y_test]


def png(data: Data) -> bytes:
    """Return the training images as one PNG: a column for each class, a row for each of its images."""
    from PIL import Image

    previews = inputs.modality(data.form.modality).previews(data.x_train)  # (n, h, w)
    columns = [np.concatenate(previews[data.y_train == label]) for label in range(len(data.class_names))]
    content = BytesIO()
    Image.fromarray(np.concatenate(columns, axis=1)).save(content, "PNG", optimize=True)
    return content.getvalue()


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Teach Home's network again, and measure it.")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where card, networks and images are written")
    options = parser.parse_args(arguments)
    try:
        taught = write(folder=options.folder)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"seed {taught.seed} is the median of {len(taught.seeds)}: {options.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
