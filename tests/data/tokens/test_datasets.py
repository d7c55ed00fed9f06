"""Batches hold exactly the molecules, in the shapes the model expects."""

import os

import numpy as np
import pytest
import torch

from chemvae.chem.molecules import canonicalize
from chemvae.data.prepare.tables import load_table
from chemvae.data.tokens.datasets import BUCKET_BATCHES, SmilesDataset, TokenArray
from chemvae.data.tokens.tokenizing import collect_vocabulary
from chemvae.data.tokens.vocabulary import BOS, EOS, PAD, Vocabulary
from chemvae.data.virtual.enumeration import library_size, make_product
from chemvae.errors import SettingsError

needs_data = pytest.mark.skipif(not os.environ.get("CHEMVAE_DATA"), reason="CHEMVAE_DATA names no folder with the data sets")


def plain_order(lengths: list[int], epoch: int, batch_size: int, seed: int) -> list[list[int]]:
    """The order of batches in plain Python: shuffle, sort by length within each bucket, cut, shuffle the batches."""
    rng = np.random.default_rng((seed, epoch))
    shuffled = rng.permutation(len(lengths)).tolist()
    batches = []
    while shuffled:
        bucket, shuffled = shuffled[: batch_size * BUCKET_BATCHES], shuffled[batch_size * BUCKET_BATCHES :]
        bucket.sort(key=lambda i: lengths[i])
        batches += [bucket[i : i + batch_size] for i in range(0, len(bucket), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def padding(data: SmilesDataset, batch_size: int) -> float:
    """Share of an epoch's batches that is padding."""
    lengths = [data.tokens.lengths_of(index) for index in data.order(0, batch_size, seed=0)]
    return 1 - sum(int(one.sum()) for one in lengths) / sum(len(one) * int(one.max()) for one in lengths)


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


@pytest.mark.parametrize(("n", "batch_size"), [(1, 4), (7, 4), (400, 4), (401, 3), (1000, 64)])
def test_the_order_is_that_of_the_plain_recipe(n, batch_size):
    lengths = np.random.default_rng(1).integers(1, 30, n).tolist()
    data = SmilesDataset(["C" * length for length in lengths], Vocabulary(["C"]))
    order = data.order(5, batch_size, seed=2)
    expected = plain_order(lengths, 5, batch_size, seed=2)
    assert [index.tolist() for index in order] == expected and len(order) == data.n_batches(batch_size) == len(expected)
    assert order[-1].tolist() == expected[-1] and [index.tolist() for index in order[1:3]] == expected[1:3]
    with pytest.raises(IndexError):
        order[len(order)]


def test_rows_are_the_molecules_padded(molecules, vocabulary):
    data, rng = SmilesDataset(molecules, vocabulary), np.random.default_rng(0)
    for index in (rng.permutation(len(molecules))[:7], np.array([len(molecules) - 1]), np.zeros(3, dtype=np.int32)):
        ids, lengths = data.tokens.rows(index)
        expected = [vocabulary.encode(molecules[i]) for i in index]
        assert lengths.tolist() == [len(row) for row in expected] and ids.shape == (len(index), max(map(len, expected)))
        assert ids.dtype == lengths.dtype == torch.int64
        for row, wanted in zip(ids.numpy(), expected, strict=True):
            np.testing.assert_array_equal(row, np.pad(wanted, (0, len(row) - len(wanted)), constant_values=PAD))


def test_the_molecules_can_be_read_again(molecules, vocabulary):
    smiles = SmilesDataset(molecules, vocabulary).smiles
    assert list(smiles) == molecules and len(smiles) == len(molecules) and molecules[3] in smiles
    assert smiles[2:9] == molecules[2:9] and smiles[::-2] == molecules[::-2] and smiles[5:2] == [] and smiles[:0] == []
    assert smiles[-1] == molecules[-1] and smiles[np.int64(4)] == molecules[4]
    assert smiles.take(np.array([4, 4, 0])) == [molecules[4], molecules[4], molecules[0]]
    with pytest.raises(IndexError, match="molecule 20 of 20"):
        smiles[len(molecules)]


@pytest.mark.parametrize("batch_size", [8, 16])
def test_batches_of_a_library_pad_less_than_one_part_in_twenty(batch_size):
    numbers = np.random.default_rng(0).choice(library_size("virtual-drugs"), 2000, replace=False)
    smiles = [make_product("virtual-drugs", int(i)).smiles for i in numbers]
    assert padding(SmilesDataset(smiles, collect_vocabulary(smiles)), batch_size) < 0.05


@pytest.mark.data
@needs_data
def test_batches_of_zinc_pad_less_than_one_part_in_twenty():
    smiles = load_table("zinc250k", limit=30_000).smiles
    data = SmilesDataset(smiles, collect_vocabulary(smiles))
    assert max(padding(data, batch_size) for batch_size in (128, 256, 512)) < 0.05


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


def quarter_labelled(vocabulary, n=200):
    """n chains of 1 to n carbons, of which every fourth has a label."""
    labels = np.where(np.arange(n) % 4 == 0, 1.0, np.nan)[:, None]
    return SmilesDataset(["C" * (i + 1) for i in range(n)], vocabulary, labels)


def test_an_epoch_holds_all_labelled_molecules_and_a_share_of_the_others(vocabulary):
    data = quarter_labelled(vocabulary)
    data.thin_unlabelled(0.2)
    read = [np.concatenate(list(data.order(epoch, 16, seed=0))) for epoch in range(60)]
    assert all(len(one) == len(set(one.tolist())) == data.n_read == 50 + 30 for one in read)
    assert all(np.isfinite(data.labels[one]).sum() == 50 for one in read)
    assert {int(i) for one in read for i in one} == set(range(200))  # other ones in each epoch, in the end all
    assert data.n_batches(16) == len(data.order(0, 16, seed=0)) == 5


def test_a_thinned_epoch_is_batched_like_any_other_and_goes_on_in_the_middle(vocabulary):
    data = quarter_labelled(vocabulary)
    data.thin_unlabelled(0.5)
    whole, rest = list(data.epoch(3, 16, seed=1)), list(data.epoch(3, 16, seed=1, start=4))
    assert sum(len(batch) for batch in whole) == 125
    assert all(torch.equal(a.token_ids, b.token_ids) for a, b in zip(whole[4:], rest, strict=True))


def test_nothing_is_thinned_unless_asked(vocabulary):
    data, plain = quarter_labelled(vocabulary), quarter_labelled(vocabulary)
    data.thin_unlabelled(1.0)
    assert data.n_read == 200
    assert np.array_equal(data.shuffled(np.random.default_rng(4)), np.random.default_rng(4).permutation(200))
    assert all(np.array_equal(a, b) for a, b in zip(data.order(0, 16, 0), plain.order(0, 16, 0), strict=True))


@pytest.mark.parametrize("labels", [None, np.full((3, 1), np.nan)], ids=["no column", "an empty column"])
def test_thinning_without_any_label_is_refused_in_a_sentence(vocabulary, labels):
    data = SmilesDataset(["C", "CC", "CCC"], vocabulary, labels)
    with pytest.raises(SettingsError, match="none here has one; name label columns"):
        data.thin_unlabelled(0.5)
