"""The ascent and its gates."""

import pytest
import torch

from chemvae.design import Goal, run_campaign
from chemvae.design.optimizers.gradient import climb, stop_inside
from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.qsar.model import HALF_WIDTH
from tests.design.toys import Bowl, ToyModel, chain


def test_the_ascent_rises_to_the_known_optimum():
    region, top = LatentRegion(ToyModel()), torch.tensor([1.0, -0.5, 0.0, 0.3])
    origins = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    path = climb(origins, lambda z: -(z - top).square().sum(dim=1), region, n_steps=200, rate=0.05)
    assert path.shape == (201, 5, 4) and torch.equal(path[0], origins)
    assert ((path[-1] - top).norm(dim=1) < 0.1).all()


def test_each_point_climbs_on_its_own():
    region = LatentRegion(ToyModel())
    origins = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))

    def bound(z):
        return -z.square().sum(dim=1) * 1e-3

    together = climb(origins, bound, region, 10, 0.05)
    alone = torch.cat([climb(origins[i : i + 1], bound, region, 10, 0.05) for i in range(4)], dim=1)
    torch.testing.assert_close(together, alone)


def test_the_norm_is_capped_and_thin_places_are_left():
    model = ToyModel()
    region = LatentRegion(model)
    outward = climb(torch.randn(6, 4), lambda z: z.norm(dim=1), region, 200, 0.1)
    assert (outward.norm(dim=2) <= region.norm_cap + 1e-4).all()
    region.density_threshold = float(region.log_density(torch.tensor([[2.0, 0.0, 0.0, 0.0]])))  # a ball of radius 2
    gated = climb(torch.randn(6, 4) * 0.3, lambda z: 1e-3 * z.norm(dim=1), region, 300, 0.05)
    free = climb(torch.randn(6, 4) * 0.3, lambda z: 1e-3 * z.norm(dim=1), LatentRegion(model), 300, 0.05)
    assert gated[-1].norm(dim=1).max() < free[-1].norm(dim=1).min()
    stopped = stop_inside(gated, region, torch.Generator().manual_seed(0))
    assert region.contains(stopped).all()


def test_without_a_step_inside_the_origin_is_kept():
    region = LatentRegion(ToyModel())
    path = torch.full((5, 3, 4), 50.0)
    path[0] = 1.0
    assert (stop_inside(path, region, torch.Generator().manual_seed(0)) == 1.0).all()


def test_from_a_given_molecule_the_predictor_leads_up():
    start = chain(5, 5)
    result = run_campaign(ToyModel(), None, goals=Goal("carbons"), start=start, budget=15, method="gradient", batch_size=5)
    caution = HALF_WIDTH * 0.1  # half the interval of the toy's predictions
    assert result.history["score"][0] == pytest.approx(12.0 - caution) and result.best["score"] >= 18.0 - caution


def test_down_is_a_direction_too():
    result = run_campaign(ToyModel(), None, goals=Goal("carbons", "min"), budget=10, method="gradient", batch_size=5)
    assert result.best["score"] <= 8.0


def test_an_arbitrary_function_is_climbed_through_its_own_surrogate():
    bowl = Bowl(9, 4)
    result = run_campaign(ToyModel(), bowl, budget=48, seed=0, method="gradient", batch_size=6)
    assert result.best["score"] == 0.0  # the bottom of the bowl among 169 molecules


def test_a_predictor_that_can_be_fooled_is_chosen_by_what_was_decoded():
    """``fooled`` promises the most far outside; the code of the decoded molecule never lies there."""
    from chemvae.design.campaign.goal_matching import make_utility
    from chemvae.design.optimizers.gradient import GradientAscent
    from chemvae.design.surrogates.predicted import PredictedUtility

    model = ToyModel()
    predicted = PredictedUtility(model, make_utility([Goal("fooled")]), ("fooled",))
    optimizer = GradientAscent(LatentRegion(model), predicted=predicted)
    z = torch.tensor([[0.0, 0.0, 5.0, 3.0], [1.5, 1.5, 0.0, 0.0]])
    smiles = model.decode(z)["smiles"].tolist()
    smiles[0] = chain(6, 6)  # what lies under the first point once its empty dimensions are gone
    with torch.no_grad():
        assert predicted.lower_bound(z).argmax() == 0
    assert optimizer.select(z, smiles, 1) == [1]
