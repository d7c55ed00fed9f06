"""Many columns of numbers at once: the same as one by one, and no call for each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from chemvae.data.files import number_columns
from chemvae.data.files.number_columns import Refusals, read_columns
from chemvae.data.files.numbers import DECIMAL, read_numbers
from chemvae.data.files.writing import as_text, as_text_table

KINDS = {
    "texts": ["1.5", "", "high", ">3"],
    "numbers": [1.0, np.nan, np.inf, 3.0],
    "whole": pd.array([1, None, 3, 4], dtype="Int64"),
    "truth": [True, False, True, False],
    "dates": pd.to_datetime(["2024-01-01", None, "2024-01-03", "2024-01-04"]),
    "mixed": pd.Series([1, "2", None, pd.Timestamp("2024-01-01")], dtype=object),
    "names": pd.Categorical(["1", "x", "1", None]),
}


def _equal(one, other) -> bool:
    same = np.array_equal(one.values, other.values, equal_nan=True)
    return same and one.refused == other.refused and one.bounds == other.bounds


def test_columns_of_every_kind_say_together_what_each_says_alone():
    frame = pd.DataFrame(KINDS)
    for name, column in zip(frame.columns, read_columns(frame), strict=True):
        assert _equal(column, read_numbers(frame[name])), name


@pytest.mark.parametrize("decimal", ["", ".", ","])
def test_the_files_decimal_sign_holds_for_all_columns(decimal):
    frame = pd.DataFrame({"a": ["1,5", "2"], "b": ["1,200", "3"]})
    frame.attrs[DECIMAL] = decimal
    for name, column in zip(frame.columns, read_columns(frame), strict=True):
        assert _equal(column, read_numbers(frame[name], decimal)), name


@pytest.mark.parametrize("frame", [pd.DataFrame(), pd.DataFrame({"a": []}), pd.DataFrame(index=[1, 2])])
def test_tables_without_rows_or_columns_are_read(frame):
    assert [len(column.values) for column in read_columns(frame)] == [len(frame)] * frame.shape[1]


def test_ten_thousand_columns_are_read_at_once(monkeypatch):
    calls = []
    monkeypatch.setattr(number_columns, "read_numbers", lambda *given: calls.append(1) or read_numbers(*given))
    frame = pd.DataFrame(np.full((3, 10_000), "2", dtype=object), columns=[f"c{i}" for i in range(10_000)])
    frame.iloc[1, 7] = "x"
    refusals = Refusals()
    found = refusals.read(frame)
    assert len(calls) == 1
    assert sum(np.nansum(column.values) for column in found.values()) == 2 * (3 * 10_000 - 1)
    assert refusals.counts == {"c7": 1}


def test_wide_tables_stay_in_few_blocks_when_texts_are_made_safe():
    frame = pd.DataFrame(np.full((2, 500), "CCO", dtype=object), columns=[f"c{i}" for i in range(500)], dtype=object)
    frame.iloc[0, 3] = "=1+1"
    table = as_text_table(frame.assign(y=[1, 2]))
    assert table.iloc[0, 3] == as_text("=1+1") and table["y"].dtype == int
    assert list(table.columns) == [*frame.columns, "y"]
    assert sum(map(pd.api.types.is_object_dtype, table.dtypes)) == 500
    assert table.to_csv(index=False).count("'=1+1") == 1


def test_a_column_with_decimal_commas_says_nothing_of_the_others():
    frame = pd.DataFrame({"a": ["1,5", "2,5"], "b": ["1.000", "2.500"], "c": ["1.000", "0,5"]})
    frame.attrs[DECIMAL] = ","
    a, b, c = read_columns(frame)
    assert a.values.tolist() == [1.5, 2.5] and b.values.tolist() == [1.0, 2.5]
    assert list(c.refused) == [0] and c.values[1] == 0.5
