"""A trained network as the source of the next run: a card with its origin, a chain, and runs that start from it."""

import hashlib

import pytest
from tiny_results import fine_tuned

from tlcore import cli, datasets, sources
from tlcore.commands import local_run
from tlcore.errors import DataError, SpecError
from tlcore.jobs import execution
from tlcore.prediction import as_source
from tlcore.sources import uploads
from tlcore.spec import DataSpec, FineTuneSpec, Phase
from tlcore.store import Store

FIVES = ("5", "6", "7", "8", "9")


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path / "lab"))
    return Store()


def finished(store, spec=FineTuneSpec(), classes=FIVES, name=""):  # noqa: B008 (frozen)
    """A run that left a file in place of a network."""
    run = store.create(spec, owner="me", name=name)
    store.claim(run.id)
    path = store.run_folder(run.id, create=True) / "model.keras"
    path.write_bytes(run.id.encode())
    file = {"sha256": hashlib.sha256(run.id.encode()).hexdigest(), "bytes": 16}
    result = fine_tuned({"accuracy": 0.875, "n": 40}, files={"model.keras": file}, class_names=classes)
    store.finish(run.id, "done", result)
    return store.get(run.id)


def test_a_runs_network_becomes_a_source_with_a_card_of_its_origin(store):
    run = finished(store)
    card = as_source.keep(run, store.folder)
    assert (card.title, card.task, card.class_names, card.owner) == ("MNIST digits 5-9", "mnist_5_9", FIVES, "me")
    assert (card.accuracy, card.n_test, card.run, card.base) == (0.875, 40, run.id, "digits_0_4")
    assert card.layers == sources.info("digits_0_4").layers_for(5) and card.untrained == "random"
    assert sources.info(card.name) == card and card in sources.uploaded("me") and sources.uploaded("you") == ()
    assert sources.get(card.name).check_file(sources.get(card.name).folder() / f"{card.name}.keras", card) is None
    assert as_source.keep(run, store.folder, "Mine").title == "Mine" and len(sources.uploaded()) == 1


def test_the_chain_leads_back_to_the_network_that_all_began_with(store):
    first = as_source.keep(finished(store), store.folder, "First")
    second = as_source.keep(finished(store, FineTuneSpec(first.name)), store.folder, "Second")
    assert [card.title for card in sources.lineage(second.name)] == ["Digits 0-4", "First", "Second"]
    assert [card.name for card in sources.lineage("digits")] == ["digits"]
    uploads.remove(second.name)
    assert [card.name for card in sources.uploaded()] == [first.name]
    uploads.remove(second.name, removed=False)
    assert len(sources.uploaded()) == 2


def test_examples_are_those_of_the_task_that_it_learned(store):
    card = as_source.keep(finished(store), store.folder)
    assert sources.get(card.name).examples(3).shape == (3, 28, 28, 1)


def test_what_left_no_network_or_reads_unscaled_pixels_is_refused(store):
    run = store.create(FineTuneSpec())
    with pytest.raises(SpecError, match="left no network"):
        as_source.keep(run, store.folder)
    with pytest.raises(SpecError, match="reads unscaled pixels"):
        as_source.keep(finished(store, FineTuneSpec(data=DataSpec(scale=False))), store.folder)
    run = finished(store)
    (store.run_folder(run.id) / "model.keras").write_bytes(b"another")
    with pytest.raises(DataError, match="damaged"):
        as_source.keep(run, store.folder)


def test_the_command_line_keeps_lists_and_trains_from_it(store, capsys, monkeypatch):
    run = finished(store, name="mugs")
    asked = []
    monkeypatch.setattr(local_run, "run_here", lambda options, spec: asked.append(spec) or 0)
    assert cli.main(["sources", "keep", run.id[:8]]) == 0
    name = as_source.name_of(run)
    assert f"{name}: Digits 0-4 → mugs; classes 5 6 7 8 9" in capsys.readouterr().out
    for source in (name, f"run:{run.id[:8]}"):
        assert cli.main(["train", "--source", source, "--target", "mnist_0_4"]) == 0
    assert [spec.source for spec in asked] == [name, name] and len(sources.uploaded()) == 1
    assert cli.main(["train", "--source", "run:ffffff"]) == 2
    assert "There is no run 'ffffff'." in capsys.readouterr().err
    assert cli.main(["sources", "remove", name]) == 0 and sources.uploaded() == ()


@pytest.mark.keras
@pytest.mark.slow
def test_the_next_run_starts_from_its_weights_and_what_it_forgets_is_measured(store):
    def trained(spec):
        run = store.create(spec, owner="me")
        execution.execute(run.id, str(store.folder))
        return store.get(run.id)

    phase = (Phase(epochs=2, frozen=("conv_1", "conv_2")),)
    first = trained(FineTuneSpec(data=DataSpec("mnist_5_9", per_class=20), phases=phase))
    card = as_source.keep(first, store.folder)
    model = sources.load(card.name)
    assert tuple(sources.describe(model)) == card.layers
    items = datasets.samples("mnist_5_9", 8)[0]
    again = sources.load(card.name).predict(items, verbose=0)
    assert again == pytest.approx(model.predict(items, verbose=0))
    second = trained(FineTuneSpec(card.name, DataSpec("mnist_0_4", per_class=5), phase))
    assert second.state == "done", second.error
    assert second.result.forgetting.task == "MNIST digits 5-9" and second.result.forgetting.before > 0.4
