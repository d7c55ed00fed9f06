"""GRU decoder: z [B, D] to the probability of each next token, teacher-forced or one step at a time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from chemvae.data.vocabulary import BOS, MASK, PAD
from chemvae.models.gru import GRU, Stepper


@dataclass
class DecoderState:
    """A running decode of N rows: the recurrence and its hidden state [N, H]."""

    stepper: Stepper

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows only (indices [n])."""
        self.stepper.keep(rows)


class Decoder(nn.Module):
    """GRU that sees z in its initial state and at every step (Gomez-Bombarelli et al. 2018; z at every step keeps z in use).

    p(token | z, earlier tokens) = softmax(W h). Padding, start and mask are never written: their logits are -inf.
    """

    def __init__(self, n_tokens: int, embedding_dim: int, latent_dim: int, hidden_dim: int):
        super().__init__()
        self.embedding = nn.Embedding(n_tokens, embedding_dim)
        self.initial = nn.Linear(latent_dim, hidden_dim)
        self.gru = GRU(embedding_dim, latent_dim, hidden_dim)
        self.output = nn.Linear(hidden_dim, n_tokens)
        never = torch.zeros(n_tokens)
        never[[PAD, BOS, MASK]] = -torch.inf
        self.register_buffer("never", never, persistent=False)

    def forward(self, z: Tensor, inputs: Tensor, dtype: torch.dtype) -> Tensor:
        """Return logits [B, T, V], given z [B, D] and the tokens before each position [B, T] (start token first)."""
        h0 = torch.tanh(self.initial(z))
        if z.is_cuda:
            states = self.gru.states_cudnn(self.embedding.weight, inputs, z, h0, dtype)
        else:
            states = self.gru(self.gru.steps(self.embedding.weight, inputs.t(), z, h0), dtype)[0][0]  # [T, B, H]
        return (self._logits(states) + self.never).transpose(0, 1)

    def _logits(self, states: Tensor) -> Tensor:
        weight, bias = self.output.weight.to(states.dtype), self.output.bias
        return (states @ weight.t()).to(bias.dtype) + bias

    @torch.no_grad()
    def start(self, z: Tensor, dtype: torch.dtype) -> DecoderState:
        """Prepare to decode z [N, D] step by step: token table and z's gates are computed here, once."""
        return DecoderState(self.gru.stepper(self.embedding.weight, z, torch.tanh(self.initial(z)), dtype))

    @torch.no_grad()
    def step(self, state: DecoderState, tokens: Tensor) -> Tensor:
        """Feed tokens [N] to the running rows; return logits [N, V] and move the state on in place."""
        return self._logits(state.stepper.step(tokens)) + self.never
