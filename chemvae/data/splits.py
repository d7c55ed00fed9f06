"""Which molecule is for training, validation and test: a documented hash, so the same molecule always lands in the same part.

The rule: the canonical isomeric SMILES (or its Murcko scaffold), UTF-8, sha1; the integer of the first 8 hex digits modulo
100 is 0-89 for train, 90-94 for valid and 95-99 for test. It needs no random numbers and no memory, so it streams.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from chemvae.chem.fingerprints import scaffold

VALID_FROM, TEST_FROM = 90, 95
_PARTS = np.array(["train", "valid", "test"])
SPLIT_RULES = {
    "hash": "sha1 of the canonical SMILES, first 8 hex digits modulo 100: 0-89 train, 90-94 valid, 95-99 test",
    "scaffold": "the same rule on the Murcko scaffold, so that no ring system is in two parts (acyclic molecules share one)",
}


def hash_split(text: str) -> str:
    """Assign a canonical SMILES (or a scaffold) to a part.

    Examples
    --------
    >>> [hash_split(smiles) for smiles in ("CCO", "c1ccccc1", "CC(C)C")]
    ['train', 'train', 'train']
    """
    return key_splits(smiles_keys([text]))[0]


def key_splits(keys: np.ndarray) -> list[str]:
    """Assign molecules (or scaffolds) by their :func:`smiles_keys` [N], whose upper half is the sha1's first 8 hex digits."""
    numbers = (keys >> np.uint64(32)) % np.uint64(100)
    return _PARTS[np.searchsorted((VALID_FROM, TEST_FROM), numbers, side="right")].tolist()


def scaffold_split(smiles: str) -> str:
    """Assign a molecule by its Murcko scaffold; molecules with the same rings and linkers go together.

    Examples
    --------
    >>> scaffold_split("Cc1ccncc1") == scaffold_split("OCc1ccncc1Cl")
    True
    """
    return hash_split(scaffold(smiles) or "")


def smiles_key(smiles: str) -> int:
    """A 64-bit key of a canonical SMILES: two of a million distinct molecules share one with probability 3e-8."""
    return int(smiles_keys([smiles])[0])


def smiles_keys(smiles: Sequence[str]) -> np.ndarray:
    """The :func:`smiles_key` of each molecule [N], uint64."""
    digests = b"".join([hashlib.sha1(one.encode()).digest()[:8] for one in smiles])
    return np.frombuffer(digests, dtype=">u8").astype(np.uint64)


class SeenKeys:
    """A set of 64-bit keys in 8 bytes each (16 while runs merge): sorted runs that double in length.

    Examples
    --------
    >>> seen = SeenKeys()
    >>> seen.add_new([3, 5, 3]).tolist(), seen.add_new([5, 7]).tolist(), len(seen)
    ([True, True, False], [False, True], 3)
    """

    def __init__(self) -> None:
        self._runs: list[np.ndarray] = []

    def __len__(self) -> int:
        return sum(len(run) for run in self._runs)

    def add_new(self, keys: Sequence[int] | np.ndarray) -> np.ndarray:
        """Add keys; True [N] for each that was not there before, earlier ones of the same call included."""
        batch = np.asarray(keys, dtype=np.uint64)
        _, first = np.unique(batch, return_index=True)
        is_new = np.zeros(len(batch), dtype=bool)
        is_new[first] = True
        for run in self._runs:
            place = np.minimum(np.searchsorted(run, batch), len(run) - 1)
            is_new &= run[place] != batch
        self._push(np.sort(batch[is_new]))
        return is_new

    def _push(self, run: np.ndarray) -> None:
        if len(run) == 0:
            return
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = np.concatenate([self._runs.pop(), run])
            run.sort()
        self._runs.append(run)
