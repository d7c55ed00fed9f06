"""More like these: the density over a family's codes, and what is drawn from it."""

import numpy as np
import pandas as pd
import pytest
import torch

import chemvae
from chemvae.errors import NothingUsableError
from chemvae.sampling.likeness import WIDTH_OF_ONE, draw_like, family_density
from tests.commands.conftest import chemvae as command
from tests.conftest import MOLECULES
from tests.test_family import SMALL, table

__all__ = ["command"]


@pytest.fixture(scope="module")
def model():
    return chemvae.train(table(), ["logP"], **SMALL)


def test_many_codes_give_back_the_gaussian_that_they_were_drawn_from():
    rng = np.random.default_rng(0)
    root = np.array([[2.0, 0.0, 0.0], [0.5, 1.0, 0.0], [-0.3, 0.2, 0.4]])
    codes = np.array([5.0, -1.0, 0.0]) + rng.standard_normal((20_000, 3)) @ root.T
    found = family_density(codes, codes.std(axis=0))
    np.testing.assert_allclose(found.loc, [5, -1, 0], atol=0.05)
    np.testing.assert_allclose(found.covariance_matrix, root @ root.T, atol=0.1)


def test_a_single_code_has_a_stated_spread_in_units_of_all_codes():
    found = family_density(np.array([[1.0, 2.0]]), np.array([2.0, 0.5]))
    np.testing.assert_allclose(found.loc, [1, 2])
    np.testing.assert_allclose(found.stddev, WIDTH_OF_ONE * np.array([2.0, 0.5]), rtol=1e-5)


def test_of_two_codes_the_predictive_variance_holds_the_next_one():
    """A member's z-score against the two others of its family of three has a spread of about one, over many families."""
    rng = np.random.default_rng(1)
    scores = []
    for _ in range(400):
        family = rng.standard_normal(8) * 3 + rng.standard_normal((3, 8))
        density = family_density(family[:2], np.ones(8))
        scores.append((family[2] - density.loc.numpy()) / density.stddev.numpy())
    assert 0.8 < np.std(scores) < 1.25


def test_identical_codes_are_a_density_all_the_same():
    found = family_density(np.ones((3, 2)), np.ones(2))
    assert torch.isfinite(found.log_prob(torch.ones(2)))


def test_draws_lie_where_the_given_molecules_do_and_follow_the_seed(model):
    first, again, other = (draw_like(model, MOLECULES[:4], 500, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    centre = torch.from_numpy(model.encode(MOLECULES[:4])).mean(dim=0)
    assert ((first.mean(dim=0) - centre).abs() < 0.3 * first.std(dim=0)).all()


def test_a_sample_like_some_says_how_near_it_is(model):
    found = chemvae.sample(model, 30, like=[*MOLECULES[:3], "C1CC"], jobs=1)
    assert found["similarity"].notna().tolist() == found["valid"].tolist()
    same = found["smiles"].isin(MOLECULES[:3])
    assert (found["similarity"][same & found["valid"]] == 1).all()


def test_molecules_that_cannot_be_encoded_are_refused_with_the_reason(model):
    with pytest.raises(NothingUsableError, match="None of the 2 molecules to be like can be encoded; the first: .*"):
        chemvae.sample(model, 3, like=["C1CC", "hello"])


def test_the_command_reads_a_file_of_them(command, tmp_path, model):
    chemvae.train(table(), ["logP"], **SMALL, out=tmp_path / "run")
    pd.DataFrame({"name": list("abc"), "smiles": MOLECULES[:3]}).to_csv(tmp_path / "these.csv", index=False)
    found = command("sample", "-m", "run", "-n", "5", "--like", "these.csv", "-o", "out.csv")
    assert found.exit_code == 0, found.output
    assert list(pd.read_csv(tmp_path / "out.csv"))[-1] == "similarity"
