"""Token arrays, length-bucketed batches and labels; nothing here runs Python code per molecule while training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from chemvae.chem.molecules import randomize
from chemvae.data.vocabulary import BOS, EOS, PAD, Vocabulary

BUCKET_BATCHES = 50  # batches that are sorted by length together: padding stays near 2 %, batches stay mixed


@dataclass
class Batch:  # not frozen: Fabric, through whose door batches go, refuses frozen dataclasses
    """One batch, batch first.

    ``token_ids`` [B, T] are the molecule without start and end, padded with PAD; ``lengths`` [B] count them.
    ``encoder_ids`` [B, T'] and ``encoder_lengths`` are what the encoder reads: the same, or a random SMILES of the same
    molecule. ``labels`` [B, P] are in the data's unit, NaN where missing.
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

    def part(self, number: int, n_parts: int) -> Batch:
        """Every ``n_parts``-th molecule from ``number`` on, without columns that are padding in all of them."""
        rows = {name: value[number::n_parts] for name, value in vars(self).items() if isinstance(value, Tensor)}
        for ids, lengths in (("token_ids", "lengths"), ("encoder_ids", "encoder_lengths")):
            if ids in rows:
                rows[ids] = rows[ids][:, : int(rows[lengths].max())]
        return replace(self, **rows)

    def to(self, device: torch.device | str) -> Batch:
        moved = {name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return replace(self, **moved)


@dataclass(frozen=True)
class TokenArray:
    """Many token sequences in one flat array: ids [sum of lengths], offsets [N + 1]."""

    ids: np.ndarray
    offsets: np.ndarray

    @classmethod
    def from_smiles(cls, smiles: Sequence[str], vocabulary: Vocabulary) -> TokenArray:
        """Encode each molecule.

        Raises
        ------
        UnknownTokenError
            At the first molecule the vocabulary cannot write.
        """
        rows = [vocabulary.encode(one).astype(np.uint8 if len(vocabulary) <= 256 else np.uint16) for one in smiles]
        lengths = np.fromiter((len(row) for row in rows), dtype=np.int64, count=len(rows))
        ids = np.concatenate(rows) if rows else np.zeros(0, dtype=np.uint8)
        return cls(ids, np.concatenate([[0], np.cumsum(lengths)]))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.offsets)

    def rows(self, index: np.ndarray) -> tuple[Tensor, Tensor]:
        """Gather molecules as padded ids [B, T] and lengths [B], int64."""
        lengths = self.offsets[index + 1] - self.offsets[index]
        columns = np.arange(max(1, lengths.max(initial=0)))
        inside = columns < lengths[:, None]
        where = np.where(inside, self.offsets[index][:, None] + columns, 0)
        ids = np.where(inside, self.ids[where] if len(self.ids) else 0, PAD)
        return torch.from_numpy(ids.astype(np.int64)), torch.from_numpy(lengths.astype(np.int64))


class SmilesDataset:
    """Molecules and their labels, ready to be cut into batches.

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

    Examples
    --------
    >>> data = SmilesDataset(["CCO", "CC"], Vocabulary.from_smiles(["CCO"]))
    >>> next(data.epoch(0, batch_size=2, seed=0)).token_ids.shape
    torch.Size([2, 3])
    """

    def __init__(
        self, smiles: Sequence[str], vocabulary: Vocabulary, labels: np.ndarray | None = None, random_smiles: float = 0.0
    ):
        self.smiles = list(smiles)
        self.vocabulary = vocabulary
        self.tokens = TokenArray.from_smiles(self.smiles, vocabulary)
        self.labels = np.zeros((len(self.smiles), 0)) if labels is None else np.asarray(labels, dtype=np.float64)
        self.random_smiles = random_smiles

    def __len__(self) -> int:
        return len(self.smiles)

    def batch(self, index: np.ndarray, rng: np.random.Generator | None = None) -> Batch:
        """Make one batch of the molecules at ``index`` [B]; ``rng`` draws the random SMILES, None draws none."""
        token_ids, lengths = self.tokens.rows(index)
        labels = torch.from_numpy(self.labels[index].astype(np.float32))
        batch = Batch(token_ids, lengths, labels)
        if rng is None or self.random_smiles <= 0:
            return batch
        encoder_ids, encoder_lengths = self._randomized(index, rng).rows(np.arange(len(index)))
        return replace(batch, encoder_ids=encoder_ids, encoder_lengths=encoder_lengths)

    def _randomized(self, index: np.ndarray, rng: np.random.Generator) -> TokenArray:
        chosen = rng.random(len(index)) < self.random_smiles
        rows = []
        for i, change in zip(index, chosen, strict=True):
            text = randomize(self.smiles[i], rng) if change else self.smiles[i]
            rows.append(self.smiles[i] if self.vocabulary.complaint(text) else text)
        return TokenArray.from_smiles(rows, self.vocabulary)

    def order(self, epoch: int, batch_size: int, seed: int) -> list[np.ndarray]:
        """Return the batches' indices of one epoch; the same arguments give the same batches.

        Molecules are shuffled, sorted by length within buckets of ``BUCKET_BATCHES`` batches, cut, and the batches shuffled.
        """
        rng = np.random.default_rng((seed, epoch))
        shuffled = rng.permutation(len(self))
        lengths = self.tokens.lengths
        batches: list[np.ndarray] = []
        for start in range(0, len(shuffled), batch_size * BUCKET_BATCHES):
            bucket = shuffled[start : start + batch_size * BUCKET_BATCHES]
            bucket = bucket[np.argsort(lengths[bucket], kind="stable")]
            batches += [bucket[i : i + batch_size] for i in range(0, len(bucket), batch_size)]
        return [batches[i] for i in rng.permutation(len(batches))]

    def epoch(self, epoch: int, batch_size: int, seed: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of one epoch, from batch number ``start`` on."""
        for number, index in enumerate(self.order(epoch, batch_size, seed)):
            if number >= start:
                yield self.batch(index, np.random.default_rng((seed, epoch, number)))

    def n_batches(self, batch_size: int) -> int:
        """Batches in an epoch."""
        whole = batch_size * BUCKET_BATCHES
        return sum(-(-min(whole, len(self) - start) // batch_size) for start in range(0, len(self), whole))
