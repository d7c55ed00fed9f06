"""Which molecules a library holds: hashes of their canonical SMILES, 128 bits each, so that none is taken in twice."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

KEY_BYTES = 16


def smiles_keys(smiles: Sequence[str]) -> np.ndarray:
    """Hash texts to two words each: uint64 [2, n], the same on every machine.

    Examples
    --------
    >>> smiles_keys(["CCO", "CCO", "CCN"]).shape, len(np.unique(smiles_keys(["CCO", "CCO", "CCN"])[0]))
    ((2, 3), 2)
    """
    digests = b"".join(hashlib.blake2b(one.encode(), digest_size=KEY_BYTES).digest() for one in smiles)
    return np.frombuffer(digests, dtype="<u8").reshape(-1, 2).T.copy()


def sorted_keys(smiles: Sequence[str]) -> np.ndarray:
    """The keys of texts in ascending order of their first word: uint64 [2, n]."""
    keys = smiles_keys(smiles)
    return keys[:, np.argsort(keys[0], kind="stable")]


class KnownKeys:
    """The molecules of a library and those about to be added.

    Parameters
    ----------
    of_shards : sequence of uint64 [2, n]
        Each in ascending order; maps of files will do.

    Examples
    --------
    >>> known = KnownKeys([sorted_keys(["CCO", "CC"])])
    >>> known.add(["CCO", "CCN", "CCN"]).tolist(), known.add(["CCN"]).tolist()
    ([False, True, False], [False])
    """

    def __init__(self, of_shards: Sequence[np.ndarray] = ()):
        self._of_shards = list(of_shards)
        self._waiting: set[tuple[int, int]] = set()

    def add(self, smiles: Sequence[str]) -> np.ndarray:
        """Take up those of the molecules that are not there yet, and say which: bool [n], the first of equal ones."""
        keys = smiles_keys(smiles)
        is_new = ~self._in_shards(keys)
        for i in np.flatnonzero(is_new).tolist():
            key = int(keys[0, i]), int(keys[1, i])
            is_new[i] = key not in self._waiting
            self._waiting.add(key)
        return is_new

    def _in_shards(self, keys: np.ndarray) -> np.ndarray:
        found = np.zeros(keys.shape[1], bool)
        for known in self._of_shards:
            first = known[0]
            at = np.minimum(np.searchsorted(first, keys[0]), len(first) - 1)
            found |= (first[at] == keys[0]) & (known[1][at] == keys[1])
        return found

    def settle(self, shard: np.ndarray, smiles: Sequence[str]) -> None:
        """Say that some of those that were added stand in a shard now."""
        self._of_shards.append(shard)
        self._waiting -= set(map(tuple, smiles_keys(smiles).T.tolist()))
