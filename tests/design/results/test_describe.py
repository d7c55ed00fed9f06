"""The best molecules with what is known of them."""

from chemvae.chem.properties import compute
from chemvae.design.results.describe import describe_molecules
from tests.design.toys import ToyModel, chain


def test_molecules_carry_computed_beside_predicted_values(result):
    table = result.molecules
    assert table["qed"].tolist() == [compute("qed", smiles) for smiles in table["smiles"]]
    assert {"logP", "SAS", "MW", "carbons_predicted", "carbons_predicted_std", "distance"} <= set(table.columns)
    assert table["score"].is_monotonic_decreasing and table["smiles"].is_unique


def test_novelty_and_neighbours(result):
    table = result.molecules.set_index("smiles")
    assert not table.loc[chain(0, 0), "novel"] and table.drop(chain(0, 0))["novel"].all()
    assert (table["nearest_known"] == chain(3, 3)).all() and (table["nearest_start"] == chain(0, 0)).all()
    assert table.loc[chain(0, 0), "similarity_to_start"] == 1.0


def test_what_is_described_says_how_plausible_it_is_and_where_it_is_hard_to_make():
    table = describe_molecules(ToyModel(), ["C1=CC2=CC1=CC2", "CCCC"], ["qed"])
    assert table["unknown_rings"].tolist() == [1.0, 0.0] and table["unknown_bonds"][0] > 0
    assert table["alert_hits"].tolist()[1] == 0.0 and table["hardest_bond"].str.len().gt(0).all()
