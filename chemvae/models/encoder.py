"""GRU encoder: token ids [B, T] to one vector h [B, H] per molecule."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from chemvae.data.tokens.vocabulary import PAD
from chemvae.models.gru.layer import GRU


class Encoder(nn.Module):
    """Bidirectional GRU; h is the two last states side by side.

    The reverse direction reads each molecule from its own end, so both directions are forward recurrences over
    right-padded rows and run as one batch of 2 B rows. Padding freezes the state.

    Parameters
    ----------
    n_tokens, embedding_dim, hidden_dim : int
        V, E and the width of one direction; h has ``2 * hidden_dim`` features.
    """

    def __init__(self, n_tokens: int, embedding_dim: int, hidden_dim: int):
        super().__init__()
        self.n_tokens = n_tokens
        self.embedding = nn.Embedding(n_tokens, embedding_dim)
        self.gru = GRU(embedding_dim, 0, hidden_dim, bidirectional=True)
        self.output_dim = 2 * hidden_dim

    def forward(self, token_ids: Tensor, lengths: Tensor, dtype: torch.dtype) -> Tensor:
        """Return h [B, 2 * hidden_dim]; matrix products in ``dtype``."""
        both = torch.cat([token_ids, reverse_rows(token_ids, lengths)], dim=0)  # [2B, T]
        if token_ids.is_cuda:
            last = self.gru.forward_cudnn(self.embedding.weight, both, lengths.repeat(2), dtype)
        else:
            offset = torch.zeros_like(both)
            offset[len(token_ids) :] = self.n_tokens
            steps = self.gru.steps(self.embedding.weight, (both + offset).t(), frozen_token=PAD)
            _, last = self.gru(steps, dtype)
        forward, backward = last.chunk(2, dim=0)
        return torch.cat([forward, backward], dim=-1)


def reverse_rows(token_ids: Tensor, lengths: Tensor) -> Tensor:
    """Reverse each row [B, T] within its own length; padding stays on the right.

    Examples
    --------
    >>> reverse_rows(torch.tensor([[5, 6, 7], [8, 9, 0]]), torch.tensor([3, 2])).tolist()
    [[7, 6, 5], [9, 8, 0]]
    """
    position = torch.arange(token_ids.shape[1], device=token_ids.device)
    source = lengths[:, None] - 1 - position
    return torch.where(source >= 0, token_ids.gather(1, source.clamp(min=0)), PAD)
