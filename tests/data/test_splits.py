"""The split rule as documented, and a set that remembers 64-bit keys in little memory."""

import hashlib

import numpy as np

from chemvae.chem.fingerprints import scaffold
from chemvae.data.splits import SeenKeys, hash_split, scaffold_split, smiles_key

SMILES = ["C" * n + tail for n in range(1, 200) for tail in ("O", "N", "Cl", "c1ccccc1", "C(=O)O")]


def test_the_rule_is_the_documented_one():
    for smiles in SMILES[:200]:
        number = int.from_bytes(hashlib.sha1(smiles.encode()).digest()[:4], "big") % 100
        assert hash_split(smiles) == ("train" if number < 90 else "valid" if number < 95 else "test")


def test_parts_have_the_documented_sizes():
    parts = [hash_split(smiles) for smiles in SMILES]
    expected = {"train": 0.9, "valid": 0.05, "test": 0.05}
    for part, share in expected.items():
        spread = 4 * np.sqrt(share * (1 - share) / len(SMILES))
        assert abs(parts.count(part) / len(SMILES) - share) < spread


def test_molecules_of_one_scaffold_stay_together():
    family = ["Cc1ccc2ccccc2c1", "c1ccc2ccccc2c1", "OCCc1cccc2ccccc12", "Clc1ccc2cc(Br)ccc2c1"]
    assert {scaffold(smiles) for smiles in family} == {"c1ccc2ccccc2c1"}
    assert len({scaffold_split(smiles) for smiles in family}) == 1


def test_it_is_the_scaffold_that_decides_and_scaffolds_go_to_several_parts():
    rings = [f"C1{'C' * n}C1" for n in range(2, 60)]
    parts = [{scaffold_split(ring + end) for end in ("", "O", "CN", "Cl", "CC(C)=O")} for ring in rings]
    assert all(len(found) == 1 for found in parts) and len(set.union(*parts)) > 1
    assert scaffold_split("CCO") == scaffold_split("CCCCN") == hash_split("")  # what has no ring is one family


def test_keys_are_remembered_like_a_set_would():
    rng = np.random.default_rng(0)
    seen, reference = SeenKeys(), set()
    for _ in range(40):
        batch = rng.integers(0, 3000, size=rng.integers(0, 200)).tolist()
        expected = []
        for key in batch:
            expected.append(key not in reference)
            reference.add(key)
        assert seen.add_new(batch).tolist() == expected
    assert len(seen) == len(reference)


def test_keys_are_the_whole_64_bits_and_kept_in_8_bytes():
    keys = [smiles_key(smiles) for smiles in SMILES]
    assert len(set(keys)) == len(SMILES) and max(keys) > 2**63
    seen = SeenKeys()
    for start in range(0, len(keys), 50):
        seen.add_new(keys[start : start + 50])
    assert sum(run.nbytes for run in seen._runs) == 8 * len(keys)
    assert len(seen._runs) <= np.log2(len(keys)) + 1
