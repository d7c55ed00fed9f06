"""The table of calculators: what they refuse and why, and how they appear among the properties."""

import numpy as np
import pytest

from chemvae.chem.properties import PROPERTIES, compute, compute_table, job_limit
from chemvae.chem.quantum import methods
from chemvae.chem.quantum.methods import METHODS
from chemvae.chem.quantum.structure import Structure
from chemvae.design import PropertyOracle
from chemvae.errors import MissingExtraError


def atoms(numbers, charge=0):
    return Structure("x", np.array(numbers), np.zeros((len(numbers), 3)), charge)


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_each_quantity_is_a_property_that_says_what_it_costs(method):
    for quantity in method.quantities:
        row = PROPERTIES[f"{method.name}_{quantity.name}"]
        assert row.is_dear and row.needs_conformer and row.unit == quantity.unit and row.max_jobs == method.max_jobs
        assert row.seconds == method.seconds < method.timeout_s


def test_every_method_is_there_on_both_geometries():
    plain = {name for name, method in METHODS.items() if method.geometry == "mmff"}
    assert {f"{name}_opt" for name in plain} == METHODS.keys() - plain
    assert all("tblite" in METHODS[f"{name}_opt"].packages for name in plain)


def test_memory_limits_the_jobs_of_density_functionals():
    assert job_limit(["xtb_gap"], 64) == 64 and job_limit(["xtb_gap", "tda_S1"], 64) == METHODS["tda"].max_jobs


@pytest.mark.parametrize(
    ("name", "structure", "reason"),
    [
        ("xtb", atoms([6, 1, 1, 1]), "odd number of electrons"),
        ("xtb", atoms([6, 1, 1, 1], charge=1), ""),
        ("tddftb", atoms([5, 1, 1, 1]), "no parameters for B"),
        ("ris", atoms([53, 1]), "no parameters for I; its parameters end with Kr"),
        ("tda", atoms([6] * 61), "61 heavy atoms are more than the 60 that tda takes"),
        ("xtb", atoms([0, 1]), "no parameters for"),
    ],
)
def test_what_cannot_be_computed_is_refused_with_the_reason(name, structure, reason):
    said = METHODS[name].refusal(structure)
    assert reason in said and bool(said) == bool(reason)


def test_a_program_that_is_not_there_is_named_with_its_extra(monkeypatch):
    monkeypatch.setattr(methods, "_is_installed", lambda module: False)
    for ask in (
        lambda: compute("xtb_gap", "C"),
        lambda: compute_table(["C"], ["xtb_gap"]),
        lambda: PropertyOracle("XTB_gap"),
    ):
        with pytest.raises(MissingExtraError, match=r"'xtb' needs tblite.*chemvae\[qc\]"):
            ask()
    with pytest.raises(MissingExtraError, match=r"'tda' needs pyscf.*chemvae\[dft\]"):
        PropertyOracle("tda_S1")
