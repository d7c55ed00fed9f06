"""What a surrogate is fitted to does not depend on the unit of a score, nor on a few disasters among the scores."""

import pytest
import torch

from chemvae.design.surrogates.training_set import centre_and_spread, training_rows


@pytest.mark.parametrize(("shift", "unit"), [(0.0, 1.0), (-7.5, 1.0), (0.0, 1e-150), (3e20, 1e20), (0.0, 1e120)])
def test_shift_and_unit_of_a_score_go_through(shift, unit):
    y = torch.randn(101, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    centre, spread = centre_and_spread(y)
    moved_centre, moved_spread = centre_and_spread(shift + unit * y)
    assert float((moved_centre - shift) / unit) == pytest.approx(float(centre), rel=1e-9, abs=1e-9)
    assert float(moved_spread / unit) == pytest.approx(float(spread), rel=1e-9)


def test_of_a_normal_variable_the_spread_is_its_standard_deviation():
    y = torch.randn(200_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2.0 + 5.0
    centre, spread = centre_and_spread(y)
    assert float(centre) == pytest.approx(5.0, abs=0.02) and float(spread) == pytest.approx(2.0, rel=0.01)


def test_a_disaster_moves_neither_and_constants_have_a_spread_of_one():
    y = torch.arange(100, dtype=torch.float64)
    worse = torch.cat([y, torch.tensor([-1e12], dtype=torch.float64)])
    assert abs(float(centre_and_spread(worse)[1] - centre_and_spread(y)[1])) < 1.0
    for value in (0.0, 3.25, -1e-30, 1e90):
        assert float(centre_and_spread(torch.full((9,), value, dtype=torch.float64))[1]) == 1.0


def test_where_all_but_one_score_are_equal_the_one_still_counts():
    y = torch.zeros(50, dtype=torch.float64)
    y[7] = 10.0
    centre, spread = centre_and_spread(y)
    assert float(centre) == 0.0 and float(spread) == pytest.approx(float(y.std()))


def test_the_best_and_the_latest_are_always_among_the_rows():
    y = torch.randn(1_000, generator=torch.Generator().manual_seed(1))
    rows = training_rows(y, 100, torch.Generator().manual_seed(2))
    assert len(rows) == 100 == len(rows.unique()) and bool((rows.diff() > 0).all())
    assert set(y.argsort(descending=True)[:50].tolist()) <= set(rows.tolist()) >= set(range(975, 1_000))
    assert not torch.equal(rows, training_rows(y, 100, torch.Generator().manual_seed(3)))


def test_up_to_the_cap_nothing_is_left_out():
    assert training_rows(torch.randn(7), 7, torch.Generator()).tolist() == list(range(7))
