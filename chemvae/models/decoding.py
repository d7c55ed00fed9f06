"""Turn next-token logits into strings of tokens: greedy or sampled, finished rows leave the batch.

Pure functions over a ``step`` callable, so that any decoder, or a toy with known probabilities, can be decoded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from chemvae.data.vocabulary import BOS, EOS, PAD


class RunningState(Protocol):
    """What a decode carries along; ``keep`` drops the rows that have ended."""

    def keep(self, rows: Tensor) -> None: ...


Step = Callable[[RunningState, Tensor], Tensor]
SHRINK_EVERY = 4  # steps between two looks at which rows have ended; dropping rows costs a copy


@torch.no_grad()
def decode_tokens(
    step: Step,
    state: RunningState,
    n_rows: int,
    max_length: int,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
    device: torch.device | str = "cpu",
) -> tuple[Tensor, Tensor]:
    """Decode ``n_rows`` sequences.

    Parameters
    ----------
    step : callable
        ``step(state, tokens [n]) -> logits [n, V]`` of the rows still running, in their order.
    state : object
        With ``keep(rows)``, called when rows have ended.
    n_rows, max_length : int
        Rows, and the most tokens a row may have, end token included.
    temperature : float
        0 takes the most probable token; otherwise tokens are drawn from softmax(logits / temperature).
    generator : torch.Generator or None
        Source of randomness; None draws from torch's global stream.

    Returns
    -------
    ids : Tensor [N, L] int64
        Tokens up to and including the end token, then PAD. A row without an end token did not finish.
    log_prob : Tensor [N]
        log p(ids) in nats at temperature 1, whatever the temperature of the draw.
    """
    ids = torch.full((n_rows, max_length), PAD, dtype=torch.long, device=device)
    log_prob = torch.zeros(n_rows, device=device)
    rows = torch.arange(n_rows, device=device)
    tokens = torch.full((n_rows,), BOS, dtype=torch.long, device=device)
    running = torch.ones(n_rows, dtype=torch.bool, device=device)
    for position in range(max_length):
        logits = step(state, tokens).float()
        tokens = _choose(logits, temperature, generator)
        chosen = logits.gather(1, tokens[:, None])[:, 0] - logits.logsumexp(dim=1)
        ids[rows, position] = torch.where(running, tokens, PAD)
        log_prob[rows] += torch.where(running, chosen, 0.0)
        running &= tokens != EOS
        if position % SHRINK_EVERY == SHRINK_EVERY - 1 or position + 1 == max_length:
            if not running.any():
                break
            if not running.all():
                left = running.nonzero()[:, 0]
                state.keep(left)
                rows, tokens, running = rows[left], tokens[left], running[left]
    return ids, log_prob


def _choose(logits: Tensor, temperature: float, generator: torch.Generator | None) -> Tensor:
    """Pick one token [n] per row of logits [n, V]: the largest, or by the Gumbel-max rule at this temperature."""
    if temperature <= 0:
        return logits.argmax(dim=1)
    noise = torch.empty_like(logits).exponential_(generator=generator)  # -log of it is Gumbel distributed
    return (logits / temperature - noise.log()).argmax(dim=1)


def finished(ids: Tensor) -> Tensor:
    """Whether each row [N, L] wrote its end token."""
    return (ids == EOS).any(dim=1)
