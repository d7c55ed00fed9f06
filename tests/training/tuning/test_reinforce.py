"""A decoder that is rewarded writes more molecules, more like the training set's, and forgets nothing else."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.errors import NothingUsableError, SettingsError
from chemvae.training.tuning.base import draw_points
from chemvae.training.tuning.critic import Critic
from chemvae.training.tuning.reinforce import ReinforceSettings, _Tuner, told_share, tune_by_reinforce
from tests.trained_model import MOLECULES, check_only_the_decoder_changed, check_same_seed_same_weights

QUICK = ReinforceSettings(
    rounds=40,
    points=48,
    draws=4,
    critic_points=300,
    critic_steps=60,
    fingerprint_bits=0,
    batch_size=32,
    learning_rate=3e-3,
    ema_decay=0.9,
    threads=1,
)


def sampled(model, n=600):
    z = torch.randn(n, model.latent_dim, generator=torch.Generator().manual_seed(99))
    return model.decode(z, temperature=1.0, seed=5)


@pytest.fixture(scope="module")
def rewarded(trained):
    """The model after forty rounds, and what they told."""
    model = copy.deepcopy(trained)
    return model, tune_by_reinforce(model, SmilesDataset(MOLECULES, model.vocabulary), QUICK)


def test_more_samples_are_molecules_and_only_the_decoder_has_changed(trained, rewarded):
    model, rows = rewarded
    assert sampled(model)["valid"].mean() > sampled(trained)["valid"].mean() + 0.15 and rows[-1]["valid"] > rows[0]["valid"]
    check_only_the_decoder_changed(model, trained.state_dict())


def test_reconstruction_is_trained_beside_it(trained, rewarded):
    z = torch.from_numpy(trained.encode(MOLECULES[:6]))
    before, after = (model.log_likelihood(z, MOLECULES[:6]).mean() for model in (trained, rewarded[0]))
    assert after > before


class FondOf:
    """In a critic's place: rates one molecule high and all others low."""

    def __init__(self, code):
        self.code = code

    def __call__(self, codes):
        return torch.where((codes - self.code).norm(dim=1) < 1e-3, 5.0, -5.0)

    def learn(self, codes):
        return 0.0


def test_what_the_critic_rates_higher_is_written_more_often(model, train, monkeypatch):
    before = (sampled(model)["smiles"] == "CCO").mean()
    code = torch.from_numpy(model.encode(["CCO"]))
    monkeypatch.setattr(_Tuner, "_first_critic", lambda self, is_new: FondOf(code))
    tune_by_reinforce(model, train, replace(QUICK, realism=0.9, invalid=0.0))
    assert (sampled(model)["smiles"] == "CCO").mean() > before + 0.1


def test_advantages_are_over_the_others_at_the_same_point(model, train, monkeypatch):
    tuner = _Tuner(model, train, replace(QUICK, realism=0.0, points=2, draws=3))
    monkeypatch.setattr(tuner, "_write", lambda z: (["CC", "C", "CO", "CC", "CN", "CO"], ["CC", None, "CO", "CC", "CN", "OC"]))
    seen = []
    monkeypatch.setattr(tuner, "_learn", lambda z, texts, advantage: seen.append((texts, advantage)) or [])
    row = tuner.round(0)
    tuner.close()
    texts, advantage = seen[0]
    assert texts == ["CC", "C", "CO"]  # where all are molecules there is nothing to learn
    low = QUICK.invalid
    assert np.allclose(advantage, [1 - (low + 1) / 2, low - 1, 1 - (low + 1) / 2])
    assert row["valid"] == pytest.approx(5 / 6) and row["reward"] == pytest.approx((5 + low) / 6)


def test_points_come_from_the_densities_asked_for(model):
    far = np.full((40, model.latent_dim), 50.0, dtype=np.float32)
    noise = torch.Generator().manual_seed(0)
    assert draw_points(model, 20, noise, seed=1, learned_share=1.0).norm(dim=1).max() < 20  # nothing is fitted yet
    learned = model.priors["learned"].fit(far)
    model.latent_statistics.fit(torch.from_numpy(far), learned.log_prob(torch.from_numpy(far)), 0)
    for share, n_far in ((0.0, 0), (0.5, 10), (1.0, 20)):
        z = draw_points(model, 20, noise, seed=1, learned_share=share)
        assert z.shape == (20, model.latent_dim) and int((z.norm(dim=1) > 100).sum()) == n_far


def test_same_seed_same_weights(model, train):
    settings = replace(QUICK, rounds=3, points=24, critic_points=50, critic_steps=5, batch_size=16, threads=2)
    check_same_seed_same_weights(model, lambda one: tune_by_reinforce(one, train, settings))


def test_the_critic_sees_codes_atom_environments_and_ring_sizes(model, train):
    tuner = _Tuner(model, train, replace(QUICK, realism=0.0, fingerprint_bits=64))
    seen = tuner._features(["CCCC", "CCO"])
    rings = tuner._features(["C1CC1", "C1"])[:, -6:].exp() - 1
    tuner.close()
    assert seen.shape == (2, model.latent_dim + 64 + 6) and not seen[:, -6:].any()
    torch.testing.assert_close(rings, torch.tensor([[1.0, 0, 0, 0, 0, 0], [torch.nan] * 6]), equal_nan=True)
    torch.testing.assert_close(seen[:, : model.latent_dim], torch.from_numpy(model.encode(["CCCC", "CCO"])))
    counts = seen[:, model.latent_dim : -6].exp() - 1
    make = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=64).GetCountFingerprintAsNumPy
    expected = [make(Chem.MolFromSmiles(one)).astype(np.float32) for one in ("CCCC", "CCO")]
    torch.testing.assert_close(counts, torch.from_numpy(np.stack(expected)))


def test_the_critic_compares_with_as_many_as_asked(model, train):
    tuner = _Tuner(model, train, replace(QUICK, critic_molecules=7, critic_steps=1))
    tuner.close()
    assert len(tuner.critic.real) == 7


def test_the_critic_is_the_log_ratio_of_two_gaussians(monkeypatch):
    monkeypatch.setattr("chemvae.training.tuning.critic.BATCH_SIZE", 128)
    noise = torch.Generator().manual_seed(0)
    critic = Critic(torch.randn(10_000, 2, generator=noise) + 0.5, seed=1)
    critic.begin(torch.randn(10_000, 2, generator=noise) - 0.5, n_steps=200)
    z = torch.tensor([[0.0, 0.0], [0.5, 0.5], [-0.5, 0.0], [1.0, -1.0]])
    assert torch.allclose(critic(z), z.sum(dim=1), atol=0.35)  # log N(z; a, I) - log N(z; -a, I) = 2 a z


def test_the_critic_forgets_what_was_written_long_ago():
    critic = Critic(torch.zeros(50, 2))
    for number in range(30):
        critic.learn(torch.full((10, 2), float(number)))
    assert len(critic.rounds) == 20 and float(critic.rounds[0][0, 0]) == 10


def test_a_canonical_form_that_cannot_be_read_is_no_molecule_and_leaves_the_critic_alone(model, train):
    tuner = _Tuner(model, train, replace(QUICK, critic_steps=1, fingerprint_bits=64))
    for _ in range(2):  # what was judged first is learned from before the second time
        rewards, _, loss = tuner._judge(["CCO", "C1", None, "CCN"], torch.zeros(4, model.latent_dim))
        assert rewards[1:3].tolist() == pytest.approx([QUICK.invalid] * 2) and np.isfinite(loss)
        assert (rewards[[0, 3]] > 1 - QUICK.realism).all()
    assert [len(one) for one in tuner.critic.rounds] == [2, 2]
    rewards, _, loss = tuner._judge(["C1"], torch.zeros(1, model.latent_dim))
    tuner.close()
    assert rewards.tolist() == pytest.approx([QUICK.invalid]) and np.isnan(loss)


def test_nothing_valid_is_no_reason_to_stop(model, train, monkeypatch):
    tuner = _Tuner(model, train, replace(QUICK, points=4, critic_steps=1))
    monkeypatch.setattr(tuner, "_write", lambda z: (["C("] * len(z), [None] * len(z)))
    row = tuner.round(0)
    tuner.close()
    assert row["valid"] == 0 and row["reward"] == pytest.approx(QUICK.invalid) and np.isnan(row["loss_others"])


def test_rounds_without_anything_to_learn_leave_the_others_means(model, train, monkeypatch):
    """Ten rounds make one row: a fruitful one, then nine in which nothing is a molecule."""
    written = []

    def write(self, z):
        written.append(len(z))
        texts = ["CCO", "C("] * (len(z) // 2) if len(written) == 1 else ["C("] * len(z)
        return texts, [text if text == "CCO" else None for text in texts]

    monkeypatch.setattr(_Tuner, "_write", write)
    row = tune_by_reinforce(model, train, replace(QUICK, rounds=10, points=4, realism=0.0))[0]
    assert row["valid"] == pytest.approx(0.05) and row["loss_others"] > 0
    empty = tune_by_reinforce(model, train, replace(QUICK, rounds=1, points=4, realism=0.0))[0]
    assert empty["valid"] == 0 and np.isnan(empty["loss_others"]) and np.isnan(empty["loss_noised"])


def test_a_critic_without_a_single_molecule_is_an_error_that_says_so(model, train, monkeypatch):
    for molecule in (None, "C1"):  # no text was read, or no canonical form was
        monkeypatch.setattr(_Tuner, "_write", lambda self, z, molecule=molecule: (["C("] * len(z), [molecule] * len(z)))
        with pytest.raises(NothingUsableError, match="none of 300 texts"):
            tune_by_reinforce(model, train, replace(QUICK, fingerprint_bits=64))
    assert not any(p.requires_grad for p in model.decoder.parameters())


def test_other_molecules_may_be_reconstructed_beside_it(model, train, monkeypatch):
    ethanol, benzene = (SmilesDataset([one] * 6, model.vocabulary) for one in ("CCO", "c1ccccc1"))
    tuner = _Tuner(model, ethanol, replace(QUICK, critic_steps=1, noise_exponent=3.0), benzene)
    code = torch.from_numpy(model.encode(["CCO"]))
    torch.testing.assert_close(tuner.critic.real, code.repeat(6, 1))
    read = {}
    monkeypatch.setattr(tuner, "step", lambda groups: read.update(groups) or {"others": 0.0, "noised": 0.0})
    powers, noised = [], tuner.noised
    monkeypatch.setattr(
        tuner, "noised", lambda z, noise_exponent: powers.append(noise_exponent) or noised(z, noise_exponent=noise_exponent)
    )
    tuner._learn(torch.zeros(1, model.latent_dim), ["CC"], torch.ones(1))
    assert powers == [3.0]
    tuner.close()
    written = {name: set(model.vocabulary.decode_rows(group[0].token_ids.numpy())) for name, group in read.items()}
    assert written == {"points": {"CC"}, "others": {"c1ccccc1"}, "noised": {"CCO"}}


def test_settings_complain_all_at_once():
    with pytest.raises(SettingsError) as caught:
        ReinforceSettings(draws=1, share=1.0, learning_rate=0.0, realism=2.0, noised=-1.0)
    assert len(caught.value.complaints) == 5


def test_a_data_set_without_labels_and_all_that_a_critic_sees(model):
    """The critic with both of its inputs, from the first texts to the last round."""
    settings = replace(QUICK, rounds=12, critic_steps=20, fingerprint_bits=64)
    rows = tune_by_reinforce(model, SmilesDataset(MOLECULES, model.vocabulary), settings)
    assert [row["round"] for row in rows] == [10, 12]
    assert all(0 < row["critic_loss"] < 2 and np.isfinite(row["loss_others"]) for row in rows)


def test_what_tells_its_point_is_rewarded(model, train):
    points = torch.from_numpy(model.encode(train.smiles[:8]))
    tuner = _Tuner(model, train, replace(QUICK, realism=0.0, own_code=1.0, points=8, draws=2))
    rewards, told, _ = tuner._judge([one for one in train.smiles[:8] for _ in range(2)], points.repeat_interleave(2, dim=0))
    tuner.close()
    assert rewards.tolist() == [1.0] * 16 and told == 1.0  # each is nearest to its own code


def test_rewarded_for_telling_its_point_a_decoder_reads_z_again(model, train, monkeypatch):
    codes = torch.from_numpy(model.encode(train.smiles[:9]))
    between = (codes[:, None] + codes).flatten(0, 1)[:48] / 2
    monkeypatch.setattr(_Tuner, "_points", lambda self, n, number: between[torch.randperm(48, generator=self.noise)])
    rows = tune_by_reinforce(model, train, replace(QUICK, rounds=100, realism=0.0, own_code=0.9, share=0.7))
    assert rows[-1]["told"] > rows[0]["told"] + 0.08 and rows[-1]["valid"] > rows[0]["valid"]


def test_the_farthest_point_is_told_nothing_of_and_chance_is_one_over_log_p():
    noise = torch.Generator().manual_seed(0)
    points, codes = torch.randn(1000, 3, generator=noise), torch.randn(4000, 3, generator=noise)
    by_chance = told_share(codes, torch.randint(1000, (4000,), generator=noise), points)
    assert by_chance.mean() == pytest.approx(1 / np.log(1000), abs=0.01)
    line = torch.arange(5.0)[:, None]
    assert told_share(line, torch.arange(5).flip(0), line)[[0, 4]].tolist() == [0.0, 0.0]


def test_shares_of_one_reward_do_not_exceed_it():
    with pytest.raises(SettingsError, match="shares of one reward"):
        ReinforceSettings(realism=0.7, own_code=0.4)
