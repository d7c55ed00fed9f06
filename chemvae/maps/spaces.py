"""What a map is drawn of: the model's latent space, or fingerprints that need no model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chemvae.chem.fingerprints import morgan
from chemvae.parallel.pool import map_ordered

SPACES = ("latent", "fingerprint")
"""Spaces whose neighbourhoods a map can keep."""
FOLDED_BITS = 512
"""2,048 bits fold to these: a quarter of the memory, and rows that a layout takes as they are."""


def fingerprint_rows(smiles: Sequence[str], jobs: int = 1) -> np.ndarray:
    """Return ECFP4 as vectors of length one: near means a high cosine similarity, which orders much as Tanimoto does.

    Parameters
    ----------
    smiles : sequence of str, N
    jobs : int
        Worker processes.

    Returns
    -------
    ndarray [N, FOLDED_BITS]
        float32; NaN rows for what is no molecule.

    Examples
    --------
    >>> rows = fingerprint_rows(["CCO", "CCO", "c1ccccc1", "C1"])
    >>> float((rows[0] @ rows[1]).round(6)), float(rows[0] @ rows[2]), bool(np.isnan(rows[3]).all())
    (1.0, 0.0, True)
    """
    found = map_ordered(_bits_on, smiles, jobs, chunk=512)
    rows = np.zeros((len(found), FOLDED_BITS), dtype=np.float32)
    for row, bits in zip(rows, found, strict=True):
        row[bits if bits is not None else slice(None)] = np.nan if bits is None else 1.0 / np.sqrt(max(len(bits), 1))
    return rows


def _bits_on(smiles: str) -> list[int] | None:
    """Places of a molecule's fingerprint that are set; None for what is no molecule."""
    bits = morgan([smiles], n_bits=FOLDED_BITS)[0]
    return None if bits is None else list(bits.GetOnBits())
