"""What a program may say of a molecule: numbers that stand for failures are none, reasons can be shown anywhere."""

import math

import numpy as np
import pytest

from chemvae.design.oracles.score import LARGEST_SCORE, LONGEST_REASON, Score, is_usable, plain_reason


@pytest.mark.parametrize("value", [0.0, -3.5, 1e99, -LARGEST_SCORE, float(np.float32(0.1))])
def test_ordinary_numbers_are_scores(value):
    assert is_usable(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1.1e100, -np.finfo(float).max])
def test_numbers_that_stand_for_a_failure_are_none(value):
    assert not is_usable(value)


@pytest.mark.parametrize("text", ["a\x00b", "a\nb", "a\tb", "a\u202eb", "a\ud800b", "a" * 10**6, "\x1b[31m" * 10_000])
def test_a_reason_is_one_printable_line_of_bounded_length(text):
    found = plain_reason(text)
    assert found.isprintable() and 0 < len(found) <= LONGEST_REASON
    found.encode("utf-8")


def test_a_plain_reason_stays_as_it_is():
    assert plain_reason("timed out after 5 s") == "timed out after 5 s" == Score((math.nan,), "timed out after 5 s").reason


def test_a_score_has_failed_where_any_of_its_values_is_missing():
    assert Score((1.0, math.nan)).failed and Score((math.nan,)).failed and not Score((1.0, 0.0)).failed
