"""Figures that the parts of this experiment share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chemvae.chem.fingerprints import morgan, tanimoto


def figure(values: Sequence[float] | np.ndarray) -> dict:
    """Mean of what is finite, and of how many; the standard deviation where there are several."""
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    std = float(known.std()) if len(known) > 1 else None
    return {"mean": float(known.mean()) if len(known) else None, "std": std, "n": int(len(known))}


def similarities(smiles: Sequence[str | None], others: Sequence[str | None]) -> np.ndarray:
    """Tanimoto similarity (ECFP4) of molecules to others, pair by pair [N]; NaN where one is none."""
    pairs = zip(morgan([one or "" for one in smiles]), morgan([one or "" for one in others]), strict=True)
    return np.array([np.nan if a is None or b is None else float(tanimoto([a], [b])[0, 0]) for a, b in pairs])
