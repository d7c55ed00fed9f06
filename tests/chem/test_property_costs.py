"""Properties that say what they cost, that they need a conformer, and how many may run at once; values computed once."""

import math

import numpy as np
import pytest

from chemvae.chem.properties import PROPERTIES, Property, affordable, compute, compute_table, conformer, job_limit
from chemvae.chem.property_table import PropertyTable
from chemvae.design import PropertyOracle
from chemvae.errors import SettingsError, UnknownNameError


def add(monkeypatch, name, function, **costs):
    monkeypatch.setitem(PROPERTIES, name, Property(name, "1", 0.0, 1.0, "a test", function, **costs))


def test_the_usual_ones_are_cheap_and_unlimited_and_come_before_what_is_calculated():
    usual = [name for name in affordable(PROPERTIES) if PROPERTIES[name].require is None]
    assert usual == list(PROPERTIES)[: len(usual)] and usual[0] == "logP" and "qed" in usual
    assert not any(row.needs_conformer or row.max_jobs or row.require for row in map(PROPERTIES.get, usual))
    assert job_limit(usual, 0) == 0 and job_limit(usual, 7) == 7


def test_the_smallest_limit_counts_for_an_oracle_too(monkeypatch):
    add(monkeypatch, "one", len, max_jobs=1)
    add(monkeypatch, "three", len, max_jobs=3)
    assert [job_limit(names, 8) for names in (["three", "qed"], ["three", "one"])] == [3, 1]
    oracle = PropertyOracle("three", "qed")
    assert oracle.jobs == 1
    oracle.jobs = 8
    assert oracle.jobs == 3
    oracle.jobs = 2
    assert oracle.jobs == 2
    alone = PropertyOracle("one")
    alone.jobs = 0  # one per core, if it were not for the limit
    assert alone.jobs == 1


def test_a_dear_one_is_computed_where_it_is_asked_for(monkeypatch):
    add(monkeypatch, "dear", lambda mol: 5.0, seconds=3600.0)
    assert affordable(["dear", "qed"]) == ["qed"] and compute("dear", "C") == 5.0
    assert compute_table(["C"], ["dear"])["dear"].tolist() == [5.0]


def test_a_conformer_has_hydrogens_and_is_the_same_each_time(monkeypatch):
    def span(mol):
        positions = mol.GetConformer().GetPositions()
        return float(np.linalg.norm(positions[:, None] - positions[None], axis=-1).max())

    add(monkeypatch, "span", span, needs_conformer=True)
    add(monkeypatch, "flat", span)
    methane = conformer("C")
    bonds = [
        np.linalg.norm(methane.GetConformer().GetPositions()[i] - methane.GetConformer().GetPositions()[0]) for i in range(1, 5)
    ]
    assert methane.GetNumAtoms() == 5 and np.allclose(bonds, 1.09, atol=0.02)  # Angstrom
    first = compute("span", "CCCCCC")
    conformer.cache_clear()
    assert compute("span", "CCCCCC") == first > compute("span", "CC") > 2.0
    assert math.isnan(compute("flat", "CC"))  # it did not say that it needs one


@pytest.mark.parametrize("costs", [{"seconds": -1.0}, {"max_jobs": 0}])
def test_what_cannot_be_meant_is_refused(costs):
    with pytest.raises(SettingsError, match="property 'x' must have"):
        Property("x", "1", 0.0, 1.0, "a test", len, **costs)


class TestTable:
    def test_it_gives_what_compute_table_gives_and_each_only_once(self, monkeypatch):
        asked = []
        add(monkeypatch, "noted", lambda mol: asked.append(1) or float(mol.GetNumAtoms()))
        table, smiles = PropertyTable(), ["CCO", "c1ccccc1", "CCO", "not a molecule"]
        expected = compute_table(smiles, ["noted", "logP"])
        asked.clear()
        found = table.compute(smiles, ["NOTED", "logp"])
        assert found.equals(expected) and len(asked) == 2
        assert table.compute([*smiles, "C"], ["noted"])["noted"].tolist()[-1] == 1.0 and len(asked) == 3

    def test_values_from_elsewhere_are_taken_as_they_are(self):
        table = PropertyTable()
        table.add("qed", "CCO", math.nan)
        assert table.knows("qed", "CCO") and not table.knows("qed", "C")
        assert math.isnan(table.compute(["CCO"], ["qed"]).iloc[0, 0])
        assert np.isnan(table.known(["C"], "logP")).all()

    def test_nothing_and_nonsense(self):
        assert PropertyTable().compute([], ["qed"]).shape == (0, 1)
        with pytest.raises(UnknownNameError, match="Did you mean 'logP'"):
            PropertyTable().compute(["C"], ["lgP"])
