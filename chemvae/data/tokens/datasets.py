"""Length-bucketed batches of token arrays, with labels; nothing here runs Python code per molecule while training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar, overload

import numpy as np
import torch
from torch import Tensor

from chemvae.chem.molecules import randomize
from chemvae.data.tokens.tokenfiles import Texts, TokenArray, read_token_set
from chemvae.data.tokens.tokenizing import BlockEncoder
from chemvae.data.tokens.vocabulary import BOS, EOS, PAD, Vocabulary
from chemvae.errors import SettingsError

__all__ = ["Batch", "Order", "SmilesDataset", "TokenArray"]

BUCKET_BATCHES = 50  # batches that are sorted by length together: padding stays near 2 %, batches stay mixed


AnyBatch = TypeVar("AnyBatch", bound="Batch")


@dataclass
class Batch:  # not frozen: Fabric, through whose door batches go, refuses frozen dataclasses
    """One batch, batch first.

    ``token_ids`` [B, T] are the molecule without start and end, padded with PAD; ``lengths`` [B] count them.
    ``encoder_ids`` [B, T'] and ``encoder_lengths`` are what the encoder reads: the same, or a random SMILES of the same
    molecule. ``labels`` [B, P] are in the data's unit, float64, NaN where missing: what scales them does it before it rounds.
    """

    token_ids: Tensor
    lengths: Tensor
    labels: Tensor
    encoder_ids: Tensor | None = None
    encoder_lengths: Tensor | None = None

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def decoder_inputs(self) -> Tensor:
        """[B, T + 1]: start, then the molecule."""
        start = torch.full_like(self.token_ids[:, :1], BOS)
        return torch.cat([start, self.token_ids], dim=1)

    @property
    def targets(self) -> Tensor:
        """[B, T + 1]: the molecule, then end, then PAD."""
        ids = torch.cat([self.token_ids, torch.full_like(self.token_ids[:, :1], PAD)], dim=1)
        return ids.scatter(1, self.lengths[:, None], EOS)

    def part(self: AnyBatch, number: int, n_parts: int) -> AnyBatch:
        """Every ``n_parts``-th molecule from ``number`` on, without columns that are padding in all of them."""
        rows = {name: value[number::n_parts] for name, value in vars(self).items() if isinstance(value, Tensor)}
        for ids, lengths in (("token_ids", "lengths"), ("encoder_ids", "encoder_lengths")):
            if ids in rows:
                rows[ids] = rows[ids][:, : int(rows[lengths].max())]
        return replace(self, **rows)

    def to(self: AnyBatch, device: torch.device | str) -> AnyBatch:
        """On a device; labels stay where they are if it knows no float64."""
        knows_double = torch.device(device).type != "mps"
        moved = {
            name: value.to(device)
            for name, value in vars(self).items()
            if isinstance(value, Tensor) and (name != "labels" or knows_double)
        }
        return replace(self, **moved)


class Order(Sequence[np.ndarray]):
    """The batches of one epoch: entry k holds the indices [B] of the molecules in batch k.

    Kept as one array of int32 (int64 beyond two thousand million molecules) and a permutation of the batches, so that ten
    million molecules take 40 MB.
    """

    def __init__(self, molecules: np.ndarray, batch_size: int, batches: np.ndarray):
        self._molecules, self._batch_size, self._batches = molecules, batch_size, batches

    def __len__(self) -> int:
        return len(self._batches)

    @overload
    def __getitem__(self, number: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, number: slice) -> list[np.ndarray]: ...
    def __getitem__(self, number: int | slice) -> np.ndarray | list[np.ndarray]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        start = int(self._batches[number]) * self._batch_size
        return self._molecules[start : start + self._batch_size]


class SmilesDataset:
    """Molecules and their labels, ready to be cut into batches.

    The molecules are kept as tokens only: ``smiles`` writes them again when asked.

    Parameters
    ----------
    smiles : sequence of str
        Canonical SMILES; what the decoder writes.
    vocabulary : Vocabulary
    labels : array [N, P] or None
        In the data's unit; NaN where missing.
    random_smiles : float
        Share of molecules whose encoder input is a random SMILES of the same molecule, drawn anew each epoch
        (Winter et al. 2019, Oestreich et al. 2024).

    Attributes
    ----------
    unlabelled : float
        Share of the molecules without any label that an epoch holds, others in each; set by :meth:`thin_unlabelled`.

    Examples
    --------
    >>> data = SmilesDataset(["CCO", "CC"], Vocabulary.from_smiles(["CCO"]))
    >>> next(data.epoch(0, batch_size=2, seed=0)).token_ids.shape
    torch.Size([2, 3])
    >>> data.smiles[0]
    'CCO'
    """

    def __init__(
        self, smiles: Sequence[str], vocabulary: Vocabulary, labels: np.ndarray | None = None, random_smiles: float = 0.0
    ):
        labels = None if labels is None else np.asarray(labels, dtype=np.float64)
        self._take(TokenArray.from_smiles(smiles, vocabulary), vocabulary, labels, random_smiles)

    @classmethod
    def from_tokens(
        cls, tokens: TokenArray, vocabulary: Vocabulary, labels: np.ndarray | None = None, random_smiles: float = 0.0
    ) -> SmilesDataset:
        """Take molecules that are tokens already, and labels [N, P] of any type, as they are (mapped files stay mapped)."""
        made = cls.__new__(cls)
        made._take(tokens, vocabulary, labels, random_smiles)
        return made

    @classmethod
    def open(cls, folder: str | Path, random_smiles: float = 0.0) -> SmilesDataset:
        """Map a token set that :class:`~chemvae.data.tokens.tokenfiles.TokenWriter` wrote; InputError if there is none."""
        found = read_token_set(folder)
        return cls.from_tokens(found.tokens, found.vocabulary, found.labels, random_smiles)

    def _take(self, tokens: TokenArray, vocabulary: Vocabulary, labels: np.ndarray | None, random_smiles: float) -> None:
        self.tokens, self.vocabulary, self.random_smiles = tokens, vocabulary, random_smiles
        self.labels = np.zeros((len(tokens), 0)) if labels is None else labels
        self.smiles = Texts(tokens, vocabulary)
        self.unlabelled = 1.0
        self._is_unlabelled: np.ndarray = np.zeros(0, dtype=bool)
        self._encoder = BlockEncoder(vocabulary)

    def thin_unlabelled(self, share: float) -> None:
        """Let an epoch hold this share of the molecules without any label, so that many of them do not drown the others.

        Raises
        ------
        SettingsError
            If no molecule has a label: an epoch would hold little more than nothing.
        """
        if share < 1:
            self._is_unlabelled = np.asarray(np.isnan(self.labels).all(axis=1))
            if self._is_unlabelled.all():
                raise SettingsError(
                    f"unlabelled={share:g} thins molecules without a label, and none here has one; name label columns (-p), or "
                    "leave it at 1"
                )
        self.unlabelled = share

    def __len__(self) -> int:
        return len(self.tokens)

    def batch(self, index: np.ndarray, rng: np.random.Generator | None = None) -> Batch:
        """Make one batch of the molecules at ``index`` [B]; ``rng`` draws the random SMILES, None draws none."""
        token_ids, lengths = self.tokens.rows(index)
        labels = torch.from_numpy(self.labels[index].astype(np.float64))
        batch = Batch(token_ids, lengths, labels)
        if rng is None or self.random_smiles <= 0:
            return batch
        encoder_ids, encoder_lengths = self._randomized(index, rng).rows(np.arange(len(index)))
        return replace(batch, encoder_ids=encoder_ids, encoder_lengths=encoder_lengths)

    def _randomized(self, index: np.ndarray, rng: np.random.Generator) -> TokenArray:
        """Random SMILES of some molecules; the molecule's own where the vocabulary cannot write the random one."""
        chosen = rng.random(len(index)) < self.random_smiles
        own = self.smiles.take(index)
        texts = [randomize(text, rng) if change else text for text, change in zip(own, chosen, strict=True)]
        writable = self._encoder.encode(texts)[2]
        return TokenArray.from_smiles([a if ok else b for a, b, ok in zip(texts, own, writable, strict=True)], self.vocabulary)

    def shuffled(self, rng: np.random.Generator) -> np.ndarray:
        """Indices [M] of the molecules of an epoch in random order: all of them, or of the unlabelled ones a share."""
        molecules = rng.permutation(np.arange(len(self), dtype=np.int32 if len(self) < 2**31 else np.int64))
        if self.unlabelled == 1:
            return molecules
        kept = ~self._is_unlabelled[molecules]
        kept[np.flatnonzero(~kept)[: self.n_read - int(kept.sum())]] = True
        return molecules[kept]

    @property
    def n_read(self) -> int:
        """Molecules in an epoch."""
        n_unlabelled = int(self._is_unlabelled.sum())
        return len(self) - n_unlabelled + round(self.unlabelled * n_unlabelled)

    def order(self, epoch: int, batch_size: int, seed: int) -> Order:
        """Return the batches' indices of one epoch; the same arguments give the same batches.

        Molecules are shuffled, sorted by length within buckets of ``BUCKET_BATCHES`` batches, cut, and the batches shuffled.
        """
        rng = np.random.default_rng((seed, epoch))
        molecules = self.shuffled(rng)
        for start in range(0, len(molecules), batch_size * BUCKET_BATCHES):
            bucket = molecules[start : start + batch_size * BUCKET_BATCHES]
            bucket[:] = bucket[np.argsort(self.tokens.lengths_of(bucket), kind="stable")]
        return Order(molecules, batch_size, rng.permutation(self.n_batches(batch_size)))

    def epoch(self, epoch: int, batch_size: int, seed: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of one epoch, from batch number ``start`` on."""
        order = self.order(epoch, batch_size, seed)
        for number in range(start, len(order)):
            rng = np.random.default_rng((seed, epoch, number)) if self.random_smiles > 0 else None
            yield self.batch(order[number], rng)

    def n_batches(self, batch_size: int) -> int:
        """Batches in an epoch."""
        return -(-self.n_read // batch_size)
