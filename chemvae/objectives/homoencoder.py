"""The code of a molecule, or of a whole set, is inferred from other members of its family.

A homoencoder reads another molecule of the class and writes this one (Hewitt, Nye, Gane, Jaakkola & Tenenbaum, The Variational
Homoencoder, 2018, https://arxiv.org/abs/1807.08919); a neural statistician has one code for a set (Edwards & Storkey 2016,
https://arxiv.org/abs/1606.02185). Here a family is a Murcko scaffold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from chemvae.chem.fingerprints import scaffold
from chemvae.data.tokens.datasets import Batch, SmilesDataset
from chemvae.data.tokens.tokenfiles import TokenArray
from chemvae.errors import SettingsError
from chemvae.models.terms import Terms
from chemvae.models.vae import MolVAE
from chemvae.objectives.base import ObjectiveContext
from chemvae.objectives.bounds import BetaELBO
from chemvae.seeding import draw_seed


class Families:
    """Which molecules of a data set share a Murcko scaffold; a molecule without one, or alone with it, is its own family.

    Parameters
    ----------
    data : SmilesDataset

    Examples
    --------
    >>> from chemvae.data.tokens.vocabulary import Vocabulary
    >>> smiles = ["Cc1ccccc1", "Oc1ccccc1", "CCO", "CC"]
    >>> families = Families(SmilesDataset(smiles, Vocabulary.from_smiles(smiles)))
    >>> [families.of_row(row).tolist() for row in range(4)]
    [[0, 1], [0, 1], [2], [3]]
    """

    def __init__(self, data: SmilesDataset):
        self.tokens: TokenArray = data.tokens
        names = [scaffold(text) or None for text in data.smiles]
        numbers: dict[str, int] = {}
        self._family = np.array(
            [len(data) + row if name is None else numbers.setdefault(name, row) for row, name in enumerate(names)]
        )
        order = np.argsort(self._family, kind="stable")
        _, starts = np.unique(self._family[order], return_index=True)
        self._members = dict(zip(self._family[order][starts].tolist(), np.split(order, starts[1:]), strict=True))
        self._rows: dict[bytes, int] = {}
        for start in range(0, len(data), 4096):
            index = np.arange(start, min(start + 4096, len(data)))
            ids, lengths = self.tokens.rows(index)
            self._rows |= dict(zip(_keys(ids, lengths), index.tolist(), strict=True))

    def of_row(self, row: int) -> np.ndarray:
        """Rows of the data set in the family of a row, its own among them."""
        return self._members[int(self._family[row])]

    def rows_of(self, batch: Batch) -> list[int | None]:
        """Where the molecules of a batch stand in the data set; None for one that does not."""
        return [self._rows.get(key) for key in _keys(batch.token_ids.cpu(), batch.lengths.cpu())]


def _keys(ids: Tensor, lengths: Tensor) -> list[bytes]:
    return [row[:length].tobytes() for row, length in zip(ids.numpy(), lengths.tolist(), strict=True)]


class Homoencoder(BetaELBO):
    """The beta-ELBO of a molecule given a code that was read off other members of its scaffold family.

    -log p(x|z) + beta KL(q(z|D) || p(z)) / n - weight log p(y|z), with D drawn from the family of x: ``n_read`` members, with
    repetition, whose summaries (:meth:`PosteriorFamily.summary`) are averaged. The KL is counted once for the family of n
    molecules (Hewitt et al., equation 4). Held-out molecules, and those in no family, are read from themselves.

    Parameters
    ----------
    beta : callable
        Step to KL weight.
    families : Families
        Of the training molecules.
    n_read : int
        Members that the encoder reads: 1 is the homoencoder, more the statistician with its mean-pooled set.
    **options
        Of :class:`BetaELBO`.
    """

    has_free_bits = False
    splits = True

    def __init__(self, beta: Callable[[int], float], families: Families, n_read: int = 1, **options: Any):
        super().__init__(beta, **options)
        if n_read < 1:
            raise SettingsError(f"n_read must be >= 1, got {n_read}")
        self.families, self.n_read = families, n_read

    @classmethod
    def from_settings(cls, context: ObjectiveContext, **settings: Any) -> Homoencoder:
        s = context.settings
        own = {"property_weight": s.property_weight, "final_beta": s.beta}
        return cls(context.beta, Families(context.train), **{**own, **settings})

    def terms(self, model: MolVAE, batch: Batch, step: int, generator: torch.Generator | None = None) -> Terms:
        if not model.training:
            return super().terms(model, batch, step, generator)
        rng = np.random.default_rng(draw_seed(generator))
        rows = self.families.rows_of(batch)
        summaries = [model.posterior_family.summary(model.hidden_of(self._read(batch, rows, rng))) for _ in range(self.n_read)]
        posterior = model.posterior_family.from_summary(torch.stack(summaries).mean(dim=0))
        z, log_qz_x = posterior.draw(self.n_draws, generator)
        return self._once_a_family(model.terms_at(z, log_qz_x, posterior, batch, generator), rows)

    def _read(self, batch: Batch, rows: Sequence[int | None], rng: np.random.Generator) -> Batch:
        """The batch, of which the encoder reads a random member of each molecule's family."""
        read = np.array([-1 if row is None else rng.choice(self.families.of_row(row)) for row in rows])
        known = np.flatnonzero(read >= 0)
        if not len(known):
            return batch
        ids, lengths = self.families.tokens.rows(read[known])
        width = max(ids.shape[1], batch.token_ids.shape[1])
        encoder_ids, encoder_lengths = _padded(batch.token_ids, width).clone(), batch.lengths.clone()
        encoder_ids[known] = _padded(ids, width).to(encoder_ids)
        encoder_lengths[known] = lengths.to(encoder_lengths)
        return replace(batch, encoder_ids=encoder_ids, encoder_lengths=encoder_lengths)

    def _once_a_family(self, terms: Terms, rows: Sequence[int | None]) -> Terms:
        """The terms, with the KL of each molecule divided by the number of its family."""
        counts = [1 if row is None else len(self.families.of_row(row)) for row in rows]
        share = 1 / torch.tensor(counts, dtype=terms.z.dtype, device=terms.z.device)  # [B]
        if terms.kl is None:
            kl = share * (terms.log_qz_x - terms.log_pz).mean(dim=0)
        else:
            kl = share * terms.kl
        return replace(terms, kl=kl, kl_dims=None)


def _padded(ids: Tensor, width: int) -> Tensor:
    return torch.nn.functional.pad(ids, (0, width - ids.shape[1]))
