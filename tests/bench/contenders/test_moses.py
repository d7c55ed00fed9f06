"""The MOSES-shaped model has the shape, learns, and samples without stopping early."""

import math

import numpy as np
import pytest
import torch

from chemvae.bench.contenders.moses import MAX_LENGTH, MosesShapedVAE, framed, moses_batches, moses_step
from chemvae.data.tokens.vocabulary import BOS, EOS, MASK, PAD


def test_it_has_four_and_a_half_million_parameters():
    """A vocabulary of thirty symbols; the original counts 4.6 million for its own."""
    assert sum(p.numel() for p in MosesShapedVAE(30).parameters()) == pytest.approx(4.6e6, rel=0.02)


def test_rows_are_framed_and_sorted(labelled):
    batch = framed(labelled, np.arange(len(labelled)))
    assert (batch.lengths[:-1] >= batch.lengths[1:]).all()
    assert (batch.token_ids[:, 0] == BOS).all()
    for row, length in zip(batch.token_ids, batch.lengths, strict=True):
        assert row[length - 1] == EOS and (row[length:] == PAD).all() and (row[1 : length - 1] > MASK).all()
    texts = labelled.vocabulary.decode_rows(batch.token_ids[:, 1:].numpy())
    assert sorted(texts) == sorted(labelled.smiles)


def test_a_uniform_start_costs_the_logarithm_of_the_vocabulary(labelled):
    model = MosesShapedVAE(len(labelled.vocabulary))
    torch.nn.init.zeros_(model.output.weight)
    torch.nn.init.zeros_(model.output.bias)
    batch = framed(labelled, np.arange(8))
    _, error = model(batch.token_ids, batch.lengths)
    assert error.item() == pytest.approx(math.log(len(labelled.vocabulary)), rel=1e-6)


def test_kl_is_zero_for_the_prior_and_positive_else(labelled):
    model = MosesShapedVAE(len(labelled.vocabulary))
    batch = framed(labelled, np.arange(8))
    assert model(batch.token_ids, batch.lengths)[0].item() > 0
    for layer in (model.loc, model.log_variance):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    assert model(batch.token_ids, batch.lengths)[0].item() == 0


def test_padding_changes_nothing(labelled):
    """A molecule alone and beside a longer one: the same KL, because the encoder reads packed rows."""
    torch.manual_seed(0)
    model = MosesShapedVAE(len(labelled.vocabulary))
    lengths = labelled.tokens.lengths
    short, long = int(lengths.argmin()), int(lengths.argmax())
    kl = [model(b.token_ids, b.lengths)[0].item() for b in (framed(labelled, np.array(i)) for i in ([short], [long]))]
    both = framed(labelled, np.array([short, long]))
    assert model(both.token_ids, both.lengths)[0].item() == pytest.approx(np.mean(kl), rel=1e-5)


def test_it_learns(labelled):
    torch.manual_seed(0)
    model = MosesShapedVAE(len(labelled.vocabulary))
    step, batch = moses_step(model), framed(labelled, np.argsort(labelled.tokens.lengths)[:3])  # short ones
    before = model(batch.token_ids, batch.lengths)[1].item()
    for _ in range(15):
        step(batch)
    assert model(batch.token_ids, batch.lengths)[1].item() < before


def test_batches_hold_every_molecule_once_per_pass(labelled):
    batches = moses_batches(labelled, 8, seed=0)
    texts = [text for _ in range(3) for text in labelled.vocabulary.decode_rows(next(batches).token_ids[:, 1:].numpy())]
    assert sorted(texts) == sorted(labelled.smiles)


def test_sampling_writes_every_step_and_pads_after_the_end(labelled):
    torch.manual_seed(0)
    model = MosesShapedVAE(len(labelled.vocabulary))
    calls = []
    model.decoder.register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        model.output.bias[EOS] += 3.0  # end soon
    ids = model.sample(5)
    assert ids.shape == (5, MAX_LENGTH) and len(calls) == MAX_LENGTH
    for row in ids.tolist():
        if EOS in row:
            assert set(row[row.index(EOS) + 1 :]) <= {PAD}
