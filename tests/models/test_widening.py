"""A wider encoder or decoder says what the narrow one said, and can learn more."""

import numpy as np
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.errors import SettingsError
from chemvae.models.settings import ModelSettings
from chemvae.models.training_facts import TrainingFacts
from chemvae.models.vae import MolVAE
from chemvae.models.widening import widen_decoder, widen_encoder

MOLECULES = ["CCO", "c1ccccc1", "CC(=O)NC", "OC(=O)c1ccccc1Cl", "C"]


@pytest.fixture
def model():
    torch.manual_seed(3)
    found = MolVAE(Vocabulary.from_smiles(MOLECULES), ModelSettings(8, 32, 64, 5, 8, precision="fp32"), ["logP"])
    found.training_facts = TrainingFacts(max_tokens=30)
    return found.eval()


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for key, value in found.items():  # what is fitted after training is NaN until then
        torch.testing.assert_close(value, expected[key], atol=0, rtol=0, equal_nan=True)


def test_codes_decodes_and_predictions_stay(model):
    wide = widen_encoder(model, 96)
    assert wide.settings.encoder_dim == 96 and wide.encoder.gru.hidden_dim == 96
    ours, theirs = model.posterior(MOLECULES), wide.posterior(MOLECULES)
    torch.testing.assert_close(theirs.mean, ours.mean, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(theirs.stddev, ours.stddev, atol=1e-6, rtol=1e-6)
    z = model.encode(MOLECULES)
    assert wide.decode(z)["smiles"].tolist() == model.decode(z)["smiles"].tolist()
    assert wide.predict(z)["logP"].tolist() == model.predict(z)["logP"].tolist()
    assert wide.max_length == model.max_length


def test_the_new_units_learn(model):
    wide = widen_encoder(model, 64).train()
    train = SmilesDataset(MOLECULES, wide.vocabulary)
    wide(train.batch(np.arange(len(MOLECULES)))).log_px_z.sum().backward()
    new = wide.posterior_family.project.weight.grad[:, 32:64]  # what reads the new units of the first direction
    assert (new.abs().sum(dim=0) > 0).all()
    recurrent = wide.encoder.gru.weight_hh_l0.grad.view(3, 64, 64)
    assert recurrent[:, :32, 32:].abs().sum() > 0  # old units begin to read new ones


def test_probabilities_of_texts_stay_when_the_decoder_grows(model):
    wide = widen_decoder(model, 160)
    assert wide.settings.decoder_dim == 160 and wide.decoder.gru.hidden_dim == 160
    batch = SmilesDataset(MOLECULES, model.vocabulary).batch(np.arange(len(MOLECULES)))
    z = 2.0 * torch.randn(len(MOLECULES), model.latent_dim)
    with torch.no_grad():
        ours, theirs = model.log_px_z(z, batch, None), wide.log_px_z(z, batch, None)
    torch.testing.assert_close(theirs, ours, atol=1e-5, rtol=1e-6)
    assert wide.decode(z)["smiles"].tolist() == model.decode(z)["smiles"].tolist()
    assert_same({"mean": wide.posterior(MOLECULES).mean}, {"mean": model.posterior(MOLECULES).mean})


def test_the_decoders_new_units_learn(model):
    wide = widen_decoder(model, 96).train()
    train = SmilesDataset(MOLECULES, wide.vocabulary)
    wide(train.batch(np.arange(len(MOLECULES)))).log_px_z.sum().backward()
    assert (wide.decoder.output.weight.grad[:, 64:].abs().sum(dim=0) > 0).all()  # what reads the new units
    recurrent = wide.decoder.gru.weight_hh_l0.grad.view(3, 96, 96)
    assert recurrent[:, :64, 64:].abs().sum() > 0  # old units begin to read new ones


@pytest.mark.parametrize("widen", [lambda model: widen_encoder(model, 64), lambda model: widen_decoder(model, 96)])
def test_the_model_itself_is_left_alone(model, widen):
    before = {key: value.clone() for key, value in model.state_dict().items()}
    wide = widen(model)
    with torch.no_grad():
        for parameter in wide.parameters():
            parameter.add_(1.0)
    assert_same(model.state_dict(), before)


@pytest.mark.parametrize("widen", [lambda model: widen_encoder(model, 32), lambda model: widen_decoder(model, 64)])
def test_the_same_width_is_a_copy(model, widen):
    assert_same(widen(model).state_dict(), model.state_dict())


def test_neither_shrinks(model):
    with pytest.raises(SettingsError, match="32 units"):
        widen_encoder(model, 16)
    with pytest.raises(SettingsError, match="64 units"):
        widen_decoder(model, 32)
