"""A line of a record is believed only where every field is what it should be; a wrong one is named with what it is."""

import math

import numpy as np
import pytest

from chemvae.design.evaluators.fields import Fields
from chemvae.design.origin import UNKNOWN, Origin

LINE = Fields(
    {
        "call": 3, "smiles": "CCO", "score": [1.5, None], "seconds": 2, "z": [0.5, -1.0], "bounds": [">", ""], "note": "",
        "stream": "neighbour", "parent": ["CC"], "rows": [{"call": 4}],
    }
)  # fmt: skip


def test_good_fields_come_as_they_are():
    assert (LINE.whole("call"), LINE.text("smiles"), LINE.number("seconds")) == (3, "CCO", 2.0)
    score = LINE.numbers("score", 2)
    assert score[0] == 1.5 and math.isnan(score[1]) and LINE.bounds("bounds", 2) == (">", "")
    assert LINE.point("z").dtype == np.float32 and LINE.point("z", 2).tolist() == [0.5, -1.0]
    assert LINE.origin() == Origin("neighbour", ("CC",)) and LINE.rows("rows")[0].whole("call") == 4
    assert LINE.text("note", may_be_empty=True) == "" and LINE.bounds("missing", 2) == ()


def test_a_line_of_before_has_no_origin():
    assert Fields({"call": 1}).origin() is UNKNOWN


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (lambda: LINE.whole("smiles"), "its smiles is CCO, and no whole number"),
        (lambda: LINE.whole("call", 4), "its call is 3, and no whole number from 4"),
        (lambda: LINE.whole("call", 0, 2), "its call is 3"),
        (lambda: LINE.whole("missing"), "its missing is missing"),
        (lambda: LINE.text("call"), "its call is 3, and no text"),
        (lambda: LINE.text("note"), "its note is , and no text"),
        (lambda: LINE.number("smiles"), "no number"),
        (lambda: LINE.numbers("smiles"), "no list of numbers"),
        (lambda: LINE.numbers("bounds"), "its bounds is >, and no number"),
        (lambda: LINE.point("z", 3), "2 numbers under z, and 3 are due"),
        (lambda: LINE.bounds("bounds", 1), "no list of bounds"),
        (lambda: LINE.rows("call"), "no list"),
        (lambda: Fields({"stream": "prior", "parent": [""]}).origin(), "no list of molecules"),
        (lambda: Fields({"stream": "prior", "parent": "CC"}).origin(), "no list of molecules"),
        (lambda: Fields([1, 2]), "stands where fields with names should"),
    ],
)
def test_a_wrong_field_is_named(read, words):
    with pytest.raises(ValueError, match=words):
        read()


@pytest.mark.parametrize("value", [math.nan, math.inf, -1e308, True, "1", None])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(ValueError):
        Fields({"y": value}).number("y")
