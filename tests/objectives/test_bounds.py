"""The objective's arithmetic."""

import torch

from chemvae.models.terms import Terms
from chemvae.objectives import BetaELBO


def terms(kl_dims):
    B = len(kl_dims)
    return Terms(
        log_px_z=torch.full((1, B), -10.0), log_pz=torch.zeros(1, B), log_qz_x=torch.zeros(1, B), kl=kl_dims.sum(-1),
        kl_dims=kl_dims, log_py_z=torch.full((1, B), -2.0), z=torch.zeros(1, B, kl_dims.shape[1]),
    )  # fmt: skip


def test_parts_add_up():
    loss = BetaELBO(lambda step: 0.1 * step, property_weight=3.0).loss(terms(torch.tensor([[1.0, 2.0], [3.0, 4.0]])), step=5)
    assert float(loss.total) == 10.0 + 0.5 * 5.0 + 3.0 * 2.0
    assert {name: float(value) for name, value in loss.parts.items()} == {"cross_entropy": 10.0, "kl": 5.0, "property_nll": 2.0}


def test_free_bits_hold_each_dimension_up():
    kl_dims = torch.tensor([[0.01, 2.0], [0.03, 4.0]], requires_grad=True)
    loss = BetaELBO(lambda step: 1.0, free_bits=0.5, property_weight=0.0).loss(terms(kl_dims), 0)
    assert float(loss.total.detach()) == 10.0 + 0.5 + 3.0
    loss.total.backward()
    assert kl_dims.grad[:, 0].abs().max() == 0 and kl_dims.grad[:, 1].min() > 0


def test_without_a_closed_form_the_draws_decide():
    made = terms(torch.zeros(2, 2))
    made.kl, made.kl_dims, made.log_qz_x = None, None, torch.tensor([[3.0, 5.0]])
    assert float(BetaELBO(lambda step: 1.0, property_weight=0.0).loss(made, 0).total) == 14.0
