"""Several measurements of one molecule are one: the median of exact values, the tightest bound, or a failure with reasons."""

import math

from chemvae.design.evaluators.measurement import Measurement
from chemvae.design.evaluators.replicates import merge_replicates


def merged(*rows):
    return merge_replicates([Measurement("CCO", *row) for row in rows])


def test_equal_rows_are_one_row_without_remark():
    assert merged(((5.0,),), ((5.0,),)) == Measurement("CCO", (5.0,))


def test_of_exact_values_it_is_the_median_whatever_their_order():
    for values in ((1.0, 9.0, 2.0), (9.0, 2.0, 1.0)):
        found = merged(*(((value,),) for value in values))
        assert found.values == (2.0,) and found.reason == "median of 3 values, 1 to 9" and not found.bounds


def test_an_exact_value_outdoes_every_bound():
    assert merged(((9.0,), "", (">",)), ((4.0,),)).values == (4.0,)


def test_of_bounds_on_one_side_the_tightest_holds():
    assert merged(((5.0,), "", (">",)), ((7.0,), "", (">",))) == Measurement("CCO", (7.0,), ">7 is a bound", (">",))
    assert merged(((5.0,), "", ("<",)), ((7.0,), "", ("<",))).values == (5.0,)


def test_bounds_on_both_sides_are_no_value():
    found = merged(((5.0,), "", (">",)), ((7.0,), "", ("<",)))
    assert math.isnan(found.values[0]) and found.failed and not found.bounds


def test_failures_say_each_reason_once_and_values_of_several_names_are_merged_apart():
    found = merged(((math.nan,), "did not dissolve"), ((math.nan,), "lost"), ((math.nan,), "lost"))
    assert found.failed and found.reason == "did not dissolve; lost"
    two = merged(((1.0, math.nan), "no second"), ((3.0, 8.0),))
    assert two.values == (2.0, 8.0) and not two.failed


def test_a_value_that_is_not_finite_counts_as_none():
    assert merged(((math.inf,),), ((3.0,),)).values == (3.0,)
