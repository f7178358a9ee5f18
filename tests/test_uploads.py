"""An uploaded model, the whole way: checked, rebuilt in its process, listed, trained, removed."""

import os
import subprocess
from dataclasses import replace

import pytest
from hostile import keras_files, more_keras_files
from hostile.asked import refusal
from hostile.tried import count

from tlcore import sources
from tlcore.errors import DataError
from tlcore.sources import uploads
from tlcore.sources.foreign import reading
from tlcore.sources.foreign import rebuild as foreign
from tlcore.sources.foreign.archive import WEIGHTS
from tlcore.sources.foreign.digits import known_digits
from tlcore.spec import LayerInfo, OwnModel


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.usefixtures("with_nursery")
def test_a_foreign_network_trains_and_serves_heads_like_a_shipped_one(tmp_path, monkeypatch):
    import keras
    import numpy as np
    import own_models

    from tlcore import datasets, prediction
    from tlcore.jobs import execution as worker
    from tlcore.spec import DataSpec, FineTuneSpec, HeadSpec, Phase
    from tlcore.store import Store

    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path / "lab"))
    keras.utils.set_random_seed(0)
    model = own_models.every_layer()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(np.zeros((4, 28, 28)), np.zeros(4), verbose=0)  # the optimizer's numbers are in the file too
    model.save(tmp_path / "m.keras")
    card = uploads.add((tmp_path / "m.keras").read_bytes(), "../My model.keras", "abcdefg", owner="ada")
    assert card.title == "My model" and sources.info(card.name) == card
    assert sources.uploaded() == sources.uploaded("ada") == (card,) and sources.uploaded("bob") == ()
    assert (card.layers[0].index, card.layers[0].type) == (0, "Conv2D")  # what only prepares an image has no number
    assert card.own is not None and card.own.n_digits == 0  # its classes are letters
    assert card.n_weights == model.count_params() and card.class_names == tuple("abcdefg")
    images = datasets.samples("mnist", 8, seed=0)[0]
    answers = prediction.predictor(f"source:{card.name}", tmp_path / "lab").predict_proba(images)
    assert np.allclose(answers, model.predict(images[..., 0] / 255, verbose=0), atol=1e-5)
    store, data = Store(tmp_path / "lab"), DataSpec(per_class=4)
    frozen = tuple(layer.name for layer in card.layers if layer.can_freeze)[:2]
    flat = next(layer.name for layer in card.layers if layer.type == "Flatten")  # Keras numbers the names it gives
    for spec in (
        FineTuneSpec(source=card.name, data=data, phases=(Phase(epochs=1, frozen=frozen),)),
        HeadSpec(source=card.name, layer=flat, heads=("linear_svm",), data=data, curves=False),
    ):
        run = store.create(spec)
        worker.execute(run.id, str(store.folder))
        run = store.get(run.id)
        assert (run.state, str(run.error)) == ("done", "")
        assert all(row.ok for row in getattr(run.result, "proof", ()) if row.frozen)
        (found,) = prediction.of_run(run)
        assert prediction.predictor(found.name, store.folder).predict_proba(images).shape == (8, 5)


def test_a_removed_model_comes_back_until_it_is_swept(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path))
    folder = tmp_path / "sources"
    (folder / "part-cut").mkdir(parents=True)
    (folder / "part-cut" / "model.keras").write_bytes(b"x")
    os.utime(folder / "part-cut", (0, 0))
    card = replace(sources.info("digits"), name="upload-0123456789ab", owner="ada")
    (folder / f"{card.name}.keras").write_bytes(keras_files.HONEST.read_bytes())
    uploads.write_card(card)
    assert sources.uploaded() == (card,)
    uploads.remove(card.name)
    assert sources.uploaded() == () and sources.info(card.name).removed
    uploads.remove(card.name, removed=False)
    assert sources.uploaded() == (card,)
    uploads.remove(card.name)
    uploads.sweep()
    assert [path.name for path in folder.iterdir()] == [f"{card.name}.json"]
    with pytest.raises(DataError, match="was removed or is damaged. Upload it again.") as caught:
        sources.load(card.name)
    assert refusal(caught.value)


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.usefixtures("with_nursery")
def test_weights_that_are_no_weights_of_the_network_are_refused_in_the_process(tmp_path):
    """Many files through one process, as limited as the app's own."""
    import h5py
    import numpy as np
    from pebble import ProcessPool

    from tlcore.machine import LeanContext, nursery

    def nothing(file: h5py.File) -> None:
        del file["layers"]

    cases = {
        "honest": keras_files.member("model.weights.h5"),
        "of another shape": keras_files.weights(keras_files.replaced(shape=(3, 3, 1, 31), dtype="f4")),
        "not there": keras_files.weights(nothing),
        "no numbers": keras_files.weights(keras_files.replaced(data=np.full((3, 3, 1, 32), np.nan, "f4"))),
        "without bounds": keras_files.weights(keras_files.replaced(data=np.full((3, 3, 1, 32), np.inf, "f4"))),
        "whole numbers of 64 bits": keras_files.weights(keras_files.replaced(data=np.full((3, 3, 1, 32), 2**62))),
        **dict(list(more_keras_files.bad_weights())[:12]),
    }
    network = reading.read(keras_files.member("config.json"))
    context, found, known = LeanContext(nursery.place()), {}, known_digits("0123456789")
    with ProcessPool(max_workers=1, initializer=foreign.begin, context=context) as pool:
        for name, content in cases.items():
            (tmp_path / WEIGHTS).write_bytes(content)
            try:
                found[name] = pool.schedule(foreign.rebuild, args=(network, str(tmp_path), known), timeout=90).result()
            except DataError as error:
                assert refusal(error), name
        with pytest.raises(PermissionError):
            pool.schedule(subprocess.run, args=(["true"],)).result()
        with pytest.raises(MemoryError):
            pool.schedule(bytearray, args=(3 * 2**30,)).result()
    context.kill()
    count("weights file", len(cases))
    assert set(found) <= {"honest", "whole numbers of 64 bits"} and "honest" in found


@pytest.mark.parametrize(
    "names", [("a",), ("a", "b"), ("a",) * 10, ("",) * 10, ("x" * 21, *"abcdefghi"), ("a\n", *"bcdefghij")]
)
def test_class_names_must_fit(names):
    from tlcore.errors import SpecError

    if names == ("a\n", *"bcdefghij"):  # blanks around a name are nobody's wish
        assert uploads.check_class_names(names, 10)[0] == "a"
        return
    with pytest.raises(SpecError, match="Give it 10 different names") as caught:
        uploads.check_class_names(names, 10)
    assert refusal(caught.value)


def hangs() -> None:
    """Stand in the place of ``foreign.begin`` and never come back."""
    import threading

    threading.Event().wait()


def test_a_process_that_hangs_before_it_begins_is_given_up_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path))
    monkeypatch.setattr(foreign, "begin", hangs)
    monkeypatch.setattr(uploads, "SECONDS", 1.0)
    monkeypatch.setattr(uploads, "START_S", 1.0)
    with pytest.raises(DataError, match="reading it takes more than") as caught:
        uploads.add(keras_files.HONEST.read_bytes(), "m.keras")
    assert refusal(caught.value)
    assert list((tmp_path / "sources").iterdir()) == []


def dies(network, place, known, pixels) -> None:
    """Stand in the place of ``foreign.rebuild`` and end as the kernel ends who takes too much memory."""
    import signal

    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_is_killed_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path))
    monkeypatch.setattr(foreign, "begin", print)
    monkeypatch.setattr(foreign, "rebuild", dies)
    with pytest.raises(DataError, match="the process that read it ended in the middle") as caught:
        uploads.add(keras_files.HONEST.read_bytes(), "m.keras")
    assert refusal(caught.value)
    assert list((tmp_path / "sources").iterdir()) == []


OWN = (
    LayerInfo(0, "spread", "Flatten", (784,), 0),
    LayerInfo(1, "hidden", "Dense", (64,), 50_240, 50_176),
    LayerInfo(2, "answer", "Dense", (10,), 650, 640),
)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The card of an added model whose layers have other names than the shipped ones; its file is not needed."""
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path))
    (tmp_path / "sources").mkdir()
    card = replace(sources.info("random"), name="upload-0123456789ab", layers=OWN, owner="", own=OwnModel())
    uploads.write_card(card)
    return card


def test_commands_without_flags_name_layers_that_an_own_model_has(own):
    """A first layer that only lays the pixels in a row gives no features: the layer behind it does."""
    from tlcore import cli, jobs
    from tlcore.commands import evidence, local_run

    def spec(make, line):
        made = make(cli.parser().parse_args([*line.split(), own.name]))
        jobs.check(made)
        return made

    assert spec(local_run.fine_tune_spec, "train --source").phases[0].frozen == ("hidden",)
    assert spec(local_run.fine_tune_spec, "train --recipe two-phase --source").phases[0].frozen == ("hidden",)
    assert spec(local_run.head_spec, "heads --source").layer == "hidden"
    grid = spec(evidence.sweep_spec, "sweep --sources")
    assert (grid.sources, grid.cuts) == ((own.name,), ("hidden",))
    assert spec(evidence.sweep_spec, "sweep --cuts pixels,spread --sources").cuts == ("pixels", "spread")


def test_describe_without_flags_shows_an_own_model_and_what_was_seen_of_it(own, capsys):
    from tlcore import cli

    uploads.write_card(replace(own, own=OwnModel(pixels=(0.0, 255.0), expected=(0.0, 255.0), n_digits=100, n_right=94)))
    assert cli.main(["describe", own.name]) == 0
    printed = capsys.readouterr().out
    assert "50,240  98.7 %  frozen" in printed
    assert "It is given values from 0 to 255, and reads 94 of 100 known digits." in printed


def test_a_sweep_of_several_sources_cuts_each_where_it_has_the_layer(own):
    from tlcore.errors import SpecError
    from tlcore.evidence import sweeps
    from tlcore.spec import SweepSpec

    spec = SweepSpec(sources=("digits", own.name), cuts=("flatten", "hidden"), per_class=(1,), seeds=(0,))
    sweeps.check(spec)
    assert [(cell.source, cell.cut) for cell in sweeps.plan(spec)] == [("digits", "flatten"), (own.name, "hidden")]
    with pytest.raises(SpecError, match="upload-0123456789ab has none of the cuts flatten. Add one of: pixels, spread"):
        sweeps.check(replace(spec, cuts=("flatten",)))
    with pytest.raises(SpecError, match="There is no cut 'elsewhere'"):
        sweeps.check(replace(spec, cuts=("flatten", "elsewhere")))
