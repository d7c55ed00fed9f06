"""The surrogate: the written-out process equals BoTorch's, learns what it should, and has true gradients."""

import pytest
import torch

from chemvae.design.campaign.goal_matching import make_utility
from chemvae.design.goals import Goal
from chemvae.design.optimizers.archive import Archive
from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.design.optimizers.surrogate_based import TrustRegionSize, feasibility
from chemvae.design.surrogates.exact_gp import ExactGP, fit_hyperparameters, make_botorch_model
from chemvae.design.surrogates.latent_gp import LatentGP
from chemvae.design.surrogates.predicted import PredictedUtility
from tests.design.toys import ToyModel, chain


def data(n: int, n_latent: int = 3, n_properties: int = 0, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, n_latent + n_properties, generator=generator, dtype=torch.float64)
    return x, torch.sin(2 * x[:, 0]) + 0.3 * x[:, -1]


@pytest.mark.parametrize("n_properties", [0, 2])
def test_predictions_equal_botorch(n_properties):
    x, y = data(25, 3, n_properties)
    a, _ = data(9, 3, n_properties, seed=1)
    state = fit_hyperparameters(x, y, 3)
    process, model = ExactGP(x, y, 3, state), make_botorch_model(x, y, 3, state).eval()
    theirs = model.posterior(a)
    mean, covariance = process.joint(a)
    torch.testing.assert_close(mean, theirs.mean[:, 0])
    torch.testing.assert_close(covariance, theirs.distribution.covariance_matrix)
    torch.testing.assert_close(process.marginal(a)[1], theirs.variance[:, 0])


def test_it_learns_a_function_of_z():
    codes = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
    gp = LatentGP().fit(codes, -codes.square().sum(dim=1))
    test = torch.tensor([[0.0, 0.0], [1.0, 0.5]])
    torch.testing.assert_close(gp.posterior(test)[0], torch.tensor([0.0, -1.25], dtype=torch.float64), atol=0.15, rtol=0)


def test_its_gradient_is_true():
    codes = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    gp = LatentGP(PredictedUtility(ToyModel(3), make_utility([Goal("x")]))).fit(codes, codes[:, 0])
    gp._properties = lambda z: torch.empty(len(z), 2, dtype=torch.float64) * 0 + z.double()[:, :2]  # float64 throughout
    x = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: gp.lower_bound(z, 1.0), (x,))


def test_draws_have_the_posterior_mean_and_spread():
    codes = torch.randn(12, 2, generator=torch.Generator().manual_seed(0))
    gp = LatentGP().fit(codes, codes[:, 0])
    test = torch.tensor([[0.3, 0.1], [2.5, -2.0]])
    mean, std = gp.posterior(test)
    draws = gp.draw(test, 20_000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(draws.mean(dim=0), mean, atol=5 * float(std.max()) / 20_000**0.5, rtol=0)
    torch.testing.assert_close(draws.std(dim=0), std, rtol=0.03, atol=1e-4)


def test_what_the_predictor_knows_is_learned_from_few_scores():
    model = ToyModel()
    utility = make_utility([Goal("score")])
    codes = torch.randn(10, 4, generator=torch.Generator().manual_seed(0))
    carbons = model.predict_latent(codes)[0][:, 0].detach().double()
    test = torch.randn(50, 4, generator=torch.Generator().manual_seed(1))
    truth = 3.0 * model.predict_latent(test)[0][:, 0].detach().double()

    def error(predicted):
        return float((LatentGP(predicted).fit(codes, 3.0 * carbons).posterior(test)[0].detach() - truth).abs().mean())

    assert error(PredictedUtility(model, utility)) < 0.5 * error(None)


def test_a_known_goal_needs_no_scores_beyond_what_corrects_it():
    model, goal = ToyModel(), Goal("carbons", "min")
    predicted = PredictedUtility(model, make_utility([goal]), ("carbons",))
    z = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    assert predicted.is_complete
    mean, std = model.predict_latent(z)
    torch.testing.assert_close(predicted.lower_bound(z, 2.0), (-mean[:, 0] - 2.0 * std[:, 0]).double())
    assert not PredictedUtility(model, make_utility([goal])).is_complete


def test_one_disaster_does_not_hide_the_rest():
    codes = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
    y = codes[:, 0].double()
    y[0] = -1e6
    mean = LatentGP().fit(codes, y).posterior(codes[1:])[0].detach()
    assert float(torch.corrcoef(torch.stack([mean, y[1:]]))[0, 1]) > 0.3


@pytest.mark.parametrize("y", [torch.zeros(10), torch.full((10,), 7.0)])
def test_constant_scores_are_predicted_as_such(y):
    mean, std = LatentGP().fit(torch.randn(10, 3, generator=torch.Generator().manual_seed(0)), y).posterior(torch.zeros(1, 3))
    torch.testing.assert_close(mean, y[:1].double())
    assert torch.isfinite(std).all()


def test_feasibility_is_low_among_failures_only():
    scored, failed = torch.randn(20, 2) * 0.1, torch.randn(20, 2) * 0.1 + 5.0
    here, there = feasibility(torch.tensor([[0.0, 0.0], [5.0, 5.0]]), scored, failed).tolist()
    assert here > 0.9 and there < 0.2


class TestArchive:
    def test_a_molecule_counts_once_at_its_own_code(self):
        archive = Archive(LatentRegion(ToyModel()))
        z = torch.randn(3, 4)
        archive.add(z, torch.tensor([1.0, 1.0, torch.nan], dtype=torch.float64), [chain(1, 2), chain(1, 2), ""])
        assert len(archive) == 1 and archive.smiles == [chain(1, 2)] and len(archive.failed_codes) == 0
        torch.testing.assert_close(archive.codes, torch.from_numpy(ToyModel().encode([chain(1, 2)])))
        torch.testing.assert_close(archive.z[0], z[0])

    def test_what_cannot_be_encoded_keeps_its_point(self):
        archive, z = Archive(LatentRegion(ToyModel())), torch.randn(1, 4)
        archive.add(z, torch.ones(1, dtype=torch.float64), ["c1ccccc1"])
        torch.testing.assert_close(archive.codes, z)

    def test_the_training_set_is_capped_and_keeps_the_best_and_the_latest(self):
        archive = Archive(LatentRegion(ToyModel()))
        archive.add(torch.randn(900, 4), torch.rand(900, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
        rows = archive.training_rows(100, torch.Generator().manual_seed(0))
        assert len(rows) == len(rows.unique()) == 100
        assert set(archive.top(50).tolist()) <= set(rows.tolist()) and set(range(875, 900)) <= set(rows.tolist())


class TestStepWidth:
    def test_three_successes_widen_five_failures_narrow(self):
        width = TrustRegionSize()
        for _ in range(3):
            width.adapt(True, 5, 0.0)
        assert width.value == pytest.approx(0.45)
        for _ in range(5):
            width.adapt(False, 5, 0.0)
        assert width.value == pytest.approx(0.3)

    def test_it_stays_within_its_limits_and_starts_anew(self):
        width = TrustRegionSize()
        for _ in range(30):
            width.adapt(False, 0, 0.0)  # nothing new: wider
        assert width.value == width.high
        restarts = [width.adapt(False, 1, 0.9) for _ in range(60)]  # hardly anything decodes: narrower
        assert any(restarts) and width.low <= width.value <= width.high
