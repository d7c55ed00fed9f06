"""The drug model that comes with the package: there, quick, and worth its card."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

import chemvae
from chemvae.chem.molecules import canonicalize
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


def test_known_drugs_come_back(drug):
    smiles = [canonicalize(one) for one in DRUGS.values()]
    back = drug.decode(drug.encode(smiles))["smiles"]
    assert np.mean([canonicalize(a) == b for a, b in zip(back, smiles, strict=True)]) >= 0.7


def test_predictions_of_known_drugs_are_near_rdkits_values(drug):
    from chemvae.chem.properties import compute

    said = drug.predict([canonicalize(one) for one in DRUGS.values()])
    for name, error in (("logP", 0.5), ("qed", 0.1), ("SAS", 0.4)):
        exact = np.array([compute(name, one) for one in DRUGS.values()])
        assert np.median(np.abs(said[name] - exact)) < error


def test_most_of_the_prior_decodes_to_molecules(drug):
    z = torch.randn(400, drug.latent_dim, generator=torch.Generator().manual_seed(5))
    assert drug.decode(z)["valid"].mean() > 0.7


def test_it_loads_without_a_network_and_leaves_no_trace(tmp_path):
    code = (
        "import socket, chemvae\n"
        "def refuse(*a, **k): raise OSError('no network')\n"
        "socket.socket.connect = refuse\n"
        "print(len(chemvae.load('drug').encode(['CCO'])))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == "1" and not list(tmp_path.iterdir())
