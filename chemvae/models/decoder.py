"""GRU decoder: z [B, D] to the probability of each next token, teacher-forced or one step at a time."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from chemvae.data.tokens.vocabulary import BOS, EOS, MASK, PAD
from chemvae.models.decoding import decode_tokens
from chemvae.models.gru.kernels import DecoderWeights, pack_columns
from chemvae.models.gru.layer import GRU, SMALLEST_PANEL, Runs, Stepper, blocking, check_memory, pointer, whole_runs


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

    never: Tensor

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
        return (self._logits(self._states(z, inputs, dtype)) + self.never).transpose(0, 1)

    def states(self, z: Tensor, inputs: Tensor, dtype: torch.dtype) -> Tensor:
        """Return the hidden state at each position [B, T, H], with what :meth:`forward` reads."""
        return self._states(z, inputs, dtype).transpose(0, 1)

    def _states(self, z: Tensor, inputs: Tensor, dtype: torch.dtype) -> Tensor:
        """[T, B, H]."""
        h0 = torch.tanh(self.initial(z))
        if z.is_cuda:
            return self.gru.states_cudnn(self.embedding.weight, inputs, z, h0, dtype)
        return self.gru(self.gru.steps(self.embedding.weight, inputs.t(), z, h0), dtype)[0][0]

    def _logits(self, states: Tensor) -> Tensor:
        weight, bias = self.output.weight.to(states.dtype), self.output.bias
        return (states @ weight.t()).to(bias.dtype) + bias

    @torch.no_grad()
    def start(self, z: Tensor, dtype: torch.dtype) -> DecoderState:
        """Prepare to decode z [N, D] step by step: token table and z's gates are computed here, once."""
        return DecoderState(self.gru.stepper(self.embedding.weight, z, torch.tanh(self.initial(z)), dtype))

    @torch.no_grad()
    def decode(
        self, z: Tensor, max_length: int, dtype: torch.dtype, temperature: float = 0.0, seed: int = 0, first_row: int = 0
    ) -> tuple[Tensor, Tensor]:
        """Write one molecule per row of z [N, D]: token ids [N, max_length], PAD after the end, and log p [N] (nats).

        Row i draws the random numbers of (seed, first_row + i), so the answer does not depend on how rows are divided.
        """
        runs = whole_runs(dtype, self.gru.hidden_dim) if z.device.type == "cpu" else None
        if runs is None:
            state = self.start(z, dtype)
            return decode_tokens(self.step, state, len(z), max_length, temperature, seed, first_row, z.device)
        return self._decode_compiled(runs, z, max_length, dtype, temperature, seed, first_row)

    def _decode_compiled(
        self, runs: Runs, z: Tensor, max_length: int, dtype: torch.dtype, temperature: float, seed: int, first_row: int
    ) -> tuple[Tensor, Tensor]:
        E, H, V = self.gru.embedding_dim, self.gru.hidden_dim, len(self.never)
        lanes, panel = blocking(max(1, len(z)), 3 * H)
        columns = -(-V // SMALLEST_PANEL) * SMALLEST_PANEL
        output = torch.zeros(H, columns, dtype=dtype)
        output[:, :V] = self.output.weight.t()
        own = {
            "table": self.gru.table(self.embedding.weight),
            "initial": self.initial.weight.t(),
            "initial_bias": self.initial.bias,
            "context": self.gru.weight_ih_l0[:, E:].t(),
            "bias_hn": self.gru.bias_hn()[0],
            "output_bias": self.output.bias + self.never,
        }
        kept = {name: value.float().contiguous() for name, value in own.items()}
        kept["weight"] = pack_columns(self.gru.weight_hh_l0.to(dtype).t(), panel)
        kept["output"] = pack_columns(output, SMALLEST_PANEL)
        addresses = {name: pointer(value) for name, value in kept.items()}
        weights = DecoderWeights(z.shape[1], H, V, columns, panel, SMALLEST_PANEL, BOS, EOS, **addresses)
        z = z.float().contiguous()
        ids = torch.full((len(z), max_length), PAD, dtype=torch.long)
        log_prob = torch.empty(len(z))
        arrays = (pointer(ids), pointer(log_prob), *runs.product)
        net = ctypes.addressof(weights)
        check_memory(runs.decode(len(z), max_length, lanes, net, pointer(z), temperature, seed, first_row, *arrays))
        return ids, log_prob

    @torch.no_grad()
    def step(self, state: DecoderState, tokens: Tensor) -> Tensor:
        """Feed tokens [N] to the running rows; return logits [N, V] and move the state on in place."""
        return self._logits(state.stepper.step(tokens)) + self.never
