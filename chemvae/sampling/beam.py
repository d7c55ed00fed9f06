"""Beam search: the most probable strings of a decoder, over its step interface, so that a toy decoder can be searched too."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from chemvae.data.tokens.vocabulary import BOS, EOS, PAD
from chemvae.models.decoding import State, Step

Allowed = Callable[[State], Tensor]


@torch.no_grad()
def beam_search(
    step: Step,
    state: State,
    n_rows: int,
    width: int,
    max_length: int,
    allowed: Allowed[State] | None = None,
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
        ``allowed(state) -> bool [n, V]``, asked after each step; what it denies is never written. Probabilities stay the
        decoder's own.

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
    search = _Search(n_rows, width, max_length, device)
    for position in range(max_length):
        log_p = step(state, search.tokens).float().log_softmax(dim=1)
        if allowed is not None:
            log_p = log_p.masked_fill(~allowed(state).to(log_p.device), -torch.inf)
        survivors = search.advance(log_p, position)
        if not len(survivors):
            break
        state.keep(survivors)
    return search.result()


class _Search:
    """The best endings of all N rows, and the beginnings of the n rows that are still searched."""

    def __init__(self, n_rows: int, width: int, max_length: int, device: torch.device | str):
        self.width = width
        self.kept_ids = torch.full((n_rows, width, max_length), PAD, dtype=torch.long, device=device)
        self.kept = torch.full((n_rows, width), -torch.inf, device=device)
        self.rows = torch.arange(n_rows, device=device)  # [n] those still searched
        self.ids = torch.full((n_rows, 1, max_length), PAD, dtype=torch.long, device=device)  # [n, w, L] beginnings
        self.score = torch.zeros(n_rows, 1, device=device)  # [n, w]
        self.tokens = torch.full((n_rows,), BOS, dtype=torch.long, device=device)  # [n * w] the last of each beginning

    def advance(self, log_p: Tensor, position: int) -> Tensor:
        """Go on by one token of log probabilities [n w, V]; which beginnings go on, as rows of the state before."""
        reached = self.score[:, :, None] + log_p.view(*self.score.shape, -1)  # [n, w, V]
        self._set_apart(reached[:, :, EOS], position)
        reached[:, :, EOS] = -torch.inf
        return self._go_on(reached, position)

    def _set_apart(self, score: Tensor, position: int) -> None:
        """Keep what ends here, with score [n, w], if it is among the best of its row."""
        ended = self.ids.clone()
        ended[:, :, position] = EOS
        self.kept_ids[self.rows], self.kept[self.rows] = _best(
            torch.cat([self.kept_ids[self.rows], ended], dim=1), torch.cat([self.kept[self.rows], score], dim=1), self.width
        )

    def _go_on(self, reached: Tensor, position: int) -> Tensor:
        """Choose the most probable beginnings among those ``reached`` [n, w, V], and leave rows that are done."""
        n, w, n_tokens = reached.shape
        score, index = reached.flatten(1).topk(min(self.width, w * n_tokens), dim=1)
        parent, token = index // n_tokens, index % n_tokens
        ids = self.ids.gather(1, parent[:, :, None].expand(-1, -1, self.ids.shape[2]))
        ids[:, :, position] = token
        self.ids = ids
        is_open = score[:, 0] > self.kept[self.rows, -1]
        if not is_open.any():
            return self.rows[:0]
        flat = torch.arange(n, device=reached.device)[:, None] * w + parent
        self.rows, self.ids, self.score, self.tokens = (
            self.rows[is_open], ids[is_open], score[is_open], token[is_open].flatten()
        )  # fmt: skip
        return flat[is_open].flatten()

    def result(self) -> tuple[Tensor, Tensor]:
        """The endings [N, W, L] with their scores [N, W]; for a row without any, its most probable beginning."""
        for i, row in enumerate(self.rows.tolist()):
            if self.kept[row, 0] == -torch.inf:
                self.kept_ids[row, 0] = self.ids[i, 0]
        return self.kept_ids, self.kept


def _best(ids: Tensor, score: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """The ``width`` best of the strings [n, m, L] with score [n, m]."""
    score, index = score.topk(width, dim=1)
    return ids.gather(1, index[:, :, None].expand(-1, -1, ids.shape[2])), score
