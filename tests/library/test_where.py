"""Conditions mean what they say, a missing value fulfils nothing, and no text is ever run."""

import numpy as np
import pytest

from chemvae.errors import SettingsError, UnknownNameError
from chemvae.library.where import Where

COLUMNS = {"logP": np.array([0.0, 1.0, 2.0, 3.0, np.nan]), "MW": np.array([100.0, 200, 300, 400, 500]), "a b": np.arange(5.0)}


@pytest.mark.parametrize(
    "text, rows",
    [
        ("1<logP<3", [2]),
        ("1 <= logP <= 3", [1, 2, 3]),
        ("3 > logP >= 1", [1, 2]),
        ("logP == 2", [2]),
        ("logP = 2", [2]),
        ("logP != 2", [0, 1, 3]),
        ("not logP < 2", [2, 3]),
        ("not (logP < 2 or MW > 350)", [2]),
        ("logP < 1 or MW >= 500", [0, 4]),
        ("logP < 3 and not MW == 200", [0, 2]),
        ("MW - 100*logP > 150", []),
        ("MW / 100 == logP + 1", [0, 1, 2, 3]),
        ("-logP < -1", [2, 3]),
        ("`a b` > 3", [4]),
        ("`a b` >= 1 and `logP` < 3", [1, 2]),
        ("MW > 1e2 and MW < .25e3", [1]),
        ("MW / 0 > 1", [0, 1, 2, 3, 4]),
        ("\n 1<logP\n", [2, 3]),
    ],
)
def test_rows_that_hold(text, rows):
    where = Where(text)
    columns = {name: COLUMNS[name] for name in where.columns()}
    assert np.flatnonzero(where.holds(columns)).tolist() == rows


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "logP",
        "1<2",
        "__import__('os').system('true') < 1",
        "logP.real < 1",
        "logP[0] < 1",
        "(lambda: 1)() < logP",
        "logP < 'a'",
        "logP in (1, 2)",
        "logP is 1",
        "logP < 1j",
        "[x for x in logP] < 1",
        "logP < 1; MW < 2",
        "logP < True",
        "logP & MW",
        "logP <",
        "logP < 1 if MW < 2 else MW < 3",
        "f'{logP}' < 1",
        "(logP := 3) < 1",
        "logP ** MW < 1",
        "~logP < 1",
        "a b < 1",
        "`a b < 1",
        "-" * 1900 + "logP < 1",
        "(" * 300 + "logP" + ")" * 300 + " < 1",
        "logP < 1 " * 900,
        "logP\0 < 1",
        "logP < 1" + "0" * 400,
        "*logP < 1",
        "await logP < 1",
        "logP < 1 and MW",
        "not MW",
        "logP << 2 < 1",
    ],
)
def test_what_is_no_condition_is_refused_with_a_sentence(text):
    with pytest.raises(SettingsError, match="write for instance"):
        Where(text)


def test_columns_are_found_in_any_case_and_misspelt_ones_bring_the_nearest():
    assert Where("LOGP < 1 and mw > 2").matched(COLUMNS) == {"LOGP": "logP", "mw": "MW"}
    with pytest.raises(UnknownNameError, match="Did you mean 'logP'"):
        Where("lgP < 1").matched(COLUMNS)
