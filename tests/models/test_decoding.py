"""Decoding over toy decoders whose probabilities are known."""

import math

import numpy as np
import pytest
import torch

from chemvae.data.tokens.vocabulary import EOS, PAD
from chemvae.errors import SettingsError
from chemvae.models.decoding import check_temperature, decode_tokens, finished

A, B, V = 4, 5, 6


class Rows:
    """A state that remembers which rows are left."""

    def __init__(self, n):
        self.left = torch.arange(n)

    def keep(self, rows):
        self.left = self.left[rows]


def scripted(lengths):
    """A decoder that writes A ``lengths[i]`` times in row i, then ends; certain up to rounding."""
    written = torch.zeros(len(lengths), dtype=torch.long)

    def step(state, tokens):
        logits = torch.full((len(tokens), V), -torch.inf)
        done = written[state.left] >= lengths[state.left]
        logits[done, EOS] = 0.0
        logits[~done, A] = 0.0
        written[state.left] += 1
        return logits

    return step


def test_rows_end_where_they_should_and_keep_their_order():
    lengths = torch.tensor([3, 0, 12, 5, 1, 30])
    ids, log_prob = decode_tokens(scripted(lengths), Rows(6), 6, max_length=20)
    assert ((ids == A).sum(dim=1)).tolist() == [3, 0, 12, 5, 1, 20]
    assert finished(ids).tolist() == [True] * 5 + [False]
    for row, n in zip(ids, lengths.tolist(), strict=True):
        if n < 20:
            assert row[n] == EOS and (row[n + 1 :] == PAD).all()
    assert log_prob.abs().max() == 0


def test_sampling_has_the_right_frequencies_and_probabilities():
    p = torch.tensor([0.0, 0.0, 0.2, 0.0, 0.5, 0.3])

    def step(state, tokens):
        return p.log().expand(len(tokens), V)

    n = 20_000
    ids, log_prob = decode_tokens(step, Rows(n), n, max_length=1, temperature=1.0, seed=1)
    for token in (EOS, A, B):
        share = float((ids[:, 0] == token).float().mean())
        assert abs(share - float(p[token])) < 4 * math.sqrt(0.25 / n)
        torch.testing.assert_close(log_prob[ids[:, 0] == token].unique(), p[token].log()[None])


def test_temperature_sharpens():
    logits = torch.log(torch.tensor([0.0, 0.0, 0.0, 0.0, 0.6, 0.4]))

    def step(state, tokens):
        return logits.expand(len(tokens), V)

    n = 20_000
    ids, _ = decode_tokens(step, Rows(n), n, max_length=1, temperature=0.5, seed=1)
    expected = 0.6**2 / (0.6**2 + 0.4**2)
    assert abs(float((ids == A).float().mean()) - expected) < 4 * math.sqrt(0.25 / n)


def test_same_seed_same_text():
    def step(state, tokens):
        return torch.zeros(len(tokens), V)

    one, two = (decode_tokens(step, Rows(50), 50, 30, 1.0, seed=7)[0] for _ in range(2))
    assert torch.equal(one, two)


@pytest.mark.parametrize("temperature", [math.nan, math.inf, -1.0, 1e-300, 1e300, "1", None, True])
def test_a_temperature_that_is_none_is_refused(temperature):
    with pytest.raises(SettingsError, match="temperature must be 0 or lie between"):
        check_temperature(temperature)


def test_temperatures_of_any_number_type_are_taken():
    assert [check_temperature(one) for one in (0, np.float32(0.5), np.int64(2))] == [0.0, 0.5, 2.0]
