"""The model on torch.nn.GRU is the same model, and its loop trains."""

import numpy as np
import pytest
import torch

from chemvae.bench.contenders.torch_gru import TorchGRUVAE, bucketed, step_for, torch_gru_step
from chemvae.objectives import BetaELBO
from tests.conftest import make_model


@pytest.fixture
def batch(labelled):
    return labelled.batch(np.arange(len(labelled)))


def loss_of(model, batch):
    objective = BetaELBO(lambda step: 0.5)
    return objective(model, batch, 0, "model", torch.Generator().manual_seed(3)).total


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_same_weights_same_loss(vocabulary, batch, dtype, tolerance):
    model = make_model(vocabulary).to(dtype)
    batch.labels = batch.labels.to(dtype)
    ours, theirs = loss_of(model, batch), loss_of(TorchGRUVAE(model), batch)
    assert theirs.item() == pytest.approx(ours.item(), rel=tolerance)


def test_same_terms_molecule_by_molecule(vocabulary, batch):
    """Lengths from 3 to 33 in one batch: padding changes neither the encoder's states nor the decoder's sums."""
    model = make_model(vocabulary).double()
    batch.labels = batch.labels.double()
    ours, theirs = (one(batch, 2, torch.Generator().manual_seed(1)) for one in (model, TorchGRUVAE(model)))
    for name in ("z", "kl", "kl_dims", "log_px_z", "log_py_z", "log_qz_x", "log_pz"):
        torch.testing.assert_close(getattr(theirs, name), getattr(ours, name), rtol=1e-10, atol=1e-10)


def test_same_gradients(vocabulary, batch):
    model = make_model(vocabulary).double()
    batch.labels = batch.labels.double()
    baseline = TorchGRUVAE(model)
    loss_of(model, batch).backward()
    loss_of(baseline, batch).backward()
    pairs = [
        (model.encoder.gru.weight_hh_l0_reverse, baseline.backwards.weight_hh_l0),
        (model.encoder.embedding.weight, baseline.encoder_embedding.weight),
        (model.decoder.gru.weight_ih_l0, baseline.decoder.weight_ih_l0),
        (model.decoder.initial.weight, baseline.initial.weight),
    ]
    for own, other in pairs:
        torch.testing.assert_close(other.grad, own.grad, rtol=1e-9, atol=1e-12)


def test_autocast_stays_close(vocabulary, batch):
    model = make_model(vocabulary)
    exact, rounded = loss_of(TorchGRUVAE(model), batch), loss_of(TorchGRUVAE(model, autocast=True), batch)
    assert rounded.item() == pytest.approx(exact.item(), rel=0.02)


def test_the_models_own_weights_are_left_alone(vocabulary, labelled, batch):
    model = make_model(vocabulary)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    torch_gru_step(model, "tiny", autocast=False)(batch)
    assert all(torch.equal(value, before[name]) for name, value in model.named_parameters())


def test_step_for_counts_what_it_saw(vocabulary, labelled):
    seen = []
    speed = step_for(seen.append, bucketed(labelled, 6, seed=0), labelled.batch(np.arange(2)), 0.01, torch.device("cpu"))
    warm_up, *counted = seen
    assert len(warm_up) == 2
    assert speed.molecules == sum(len(batch) for batch in counted)
    assert speed.tokens == sum(int(batch.lengths.sum()) for batch in counted)
    assert speed.seconds >= 0.01
    framed = step_for(seen.append, iter(counted[:1]), counted[0], 0.0, torch.device("cpu"), framing=2)
    assert framed.tokens == int(counted[0].lengths.sum()) - 2 * len(counted[0])


def test_bucketed_never_ends(labelled):
    batches = bucketed(labelled, 8, seed=0)
    assert sum(len(next(batches)) for _ in range(6)) == 2 * len(labelled)  # 8 + 8 + 4, twice
