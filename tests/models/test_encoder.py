"""The encoder reads each molecule from both of its own ends; padding and neighbours change nothing."""

import torch

from chemvae.data.tokens.vocabulary import PAD
from chemvae.models.encoder import Encoder, reverse_rows


def test_rows_are_reversed_within_their_own_length_and_twice_is_once():
    ids, lengths = torch.tensor([[5, 6, 7, 8], [9, 4, PAD, PAD], [3, PAD, PAD, PAD]]), torch.tensor([4, 2, 1])
    turned = reverse_rows(ids, lengths)
    assert turned.tolist() == [[8, 7, 6, 5], [4, 9, PAD, PAD], [3, PAD, PAD, PAD]]
    assert torch.equal(reverse_rows(turned, lengths), ids)


def test_what_a_molecule_becomes_depends_on_neither_padding_nor_neighbours():
    torch.manual_seed(0)
    encoder = Encoder(n_tokens=11, embedding_dim=4, hidden_dim=6).eval()
    ids = torch.tensor([[5, 6, 7, 8, 3], [9, 4, 6, PAD, PAD]])
    lengths = torch.tensor([5, 3])
    together = encoder(ids, lengths, torch.float32)
    assert together.shape == (2, encoder.output_dim)
    alone = torch.cat([encoder(ids[i : i + 1, :n], lengths[i : i + 1], torch.float32) for i, n in enumerate(lengths.tolist())])
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=1e-5)


def test_the_order_of_tokens_counts():
    torch.manual_seed(0)
    encoder = Encoder(n_tokens=11, embedding_dim=4, hidden_dim=6).eval()
    forth, back = torch.tensor([[5, 6, 7]]), torch.tensor([[7, 6, 5]])
    lengths = torch.tensor([3])
    assert not torch.allclose(encoder(forth, lengths, torch.float32), encoder(back, lengths, torch.float32), atol=1e-3)
