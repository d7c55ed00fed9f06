"""Constraints: reading them, holding them, counting what they turn away."""

import numpy as np
import pytest

from chemvae.chem.fingerprints import tanimoto
from chemvae.design.filters.chain import FilterChain
from chemvae.design.filters.parsing import gather_constraints
from chemvae.design.filters.property_bounds import Constraint, Range, parse_constraint
from chemvae.design.filters.structure import Alerts, Similarity, Substructure
from chemvae.errors import SettingsError, UnknownNameError
from tests.design.toys import ToyModel, chain


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


def test_similarity_is_tanimoto_to_the_nearest():
    references = ("CCCO", "c1ccccc1O")
    molecules = ["CCO", "Cc1ccccc1O", "CCCCCCN"]
    best = tanimoto(molecules, list(references)).max(axis=1)
    for minimum in (0.2, 0.5, 0.8):
        np.testing.assert_array_equal(Similarity(references, minimum).allows(molecules), best >= minimum)
    assert Similarity(references, 1.0).allows(["OCCC"])[0]


def test_scaffold_and_forbidden_group_are_opposites():
    molecules = ["Cc1ccccc1", "CCO", "Nc1ccccc1"]
    keep, forbid = (
        Substructure("c1ccccc1", wanted=True).allows(molecules),
        Substructure("c1ccccc1", wanted=False).allows(molecules),
    )
    assert keep.tolist() == [True, False, True] and (keep != forbid).all()


def test_alerts_know_an_azide_and_a_catechol():
    assert Alerts().allows(["CCCO", "CCN=[N+]=[N-]"]).tolist() == [True, False]
    assert Alerts(("pains",)).label == "no alerts (PAINS)"
    with pytest.raises(UnknownNameError, match="PAINS"):
        Alerts(("PAIN",))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"min_similarity": 1.4, "start": ["CCO"]}, "0..1"),
        ({"min_similarity": 0.4}, "needs a molecule"),
        ({"scaffold": "c1cc("}, "not a SMARTS"),
        ({"forbid": ["[N"]}, "not a SMARTS"),
    ],
)
def test_mistakes_are_named(settings, words):
    with pytest.raises(SettingsError, match=words):
        gather_constraints(**settings)


def test_the_gate_names_the_first_and_counts_each():
    gate = FilterChain(gather_constraints(["rings>0", "HBD<1"], forbid="Cl"))
    assert gate.reasons(["c1ccccc1", "OCCl", "Oc1ccccc1"]) == ["", "rings > 0", "HBD < 1"]
    assert dict(gate.counts) == {"rings > 0": 1, "HBD < 1": 2, "without Cl": 1}


def test_a_molecule_seen_again_is_not_counted_again():
    gate = FilterChain([Constraint("rings", ">", 0)])
    for _ in range(3):
        assert gate.reasons(["CCO", "CCO"]) == ["rings > 0"] * 2
    assert gate.counts["rings > 0"] == 1


def test_what_rdkit_cannot_compute_is_predicted():
    gate = FilterChain([parse_constraint("5<=carbons<=7")], ToyModel())
    assert gate.reasons([chain(1, 1), chain(2, 1), chain(3, 2), chain(9, 9)]) == [
        "5 <= carbons <= 7",
        "",
        "",
        "5 <= carbons <= 7",
    ]


def test_an_unknown_property_is_named_at_once():
    with pytest.raises(UnknownNameError, match="Did you mean 'SAS'"):
        FilterChain([Constraint("SASS", "<", 3)])


def test_no_constraints_let_everything_through():
    assert FilterChain([]).reasons(["CCO"]) == [""] and gather_constraints() == []
