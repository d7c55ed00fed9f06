"""Labels in any unit: nothing is lost when they are centred and scaled, and what cannot be held is named."""

import numpy as np
import pytest

from chemvae.data.labels import check_labels, label_scale, needs_double
from chemvae.errors import InputError


@pytest.mark.parametrize("unit", [1e-300, 1e-15, 1e-10, 1.0, 1e15, 1e38, 1e299])
@pytest.mark.parametrize("offset", [0.0, -384.0, 1e7])
def test_standardised_labels_are_the_same_in_any_unit(unit, offset):
    labels = np.random.default_rng(0).normal(size=200)
    centre, spread = label_scale(unit * (labels + offset) if abs(offset) * unit < 1e300 else unit * labels)
    offset = offset if abs(offset) * unit < 1e300 else 0.0
    plain = label_scale(labels)
    np.testing.assert_allclose(
        (unit * (labels + offset) - centre) / spread, (labels - plain[0]) / plain[1], atol=1e-8, rtol=1e-7
    )


def test_a_constant_keeps_scale_one_and_rounding_is_no_spread():
    assert label_scale(np.full(10, 3e-200))[1] == 1.0
    assert label_scale(1e7 + np.array([0.0, 1e-9, 0.0]))[1] == 1.0
    assert label_scale(np.array([7.0])) == (7.0, 1.0)


def test_single_precision_is_left_where_it_would_lose_labels():
    assert needs_double(-384.0, 0.003) and needs_double(1.7e9, 3600.0) and needs_double(1e30, 1e38)
    assert needs_double(2e-40, 1e-41) and not needs_double(2.5, 1.4)


@pytest.mark.parametrize(
    ("labels", "row", "words"),
    [
        ([1.0, 2.0, 1e305, np.nan], 13, "1e\\+305"),
        ([1.0, -np.finfo(float).max], 12, "another unit"),
        ([1e-310, 2e-310, 4e-310], 13, "another unit"),
        ([1.0, 2.0, 3.0, -9e99], 14, "so far from the other labels"),
    ],
)
def test_what_float64_cannot_hold_is_refused_with_row_and_value(labels, row, words):
    rows = np.arange(11, 11 + len(labels))
    with pytest.raises(InputError, match=rf"a\.csv, row {row}: 'y' is .*{words}"):
        check_labels(np.array(labels)[:, None], ["y"], rows, "a.csv")


@pytest.mark.parametrize("unit", [1e-15, 1.0, 1e15])
def test_labels_of_any_unit_and_offset_are_taken(unit):
    labels = np.random.default_rng(0).normal(size=(300, 1))
    for offset in (0.0, -384.0, 1e7):
        check_labels(unit * (offset + labels), ["y"], range(300), "a.csv")
    check_labels(np.zeros((5, 1)), ["y"], range(5), "a.csv")
    check_labels(np.full((5, 1), np.nan), ["y"], range(5), "a.csv")
