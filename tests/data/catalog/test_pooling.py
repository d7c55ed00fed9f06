"""Sets pooled as one: each molecule once, and none in training that a held-out one differs from in stereo alone."""

import pandas as pd
import pytest
from rdkit import Chem
from rdkit.Chem import Crippen

from chemvae.data.catalog.cards import DATASETS
from chemvae.data.catalog.pooling import flattened, is_taken, pool_sets, without_leaks
from chemvae.data.splits import hash_split


def frame(*smiles):
    return pd.DataFrame({"smiles": smiles})


def pool(**frames):
    return pool_sets(frames, DATASETS["drugs"])


def test_a_molecule_of_two_sets_stands_once_and_names_both():
    table = pool(chembl=frame("OCC", "CCN"), drugcentral=frame("CCO", "c1ccccc1"))
    assert table["smiles"].tolist() == ["CCO", "CCN", "c1ccccc1"]
    assert table["sets"].tolist() == ["chembl;drugcentral", "chembl", "drugcentral"]


def test_of_a_salt_the_organic_part_stays_and_a_charge_stays_as_it_is():
    assert pool(chembl=frame("C[NH3+].[Cl-]", "CC(=O)[O-].[Na+]"))["smiles"].tolist() == ["C[NH3+]", "CC(=O)[O-]"]


@pytest.mark.parametrize("smiles", ["[Na+]", "C[Hg]C", "[CH2]C", "[2H]OC", "O", "no molecule"])
def test_what_no_drug_model_should_write_is_left_out(smiles):
    assert not is_taken(smiles) and pool(chembl=frame("CCO", smiles))["smiles"].tolist() == ["CCO"]


def test_properties_are_computed_whatever_the_sources_say():
    table = pool(zinc250k=frame("CCO", "c1ccccc1O").assign(logP=99.0))
    assert table["logP"].tolist() == pytest.approx(
        [Crippen.MolLogP(Chem.MolFromSmiles(one)) for one in table["smiles"]], abs=1e-6
    )


def test_a_training_molecule_whose_stereoisomer_is_held_out_is_no_training_molecule():
    table = pd.DataFrame(
        {
            "smiles": ["C[C@H](N)O", "C[C@@H](N)O", "CC(N)O", "F/C=C/F", "CCO"],
            "split": ["train", "test", "train", "train", "valid"],
        }
    )
    left = without_leaks(table)
    assert left["smiles"].tolist() == ["C[C@@H](N)O", "F/C=C/F", "CCO"], "its mirror image, and it without stereo, are gone"


def test_every_molecule_keeps_the_part_that_its_own_set_gives_it():
    smiles = ["C" * n + "O" for n in range(1, 40)]
    table = pool(chembl=frame(*smiles))
    assert dict(zip(table["smiles"], table["split"], strict=True)) == {one: hash_split(one) for one in smiles}
    assert {"train", "valid", "test"} == set(table["split"])


def test_a_text_without_stereo_marks_is_not_parsed():
    assert flattened("not even a molecule") == "not even a molecule"
