"""Batches hold exactly the molecules, in the shapes the model expects."""

import numpy as np
import torch

from chemvae.chem.molecules import canonicalize
from chemvae.data.datasets import SmilesDataset, TokenArray
from chemvae.data.vocabulary import BOS, EOS, PAD, Vocabulary


def test_batch_has_inputs_and_targets_shifted_by_one(vocabulary):
    data = SmilesDataset(["CCO", "C"], vocabulary)
    batch = data.batch(np.array([0, 1]))
    ccO = vocabulary.encode("CCO").tolist()
    assert batch.decoder_inputs.tolist() == [[BOS, *ccO], [BOS, ccO[0], PAD, PAD]]
    assert batch.targets.tolist() == [[*ccO, EOS], [ccO[0], EOS, PAD, PAD]]


def test_an_epoch_shows_every_molecule_once_and_pads_little():
    rng = np.random.default_rng(0)
    smiles = ["C" * int(n) for n in rng.integers(1, 60, 5000)]
    data = SmilesDataset(smiles, Vocabulary(["C"]), np.arange(5000.0)[:, None])
    seen, padded, filled = [], 0, 0
    for batch in data.epoch(3, 32, seed=1):
        seen += batch.labels[:, 0].tolist()
        padded += batch.token_ids.numel()
        filled += int(batch.lengths.sum())
        assert [len(smiles[int(i)]) for i in batch.labels[:, 0]] == batch.lengths.tolist()
    assert sorted(seen) == list(range(5000))
    assert 1 - filled / padded < 0.05
    assert len(data.order(3, 32, 1)) == data.n_batches(32)


def test_order_depends_on_seed_and_epoch_only(labelled):
    order = lambda *a: [b.tolist() for b in labelled.order(*a)]  # noqa: E731
    assert order(0, 4, 0) == order(0, 4, 0) != order(1, 4, 0)
    assert order(0, 4, 0) != order(0, 4, 1)


def test_an_epoch_can_start_in_the_middle(labelled):
    labelled.random_smiles = 0.0
    whole = list(labelled.epoch(2, 4, seed=5))
    rest = list(labelled.epoch(2, 4, seed=5, start=3))
    assert len(rest) == len(whole) - 3
    assert all(torch.equal(a.token_ids, b.token_ids) for a, b in zip(whole[3:], rest, strict=True))


def test_random_smiles_are_the_same_molecules(molecules, vocabulary):
    data = SmilesDataset(molecules, vocabulary, random_smiles=1.0)
    batch = data.batch(np.arange(len(molecules)), np.random.default_rng(0))
    written = vocabulary.decode_rows(batch.encoder_ids.numpy())
    assert [canonicalize(s) for s in written] == [canonicalize(s) for s in molecules]
    assert sum(a != b for a, b in zip(written, molecules, strict=True)) > len(molecules) / 2
    assert vocabulary.decode_rows(batch.token_ids.numpy()) == molecules
    again = data.batch(np.arange(len(molecules)), np.random.default_rng(0))
    assert torch.equal(batch.encoder_ids, again.encoder_ids)


def test_empty_and_long_molecules(vocabulary):
    array = TokenArray.from_smiles([], vocabulary)
    assert len(array) == 0
    ids, lengths = TokenArray.from_smiles(["C" * 600, "O"], vocabulary).rows(np.array([0, 1]))
    assert ids.shape == (2, 600) and lengths.tolist() == [600, 1]
