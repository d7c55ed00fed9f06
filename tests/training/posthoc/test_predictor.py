"""The predictor learns its labels from codes that stay, and nothing else moves."""

import numpy as np
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.training.posthoc.predictor import RefitSettings, refit_predictor
from tests.conftest import make_model


def certain(vocabulary):
    """A model whose posteriors are narrow, so that a code says which molecule it is."""
    model = make_model(vocabulary)
    with torch.no_grad():
        model.posterior_family.project.bias[model.latent_dim :] = -20.0
    return model


def labelled(model, molecules):
    """Labels that are a linear function of the codes, one of them missing here and there."""
    z = model.encode(molecules).astype(float)
    labels = np.stack([z[:, 0], z[:, 1] - z[:, 2]], axis=1)
    labels[::5, 1] = np.nan
    return SmilesDataset(molecules, model.vocabulary, labels)


def test_it_learns_a_linear_property_and_leaves_encoder_and_decoder_alone(molecules, vocabulary):
    model = certain(vocabulary)
    data = labelled(model, molecules)
    model.predictor.fit_scale(torch.as_tensor(data.labels))
    others = {name: value.clone() for name, value in model.named_parameters() if not name.startswith("predictor.")}
    before = np.nanmean(np.abs(model.predictor(torch.from_numpy(model.encode(molecules)))[0].detach().numpy() - data.labels), 0)
    refit_predictor(model, data, RefitSettings(epochs=300, batch_size=16, warmup_steps=5, learning_rate=1e-2))
    after = np.nanmean(np.abs(model.predictor(torch.from_numpy(model.encode(molecules)))[0].detach().numpy() - data.labels), 0)
    assert (after < before / 2).all()
    assert all(torch.equal(value, others[name]) for name, value in model.named_parameters() if name in others)
    assert not any(p.requires_grad for p in model.predictor.parameters())


def test_the_same_seed_gives_the_same_predictor(molecules, vocabulary):
    def fitted():
        model = make_model(vocabulary)
        refit_predictor(model, labelled(model, molecules), RefitSettings(epochs=2, batch_size=16, seed=3))
        return torch.nn.utils.parameters_to_vector(model.predictor.parameters())

    assert torch.equal(fitted(), fitted())
