"""Bounds on properties: how they are read, and where exactly they lie."""

import numpy as np
import pytest

from chemvae.design.filters.property_bounds import Constraint, Range, parse_constraint
from chemvae.errors import SettingsError
from tests.contracts.filter_contract import FilterContract


class TestConstraint(FilterContract):
    allowed = ("c1ccccc1", "C1CC1", "c1ccc2ccccc2c1")
    refused = ("CCO", "CC(=O)O")

    def make_filter(self):
        return Constraint("rings", ">=", 1)


class TestRange(FilterContract):
    allowed = ("CCO", "c1ccccc1O")  # 46 and 94 g/mol
    refused = ("C", "c1ccc2ccccc2c1", "CCCCCCCCCCCC")  # 16, 128 and 170

    def make_filter(self):
        return parse_constraint("40 < MW <= 100")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SAS<3", Constraint("SAS", "<", 3.0)),
        ("MW <= 500", Constraint("MW", "<=", 500.0)),
        ("logP>-1.5", Constraint("logP", ">", -1.5)),
        ("rings >= 2", Constraint("rings", ">=", 2.0)),
        ("HBD==1", Constraint("HBD", "==", 1.0)),
        ("HBD = 1", Constraint("HBD", "==", 1.0)),
        ("3 > SAS", Constraint("SAS", "<", 3.0)),
        ("1e2<=MW", Constraint("MW", ">=", 100.0)),
        ("1<logP<3", Range(Constraint("logP", ">", 1.0), Constraint("logP", "<", 3.0))),
        ("3 >= logP > 1", Range(Constraint("logP", ">", 1.0), Constraint("logP", "<=", 3.0))),
    ],
)
def test_reading(text, expected):
    assert parse_constraint(text) == expected


@pytest.mark.parametrize("text", ["", "SAS", "SAS<", "<3", "SAS<<3", "1<logP>3", "SAS<three", "1<2", "3<logP<1"])
def test_what_cannot_be_read_is_named(text):
    with pytest.raises(SettingsError):
        parse_constraint(text)


@pytest.mark.parametrize("text", ["SAS < 3", "HBD == 1", "1 < logP <= 3"])
def test_labels_read_back(text):
    assert parse_constraint(text).label == text


def test_bounds_are_sharp_and_nan_fulfils_nothing():
    values = np.array([0.9, 1.0, 2.0, 3.0, np.nan])
    assert parse_constraint("1<logP<=3").holds(values).tolist() == [False, False, True, True, False]
    for sign in ("<", "<=", ">", ">=", "=="):
        assert not Constraint("logP", sign, 0.0).holds(np.array([np.nan]))[0]
