"""A search finds exactly what a look at every molecule finds."""

import pickle

import numpy as np
import pytest

from chemvae import library
from chemvae.chem.fingerprints import tanimoto
from chemvae.chem.molecules import parse
from chemvae.chem.properties import compute_table
from chemvae.design.filters.structure import Substructure
from chemvae.errors import InvalidMoleculeError, SettingsError, UnknownNameError, UnknownTokenError
from chemvae.library import Query, scan
from chemvae.library.shard import ARRAYS, OWN_COLUMNS
from tests.conftest import make_model
from tests.library.conftest import SMILES

NEAR = "CCCc1ccccc1"
NITRO = "[N+](=O)[O-]"


@pytest.fixture(scope="module")
def points(lib):
    """The float codes of the library [N, D]."""
    return np.concatenate([np.load(one) for one in sorted(lib.glob("*/points.npy"))]).astype(np.float64)


def nearest_by_hand(points, point, n, allowed=None):
    distance = np.linalg.norm(points - point, axis=1)
    rows = np.arange(len(points)) if allowed is None else np.flatnonzero(allowed)
    rows = rows[np.lexsort((rows, distance[rows]))][:n]
    return rows.tolist(), distance[rows]


@pytest.mark.parametrize("n", [1, 7, 50, 10_000])
@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("compiled", [True, False])
def test_the_nearest_are_those_of_brute_force(lib, points, n, jobs, compiled, monkeypatch):
    if not compiled:
        monkeypatch.setattr(scan, "kernels", lambda: None)
    rng = np.random.default_rng(n)
    for point in (points[5], points[100] + 0.1, points.mean(axis=0), rng.standard_normal(points.shape[1]) * 50):
        hits = library.search(lib, Query(point, n), jobs=jobs).table
        rows, distances = nearest_by_hand(points, point, n)
        assert hits["row"].tolist() == rows
        np.testing.assert_allclose(hits["distance"], distances, rtol=1e-12)
        assert "similarity" not in hits


def test_a_molecule_is_looked_for_where_the_model_puts_it(lib, lib_model, points):
    hits = library.search(lib, Query("c1ccccc1CCC", 5), lib_model).table
    assert hits["row"].tolist() == nearest_by_hand(points, lib_model.encode([NEAR])[0], 5)[0]
    np.testing.assert_allclose(hits["similarity"], tanimoto([NEAR], hits["smiles"].tolist())[0])


@pytest.mark.parametrize("n", [3, 40, 10_000])
def test_the_most_similar_are_those_of_rdkit(lib, n):
    hits = library.search(lib, Query(NEAR, n, "fingerprint")).table
    similarity = tanimoto([NEAR], SMILES)[0]
    rows = np.lexsort((np.arange(len(SMILES)), -similarity))[:n]
    assert hits["row"].tolist() == rows.tolist()
    np.testing.assert_allclose(hits["similarity"], similarity[rows])


CASES = [
    {"where": "1 < logP < 3"},
    {"without": NITRO},
    {"having": "c1ccccc1"},
    {"having": ["c1ccccc1", "Cl"], "where": ["MW < 300", "rings >= 1"]},
    {"where": "1<logP<3 and not rings == 1", "without": [NITRO, "C(=O)O"]},
    {"min_similarity": 0.2, "without": "N"},
    {"having": "[#92]"},
    {"where": "logP > 100"},
    {"without": "[#6]"},
]


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("n", [1, 12, 10_000])
def test_conditions_together_give_what_each_gives_alone(lib, lib_model, points, case, n):
    allowed = np.ones(len(SMILES), bool)
    listed = {key: [value] if isinstance(value, str) else value for key, value in case.items()}
    table = compute_table(SMILES, ["logP", "MW", "rings"])
    by_hand = {
        "1 < logP < 3": (table.logP > 1) & (table.logP < 3), "MW < 300": table.MW < 300, "rings >= 1": table.rings >= 1,
        "1<logP<3 and not rings == 1": (table.logP > 1) & (table.logP < 3) & (table.rings != 1), "logP > 100": table.logP > 100,
    }  # fmt: skip
    for text in listed.get("where", ()):
        allowed &= by_hand[text].to_numpy()
    for name, wanted in (("having", True), ("without", False)):
        for text in listed.get(name, ()):
            allowed &= Substructure(text, wanted=wanted).allows(SMILES)
    if "min_similarity" in case:
        allowed &= tanimoto([NEAR], SMILES)[0] >= case["min_similarity"]
    hits = library.search(lib, Query(NEAR, n, **case), lib_model).table
    rows, _ = nearest_by_hand(points, lib_model.encode([NEAR])[0], n, allowed)
    assert hits["row"].tolist() == rows and list(hits["smiles"]) == [SMILES[row] for row in rows]
    if "min_similarity" not in case:
        in_order = library.search(lib, Query(n=n, **case)).table
        assert in_order["row"].tolist() == np.flatnonzero(allowed)[:n].tolist()


PATTERNS = [
    "c1ccccc1",
    "C1=CC=CC=C1",
    "[#6]~[#7]",
    "[!#1]",
    "*",
    "[C,N]",
    "[$(C=O)]",
    "[$([NX3])]",
    "[R]",
    "[r5]",
    "C=O",
    "N(=O)=O",
    NITRO,
    "[H]O",
    "[OH]",
    "[OX2H]",
    "[CH3]",
    "C~C~C",
    "[F,Cl,Br]",
    "a",
    "A",
    "[c;R1]",
    "cC",
    "c-c",
    "C[C@H](N)C",
    "C(=O)[O-]",
    "[+]",
    "[NH3+]",
    "[C@@H]",
    "F/C=C/F",
    "C/C=C/C(=O)N",
    "n1ccccc1",
    "[nH]",
    "C1CC1",
    "C@C",
    "C!@C",
    "[D3]",
    "[X4]",
    "[v4]",
    "[#6;!R]",
    "C.C",
    "c1ccccc1.Cl",
    "[2H]",
    "[*]~[*]~[*]",
    "CCCCCCCCCCCCC",
    "O=C(O)c1ccccc1",
    "[#6]1:[#6]:[#6]:[#6]:[#6]:[#6]:1",
    "[NX3;H2,H1;!$(NC=O)]",
    "[CX4;!$(C~O)]C",
]


@pytest.mark.parametrize("smarts", PATTERNS)
def test_fingerprints_rule_out_no_molecule_that_has_the_pattern(lib, smarts):
    has = Substructure(smarts, wanted=True).allows(SMILES)
    hits = library.search(lib, Query(n=10_000, having=smarts)).table
    assert hits["row"].tolist() == np.flatnonzero(has).tolist()
    others = library.search(lib, Query(n=10_000, without=smarts)).table
    assert others["row"].tolist() == np.flatnonzero(~has).tolist()


def test_fingerprints_spare_most_structures_a_look(lib, monkeypatch):
    looked = []
    allows = Substructure.allows
    monkeypatch.setattr(Substructure, "allows", lambda self, smiles: looked.extend(smiles) or allows(self, smiles))
    library.search(lib, Query(n=10_000, having="c1ccncc1"))
    has = [one for one in SMILES if parse(one).HasSubstructMatch(parse("c1ccncc1"))]
    assert set(has) <= set(looked) and len(looked) < 2 * len(has)


def test_on_a_sphere_distances_are_arcs(tmp_path, vocabulary):
    from chemvae.models.settings import ModelSettings
    from chemvae.models.vae import MolVAE

    model = MolVAE(vocabulary, ModelSettings(8, 12, 16, 6, 8, posterior="vmf")).eval().requires_grad_(False)
    model.training_facts = make_model(vocabulary).training_facts
    smiles = [one for one in SMILES if vocabulary.complaint(one) is None]
    library.build(smiles, tmp_path / "lib", model, work=library.Work(shard_rows=50))
    assert library.info(tmp_path / "lib")["space"] == "sphere"
    codes = model.encode(smiles).astype(np.float64)
    hits = library.search(tmp_path / "lib", Query(smiles[30], 9), model).table
    angles = np.arccos(np.clip(codes @ codes[30], -1, 1))
    assert set(hits["row"]) == set(np.argsort(angles, kind="stable")[:9])
    np.testing.assert_allclose(hits["distance"], np.sort(angles)[:9], atol=2e-3)
    away = library.search(tmp_path / "lib", Query(7 * codes[30], 3)).table  # a direction is what counts
    assert away["row"].tolist() == hits["row"].tolist()[:3]
    with pytest.raises(SettingsError, match="unit sphere"):
        library.search(tmp_path / "lib", Query(0 * codes[30], 3))


@pytest.mark.parametrize(
    "query, error, words",
    [
        ({"n": 0}, SettingsError, "n must be >= 1"),
        ({"near": "C1CC"}, InvalidMoleculeError, "ring 1"),
        ({"near": 3}, SettingsError, "SMILES or a latent point"),
        ({"space": "moon"}, SettingsError, "one of latent, fingerprint"),
        ({"space": "fingerprint"}, SettingsError, "similarity to what"),
        ({"near": [0.0] * 6, "space": "fingerprint"}, SettingsError, "no fingerprint"),
        ({"near": "CCO", "min_similarity": 1.5}, SettingsError, "0..1"),
        ({"near": [0.0] * 5}, SettingsError, "must be 6 numbers"),
        ({"near": [float("nan")] * 5 + [1.0]}, SettingsError, "must be 6 numbers"),
        ({"near": "CCO", "where": "lgP<3"}, UnknownNameError, "logP"),
        ({"near": "CCO", "where": "logP"}, SettingsError, "no comparison"),
        ({"near": "CCO", "having": "C1CC("}, SettingsError, "not a SMARTS"),
        ({"near": "C[Si](C)C"}, UnknownTokenError, "Si"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_sentence(lib, lib_model, query, error, words):
    with pytest.raises(error, match=words):
        library.search(lib, Query(**query), lib_model)


def test_a_question_can_be_sent_elsewhere(lib, lib_model):
    query = Query(NEAR, 5, where="logP<3", without=NITRO)
    hits = library.search(lib, query, lib_model).table
    again = library.search(lib, pickle.loads(pickle.dumps(query)), lib_model).table
    assert hits.equals(again) and list(hits.columns[:1]) == ["row"] and set(OWN_COLUMNS) - {"id"} <= set(hits.columns)


def test_only_what_is_looked_at_is_in_memory(lib):
    from chemvae.library.manifest import read_manifest
    from chemvae.library.opening import read_shards

    for shard in read_shards(lib, read_manifest(lib)):
        assert all(isinstance(shard.array(name), np.memmap) for name in ARRAYS)
