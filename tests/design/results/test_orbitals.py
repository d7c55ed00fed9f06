"""A search that asked a quantum calculation shows the frontier orbitals of its best; others do not compute them."""

import json

import pytest

from chemvae.chem.quantum.structure import CalculationError
from chemvae.design import Goal, run_campaign
from chemvae.design.results import orbitals as module
from chemvae.design.results.orbitals import asks_quantum, orbitals
from chemvae.design.results.report import render
from chemvae.design.results.report_data import report_data
from tests.chem.quantum.programs import needs
from tests.design.toys import ToyModel, chain


@pytest.fixture(scope="module")
def quantum():
    needs("tblite", "qc")
    return run_campaign(
        ToyModel(), None, goals=[Goal("xtb_gap", "min")], budget=6, start=[chain(0, 0)], method="random", batch_size=3
    )


def test_a_search_without_quantum_goals_computes_none(result, monkeypatch):
    monkeypatch.setattr(module, "frontier_orbitals", lambda smiles: pytest.fail("was computed"))
    assert orbitals(result) is None and "Frontier orbitals" not in render(result)


def test_the_page_draws_both_orbitals_of_each_of_the_best(quantum):
    data = orbitals(quantum)
    assert data["drawn"]["smiles"].tolist() == quantum.molecules["smiles"].head(module.N_DRAWN).tolist()
    assert (data["drawn"]["lumo_eV"] > data["drawn"]["homo_eV"]).all()
    page = render(quantum)
    assert page.count(">HOMO ") >= len(data["drawn"]) and "Frontier orbitals" in page


def test_the_gap_drawn_is_the_gap_that_was_scored(quantum):
    drawn = orbitals(quantum)["drawn"].set_index("smiles")
    scored = quantum.molecules.set_index("smiles")["score"]
    for smiles, row in drawn.iterrows():
        assert row["lumo_eV"] - row["homo_eV"] == pytest.approx(abs(scored[smiles]), abs=1e-3)


def test_it_is_data_too(quantum):
    assert {"homo_eV", "lumo_svg"} <= json.loads(json.dumps(report_data(quantum)))["orbitals"]["drawn"][0].keys()


def test_a_molecule_without_orbitals_is_named_with_the_reason(quantum, monkeypatch):
    def fails(smiles):
        raise CalculationError("no geometry was found")

    monkeypatch.setattr(module, "frontier_orbitals", fails)
    assert "no geometry was found" in render(quantum)


def test_only_calculations_count():
    assert asks_quantum(["xtb_gap"]) and asks_quantum(["qed", "tddftb_S1"])
    assert not asks_quantum(["qed", "logP", "smiles", "score"])
