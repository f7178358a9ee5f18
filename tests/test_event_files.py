"""TensorBoard's event files: read back by TensorFlow, and by TensorBoard itself where it is installed."""

import importlib.util
import io
import json
import math
import os
import subprocess
import sys
import zipfile

import pytest

from tlcore import exports
from tlcore.exports import event_files
from tlcore.spec import FineTuneSpec, HeadSpec, MetricPoint

POINTS = [
    MetricPoint("train", 0.25, 2.5, 0.125, 0.5),
    MetricPoint("train", 1.0, math.nan, None, 1.5),
    MetricPoint("validation", 1.0, 0.75, 0.5, 2.0),
    MetricPoint("validation", 200.0, None, 1.0, 300.0),
]


@pytest.fixture
def unpacked(store, tmp_path):
    """A run with these points, and the folder that its ZIP was unpacked in."""

    def make(points, spec=None):
        run = store.create(spec or FineTuneSpec())
        attempt = store.claim(run.id)
        attempt.add_points(points)
        store.finish(run.id, "done", {})
        run = store.get(run.id)
        (part,) = exports.EXPORTERS["tensorboard"].parts(run, store)
        content = part.read()
        assert content == part.read() and part.suffix == "-tensorboard.zip"
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(tmp_path)
        return run, tmp_path

    return make


def files(folder):
    return {str(path.parent.relative_to(folder)): path for path in folder.rglob("events.out.tfevents.*")}


@pytest.mark.keras
def test_tensorflow_reads_every_point_with_its_step_and_its_time(unpacked):
    import tensorflow as tf

    run, folder = unpacked(POINTS)
    found = files(folder)
    assert set(found) == {f"{run.id}/train", f"{run.id}/validation"}
    read = []
    for name, path in sorted(found.items()):
        version, *events = tf.compat.v1.train.summary_iterator(str(path))
        assert version.file_version == "brain.Event:2"
        for event in events:
            values = {value.tag: value.simple_value for value in event.summary.value}
            read.append((name.rpartition("/")[2], event.step, round(event.wall_time - run.started, 3), values))
    assert [row[:3] for row in read] == [
        ("train", 250, 0.5), ("train", 1000, 1.5), ("validation", 1000, 2.0), ("validation", 200_000, 300.0),
    ]  # fmt: skip
    assert read[0][3] == {"loss": 2.5, "accuracy": 0.125, "x": 0.25}
    assert read[1][3] == {"x": 1.0}, "what is no number was never stored"
    assert read[3][3] == {"accuracy": 1.0, "x": 200.0}
    assert "thousandth of an epoch" in (folder / "README.txt").read_text()


def test_curves_that_count_in_whole_numbers_keep_them_and_each_head_has_its_folder(unpacked):
    points = [MetricPoint("train", float(n), None, 0.5, 1.0, "knn", "pixels") for n in (5, 100)]
    run, folder = unpacked([*points, MetricPoint("test", 5.0, head="knn", input="features")], HeadSpec())
    assert set(files(folder)) == {f"{run.id}/knn/pixels/train", f"{run.id}/knn/features/test"}
    assert event_files.steps_per_x(points) == 1
    assert "A step is an epoch" in (folder / "README.txt").read_text()


def test_a_run_without_points_has_no_such_file(store):
    assert exports.EXPORTERS["tensorboard"].parts(store.create(FineTuneSpec()), store) == ()


TENSORBOARD = os.environ.get("TENSORBOARD") or (sys.executable if importlib.util.find_spec("tensorboard") else "")
READ = """
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
read = EventAccumulator(sys.argv[1]).Reload()
tags = sorted(read.Tags()["scalars"])
print(json.dumps({tag: [(event.step, event.value) for event in read.Scalars(tag)] for tag in tags}))
"""


@pytest.mark.skipif(
    not TENSORBOARD, reason="no tensorboard: pip install it somewhere, and set TENSORBOARD to that Python"
)
def test_tensorboard_itself_reads_the_same_points(unpacked):
    run, folder = unpacked(POINTS)
    command = [TENSORBOARD, "-c", READ, folder / run.id / "validation"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert json.loads(done.stdout or "{}") == {
        "accuracy": [[1000, 0.5], [200_000, 1.0]], "loss": [[1000, 0.75]], "x": [[1000, 1.0], [200_000, 200.0]],
    }, done.stderr  # fmt: skip
