"""Properties against values from the literature, from arithmetic, and from RDKit's own functions."""

import math

import pytest
from rdkit import Chem
from rdkit.Chem import QED

from chemvae.chem.conformers import conformer
from chemvae.chem.properties import PROPERTIES, _qed_parts, affordable, compute, compute_table
from chemvae.errors import UnknownNameError

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


@pytest.mark.parametrize(
    ("name", "value", "tolerance"),
    [
        ("MW", 180.16, 0.01),  # from atomic weights
        ("TPSA", 63.60, 0.01),  # Ertl 2000: ester 26.30, acid 37.30
        ("logP", 1.310, 0.001),
        ("qed", 0.550, 0.001),
        ("SAS", 1.580, 0.001),
        ("HBD", 1, 0),
        ("HBA", 3, 0),
        ("rotatable_bonds", 2, 0),
        ("rings", 1, 0),
        ("aromatic_rings", 1, 0),
        ("heavy_atoms", 13, 0),
        ("fraction_csp3", 1 / 9, 1e-12),
        ("stereocentres", 0, 0),
        ("charge", 0, 0),
    ],
)
def test_aspirin(name, value, tolerance):
    assert compute(name, ASPIRIN) == pytest.approx(value, abs=tolerance)


def test_counts_on_small_molecules():
    assert compute("charge", "C[NH3+]") == 1
    assert compute("stereocentres", "C[C@H](O)C(N)Cl") == 2
    assert compute("rings", "C1CC2CCC1C2") == 2


def test_penalized_logp_is_the_formula():
    logp, sas = compute("logP", "C1CCCCCCC1"), compute("SAS", "C1CCCCCCC1")
    expected = (logp - 2.4570953) / 1.4343244 - (sas - 3.0525811) / 0.8335207 - (2 - 0.0485697) / 0.2860212
    assert compute("penalized_logP", "C1CCCCCCC1") == pytest.approx(expected)
    assert PROPERTIES["penalized_logP"].exploitable
    assert compute("penalized_logP", "C" * 40) > compute("penalized_logP", "C" * 20)  # why it is called exploitable


def test_qed_is_rdkit_s():
    for smiles in (ASPIRIN, "c1ccc2c(c1)[nH]c1ccccc12", "C[N+](C)(C)C"):
        assert compute("qed", smiles) == QED.qed(Chem.MolFromSmiles(smiles))


def test_names_ignore_case_and_unknown_ones_bring_the_nearest():
    assert compute("LOGP", "CCO") == compute("logP", "CCO")
    with pytest.raises(UnknownNameError, match="Did you mean 'logP'"):
        compute("logPP", "CCO")


def test_table_keeps_order_and_counts_rows_that_are_not_molecules():
    table = compute_table(["CCO", "C1", "", ASPIRIN], ["tpsa", "MW"])
    assert list(table.columns) == ["TPSA", "MW"]
    assert table.isna().any(axis=1).tolist() == [False, True, True, False]
    assert table["MW"][3] == compute("MW", ASPIRIN)


def test_empty_table_has_its_columns():
    table = compute_table([], ["qed"])
    assert table.shape == (0, 1)


@pytest.mark.parametrize("name", [name for name in affordable(PROPERTIES) if PROPERTIES[name].require is None])
def test_every_property_is_finite_and_plausible_on_drugs(name):
    prop = PROPERTIES[name]
    values = [compute(name, s) for s in (ASPIRIN, "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "CC(C)Cc1ccc(cc1)C(C)C(=O)O")]
    assert all(math.isfinite(value) for value in values)
    assert all(prop.low - 1 <= value <= prop.high + 1 for value in values)
    assert prop.unit and prop.source


def test_the_parts_of_qed_are_rdkit_s(molecules):
    exotic = ["[2H]c1ccccc1", "[H][H]", "C[Si](C)(C)C", "[Na+].[Cl-]", "O=C1c2ccccc2C(=O)N1", "CN1CCC[C@H]1c1cccnc1", "[13CH4]"]
    for smiles in [*molecules, *exotic]:
        mol = Chem.MolFromSmiles(smiles)
        assert _qed_parts(mol) == QED.properties(mol), smiles
        assert compute("qed", smiles) == QED.qed(Chem.MolFromSmiles(smiles))


def test_a_conformer_that_would_be_sought_for_minutes_is_refused_at_once():
    with pytest.raises(ValueError, match="more than 200 heavy atoms"):
        conformer("C" * 500)
