"""Fitting each molecule's own posterior: the climb, what it never makes worse, and what is refused."""

import numpy as np
import pytest
import torch

import chemvae
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.errors import SettingsError
from chemvae.models.inference.refinement import evidence_bound, fit_summary, gain, refine, summary_of, tempered
from chemvae.models.vae import eval_mode
from tests.conftest import MOLECULES
from tests.test_family import SMALL, table


@pytest.fixture(scope="module")
def model():
    return chemvae.train(table(), ["logP"], **{**SMALL, "epochs": 1, "beta": 0.5})


def test_each_molecule_climbs_to_the_top_of_its_own_bound():
    """-|s - t|^2 has its top at t, whatever the other rows do."""
    top = torch.tensor([[0.2, -0.1], [0.05, 0.3]])
    found = fit_summary(torch.zeros(2, 2), lambda s, *_: -(s - top).square().sum(dim=1), 400, torch.Generator())
    torch.testing.assert_close(found, top, atol=1e-3, rtol=0)


def test_no_steps_give_the_encoders_answer_to_the_last_bit(model):
    z, gained, _ = refine(model, MOLECULES, 0)
    np.testing.assert_array_equal(z, model.encode(MOLECULES, canonicalize=False))
    assert not gained.any()


def test_refining_raises_the_bound_of_most_molecules_and_lowers_none(model):
    data = SmilesDataset(list(MOLECULES), model.vocabulary)
    batch = data.batch(np.arange(len(data)))
    with eval_mode(model):
        bound, before = evidence_bound(model, batch, beta=1.0), summary_of(model, batch)
        after = fit_summary(before, bound, 40, torch.Generator().manual_seed(0))
        assert (gain(before, after, bound, 256, seed=9) > 0).float().mean() > 0.8  # at draws that nothing was fitted to
    assert (refine(model, MOLECULES, 5).gained >= 0).all()


def test_the_weight_of_the_kl_is_that_of_the_training_and_lasts(model, tmp_path):
    assert model.training_facts.kl_weight == 0.5
    chemvae.train(table(), ["logP"], **{**SMALL, "epochs": 1, "beta": 0.25, "out": tmp_path / "run"})
    assert chemvae.load(tmp_path / "run", device="cpu").training_facts.kl_weight == 0.25


def test_the_same_seed_refines_to_the_same_bits_and_tells_how_far_it_is(model):
    told = []
    first, second = (refine(model, MOLECULES, 3, seed=4, progress=told.append).z for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert told[-1] == len(MOLECULES)


@pytest.mark.parametrize("steps", [-1, 10_001])
def test_steps_out_of_range_are_refused_before_a_file_is_read(model, steps):
    with pytest.raises(SettingsError, match="refine must lie in"):
        chemvae.encode("no-such-file.csv", model, refine=steps)


def test_a_row_that_is_no_molecule_stays_without_a_point(model):
    found = chemvae.encode([MOLECULES[0], "C1CC", MOLECULES[1]], model, refine=2)
    assert found["z_0"].isna().tolist() == [False, True, False]


def test_a_chain_moves_on_the_density_that_the_bound_is_about(model):
    """Both bounds are of log p(z) + log p(x|z) / beta, up to the weight: at one z they are one number."""
    data = SmilesDataset(list(MOLECULES[:3]), model.vocabulary)
    batch, beta = data.batch(np.arange(3)), 0.5
    with eval_mode(model), torch.no_grad():
        z = torch.randn(2, 3, model.latent_dim, generator=torch.Generator().manual_seed(1))
        flat = z.flatten(0, 1)
        log_pz = model.priors["normal"].log_prob(flat).view(2, 3)
        log_px_z = torch.stack([model.log_px_z(one, batch, None) for one in z])
        torch.testing.assert_close(beta * tempered(model, batch, beta)(z), beta * log_pz + log_px_z, rtol=1e-5, atol=1e-4)


def test_a_chain_leads_where_the_density_is_high_and_the_same_seed_to_the_same_bits(model):
    """From points that belong to nothing: the chain's mean explains its molecule better than where it began."""
    first, second = (refine(model, MOLECULES, 0, n_moves=40, seed=2) for _ in range(2))
    np.testing.assert_array_equal(first.z, second.z)
    assert (first.accepted > 0.2).all() and np.isnan(refine(model, MOLECULES, 0).accepted).all()
    assert not np.array_equal(first.z, model.encode(MOLECULES, canonicalize=False))


def test_what_a_chain_cannot_be_is_refused(model):
    with pytest.raises(SettingsError, match="chain must lie in 2"):
        chemvae.encode("no-such-file.csv", model, chain=1)
    point = chemvae.train(table(), ["logP"], **{**SMALL, "epochs": 1, "posterior": "deterministic", "objective": "autoencoder"})
    with pytest.raises(SettingsError, match="a chain needs the width of the posterior"):
        refine(point, MOLECULES, 0, n_moves=4)


def test_where_the_kl_has_no_weight_a_chain_moves_on_the_joint_density(model):
    free, whole = (refine(model, MOLECULES[:4], 0, n_moves=4, beta=beta).z for beta in (0.0, 1.0))
    np.testing.assert_array_equal(free, whole)


def test_the_command_says_how_many_moves_were_accepted(model, caplog):
    caplog.set_level("INFO", "chemvae")
    found = chemvae.encode([MOLECULES[0], "C1CC"], model, refine=1, chain=6)
    assert found["z_0"].isna().tolist() == [False, True]
    assert "Refining raised the bound" in caplog.text and "% of their moves" in caplog.text
