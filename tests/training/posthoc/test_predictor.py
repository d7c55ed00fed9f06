"""The predictor learns its labels from codes that stay, and nothing else moves."""

import numpy as np
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.errors import SettingsError
from chemvae.models.storage import load_model, save_model, transfer_weights
from chemvae.runs import RunFolder
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
    refit_predictor(model, data, RefitSettings(epochs=300, batch_size=16, warmup_steps=5, learning_rate=1e-2, heads=2))
    after = np.nanmean(np.abs(model.predictor(torch.from_numpy(model.encode(molecules)))[0].detach().numpy() - data.labels), 0)
    assert (after < before / 2).all()
    assert all(torch.equal(value, others[name]) for name, value in model.named_parameters() if name in others)
    assert not any(p.requires_grad for p in model.predictor.parameters())


def test_the_same_seed_gives_the_same_predictor(molecules, vocabulary):
    def fitted():
        model = make_model(vocabulary)
        refit_predictor(model, labelled(model, molecules), RefitSettings(epochs=2, least_steps=10, batch_size=16, seed=3))
        return torch.nn.utils.parameters_to_vector(model.predictor.parameters())

    assert torch.equal(fitted(), fitted())


def test_the_weights_that_held_out_molecules_like_best_are_kept(molecules, vocabulary):
    model, last = certain(vocabulary), certain(vocabulary)
    data = labelled(model, molecules)
    noise = np.random.default_rng(0).normal(size=data.labels.shape)  # labels that nothing can be learned from
    train, valid = (SmilesDataset(data.smiles[i::2], vocabulary, noise[i::2]) for i in (0, 1))
    settings = RefitSettings(epochs=1, least_steps=600, batch_size=16, warmup_steps=5, learning_rate=3e-2, heads=2)
    kept = refit_predictor(model, train, settings, valid)
    codes, labels = torch.from_numpy(model.encode(valid.smiles)), torch.as_tensor(valid.labels)
    assert kept == pytest.approx(-float(model.predictor.log_prob(codes, labels).mean()))
    refit_predictor(last, train, settings)
    assert kept < -float(last.predictor.log_prob(codes, labels).mean()) - 0.1


def test_new_heads_are_part_of_the_model_that_is_saved(molecules, vocabulary, tmp_path):
    model = make_model(vocabulary)
    refit_predictor(model, labelled(model, molecules), RefitSettings(epochs=1, least_steps=5, batch_size=16, heads=3))
    save_model(model, RunFolder(tmp_path / "run"))
    again = load_model(RunFolder(tmp_path / "run"))
    assert again.settings.predictor_heads == again.predictor.n_heads == 3
    z = torch.from_numpy(model.encode(molecules))
    torch.testing.assert_close(again.eval().predictor(z), model.predictor(z), rtol=0, atol=0)


def test_a_model_starts_from_one_with_other_heads(vocabulary):
    one, three = make_model(vocabulary), make_model(vocabulary)
    three.take_predictor_heads(3, seed=1)
    fresh = make_model(vocabulary)
    transfer_weights(three, fresh)
    assert torch.equal(fresh.predictor.layers[0].weight, three.predictor.layers[0].weight)
    before = three.predictor.others[0][0].weight.clone()
    transfer_weights(one, three)
    assert torch.equal(three.predictor.others[0][0].weight, before)
    with pytest.raises(SettingsError, match="predictor_heads must be between 1 and 100, got 0"):
        three.take_predictor_heads(0)
