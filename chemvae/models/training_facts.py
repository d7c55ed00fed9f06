"""What a model remembers of its training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from chemvae.disk.run_checks import MOST_TOKENS
from chemvae.errors import SettingsError


@dataclass(frozen=True)
class TrainingFacts:
    """What a model remembers of its training set besides weights.

    ``max_tokens``: tokens of the longest molecule; ``hashes``: sorted 8-byte hashes of the canonical SMILES, or None;
    ``kl_weight``: what the KL counted in the end, the setting ``beta``; ``elements``: those that enough molecules had to be
    learned (:func:`chemvae.chem.kind.common_elements`), none where that is not known.
    """

    max_tokens: int = 120
    hashes: np.ndarray | None = field(default=None, repr=False)
    kl_weight: float = 1.0
    elements: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not 1 <= self.max_tokens <= MOST_TOKENS:
            raise SettingsError(f"max_tokens must lie in 1..{MOST_TOKENS:,}, got {self.max_tokens}")
        if not self.kl_weight >= 0:
            raise SettingsError(f"beta must be >= 0, got {self.kl_weight}")


def smiles_hash(smiles: Sequence[str]) -> np.ndarray:
    """Hash canonical SMILES to uint64 [N]; the same on every machine.

    Examples
    --------
    >>> bool((smiles_hash(["CCO"]) == smiles_hash(["CCO"])).all())
    True
    """
    import hashlib

    digests = (hashlib.blake2b(one.encode(), digest_size=8).digest() for one in smiles)
    return np.fromiter((int.from_bytes(digest, "little") for digest in digests), dtype="<u8", count=len(smiles))
