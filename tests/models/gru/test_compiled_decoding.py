"""The compiled decoder writes what the step-by-step one writes, whatever the threads and the batch."""

import numpy as np
import pytest
import torch

from chemvae.data.tokens.vocabulary import EOS, MASK, PAD
from chemvae.models import decoder as decoder_module
from chemvae.models.decoder import Decoder
from chemvae.models.decoding import finished, uniform
from chemvae.models.gru.kernels import kernels, small_product

V, D, H, N, LONGEST = 37, 8, 64, 150, 30


@pytest.fixture
def decoder():
    if kernels() is None:
        pytest.skip("no C compiler: the fused kernels are absent")
    if small_product(torch.float32) is None:
        pytest.skip("no AVX-512: torch lacks the small products")
    torch.manual_seed(3)
    made = Decoder(V, 16, D, H)
    with torch.no_grad():
        made.output.weight *= 8  # far from uniform
        made.output.bias[EOS] += 2.0
    return made


@pytest.fixture
def z():
    return torch.randn(N, D, generator=torch.Generator().manual_seed(4))


def by_steps(decoder, monkeypatch, *arguments):
    with monkeypatch.context() as patch:
        patch.setattr(decoder_module, "whole_runs", lambda *a: None)
        return decoder.decode(*arguments)


@pytest.mark.parametrize("temperature", [0.0, 0.7, 1.0])
def test_equals_the_steps(decoder, z, monkeypatch, temperature):
    ids, log_prob = decoder.decode(z, LONGEST, torch.float32, temperature, 5)
    expected, expected_log_prob = by_steps(decoder, monkeypatch, z, LONGEST, torch.float32, temperature, 5)
    same = (ids == expected).all(dim=1)
    assert same.float().mean() >= 0.98  # a draw on the edge between two tokens may fall to either side
    torch.testing.assert_close(log_prob[same], expected_log_prob[same], atol=1e-4, rtol=1e-4)
    assert 0 < finished(ids).sum() and (ids[:, 0] != PAD).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rows_do_not_depend_on_their_company(decoder, z, dtype):
    if small_product(dtype) is None:
        pytest.skip("no AVX-512: torch lacks the small products")
    whole, log_prob = decoder.decode(z, LONGEST, dtype, 1.0, 9)
    for rows in (slice(0, 1), slice(40, 57), slice(100, 150)):
        part, part_log_prob = decoder.decode(z[rows], LONGEST, dtype, 1.0, 9, rows.start)
        assert torch.equal(part, whole[rows]) and torch.equal(part_log_prob, log_prob[rows])


def test_threads_change_nothing(decoder, z):
    before = torch.get_num_threads()
    try:
        answers = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            answers.append(decoder.decode(z, LONGEST, torch.float32, 1.0, 2))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(answers[0][0], answers[1][0])
    torch.testing.assert_close(answers[0][1], answers[1][1], atol=1e-5, rtol=1e-5)  # blocks of other sizes may round apart


def test_greedy_takes_the_largest_and_never_the_special_tokens(decoder, z):
    ids, log_prob = decoder.decode(z, LONGEST, torch.float32)
    state = decoder.start(z, torch.float32)
    first = decoder.step(state, torch.full((N,), 1))
    assert torch.equal(ids[:, 0], first.argmax(dim=1))
    before_end = (ids == EOS).cumsum(dim=1) == 0
    assert (ids[before_end] > MASK).all() and (log_prob < 0).all()


def test_first_tokens_are_drawn_with_their_probability(decoder):
    n = 20_000
    z = torch.zeros(n, D)
    ids, log_prob = decoder.decode(z, 1, torch.float32, 1.0, 7)
    p = torch.softmax(decoder.step(decoder.start(z[:1], torch.float32), torch.ones(1, dtype=torch.long))[0], dim=0)
    shares = torch.bincount(ids[:, 0], minlength=V) / n
    assert ((shares - p).abs() < 4.5 * (p * (1 - p) / n).sqrt() + 1e-9).all()
    torch.testing.assert_close(log_prob, p.log()[ids[:, 0]], atol=1e-4, rtol=1e-4)


def test_nan_and_no_rows(decoder):
    ids, _ = decoder.decode(torch.full((3, D), torch.nan), LONGEST, torch.float32, 1.0)
    assert (ids[:, 0] == EOS).all()
    ids, log_prob = decoder.decode(torch.zeros(0, D), LONGEST, torch.float32)
    assert ids.shape == (0, LONGEST) and log_prob.shape == (0,)


def test_uniform_numbers_are_uniform_and_independent():
    x = torch.stack([uniform(11, np.arange(4000), position) for position in range(25)]).double()
    assert x.min() > 0 and x.max() < 1
    counts = torch.histc(x, 20, 0, 1)
    assert ((counts - 5000) ** 2 / 5000).sum() < 43.8  # chi-square, 19 degrees of freedom, 0.1 %
    correlation = torch.corrcoef(x)
    assert (correlation - torch.eye(25)).abs().max() < 5 / 4000**0.5
