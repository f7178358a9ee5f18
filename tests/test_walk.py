"""Walks down a parabola whose every step is known by hand."""

from tlcore.inspection.walk import N_PLACES, N_STEPS, walk


def parabola(rates):
    return walk(lambda x: (x - 1) ** 2, lambda x: 2 * (x - 1), rates)


def test_a_small_rate_creeps_a_good_one_arrives_and_one_that_is_too_large_leaves_the_picture():
    found = parabola((0.01, 0.5, 1.25))
    assert found is not None
    small, good, large = found.steps
    assert len(small) == N_STEPS + 1 and small[1].at == 0.02 and small[-1].loss > 0.5
    assert [step.at for step in good[:3]] == [0.0, 1.0, 1.0] and good[1].loss == 0.0
    assert [step.at for step in large[:2]] == [0.0, 2.5] and large[1].loss > large[0].loss
    assert not found.places[0] <= large[-1].at <= found.places[-1]


def test_the_curve_shows_a_little_more_than_the_first_step_that_raises_the_loss():
    found = parabola((0.01, 0.5, 1.25, 2.0))
    assert found is not None and len(found.places) == len(found.losses) == N_PLACES
    assert (found.places[0], found.places[-1]) == (-0.5, 3.125)
    assert found.losses[0] == 2.25


def test_where_no_rate_is_too_large_the_largest_ends_the_curve():
    found = parabola((0.01, 0.5))
    assert found is not None and found.places[-1] == 1.25


def test_a_flat_start_leads_nowhere():
    assert walk(lambda x: 1.0, lambda x: 0.0, (0.1,)) is None
    assert walk(lambda x: 1.0, lambda x: float("nan"), (0.1,)) is None
