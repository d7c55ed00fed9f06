"""What every objective must satisfy. Inherit, and supply ``objective()``, fresh and as a bound (its KL weighted by 1)."""

import functools

import numpy as np
import pytest
import torch

from chemvae.models.terms import Terms
from chemvae.objectives import Objective
from chemvae.training.validation import measure, measure_objective
from tests.contracts.linear_gaussian import LinearGaussian

N_REPEATS = 300


def rows(terms: Terms, chosen) -> Terms:
    """The terms of some molecules of a batch."""
    pick = lambda part: None if part is None else part[chosen]  # noqa: E731
    draws = lambda part: part[:, chosen]  # noqa: E731
    return Terms(
        draws(terms.log_px_z), draws(terms.log_pz), draws(terms.log_qz_x), pick(terms.kl), pick(terms.kl_dims),
        draws(terms.log_py_z), draws(terms.z),
    )  # fmt: skip


@functools.cache
def drawn(n_draws: int) -> list[Terms]:
    """What a model with a known evidence hands to an objective, time after time."""
    toy = LinearGaussian()
    return [toy.terms(n_draws, seed, closed_form=False) for seed in range(N_REPEATS)]


class ObjectiveContract:
    is_bound = True

    def objective(self) -> Objective:
        raise NotImplementedError

    def total_of(self, parts: dict[str, float]) -> float:
        """What the class's docstring says the total is, of its parts, where labels and extras are weighted by 1."""
        raise NotImplementedError

    def test_parts_add_up_as_documented(self):
        objective = self.objective()
        for closed_form in (True, False):
            loss = objective.loss(LinearGaussian().terms(objective.n_draws, closed_form=closed_form), 0)
            parts = {name: float(value) for name, value in loss.parts.items()}
            assert parts and float(loss.total) == pytest.approx(self.total_of(parts))

    def test_parts_are_numbers_to_log_and_carry_no_gradient(self, tiny_model, labelled):
        batch = labelled.batch(np.arange(8))
        loss = self.objective()(tiny_model, batch, 0, "model", torch.Generator().manual_seed(0))
        assert loss.total.ndim == 0 and loss.total.requires_grad
        assert all(part.ndim == 0 and part.isfinite() and not part.requires_grad for part in loss.parts.values())

    def test_it_bounds_the_known_evidence_from_below(self):
        if not self.is_bound:
            return
        objective = self.objective()
        bounds = torch.stack([-objective.loss(one, 0).total for one in drawn(objective.n_draws)])
        error = float(bounds.std()) / N_REPEATS**0.5
        assert float(bounds.mean()) < float(LinearGaussian().evidence().mean()) + 4 * error

    def test_a_loss_that_splits_is_the_mean_over_molecules(self):
        objective = self.objective()
        if not objective.splits:
            return
        terms = LinearGaussian(n=6).terms(objective.n_draws)
        first, rest = (objective.loss(rows(terms, part), 0).total for part in (slice(0, 2), slice(2, 6)))
        torch.testing.assert_close(objective.loss(terms, 0).total, (2 * first + 4 * rest) / 6)

    def test_gradients_reach_encoder_and_decoder(self, tiny_model, labelled):
        model = tiny_model.train()
        self.objective()(model, labelled.batch(np.arange(8)), 0, "model", torch.Generator().manual_seed(0)).total.backward()
        for part in (model.encoder, model.posterior_family, model.decoder):
            assert all(p.grad is not None and p.grad.abs().max() > 0 for p in part.parameters())

    def test_steps_lower_the_loss_of_a_few_molecules(self, tiny_model, labelled):
        model, objective = tiny_model.train(), self.objective()
        batch = labelled.batch(np.arange(4))
        optimizer = torch.optim.Adam(model.parameters(), 1e-2)
        losses = []
        for step in range(80):
            loss = objective(model, batch, step, "model", torch.Generator().manual_seed(step))
            losses.append(float(loss.total.detach()))
            optimizer.zero_grad()
            loss.total.backward()
            optimizer.step()
        assert np.mean(losses[-5:]) < 0.75 * np.mean(losses[:5])

    def test_a_generator_decides_the_loss(self, tiny_model, labelled):
        batch = labelled.batch(np.arange(8))
        first, second = (self.objective()(tiny_model, batch, 0, "model", torch.Generator().manual_seed(1)) for _ in range(2))
        assert torch.equal(first.total, second.total)

    def test_held_out_molecules_have_a_loss(self, tiny_model, labelled):
        objective = self.objective()
        own = measure_objective(tiny_model, labelled, objective, 0)
        facts = {**own, **measure(tiny_model, labelled)}
        assert np.isfinite(objective.valid_loss(facts)) and all(np.isfinite(value) for value in own.values())
        assert not tiny_model.training

    def test_state_comes_back(self):
        objective = self.objective()
        objective.load(objective.state())
        objective.close()
