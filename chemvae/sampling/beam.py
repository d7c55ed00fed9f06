"""Beam search: the most probable strings of a decoder, over its step interface, so that a toy decoder can be searched too."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from chemvae.data.tokens.vocabulary import BOS, EOS, PAD
from chemvae.models.decoding import RunningState, Step

Allowed = Callable[[RunningState], Tensor]


@torch.no_grad()
def beam_search(
    step: Step,
    state: RunningState,
    n_rows: int,
    width: int,
    max_length: int,
    allowed: Allowed | None = None,
    device: torch.device | str = "cpu",
) -> tuple[Tensor, Tensor]:
    """Find the most probable ended strings of each row.

    At every position each row goes on with its ``width`` most probable beginnings. What has ended is set apart and never pushed
    out by a beginning; a row is done when no beginning is more probable than its worst kept ending, because probability only
    falls. The result is the exact optimum as soon as ``width`` covers all beginnings that are more probable than it.

    Parameters
    ----------
    step : callable
        ``step(state, tokens [n]) -> logits [n, V]``, as for :func:`chemvae.models.decoding.decode_tokens`.
    state : object
        Of N rows; its ``keep(rows)`` may name a row several times.
    n_rows, width, max_length : int
        N, the beginnings kept (W), and the most tokens a string may have, end token included (L).
    allowed : callable, optional
        ``allowed(state) -> bool [n, V]``, asked after each step; what it denies is never written. Probabilities stay those of
        the decoder: nothing is shared out among the rest.

    Returns
    -------
    ids : Tensor [N, W, L] int64
        The most probable first; tokens up to and including the end token, then PAD. A row in which nothing ended holds its most
        probable beginning.
    log_prob : Tensor [N, W]
        Nats; -inf where there are fewer than W strings, or what is given did not end.

    Examples
    --------
    >>> class Rows:
    ...     def keep(self, rows): pass
    >>> logits = torch.tensor([-torch.inf, -torch.inf, 0.4, -torch.inf, 0.6]).log_softmax(0)
    >>> ids, log_prob = beam_search(lambda state, tokens: logits.expand(len(tokens), 5), Rows(), 1, width=2, max_length=9)
    >>> ids[0, :, :3].tolist()
    [[2, 0, 0], [4, 2, 0]]
    """
    kept_ids = torch.full((n_rows, width, max_length), PAD, dtype=torch.long, device=device)
    kept = torch.full((n_rows, width), -torch.inf, device=device)
    rows = torch.arange(n_rows, device=device)  # [n] those still searched
    ids = torch.full((n_rows, 1, max_length), PAD, dtype=torch.long, device=device)  # [n, w, L] beginnings
    score = torch.zeros(n_rows, 1, device=device)  # [n, w]
    tokens = torch.full((n_rows,), BOS, dtype=torch.long, device=device)
    for position in range(max_length):
        log_p = step(state, tokens).float().log_softmax(dim=1)
        if allowed is not None:
            log_p = log_p.masked_fill(~allowed(state).to(log_p.device), -torch.inf)
        n, w = score.shape
        reached = score[:, :, None] + log_p.view(n, w, -1)  # [n, w, V]
        ended = ids.clone()
        ended[:, :, position] = EOS
        kept_ids[rows], kept[rows] = _best(
            torch.cat([kept_ids[rows], ended], dim=1), torch.cat([kept[rows], reached[:, :, EOS]], dim=1), width
        )
        reached[:, :, EOS] = -torch.inf
        n_tokens = reached.shape[2]
        score, index = reached.flatten(1).topk(min(width, w * n_tokens), dim=1)
        parent, token = index // n_tokens, index % n_tokens
        ids = ids.gather(1, parent[:, :, None].expand(-1, -1, max_length))
        ids[:, :, position] = token
        open_ = score[:, 0] > kept[rows, -1]
        if not open_.any():
            break
        flat = torch.arange(n, device=device)[:, None] * w + parent  # rows of the state that go on
        state.keep(flat[open_].flatten())
        rows, ids, score, tokens = rows[open_], ids[open_], score[open_], token[open_].flatten()
    for i, row in enumerate(rows.tolist()):
        if kept[row, 0] == -torch.inf:
            kept_ids[row, 0] = ids[i, 0]
    return kept_ids, kept


def _best(ids: Tensor, score: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """The ``width`` best of the strings [n, m, L] with score [n, m]."""
    score, index = score.topk(width, dim=1)
    return ids.gather(1, index[:, :, None].expand(-1, -1, ids.shape[2])), score
