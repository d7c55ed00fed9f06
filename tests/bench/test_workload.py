"""What a run works on: molecules, batches, a model."""

from dataclasses import replace

import numpy as np
import torch

from chemvae.bench.workload import PREFERRED, is_at_hand, new_model, random_batches, read_workload
from chemvae.chem.molecules import canonicalize
from tests.bench.small import write_molecules
from tests.conftest import MOLECULES


def test_zinc_is_taken_only_where_it_lies(monkeypatch, tmp_path):
    monkeypatch.setenv("CHEMVAE_CACHE", str(tmp_path))
    monkeypatch.setenv("CHEMVAE_DATA", str(tmp_path / "missing"))
    assert not is_at_hand(PREFERRED)
    monkeypatch.delenv("CHEMVAE_DATA")
    assert not is_at_hand(PREFERRED)


def test_every_molecule_of_the_table_is_used_once(tmp_path):
    work = read_workload(write_molecules(tmp_path / "molecules.csv"), 20, "tiny", 0, 1)
    assert sorted(work.train.smiles) == sorted({canonicalize(one) for one in MOLECULES})
    assert work.table.property_names == ["logP"] and work.name.endswith("molecules.csv")


def test_batches_are_full_and_hold_each_molecule_at_most_once(labelled):
    batches = random_batches(labelled, 6, seed=3)
    index = np.concatenate(batches)
    assert {len(batch) for batch in batches[:-1]} == {6} and len(set(index)) == len(index)
    assert all((a == b).all() for a, b in zip(batches, random_batches(labelled, 6, seed=3), strict=True))


def test_a_copy_in_fp32_has_the_same_weights_and_leaves_the_original(tmp_path):
    work = read_workload(write_molecules(tmp_path / "molecules.csv"), 20, "tiny", 0, 1)
    before = work.model.settings
    copied = work.in_fp32()
    assert copied.model.settings == replace(before, precision="fp32") and work.model.settings == before
    theirs = dict(copied.model.named_parameters())
    assert all(torch.equal(value, theirs[name]) for name, value in work.model.named_parameters())


def test_the_same_seed_makes_the_same_model(labelled):
    one, two, other = (new_model(labelled, ["logP", "qed"], "tiny", seed) for seed in (1, 1, 2))
    pairs = zip(one.parameters(), two.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert any(not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
