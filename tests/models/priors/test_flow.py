"""A flow is invertible, a density, and as near to its data as the data allow."""

import numpy as np
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.models.priors import MixturePrior
from chemvae.models.priors.flow import FlowPrior, spline
from chemvae.models.settings import ModelSettings
from chemvae.models.storage import load_model, model_tensors, save_model
from chemvae.models.training_facts import TrainingFacts
from chemvae.models.vae import MolVAE
from chemvae.runs import RunFolder
from chemvae.training import Trainer, TrainingSettings
from chemvae.training.posthoc.finish import finish

CHAINS = ["C" * n + end for n in range(1, 9) for end in ("", "O", "N", "=O", "C(C)C", "C1CC1", "S")]


def bow(n, seed=0):
    """Points near the parabola y = x^2: a mixture of a few Gaussians cannot follow it."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    return np.stack([x, x**2 + 0.1 * rng.standard_normal(n)], axis=1)


def exact(z):
    """log density [N] of the points of :func:`bow`."""
    normal = torch.distributions.Normal(0.0, 1.0)
    return normal.log_prob(z[:, 0]) + normal.log_prob((z[:, 1] - z[:, 0] ** 2) / 0.1) - np.log(0.1)


@pytest.fixture(scope="module")
def fitted():
    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chemvae.models.priors.fitting.BATCH_SIZE", 256)
        patch.setattr("chemvae.models.priors.fitting.WARMUP_STEPS", 50)
        patch.setattr("chemvae.models.priors.fitting.LEARNING_RATE", 3e-3)
        return FlowPrior(2, n_layers=4, hidden=32).fit(bow(20_000), n_steps=300)


def some_flow(dim=5):
    torch.manual_seed(1)
    flow = FlowPrior(dim, n_layers=3, hidden=16)
    for parameter in flow.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return flow


def test_the_slope_of_a_spline_is_its_derivative_and_it_only_rises():
    raw = torch.randn(1, 14, generator=torch.Generator().manual_seed(2)).double()
    x = torch.linspace(-4.5, 4.5, 2001, dtype=torch.float64, requires_grad=True)
    y, log_slope = spline(x, raw.expand(len(x), -1))
    torch.testing.assert_close(torch.autograd.grad(y.sum(), x)[0].log(), log_slope, atol=1e-9, rtol=1e-9)
    assert bool((y.diff() > 0).all())


def test_the_density_is_the_base_s_times_the_jacobian():
    flow = some_flow().double()
    z = torch.randn(4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def to_base(z):
        x = (z - flow.mean) / flow.scale
        for order, layer in zip(flow.orders, flow.layers, strict=True):
            x = layer(x[:, order])[0]
        return x

    for i in range(len(z)):
        jacobian = torch.autograd.functional.jacobian(lambda one: to_base(one[None])[0], z[i])
        base = torch.distributions.Normal(0.0, 1.0).log_prob(to_base(z[i : i + 1])).sum()
        torch.testing.assert_close(flow.log_prob(z[i : i + 1])[0], base + jacobian.slogdet()[1])


def test_an_untrained_flow_is_the_standard_normal():
    z = torch.randn(7, 4, generator=torch.Generator().manual_seed(0))
    expected = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(dim=1)
    torch.testing.assert_close(FlowPrior(4).log_prob(z), expected, atol=1e-4, rtol=1e-4)


def test_the_fitted_density_integrates_to_one_and_comes_nearer_to_the_true_one_than_a_mixture(fitted):
    axis = torch.linspace(-5, 20, 1001)
    grid = torch.cartesian_prod(torch.linspace(-5, 5, 401), axis)
    assert abs(float(fitted.log_prob(grid).exp().sum() * (axis[1] - axis[0]) * 0.025) - 1) < 0.02
    unseen = torch.from_numpy(bow(4_000, seed=1)).float()
    mixture = MixturePrior(2, n_components=8).fit(bow(20_000))
    missing = [float((exact(unseen) - prior.log_prob(unseen)).mean()) for prior in (fitted, mixture)]
    assert 0 < missing[0] < 0.2 < 0.5 < missing[1]


def test_samples_lie_where_the_data_do(fitted):
    x, y = fitted.sample(5_000, torch.Generator().manual_seed(0)).T
    assert float(((y - x**2).abs() < 0.3).float().mean()) > 0.95
    assert abs(float(x.std()) - 1) < 0.05 and abs(float(x.mean())) < 0.06


def test_a_seed_gives_the_same_flow_and_the_same_draws(fitted):
    torch.manual_seed(0)
    again = FlowPrior(2, n_layers=6, hidden=32).fit(bow(500), n_steps=5)
    torch.manual_seed(0)
    twin = FlowPrior(2, n_layers=6, hidden=32).fit(bow(500), n_steps=5)
    assert torch.equal(again.sample(9, torch.Generator().manual_seed(4)), twin.sample(9, torch.Generator().manual_seed(4)))


def test_a_model_with_a_flow_trains_saves_and_loads(tmp_path, monkeypatch):
    monkeypatch.setattr("chemvae.models.priors.fitting.CHECK_EVERY", 5)
    data = SmilesDataset(CHAINS, Vocabulary.from_smiles(CHAINS))
    model = MolVAE(data.vocabulary, ModelSettings(16, 32, 64, 6, 8, fitted_prior="flow", precision="fp32"))
    model.training_facts = TrainingFacts(max_tokens=16)
    before = {name: value.clone() for name, value in model.priors.state_dict().items()}
    run = RunFolder(tmp_path / "run")
    settings = TrainingSettings(epochs=2, batch_size=16, min_kl=0, min_active_units=0, threads=1)
    Trainer(model, data, data, settings, run, device="cpu").fit()
    assert all(torch.equal(value, before[name]) for name, value in model.priors.state_dict().items())
    assert not any(name.startswith("priors.") for name in model_tensors(model))
    monkeypatch.setattr(FlowPrior.fit, "__defaults__", (0, 10))
    finish(model, data, data, run)
    save_model(model, run)
    untrained = MolVAE(data.vocabulary, model.settings)
    drawn = [one.priors["learned"].sample(3, torch.Generator().manual_seed(0)) for one in (load_model(run), model, untrained)]
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])
