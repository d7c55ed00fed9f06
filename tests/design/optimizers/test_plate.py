"""A plate holds the best molecules of which no two are alike, and is full where it can be."""

import numpy as np

from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.data.catalog.locate import load_dataset
from chemvae.design import run_campaign
from chemvae.design.optimizers.plate import CLOSEST, pick_apart
from tests.design.toys import ToyModel, carbons


def closest(smiles):
    similarity = tanimoto(morgan(smiles), morgan(smiles))
    np.fill_diagonal(similarity, 0.0)
    return similarity.max()


def test_no_two_are_alike_where_there_is_a_choice_and_the_best_is_always_among_them():
    library = load_dataset("virtual-drugs", limit=120)["smiles"].tolist()
    chosen = pick_apart(library, 12)
    assert len(chosen) == len(set(chosen)) == 12 and chosen[0] == 0 and chosen == sorted(chosen)
    assert closest([library[i] for i in chosen]) < CLOSEST < closest(library[:12])


def test_a_plate_is_filled_also_with_what_is_alike():
    alike = ["C" * n + "O" for n in range(6, 18)]
    assert len(pick_apart(alike, 10)) == 10 and pick_apart(alike, 20) == list(range(12))
    assert pick_apart(["CCO", "OCC"], 2) == [0, 1] and pick_apart([], 3) == []


def test_rounds_of_a_search_are_plates_and_repeat_themselves(tmp_path):
    options = {"budget": 16, "diverse": 8, "method": "bayesian", "history_path": tmp_path / "record.jsonl"}
    asked = []

    def oracle(smiles):
        asked.append(smiles)
        return carbons(smiles)

    first = run_campaign(ToyModel(), oracle, **options)
    assert first.settings["batch_size"] == first.settings["diverse"] == 8 and len(first.history) == 16
    usual = run_campaign(ToyModel(), carbons, budget=16, batch_size=8, method="bayesian")
    assert "diverse" not in usual.settings
    assert closest(first.history["smiles"][8:].tolist()) <= closest(usual.history["smiles"][8:].tolist())
    again = run_campaign(ToyModel(), oracle, **options)
    assert again.history["smiles"].tolist() == first.history["smiles"].tolist() == asked
