"""Beam search over decoders small enough to list every string they can write."""

import itertools

import torch

from chemvae.data.tokens.vocabulary import BOS, EOS, PAD
from chemvae.sampling.beam import beam_search

A, B, V = 4, 5, 6
LENGTH = 5


class Rows:
    """A state that remembers which row of the table of decoders each running string belongs to."""

    def __init__(self, n):
        self.which = torch.arange(n)

    def keep(self, rows):
        self.which = self.which[rows]


def toy(table):
    """A decoder whose next token depends on its row and the token before: ``table`` [N, V, V] of logits."""

    def step(state, tokens):
        return table[state.which, tokens]

    return step


def random_table(n, seed=0):
    table = torch.randn(n, V, V, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2
    table[:, :, [PAD, BOS, 3]] = -torch.inf
    return table


def every_string(table):
    """All ended strings of up to LENGTH tokens of one decoder [V, V], the most probable first."""
    log_p = table.log_softmax(dim=1)
    found = []
    for n in range(LENGTH):
        for body in itertools.product((A, B), repeat=n):
            path = [BOS, *body, EOS]
            score = sum(float(log_p[a, b]) for a, b in itertools.pairwise(path))
            found.append((score, [*body, EOS] + [PAD] * (LENGTH - n - 1)))
    return sorted(found, reverse=True)


def test_a_beam_that_covers_everything_finds_the_most_probable_strings_in_order():
    table = random_table(6)
    ids, log_prob = beam_search(toy(table), Rows(6), 6, width=2**LENGTH, max_length=LENGTH)
    for i in range(6):
        expected = every_string(table[i])
        scores = {tuple(text): score for score, text in expected}  # strings with the same pairs of tokens tie
        found = [tuple(text) for text in ids[i, : len(expected)].tolist()]
        assert set(found) == set(scores)
        torch.testing.assert_close(log_prob[i, : len(expected)], torch.tensor([scores[t] for t in found]), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(log_prob[i, : len(expected)], torch.tensor([s for s, _ in expected]), atol=1e-5, rtol=1e-5)
        assert (log_prob[i, len(expected) :] == -torch.inf).all()


def test_two_beginnings_find_what_the_greedy_path_misses():
    table = torch.full((1, V, V), -torch.inf, dtype=torch.float64)
    table[0, BOS, [A, B]] = torch.tensor([0.6, 0.4], dtype=torch.float64).log()
    table[0, A, [A, B, EOS]] = torch.tensor([0.4, 0.3, 0.3], dtype=torch.float64).log()  # whatever follows A is doubtful
    table[0, B, EOS] = 0.0  # what follows B is certain: "B" has probability 0.4, "A" 0.18
    for width, best in ((1, A), (2, B)):
        ids, log_prob = beam_search(toy(table), Rows(1), 1, width, max_length=9)
        assert ids[0, 0, 0] == best
    assert abs(float(log_prob[0, 0].exp()) - 0.4) < 1e-6


def test_rows_do_not_see_each_other():
    table = random_table(5, seed=1)
    together = beam_search(toy(table), Rows(5), 5, 3, LENGTH)
    for i in range(5):
        alone = beam_search(toy(table[[i]]), Rows(1), 1, 3, LENGTH)
        assert torch.equal(alone[0][0], together[0][i]) and torch.equal(alone[1][0], together[1][i])


def test_what_is_not_allowed_is_not_written_and_its_probability_is_not_shared_out():
    table = random_table(1, seed=2)

    def allowed(state):
        may = torch.ones(len(state.which), V, dtype=torch.bool)
        may[:, B] = False
        return may

    ids, log_prob = beam_search(toy(table), Rows(1), 1, 2**LENGTH, LENGTH, allowed)
    expected = [(score, text) for score, text in every_string(table[0]) if B not in text]
    assert ids[0, : len(expected)].tolist() == [text for _, text in expected]
    torch.testing.assert_close(log_prob[0, : len(expected)].double(), torch.tensor([s for s, _ in expected]).double())


def test_a_decoder_that_never_ends_gives_its_beginning_and_says_so():
    table = torch.full((1, V, V), -torch.inf)
    table[0, :, A] = 0.0
    ids, log_prob = beam_search(toy(table), Rows(1), 1, 2, LENGTH)
    assert ids[0, 0].tolist() == [A] * LENGTH and (log_prob == -torch.inf).all()


def test_on_a_real_decoder_probabilities_are_its_own_and_no_worse_than_greedy(tiny_model):
    z = torch.randn(7, tiny_model.latent_dim, generator=torch.Generator().manual_seed(0)) * 3
    state = tiny_model.decoder.start(z, torch.float32)
    ids, log_prob = beam_search(tiny_model.decoder.step, state, 7, 4, tiny_model.max_length)
    for i, row in enumerate(ids):
        ended = log_prob[i] > -torch.inf
        texts = tiny_model.vocabulary.decode_rows(row[ended].numpy())
        written = [t for t in texts if t and tiny_model.vocabulary.complaint(t) is None]
        again = tiny_model.log_likelihood(z[[i]].repeat(len(written), 1), written, canonicalize=False)
        mine = torch.stack([log_prob[i][ended][texts.index(t)] for t in written]) if written else again
        torch.testing.assert_close(mine, again, atol=1e-3, rtol=1e-4)
        assert (log_prob[i].diff() <= 0)[ended[1:]].all()
