"""Fitting a network by likelihood keeps to its time."""

import numpy as np

from chemvae.models.priors import fitting
from chemvae.models.priors.flow import FlowPrior


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
