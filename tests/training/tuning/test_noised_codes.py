"""A decoder taught at noised codes knows more of what lies between molecules and forgets none of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.errors import SettingsError
from chemvae.models.priors import HIGHEST_LEVEL, NormalPrior, noised_codes
from chemvae.training.tuning.base import DecoderTuner
from chemvae.training.tuning.noised_codes import NoisedCodeSettings, tune_to_noised_codes
from tests.trained_model import check_only_the_decoder_changed, check_same_seed_same_weights

QUICK = NoisedCodeSettings(steps=150, batch_size=32, learning_rate=3e-3, ema_decay=0.9, threads=1)


def nats(model, train, noised):
    """Cross-entropy per molecule at the codes of the distinct molecules, or at many noised codes of theirs."""
    smiles = list(train.smiles[:9])
    z = torch.from_numpy(model.encode(smiles))
    if noised:
        smiles, z = smiles * 40, noised_codes(z.repeat(40, 1), NormalPrior(1), torch.Generator().manual_seed(7))
    return -float(model.log_likelihood(z, smiles).mean())


def test_molecules_are_likelier_at_noised_codes_and_only_the_decoder_has_changed(model, train):
    before, own, state = (
        nats(model, train, noised=True),
        nats(model, train, noised=False),
        {name: value.clone() for name, value in model.state_dict().items()},
    )
    rows = tune_to_noised_codes(model, train, QUICK)
    assert nats(model, train, noised=True) < 0.7 * before and nats(model, train, noised=False) < own + 0.3
    assert [row["step"] for row in rows] == [100, 150] and rows[1]["loss_noised"] < rows[0]["loss_noised"]
    check_only_the_decoder_changed(model, state)


def test_same_seed_same_weights(model, train):
    settings = replace(QUICK, steps=6, threads=2)
    check_same_seed_same_weights(model, lambda one: tune_to_noised_codes(one, train, settings))


@pytest.mark.parametrize(("share", "towards_learned"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_codes_move_towards_the_learned_prior_as_often_as_asked(model, train, share, towards_learned):
    far = np.random.default_rng(0).normal(50.0, 1.0, (400, model.latent_dim)).astype(np.float32)
    learned = model.priors["learned"].fit(far)
    model.latent_statistics.fit(torch.from_numpy(far), learned.log_prob(torch.from_numpy(far)), 0)
    tuner = DecoderTuner(model, train, QUICK, n_steps=1)
    at_home = [
        bool((tuner.noised(torch.zeros(20, model.latent_dim), share) > 25 * (1 - HIGHEST_LEVEL)).all()) for _ in range(300)
    ]
    tuner.close()
    assert abs(np.mean(at_home) - towards_learned) <= (0.1 if 0 < share < 1 else 0)


@pytest.mark.parametrize("power", [1.0, 3.0])
def test_with_a_higher_power_less_is_left_of_the_codes(model, train, power):
    """E[z z'] of z' = a z + noise is E[a], and E[u^power] = 1 / (power + 1)."""
    tuner = DecoderTuner(model, train, QUICK, n_steps=1)
    z = torch.randn(100_000, model.latent_dim, generator=torch.Generator().manual_seed(2))
    left = float((tuner.noised(z, learned_share=0.0, noise_exponent=power) * z).mean())
    tuner.close()
    assert abs(left - HIGHEST_LEVEL / (power + 1)) < 0.01


def test_codes_are_moved_as_the_settings_say(model, train, monkeypatch):
    asked = []
    noised = DecoderTuner.noised
    monkeypatch.setattr(DecoderTuner, "noised", lambda self, z, *how: asked.append(how) or noised(self, z, *how))
    tune_to_noised_codes(model, train, replace(QUICK, steps=2, learned_share=0.3, noise_exponent=3.0))
    assert asked == [(0.3, 3.0)] * 2


def test_other_molecules_may_be_reconstructed_beside_it(model, train):
    """Each group has its own molecules: ethanol alone at noised codes, benzene alone at its own."""
    ethanol, benzene = (SmilesDataset([one] * 6, model.vocabulary) for one in ("CCO", "c1ccccc1"))
    tuner = DecoderTuner(model, ethanol, QUICK, n_steps=1, reconstruction_data=benzene)
    read = [tuner.training_molecules()[0], tuner.reconstruction()[0], tuner.training_molecules()[0]]
    tuner.close()
    written = [set(model.vocabulary.decode_rows(batch.token_ids.numpy())) for batch in read]
    assert written == [{"CCO"}, {"c1ccccc1"}, {"CCO"}]
    before = nats(model, benzene, noised=False)
    tune_to_noised_codes(model, ethanol, QUICK, reconstruction_data=benzene)
    assert nats(model, benzene, noised=False) < before


def test_settings_complain_all_at_once():
    with pytest.raises(SettingsError) as caught:
        NoisedCodeSettings(steps=0, batch_size=0, share=0.0, learning_rate=0.0, learned_share=2.0, noise_exponent=0.0)
    assert len(caught.value.complaints) == 6
