"""The inverse autoregressive flow: its density is that of the change of variables, forward and back."""

import sys

import pytest
import torch

from chemvae.errors import MissingExtraError, SettingsError
from chemvae.models.posteriors import InverseAutoregressiveFlow
from tests.contracts.posterior import H, PosteriorContract


class TestInverseAutoregressiveFlow(PosteriorContract):
    def family(self):
        return InverseAutoregressiveFlow(H, 2, n_steps=3, width=8)


def made(latent_dim=5, n=3):
    torch.manual_seed(0)
    family = InverseAutoregressiveFlow(H, latent_dim).double()
    return family, family(2 * torch.randn(n, H, dtype=torch.float64)).distribution


def test_the_density_is_that_of_the_change_of_variables():
    _, q = made(n=1)
    start = q.base.sample()
    jacobian = torch.autograd.functional.jacobian(lambda x: q.steps(x)[0], start)[:, 0]
    expected = q.base.log_prob(start) - torch.linalg.slogdet(jacobian).logabsdet
    torch.testing.assert_close(q.log_prob(q.steps(start)), expected)


def test_steps_are_autoregressive_in_turns_and_none_is_the_identity():
    family, q = made(n=1)
    assert len(q.steps.transforms) == 4
    for number, step in enumerate(q.steps.transforms):
        jacobian = torch.autograd.functional.jacobian(lambda x, step=step: step(x)[0], q.base.sample())[:, 0]
        other_side = jacobian.tril(-1) if number % 2 else jacobian.triu(1)
        assert other_side.abs().max() == 0 and (jacobian.diagonal() > 0).all()
        assert (jacobian - torch.eye(5)).abs().max() > 1e-3


def test_the_inverse_inverts():
    _, q = made()
    start = q.base.sample((4,))
    torch.testing.assert_close(q.steps.inv(q.steps(start)), start)


def test_the_context_moves_the_flow():
    family, _ = made()
    summary = family.summary(torch.randn(1, H, dtype=torch.float64))
    other = summary.clone()
    other[:, 2 * family.latent_dim :] += 1.0
    assert (family.from_summary(summary).point - family.from_summary(other).point).abs().max() > 1e-2


def test_an_own_draw_is_read_without_another_pass_unless_a_gradient_would_be_missing():
    _, q = made()
    z = q.rsample()
    assert q.log_prob(z) is q.log_prob(z)
    z = q.sample()
    assert q.log_prob(z).requires_grad  # it was drawn without gradients: what is remembered has none
    torch.testing.assert_close(q.log_prob(z), q.log_prob(z.clone()))


def test_a_component_has_the_flow_s_point_and_volume():
    family, _ = made()
    h = torch.randn(3, H, dtype=torch.float64)
    q, part = family(h), family.component(h)
    torch.testing.assert_close(part.mean, q.point)
    torch.testing.assert_close(part.log_prob(q.point), q.log_prob(q.point.clone()))


def test_without_zuko_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "zuko", None)
    with pytest.raises(MissingExtraError, match=r"posterior 'iaf' needs zuko.*chemvae\[flows\]"):
        InverseAutoregressiveFlow(H, 2)


def test_one_dimension_is_refused():
    with pytest.raises(SettingsError, match="latent_dim >= 2, got 1"):
        InverseAutoregressiveFlow(H, 1)
