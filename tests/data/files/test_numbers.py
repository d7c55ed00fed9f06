"""One reader of numbers that people wrote."""

import datetime
import decimal
import math

import numpy as np
import pandas as pd
import pytest

from chemvae.data.files.numbers import DECIMAL, read_number, read_numbers


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("5", 5.0),
        (" -2.5e-1 ", -0.25),
        ("+3.", 3.0),
        (".5", 0.5),
        ("−3.5", -3.5),
        ("– 3.5", -3.5),
        ("- 3.5", -3.5),
        ("1\u202f234.5", 1234.5),
        ("1 234", 1234.0),
        ("1'234'567", 1234567.0),
        ("1,234,567.8", 1234567.8),
        ("1.234.567,8", 1234567.8),
        ("1,200.5", 1200.5),
        ("\u200b7\ufeff", 7.0),
        ("４２．５", 42.5),
        ("1.2×10^5", 1.2e5),
        ("1.2 x 10^-3", 1.2e-3),
        ("3·10⁻⁷", 3e-7),
        (7, 7.0),
        (np.float32(0.5), 0.5),
        (np.int8(3), 3.0),
        (decimal.Decimal("2.5"), 2.5),
        ("1e-15", 1e-15),
        ("0e-400", 0.0),
        ("\u20115", -5.0),
        ("\u2010 1.5", -1.5),
        ("\u00ad5", 5.0),
        ("\u20665\u2069", 5.0),
        (True + 1, 2.0),
    ],
)
def test_what_clearly_is_a_number_is_read(cell, value):
    assert read_number(cell).value == value and not read_number(cell).problem


@pytest.mark.parametrize(
    "cell",
    ["", " ", "NaN", "n/a", "-", "—", "#N/A", None, math.nan, pd.NA, pd.NaT, np.datetime64("NaT"), "pending", "n.d.", "TBD"],
)
def test_what_clearly_is_empty_is_open(cell):
    assert read_number(cell).is_open


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (True, "true or false"),
        (np.bool_(False), "true or false"),
        (pd.Timestamp("2026-05-03"), "date"),
        (datetime.date(2026, 5, 3), "date"),
        (datetime.time(3, 5), "date or time"),
        (np.timedelta64(3, "D"), "date or time"),
        ("#DIV/0!", "error cell"),
        ("#VALUE!", "error cell"),
        ("=A1*2", "formula"),
        ("5 nM", "units"),
        ("5 ± 0.1", "units"),
        ("5-6", "units"),
        ("12%", "units"),
        ("1e400", "not finite"),
        ("1e-400", "too small"),
        (10**400, "no floating-point number can hold"),
        (decimal.Decimal("sNaN"), "no floating-point number can hold"),
        ("1\n200", "several lines"),
        ("-\n5", "several lines"),
        ("1\t200", "tabs"),
        ("0,500", "point"),
        ("<LOD", "'<LOD' is no bound"),
        (">>10", "'>>10' is no bound"),
        (math.inf, "not finite"),
        ("inf", "no number"),
        ("1,5", "point"),
        ("1,200", "1200 or 1.200"),
        ("high", "no number"),
        ([1], "list"),
        ("0x10", "units"),
        ("1_000", "units"),
        ("5²", "units"),
        ("1.234.5", "no number"),
        (3 + 0j, "complex"),
        ("~5", "no number"),
        ("--5", "no number"),
    ],
)
def test_the_rest_is_refused_with_its_reason(cell, words):
    found = read_number(cell)
    assert math.isnan(found.value) and words in found.problem and not found.is_open


@pytest.mark.parametrize(
    ("text", "side", "limit"), [(">10", ">", 10), ("< 0.5", "<", 0.5), ("≥1e3", ">", 1000), ("<=−2", "<", -2)]
)
def test_a_bound_says_its_side_and_limit_and_is_no_value(text, side, limit):
    found = read_number(text)
    assert (found.bound, found.limit) == (side, limit) and math.isnan(found.value) and "bound" in found.problem
    assert read_number(">high").problem == "'>high' is no bound: 'high' is no number"


def test_nothing_is_made_of_a_group_that_could_be_thousands_or_a_fraction():
    frame = pd.DataFrame(
        {"y": ["1,5", "1.000", "2.500", "<1.000", "0.500", "10.000,5"], "z": ["1.000", "2.500", "", "", "", ""]}
    )
    frame.attrs[DECIMAL] = ","
    found = read_numbers(frame["y"])
    np.testing.assert_array_equal(found.values, [1.5, np.nan, np.nan, np.nan, 0.5, 10000.5])
    assert found.refused[1] == "'1.000' is 1000 or 1,000; write it without a point" and sorted(found.refused) == [1, 2, 3]
    assert read_numbers(frame["z"]).values[:2].tolist() == [1.0, 2.5]  # nothing in it is written with a comma
    np.testing.assert_array_equal(read_numbers(["1,200", "0,500"], ".").values, [1200.0, np.nan])


def test_numbers_that_a_computer_cannot_hold_are_no_zeros():
    found = read_numbers(["0", "0.0", "1e-400", "-2e-999", 0.0])
    np.testing.assert_array_equal(found.values, [0.0, 0.0, np.nan, np.nan, 0.0])
    assert sorted(found.refused) == [2, 3]
    assert read_numbers(pd.Series([1 + 2j])).refused == {0: "a complex128 is no number"}


def test_the_file_says_what_a_comma_means():
    assert read_number("2,5", ",").value == 2.5 and read_number("1,234", ",").value == 1.234
    assert read_number("1.234,5", ",").value == 1234.5 and read_number("2.5", ",").value == 2.5
    assert read_number("1,200", ".").value == 1200.0 and read_number("1,5", ".").problem


def test_a_column_is_read_by_what_its_frame_says_of_decimals():
    frame = pd.DataFrame({"y": ["2", "2,5", "x", ">3", None]})
    frame.attrs[DECIMAL] = ","
    column = read_numbers(frame["y"])
    np.testing.assert_array_equal(column.values, [2.0, 2.5, np.nan, np.nan, np.nan])
    assert column.bad.tolist() == [False, False, True, True, False] and column.bounds == {3: (">", 3.0)}
    assert read_numbers(pd.Series(frame["y"].tolist())).bad.tolist() == [False, True, True, True, False]


@pytest.mark.parametrize(
    "series",
    [pd.Series(pd.to_datetime(["2024-01-05", None])), pd.Series([True, None], dtype=object), pd.Series([True, False])],
)
def test_dates_and_truth_values_of_a_typed_column_are_no_numbers(series):
    column = read_numbers(series)
    assert np.isnan(column.values).all() and column.bad[0]


def test_numbers_of_a_typed_column_are_taken_as_they_are():
    column = read_numbers(pd.Series([1, None, np.inf], dtype="Float64"))
    np.testing.assert_array_equal(column.values, [1.0, np.nan, np.nan])
    assert column.bad.tolist() == [False, False, True]
    assert read_numbers(pd.Series(np.array([2**53 + 1], dtype=np.int64))).values[0] == float(2**53)


def test_every_float_that_python_writes_comes_back():
    rng = np.random.default_rng(0)
    values = rng.normal(size=200) * 10.0 ** rng.integers(-300, 300, size=200)
    assert [read_number(repr(float(value))).value for value in values] == values.tolist()
    np.testing.assert_array_equal(read_numbers([f" {value!r}\n" for value in values.tolist()]).values, values)
    np.testing.assert_array_equal(read_numbers([repr(float(value)) for value in values]).values, values)
