"""Fitting a network by likelihood: where it stands among its steps, and that a time limit holds."""

import numpy as np
import pytest

from chemvae.models.priors import fitting
from chemvae.models.priors.flow import FlowPrior


@pytest.mark.parametrize(
    ("step", "elapsed_s", "budget_s", "place"),
    [(7, 50.0, 0.0, 7), (7, 0.0, 10.0, 7), (7, 5.0, 10.0, 50), (7, 11.0, 10.0, 99), (99, 0.0, 0.0, 99)],
    ids=["any time", "in good time", "behind", "over", "the last step"],
)
def test_the_place_is_that_of_the_step_or_of_the_time(step, elapsed_s, budget_s, place):
    assert fitting._place(step, 100, elapsed_s, budget_s) == place


def test_a_fit_that_is_out_of_time_ends_and_keeps_what_it_has(monkeypatch):
    steps = []
    climb = fitting._climb
    monkeypatch.setattr(fitting, "_climb", lambda *given: (steps.append(1), climb(*given)))
    prior = FlowPrior(2, n_layers=2, hidden=8)
    prior.fit_s = 1e-9
    z = np.random.default_rng(0).normal(3.0, 2.0, (500, 2))
    prior.fit(z, n_steps=1_000)
    assert len(steps) == 1
    assert np.allclose(prior.mean.numpy(), z.mean(axis=0), atol=0.2) and not prior.layers[0].first.weight.requires_grad
