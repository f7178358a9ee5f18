"""Runs side by side: settings in words, those that differ first, and which of them may be held against another."""

import doctest
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
from test_contest import trained

from tlcore.evidence import side_by_side as sides
from tlcore.evidence.contest import contest
from tlcore.spec import (
    ComparisonSpec,
    DataSpec,
    ExampleSpec,
    FineTuneSpec,
    HeadSpec,
    Phase,
    ProofRow,
    SweepSpec,
    to_json,
)

TUNED = FineTuneSpec(data=DataSpec(per_class=100))
TWO = replace(TUNED, phases=(Phase(2, ("conv_1",), 1e-3), Phase(4, (), 1e-4)))


def words(spec) -> dict[str, str]:
    return {str(name): str(value) for name, value in sides.settings(spec).items()}


def test_examples_in_docstrings_hold():
    assert doctest.testmod(sides).failed == 0


def test_settings_are_words_and_no_field_is_left_out():
    found = words(TUNED)
    assert (found["Task"], found["Source network"]) == ("MNIST digits 5-9", "Digits 0-4")
    assert (found["Epochs"], found["Labels per class"], found["Optimizer"]) == ("30", "100", "adam")
    found = words(TWO)
    assert (found["Phase 1: Frozen layers"], found["Phase 2: Frozen layers"]) == ("conv_1", "nothing")
    assert found["Phase 2: Learning rate"] == "0.0001"
    assert words(HeadSpec(data=DataSpec(per_class=None)))["Labels per class"] == "all"


@pytest.mark.parametrize("spec", [TWO, HeadSpec(), ComparisonSpec(), SweepSpec(), ExampleSpec()], ids=lambda s: s.kind)
def test_every_kind_of_run_is_read_and_each_setting_has_a_name_of_its_own(spec):
    flat = to_json(spec)
    found = sides._flat(spec, "")
    names = [str(name) for name, _value in found]
    assert names and len(set(names)) == len(names), flat


def test_a_kind_from_outside_is_read_by_its_own_fields():
    @dataclass(frozen=True)
    class Outside:
        data: DataSpec = DataSpec(target="nowhere")
        source: str = "nobody"
        wing_span: float = 0.25
        seed: int = 0
        kind: ClassVar[str] = "outside"

    found = words(Outside())
    assert (found["Wing span"], found["Task"], found["Source network"]) == ("0.25", "nowhere", "nobody")


def test_what_differs_comes_first_and_a_setting_that_one_lacks_differs():
    found = sides.side_by_side([TUNED, replace(TUNED, batch_size=32)])
    assert [str(setting.name) for setting in found if setting.differs] == ["Batch size"]
    assert found[0].texts == ("16", "32") and not any(setting.differs for setting in found[1:])
    found = sides.side_by_side([TUNED, HeadSpec()])
    heads = next(setting for setting in found if str(setting.name) == "Heads")
    assert heads.differs and heads.values[0] is None
    assert [setting.differs for setting in found] == sorted((s.differs for s in found), reverse=True)


def test_labels_differ_and_say_what_differs():
    specs = [TUNED, replace(TUNED, batch_size=32), TUNED]
    assert sides.labels(["a", "b", "c"], specs) == ["a", "b", "c"]
    assert sides.labels(["a", "a", "b"], specs) == ["a, Batch size 16", "a, Batch size 32", "b"]
    assert sides.labels(["a", "b", "a"], specs) == ["a, 1", "b", "a, 3"]


def test_runs_on_different_tasks_are_not_held_against_each_other(store):
    runs = [trained(store, TUNED, 390), trained(store, replace(TUNED, data=DataSpec("fashion_mnist")), 380)]
    assert sides.entrants(runs, "ab") == []
    same = [trained(store, TUNED, 390), trained(store, replace(TUNED, batch_size=32), 380)]
    found = contest(sides.entrants(same, "ab"), store.folder)
    assert found and found.clear and found.ranking.tested == "images"


def test_freezing_is_proved_or_its_failure_is_said(store):
    rows = [ProofRow("conv_1", True, "a", "a", True), ProofRow("dense_1", False, "a", "b", True)]
    run = trained(store, TUNED, 390)
    for proof, said in (
        (rows, "1 frozen layers bit for bit unchanged, 1 trained changed"),
        ([replace(rows[0], ok=False), rows[1]], "Proof failed: conv_1"),
        (rows[1:], "Nothing was frozen; all 1 layers changed"),
        ([], "None"),
    ):
        assert str(sides.proof(replace(run, result=replace(run.result, proof=tuple(proof))))) == said
