"""Turn next-token logits into strings of tokens: greedy or sampled, finished rows leave the batch.

Pure functions over a ``step`` callable, so that any decoder, or a toy with known probabilities, can be decoded.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from chemvae.data.tokens.vocabulary import BOS, EOS, PAD
from chemvae.errors import SettingsError


class RunningState(Protocol):
    """What a decode carries along; ``keep`` drops the rows that have ended."""

    def keep(self, rows: Tensor) -> None: ...


State = TypeVar("State", bound=RunningState)
Step = Callable[[State, Tensor], Tensor]
SHRINK_EVERY = 4  # steps between two looks at which rows have ended; dropping rows costs a copy


LEAST_TEMPERATURE, LARGEST_TEMPERATURE = 1e-3, 1e3


def check_temperature(temperature: Any) -> float:
    """A temperature as a plain float.

    Raises
    ------
    SettingsError
        Unless it is 0, or a number from 0.001 to 1,000: colder draws are greedy, and logits overflow; hotter ones are noise.

    Examples
    --------
    >>> check_temperature(1)
    1.0
    >>> check_temperature(float("nan"))
    Traceback (most recent call last):
    ...
    chemvae.errors.SettingsError: temperature must be 0 or lie between 0.001 and 1000, got nan
    """
    is_number = isinstance(temperature, (Real, np.number)) and not isinstance(temperature, (bool, np.bool_))
    if not is_number or not (temperature == 0 or LEAST_TEMPERATURE <= temperature <= LARGEST_TEMPERATURE):
        told = temperature if is_number else repr(temperature)
        raise SettingsError(
            f"temperature must be 0 or lie between {LEAST_TEMPERATURE:g} and {LARGEST_TEMPERATURE:g}, got {told}"
        )
    return float(temperature)


@torch.no_grad()
def decode_tokens(
    step: Step[State],
    state: State,
    n_rows: int,
    max_length: int,
    temperature: float = 0.0,
    seed: int = 0,
    first_row: int = 0,
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
    seed, first_row : int
        Row i draws the numbers of (seed, first_row + i); the same rows decoded in other batches draw the same.

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
        tokens = _choose(logits, temperature, seed, first_row + rows, position)
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


def _choose(logits: Tensor, temperature: float, seed: int, rows: Tensor, position: int) -> Tensor:
    """Pick one token [n] per row of logits [n, V]: the largest, or a draw from softmax(logits / temperature)."""
    if temperature <= 0:
        return logits.argmax(dim=1)
    weights = torch.softmax(logits / temperature, dim=1)
    reached = weights.cumsum(dim=1)
    target = uniform(seed, rows.cpu().numpy(), position).to(logits.device) * reached[:, -1]
    last = logits.shape[1] - 1 - weights.flip(1).gt(0).int().argmax(dim=1)  # the last token that is possible at all
    return torch.minimum((reached <= target[:, None]).sum(dim=1), last)


def uniform(seed: int, rows: np.ndarray, position: int) -> Tensor:
    """Uniform numbers in (0, 1) [n] of (seed, row, position): splitmix64 (Steele et al. 2014), as in gates.c.

    Examples
    --------
    >>> one = uniform(3, np.arange(5), position=2)
    >>> bool((uniform(3, np.array([4, 1]), position=2) == one[[4, 1]]).all())
    True
    """
    golden = np.uint64(0x9E3779B97F4A7C15)
    with np.errstate(over="ignore"):
        start = np.uint64(seed % 2**64) + golden * (rows.astype(np.uint64) + np.uint64(1))
        bits = _mix(_mix(start) + golden * np.uint64(position + 1))
    return torch.from_numpy(((bits >> np.uint64(41)).astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-23))


def _mix(x: np.ndarray) -> np.ndarray:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def finished(ids: Tensor) -> Tensor:
    """Whether each row [N, L] wrote its end token."""
    return (ids == EOS).any(dim=1)
