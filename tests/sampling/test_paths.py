"""The way between two molecules, on an arc and on a line, with everything a point decodes to."""

import pandas as pd
import pytest
import torch

from chemvae.chem.properties import compute
from chemvae.errors import SettingsError, UnknownNameError
from chemvae.models.latent_space import FLAT, SPHERE
from chemvae.sampling import interpolate, usual_properties
from chemvae.sampling.paths import points_between
from chemvae.tables.path_page import path_figures, path_page
from tests.moving.conftest import model

__all__ = ["model"]


@pytest.mark.parametrize("path", ["linear", "spherical"])
@pytest.mark.parametrize("space", [FLAT, SPHERE], ids=["flat", "sphere"])
def test_every_path_begins_and_ends_at_its_ends_and_stays_in_its_space(path, space):
    first, last = (space.project(one) for one in torch.randn(2, 1, 6, generator=torch.Generator().manual_seed(0)))
    points = points_between(space, first, last, torch.linspace(0, 1, 5)[:, None], path)
    torch.testing.assert_close(points[[0, -1]], torch.cat([first, last]), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(space.project(points), points)


def test_a_line_passes_nearer_to_the_origin_than_an_arc():
    first, last = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    half = torch.tensor([[0.5]])
    norms = [points_between(FLAT, first, last, half, path).norm() for path in ("linear", "spherical")]
    torch.testing.assert_close(torch.stack(norms), torch.tensor([0.5**0.5, 1.0]))


def test_the_first_decode_of_each_point_is_the_one_told_alone(model):
    alone = interpolate(model, "CCO", "Nc1ccccc1", n_steps=5, n_samples=30)
    several = interpolate(model, "CCO", "Nc1ccccc1", n_steps=5, n_samples=30, n_decodes=4)
    pd.testing.assert_frame_equal(several[several["decode"] == 0].drop(columns="decode").reset_index(drop=True), alone)
    assert (several.groupby("step")["decode"].max() <= 3).all()
    valid = several[several["valid"]]
    assert not valid.duplicated(["step", "smiles"]).any()


def test_properties_are_told_of_every_molecule(model):
    found = interpolate(model, "CCO", "CCN", n_steps=3, properties=["LOGP", "mw"])
    assert list(found.columns[-2:]) == ["logP", "MW"]
    for row in found[found["valid"]].itertuples():
        assert (row.logP, row.MW) == (pytest.approx(compute("logP", row.smiles)), pytest.approx(compute("MW", row.smiles)))
    assert usual_properties(model) == ["logP"]
    with pytest.raises(UnknownNameError, match="logP"):
        interpolate(model, "CCO", "CCN", properties="logQ")
    with pytest.raises(UnknownNameError, match="linear, spherical"):
        interpolate(model, "CCO", "CCN", path="curved")
    with pytest.raises(SettingsError, match="n_decodes"):
        interpolate(model, "CCO", "CCN", n_decodes=0)


def test_points_are_counted_whatever_else_they_decode_to():
    table = {"step": [0, 0, 1, 2], "decode": [0, 1, 0, 0], "smiles": ["CCO", "CCN", "C(", "CCO"],
             "valid": [True, True, False, True]}  # fmt: skip
    figures = path_figures(pd.DataFrame(table))
    assert (figures["n_points"], figures["valid"], figures["distinct"]) == (3, pytest.approx(2 / 3), 0.5)
    assert figures["largest_jump"] == 0.0


def test_a_page_shows_the_film_the_decodes_and_what_changes(model):
    found = interpolate(model, "CCO", "Nc1ccccc1", n_steps=4, n_samples=20, n_decodes=3, properties="logP")
    page = path_page(found, "CCO", "Nc1ccccc1")
    assert 'class="strip"' in page and "All decodes" in page and "logP" in page and "largest jump" in page
