"""Decode under the grammar of SMILES: brackets, branches, bonds, ring numbers, and an end only when all is closed.

An automaton follows what each row has written, and tokens that cannot go on with it lose their probability. What the grammar
does not know (valence, aromaticity) stays as the decoder wrote it. The grammar is the one that RDKit reads, but for doubled
backslashes. Figures taken with this help carry ``_masked`` in their key.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from chemvae.data.tokens.vocabulary import BOS, EOS
from chemvae.models.decoder import DecoderState
from chemvae.models.decoding import Step, check_temperature, decode_tokens
from chemvae.models.vae import MolVAE
from chemvae.sampling.grammar import Grammar, GrammarState
from chemvae.sampling.latent_points import LatentPoints, tabulate


@dataclass
class MaskedState:
    """A running decode and what its rows have written."""

    inner: DecoderState
    grammar: GrammarState

    @classmethod
    def start(cls, model: MolVAE, z: Tensor, max_length: int) -> MaskedState:
        """Prepare to decode z [N, D] under the grammar."""
        grammar = GrammarState(Grammar(model.vocabulary), len(z), max_length)
        return cls(model.decoder.start(z, model.product_dtype), grammar)

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows only (indices [n])."""
        self.inner.keep(rows)
        self.grammar.keep(rows.cpu().numpy())

    def allowed(self) -> Tensor:
        """Which tokens may come next: bool [R, V]."""
        return torch.from_numpy(self.grammar.legal())


def followed(step: Step[DecoderState]) -> Step[MaskedState]:
    """Wrap a decoder's step so that a :class:`MaskedState` learns what is written; the logits stay as they are."""

    def followed_step(state: MaskedState, tokens: Tensor) -> Tensor:
        if not (tokens == BOS).all():  # the start token writes nothing
            state.grammar.advance(tokens.cpu().numpy())
        return step(state.inner, tokens)

    return followed_step


def masked(step: Step[DecoderState]) -> Step[MaskedState]:
    """Wrap a decoder's step so that tokens the grammar forbids have no probability; it takes a :class:`MaskedState`.

    Where the decoder would end and may not, the probability of the end goes to the tokens that close something. Shared among
    all tokens instead, it leaves rows that never find an end (one in seven from N(0, I)).
    """
    follow = followed(step)

    def masked_step(state: MaskedState, tokens: Tensor) -> Tensor:
        return apply_mask(follow(state, tokens).float(), state.grammar)

    return masked_step


def apply_mask(logits: Tensor, grammar: GrammarState) -> Tensor:
    """Forbid what is not legal in logits [R, V], and give an end that is not legal to what closes branches and rings."""
    legal = grammar.legal()
    closing = legal & grammar.closing() & ~legal[:, [EOS]]
    n_closing = np.maximum(closing.sum(axis=1, keepdims=True), 1)
    share = logits[:, [EOS]] - torch.from_numpy(n_closing).to(logits).log()
    closes, may_come = (torch.from_numpy(mask).to(logits.device) for mask in (closing, legal))
    logits = torch.where(closes, torch.logaddexp(logits, share), logits)
    return logits.masked_fill(~may_come, -torch.inf)


def decode_masked(
    model: MolVAE, z: np.ndarray | Tensor, n_samples: int = 1, temperature: float = 0.0, seed: int = 0
) -> pd.DataFrame:
    """Decode latent points under the grammar.

    Parameters
    ----------
    model, z, n_samples, temperature, seed
        As in :meth:`MolVAE.decode`.

    Returns
    -------
    DataFrame
        The columns of :meth:`MolVAE.decode`. ``log_prob`` is log p(x|z) of the decoder without the mask, so that it compares
        with decodes that had none; NaN for a string that was not ended.
    """
    parts = []
    for points in LatentPoints.of(model, z, n_samples).blocks():
        repeated = points.z.repeat_interleave(n_samples, dim=0)
        ids = decode_ids_masked(model, repeated, temperature, seed, points.first * n_samples)
        parts.append(tabulate(model, points, ids))
    return pd.concat(parts, ignore_index=True)


def decode_ids_masked(model: MolVAE, z: Tensor, temperature: float = 0.0, seed: int = 0, first_row: int = 0) -> Tensor:
    """Decode each row of z [N, D] once under the grammar: token ids [N, L]. Row i draws as row ``first_row + i``."""
    state, temperature = MaskedState.start(model, z, model.max_length), check_temperature(temperature)
    step = masked(model.decoder.step)
    return decode_tokens(step, state, len(z), model.max_length, temperature, seed, first_row, model.device)[0].cpu()
