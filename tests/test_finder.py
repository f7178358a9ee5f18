"""The range test of learning rates."""

import json

import pytest

from tlcore import cli
from tlcore.inspection.rates import range_test
from tlcore.spec import DataSpec, FineTuneSpec
from tlcore.training.finder import HIGHEST, LOWEST, N_STEPS, of_losses


def test_the_suggestion_is_where_the_loss_falls_fastest_and_before_its_lowest():
    losses = [2.0] * 30 + [2.0 - 0.1 * step for step in range(1, 11)] + [1.0] * 10 + [3.0, 9.0]
    test = of_losses(losses)
    assert len(test.rates) == len(test.losses) == 52
    assert test.rates[0] == LOWEST and test.best > LOWEST * (HIGHEST / LOWEST) ** (30 / (N_STEPS - 1))
    assert test.best <= test.rates[50]


def test_a_loss_that_never_falls_suggests_nothing():
    assert of_losses([1.0 + 0.1 * step for step in range(20)]).best is None
    assert of_losses([1.0, float("nan")]).best is None


@pytest.mark.keras
def test_a_network_learns_fastest_at_a_rate_that_trains_it():
    spec = FineTuneSpec(data=DataSpec(per_class=8))
    test = range_test(spec)
    assert 1e-4 <= test.best <= 1e-1 and min(test.losses) < 0.7 * test.losses[0]
    assert range_test(spec) == test, "the same draft has the same curve"


@pytest.mark.keras
def test_the_command_line_names_the_rate(tmp_path, capsys):
    assert cli.main(["--home", str(tmp_path), "find-rate", "--per-class", "8", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["best"] == range_test(FineTuneSpec(data=DataSpec(per_class=8))).best
