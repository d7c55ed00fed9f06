"""A decoder taught at the prior's points writes more molecules there and forgets nothing else."""

import pytest
import torch

from chemvae.chem.molecules import parse
from chemvae.errors import SettingsError
from chemvae.training.tuning.expert_iteration import ExpertIterationSettings, tune_by_expert_iteration
from tests.trained_model import check_only_the_decoder_changed, check_same_seed_same_weights

QUICK = ExpertIterationSettings(
    rounds=4, points=400, draws=4, batch_size=16, learning_rate=5e-3, ema_decay=0.9, threads=1, distinct=False
)


def valid_share(model):
    z = torch.randn(500, model.latent_dim, generator=torch.Generator().manual_seed(99))
    return float(model.decode(z)["valid"].mean())


def test_more_of_the_prior_decodes_to_molecules_and_only_the_decoder_has_changed(model, train):
    before, state = valid_share(model), {name: value.clone() for name, value in model.state_dict().items()}
    rows = tune_by_expert_iteration(model, train, QUICK)
    after = valid_share(model)
    assert after > before + 0.2 and rows[-1]["valid"] > rows[0]["valid"]
    check_only_the_decoder_changed(model, state)


def test_reconstruction_is_trained_beside_it(model, train):
    z = torch.from_numpy(model.encode(train.smiles[:6]))
    before = model.log_likelihood(z, train.smiles[:6]).mean()
    tune_by_expert_iteration(model, train, QUICK)
    assert model.log_likelihood(z, train.smiles[:6]).mean() > before


def test_same_seed_same_weights(model, train):
    settings = ExpertIterationSettings(rounds=2, points=64, batch_size=16, threads=2)
    check_same_seed_same_weights(model, lambda one: tune_by_expert_iteration(one, train, settings))


def test_targets_are_molecules_as_they_were_written(model, train):
    from chemvae.training.tuning.expert_iteration import _Tuner

    tuner = _Tuner(model, train, QUICK)
    found, share = tuner._write(torch.randn(100, model.latent_dim), seed=1)
    tuner.close()
    texts = [text for one in found for text in one]
    assert texts and all(parse(text) is not None for text in texts)
    assert len(found) == 100 and share >= len(texts) / 400


def test_points_do_not_share_a_target(model, train):
    from chemvae.training.tuning.expert_iteration import _Tuner

    found = [["CC", "CCO"], ["CC"], ["CC", "CCO", "CN"], [], ["CCO"]]
    shared, apart = (_Tuner(model, train, ExpertIterationSettings(threads=1, distinct=distinct)) for distinct in (False, True))
    assert shared._choose(found) == ["CC", "CC", "CC", "", "CCO"]
    assert apart._choose(found) == ["CC", "", "CCO", "", ""]
    shared.close(), apart.close()


def test_settings_complain_all_at_once():
    with pytest.raises(SettingsError) as caught:
        ExpertIterationSettings(rounds=0, share=1.0, learning_rate=0.0)
    assert len(caught.value.complaints) == 3
