"""The drug model that comes with the package: there, quick, and worth its card."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import torch

import chemvae
from chemvae.chem.molecules import canonicalize
from chemvae.data.prepare.tables import load_table
from chemvae.models.storage import SHIPPED, shipped_models

DRUGS = {  # known drugs of ordinary size
    "paracetamol": "CC(=O)Nc1ccc(O)cc1",
    "lidocaine": "CCN(CC)CC(=O)Nc1c(C)cccc1C",
    "ibuprofen": "CC(C)Cc1ccc(C(C)C(=O)O)cc1",
    "aspirin": "CC(=O)Oc1ccccc1C(=O)O",
    "benzocaine": "CCOC(=O)c1ccc(N)cc1",
    "phenacetin": "CCOc1ccc(NC(C)=O)cc1",
    "propranolol": "CC(C)NCC(O)COc1cccc2ccccc12",
    "metoprolol": "COCCc1ccc(OCC(O)CNC(C)C)cc1",
    "procainamide": "CCN(CC)CCNC(=O)c1ccc(N)cc1",
    "bupropion": "CC(NC(C)(C)C)C(=O)c1cccc(Cl)c1",
}


@pytest.fixture(scope="module")
def drug():
    return chemvae.load("drug")


def test_it_is_small_and_says_where_it_comes_from():
    assert "drug" in shipped_models()
    assert sum(path.stat().st_size for path in (SHIPPED / "drug").iterdir()) < 20e6
    card = (SHIPPED / "drug" / "card.md").read_text(encoding="utf-8")
    assert all(word in card for word in ("ZINC250k", "run.py", "seeds", "reconstruction_greedy", "Limits"))
    assert json.loads((SHIPPED / "drug" / "config.json").read_text(encoding="utf-8"))["properties"].keys() == {
        "logP",
        "qed",
        "SAS",
    }


def card_figures():
    """What the card says: figure -> value."""
    card = (SHIPPED / "drug" / "card.md").read_text(encoding="utf-8")
    return {name: float(value) for name, value in re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", card, re.MULTILINE)}


def lowest(share, n):
    """The least of a share of n that a true share allows: four standard errors below, and one miss where it is all of them."""
    return share - 4 * (share * (1 - share) / n) ** 0.5 - 1 / n


def come_back(model, smiles):
    back = model.decode(model.encode(smiles))["smiles"]
    return np.mean([canonicalize(a) == b for a, b in zip(back, smiles, strict=True)])


def test_known_drugs_come_back(drug):
    """Eight of ten: they are no molecules of the set that the card's figures are taken on."""
    assert come_back(drug, [canonicalize(one) for one in DRUGS.values()]) >= 0.8


@pytest.fixture(scope="module")
def held_out():
    """300 molecules of the test split, and their labels, as the card's figures are taken on."""
    table = load_table("zinc250k", properties=["logP", "qed", "SAS"])
    rows = np.flatnonzero(np.asarray(table.split) == "test")
    rows = np.random.default_rng(0).choice(rows, 300, replace=False)
    return np.asarray(table.smiles)[rows].tolist(), table.labels[rows]


needs_data = pytest.mark.skipif(not os.environ.get("CHEMVAE_DATA"), reason="CHEMVAE_DATA names no folder with the data sets")


@pytest.mark.slow
@pytest.mark.data
@needs_data
def test_held_out_molecules_come_back_as_often_as_the_card_says(drug, held_out):
    share = card_figures()["reconstruction_greedy"]
    assert share > 0.9 and come_back(drug, held_out[0]) >= lowest(share, 300)


@pytest.mark.slow
@pytest.mark.data
@needs_data
@pytest.mark.parametrize("column", [0, 1, 2])
def test_predictions_are_as_good_and_as_sure_as_the_card_says(drug, held_out, column):
    name, card = ("logP", "qed", "SAS")[column], card_figures()
    said = drug.predict(held_out[0])
    error = (said[name] - held_out[1][:, column]).abs()
    assert error.mean() <= card[f"mae_{name}"] + 4 * error.std() / 300**0.5
    within = float((error <= 1.645 * said[f"{name}_std"]).mean())
    assert abs(within - card[f"coverage90_{name}"]) <= 4 * (0.09 / 300) ** 0.5


def test_predictions_of_known_drugs_are_near_rdkits_values(drug):
    from chemvae.chem.properties import compute

    said = drug.predict([canonicalize(one) for one in DRUGS.values()])
    for name, error in (("logP", 0.5), ("qed", 0.1), ("SAS", 0.4)):
        exact = np.array([compute(name, one) for one in DRUGS.values()])
        assert np.median(np.abs(said[name] - exact)) < error


def test_as_much_of_the_prior_decodes_to_molecules_as_the_card_says(drug):
    z = torch.randn(400, drug.latent_dim, generator=torch.Generator().manual_seed(5))
    card = card_figures()
    assert drug.decode(z)["valid"].mean() >= lowest(card["validity_normal_greedy"], 400)
    drawn = chemvae.sample(drug, 400, seed=5)
    assert drawn["valid"].mean() >= lowest(card["validity_learned_sampled"], 400)
    distinct = drawn.query("valid").drop_duplicates("smiles")
    assert len(distinct) >= len(drawn.query("valid")) - 2 and distinct["novel"].mean() >= lowest(card["novelty"], len(distinct))


def test_it_loads_without_a_network_and_leaves_no_trace(tmp_path):
    code = (
        "import socket, chemvae\n"
        "def refuse(*a, **k): raise OSError('no network')\n"
        "socket.socket.connect = refuse\n"
        "print(len(chemvae.load('drug').encode(['CCO'])))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == "1" and not list(tmp_path.iterdir())
