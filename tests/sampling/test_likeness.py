"""More like these: the density over a family's codes, and what is drawn from it."""

import numpy as np
import pandas as pd
import pytest
import torch

import chemvae
from chemvae.errors import NothingUsableError
from chemvae.sampling.likeness import WIDTH_OF_ONE, blend, draw_like
from tests.commands.conftest import chemvae as command
from tests.conftest import MOLECULES
from tests.test_family import SMALL, table

__all__ = ["command"]


@pytest.fixture(scope="module")
def model():
    return chemvae.train(table(), ["logP"], **SMALL)


def test_points_fill_the_triangle_of_three_codes_evenly():
    """The mean of a triangle is its centroid; its covariance is that of the corners over twelve (times three of them)."""
    corners = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 6.0]])
    found = blend(corners, 60_000, np.random.default_rng(0))
    np.testing.assert_allclose(found.mean(axis=0), [1, 2], atol=0.03)
    centred = corners - corners.mean(axis=0)
    np.testing.assert_allclose(np.cov(found.T), centred.T @ centred / 12, atol=0.03)
    assert (found >= 0).all() and (found @ [1 / 3, 1 / 6] <= 1 + 1e-9).all()


def test_of_many_codes_each_draw_stays_near_three():
    """The mean of hundreds of codes is like none of them: a draw is made of three, and all get their turn."""
    found = blend(np.eye(200), 4_000, np.random.default_rng(0))
    assert ((found > 0).sum(axis=1) == 3).all() and (found > 0).any(axis=0).all()


def test_about_a_single_molecule_the_step_is_in_units_of_all_codes(model):
    z = draw_like(model, MOLECULES[0], 4_000)
    code = torch.from_numpy(model.encode(MOLECULES[0]))[0]
    torch.testing.assert_close(z.mean(dim=0), code, atol=0.05, rtol=0)
    torch.testing.assert_close(z.std(dim=0), WIDTH_OF_ONE * model.latent_statistics.std, rtol=0.05, atol=1e-3)


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
