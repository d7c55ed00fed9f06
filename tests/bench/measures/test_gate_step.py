"""One step of the GRU: three ways, one answer."""

import os

import torch

from chemvae.bench.measures.gate_step import Case, plain_step, without_kernels
from chemvae.models.gru.kernels import kernels


def test_the_plain_step_is_the_layers_step():
    """The equation as written, the torch operations and the compiled kernels give the same last state."""
    case = Case(torch.float32)
    expected = case.plain(plain_step)()
    if kernels() is not None:
        torch.testing.assert_close(case.walk()(), expected, rtol=1e-4, atol=1e-5)
    with without_kernels():
        assert kernels() is None
        torch.testing.assert_close(case.walk()(), expected, rtol=1e-4, atol=1e-5)


def test_switching_kernels_off_leaves_the_environment(monkeypatch):
    monkeypatch.delenv("CHEMVAE_NO_COMPILER", raising=False)
    with without_kernels():
        assert os.environ["CHEMVAE_NO_COMPILER"] == "1"
    assert "CHEMVAE_NO_COMPILER" not in os.environ
    monkeypatch.setenv("CHEMVAE_NO_COMPILER", "yes")
    with without_kernels():
        pass
    assert os.environ["CHEMVAE_NO_COMPILER"] == "yes"
    kernels.cache_clear()
