"""FLOP from the shapes: a hand count, torch's own counter, and what follows from them."""

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from chemvae.bench.contenders.moses import MosesShapedVAE, framed, moses_training_flops
from chemvae.bench.contenders.torch_gru import TorchGRUVAE
from chemvae.bench.measures.flops import decoding_flops, encoding_flops, forward_flops, share_of_peak, training_flops
from chemvae.bench.workload import random_batches
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.models.settings import ModelSettings
from chemvae.models.vae import MolVAE

E, H, G, D, P, T, B = 8, 12, 16, 6, 10, 40, 4  # embedding, encoder, decoder, latent, predictor, tokens, batch
V = 4 + 2


@pytest.fixture
def model():
    torch.manual_seed(0)
    return MolVAE(Vocabulary(["C", "O"]), ModelSettings(E, H, G, D, P, precision="fp32"), ["logP"]).double()


@pytest.fixture
def data():
    """Molecules of one length: nothing is padded, so that what is counted is what is computed."""
    return SmilesDataset(["C" * T] * B, Vocabulary(["C", "O"]), np.zeros((B, 1)))


def counted(work):
    """FLOP of the products that run, by torch's counter."""
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def test_forward_is_the_hand_count(model):
    assert forward_flops(model, T, B) == {
        "encoder tables": 2 * 2 * V * E * 3 * H / B,
        "encoder GRU": T * 2 * (2 * H * 3 * H),
        "heads": 2 * (2 * H) * (2 * D) + 2 * (D * P + P * P + P * 2),
        "z gates": 2 * D * G + 2 * D * 3 * G,
        "decoder tables": 2 * V * E * 3 * G / B,
        "decoder GRU": (T + 1) * (2 * G * 3 * G),
        "output layer": (T + 1) * (2 * G * V),
    }


def test_forward_is_what_the_model_computes(model, data):
    """Within one step of the recurrence, which may be saved where the first state is zero."""
    batch = data.batch(np.arange(B))
    with torch.no_grad():
        found = counted(lambda: model(batch))
    assert found == pytest.approx(B * sum(forward_flops(model, T, B).values()), rel=0.04)


def test_parts_without_tables_are_what_torch_counts_for_nn_gru(model, data):
    """torch.nn.GRU multiplies every token's embedding, and z at every step; the rest is the same products."""
    batch = data.batch(np.arange(B))
    baseline = TorchGRUVAE(model)
    with torch.no_grad():
        found = counted(lambda: baseline(batch))
    parts = forward_flops(model, T, B)
    shared = sum(parts[name] for name in ("encoder GRU", "heads", "decoder GRU", "output layer"))
    inputs = T * 2 * (2 * E * 3 * H) + (T + 1) * 2 * (E + D) * 3 * G
    assert found == B * (shared + inputs + 2 * D * G)


def test_moses_count_is_what_torch_counts(data):
    torch.manual_seed(0)
    model = MosesShapedVAE(V).double()
    batch = framed(data, random_batches(data, B, seed=0)[0])
    with torch.no_grad():
        found = counted(lambda: model(batch.token_ids, batch.lengths))
    assert 3 * found == pytest.approx(B * moses_training_flops(V, T))


def test_backward_is_twice_the_forward(model):
    parts = forward_flops(model, T, B)
    assert training_flops(parts) == pytest.approx(3 * sum(parts.values()))


def test_encoding_and_decoding_leave_out_what_they_do_not_do(model):
    parts = forward_flops(model, T, B)
    predictor = 2 * (D * P + P * P + P * 2)
    assert encoding_flops(model, T, B) + decoding_flops(model, T, B) + predictor == pytest.approx(sum(parts.values()))


def test_cost_is_linear_in_length_and_tables_are_shared_by_the_batch(model):
    totals = [sum(forward_flops(model, n, B).values()) for n in (10, 20, 30)]
    assert totals[2] - totals[1] == pytest.approx(totals[1] - totals[0])
    assert forward_flops(model, T, 2 * B)["encoder tables"] * 2 == forward_flops(model, T, B)["encoder tables"]


def test_the_cpu_preset_costs_a_third_of_a_gigaflop():
    """0.32 GFLOP for a molecule of 44 tokens and a vocabulary of 38, as computed when the preset was chosen."""
    model = MolVAE(Vocabulary([chr(97 + i) for i in range(34)]))
    assert training_flops(forward_flops(model, 44.0, 512)) == pytest.approx(0.32e9, rel=0.02)


def test_share_of_peak():
    assert share_of_peak(2000, 0.25e9, 1000) == 0.5
    assert share_of_peak(1000, 1e9, 1000) == 1.0  # all of it
