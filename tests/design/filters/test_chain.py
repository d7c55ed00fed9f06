"""The gate: it names what is broken first, and counts what each constraint turns away."""

import pytest

from chemvae.design.filters.chain import FilterChain
from chemvae.design.filters.parsing import gather_constraints
from chemvae.design.filters.property_bounds import Constraint, parse_constraint
from chemvae.errors import UnknownNameError
from tests.design.toys import ToyModel, chain


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


def test_what_is_forgotten_is_judged_again_and_counted_once(monkeypatch):
    monkeypatch.setattr("chemvae.design.filters.chain.MOST_REMEMBERED", 5)
    gate = FilterChain([Constraint("rings", ">", 0)])
    many = ["C" * n for n in range(1, 30)] + ["c1ccccc1"]
    for _ in range(3):
        assert gate.reasons(many) == ["rings > 0"] * 29 + [""]
        assert len(gate._reasons) == 5
    assert gate.counts["rings > 0"] == 29


def test_without_constraints_nothing_is_remembered():
    gate = FilterChain([])
    assert gate.reasons(["CCO", "C"]) == ["", ""] and not gate._reasons
