"""Weights of one model in another: what both know is taken over, what only one knows is left, what does not fit is refused."""

import numpy as np
import pytest
import torch

from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.errors import SettingsError
from chemvae.models.settings import ModelSettings
from chemvae.models.storage import find_device, fingerprint, model_tensors, prior_tensors, transfer_weights
from chemvae.models.vae import MolVAE
from tests.conftest import MOLECULES, make_model

MORE = [*MOLECULES, "CP(=O)(O)O", "C[Si](C)(C)C"]


def other_model(vocabulary, properties=("logP", "qed"), **changes):
    torch.manual_seed(1)
    sizes = {"embedding_dim": 8, "encoder_dim": 12, "decoder_dim": 16, "latent_dim": 6, "predictor_dim": 8, **changes}
    return MolVAE(vocabulary, ModelSettings(**sizes, precision="fp32"), properties)


def test_with_the_same_vocabulary_all_of_a_model_is_taken_over(vocabulary):
    source, target = make_model(vocabulary), other_model(vocabulary)
    transfer_weights(source, target)
    for name, value in model_tensors(source).items():
        assert torch.equal(target.state_dict()[name].nan_to_num(), value.nan_to_num()), name
    codes = [model.eval().encode(MOLECULES[:5]) for model in (source, target)]
    np.testing.assert_array_equal(*codes)


def test_tokens_are_taken_over_by_their_text_and_new_ones_keep_their_own_start(vocabulary):
    larger = Vocabulary.from_smiles(MORE)
    source, target = make_model(vocabulary), other_model(larger)
    before = target.encoder.embedding.weight.detach().clone()
    transfer_weights(source, target)
    assert set(vocabulary.tokens) < set(larger.tokens)
    for row, token in enumerate(larger.tokens):
        known = token in vocabulary.tokens
        expected = source.encoder.embedding.weight[vocabulary.tokens.index(token)] if known else before[row]
        assert torch.equal(target.encoder.embedding.weight[row], expected), token
    np.testing.assert_allclose(source.eval().encode(MOLECULES[:5]), target.eval().encode(MOLECULES[:5]), atol=1e-6)


@pytest.mark.parametrize("size", ["encoder_dim", "decoder_dim", "latent_dim", "predictor_dim"])
def test_a_layer_with_as_many_units_as_there_are_tokens_is_no_table_of_tokens(vocabulary, size):
    """Its rows would be taken over by token, and stand in another order."""
    larger = Vocabulary.from_smiles(MORE)
    sizes = {size: len(vocabulary)}
    source, target = other_model(vocabulary, **sizes), other_model(larger, **sizes)
    with torch.no_grad():
        for number, parameter in enumerate(target.parameters()):
            parameter.fill_(number)
    transfer_weights(source, target)
    np.testing.assert_allclose(source.eval().encode(MOLECULES[:5]), target.eval().encode(MOLECULES[:5]), atol=1e-6)
    z = torch.randn(4, source.latent_dim)
    assert torch.equal(source.predict_latent(z)[0], target.predict_latent(z)[0])
    assert torch.equal(source.decoder.initial.weight, target.decoder.initial.weight)


def test_a_predictor_of_other_properties_stays_as_it_is(vocabulary):
    source, target = make_model(vocabulary), other_model(vocabulary, ("logP", "SAS"))
    before = {name: value.clone() for name, value in target.state_dict().items() if name.startswith("predictor.")}
    transfer_weights(source, target)
    assert all(torch.equal(target.state_dict()[name].nan_to_num(), value.nan_to_num()) for name, value in before.items())
    assert torch.equal(target.encoder.embedding.weight, source.encoder.embedding.weight)


def test_other_sizes_are_refused_with_both(vocabulary):
    with pytest.raises(SettingsError, match=r"--init needs the same sizes: .* is \[.*\] there, \[.*\] here"):
        transfer_weights(make_model(vocabulary), other_model(vocabulary, latent_dim=7))


def test_the_two_files_of_a_model_hold_all_of_its_state_and_share_nothing(vocabulary):
    model = make_model(vocabulary)
    own, priors = set(model_tensors(model)), set(prior_tensors(model))
    assert own | priors == set(model.state_dict()) and not own & priors and priors


def test_a_fingerprint_changes_with_any_weight_and_with_nothing_else(vocabulary):
    model, twin = make_model(vocabulary), make_model(vocabulary)
    assert fingerprint(model) == fingerprint(twin) == fingerprint(model.double().float())
    with torch.no_grad():
        next(twin.decoder.parameters()).view(-1)[-1] += 1e-6
    assert fingerprint(model) != fingerprint(twin)


def test_devices_are_found_or_refused_in_a_sentence():
    assert find_device("cpu") == torch.device("cpu") and find_device("auto").type in ("cpu", "cuda")
    with pytest.raises(SettingsError, match="device must be auto, cpu"):
        find_device("gpu")
    if not torch.cuda.is_available():
        with pytest.raises(SettingsError, match="no CUDA device here"):
            find_device("cuda:0")
