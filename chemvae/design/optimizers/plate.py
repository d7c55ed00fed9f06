"""Batches like a plate: the best molecules of which no two are alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chemvae.chem.fingerprints import morgan, tanimoto

CLOSEST, STEP = 0.4, 0.1
"""ECFP4 Tanimoto that two molecules of a plate stay below, as long as the plate can be filled so; then a little more."""
WIDER = 8
"""Molecules looked at for each place on the plate, at most the better half of all that passed."""


def count_ranked(n_passed: int, n: int) -> int:
    """How many of the molecules that passed are ranked for a plate of n.

    Examples
    --------
    >>> count_ranked(1000, 24), count_ranked(100, 24), count_ranked(30, 24), count_ranked(10, 24)
    (192, 50, 24, 10)
    """
    return min(n_passed, max(n, min(WIDER * n, n_passed // 2)))


def pick_apart(smiles: Sequence[str], n: int) -> list[int]:
    """Choose n of M molecules, each the best that is not like one chosen before; what counts as alike grows as it must.

    Parameters
    ----------
    smiles : sequence of str, length M
        The best first.
    n : int
        All M if that is fewer.

    Returns
    -------
    list of int
        Positions, ascending.

    Examples
    --------
    >>> pick_apart(["CCCCO", "CCCCCO", "c1ccccc1", "CCCCCCO"], 2)
    [0, 2]
    """
    fingerprints = morgan(list(smiles))
    nearest, chosen = np.zeros(len(smiles)), np.zeros(len(smiles), dtype=bool)  # similarity to what is chosen
    for threshold in np.arange(CLOSEST, 1.0 + 2 * STEP, STEP):
        for i in range(len(smiles)):
            if chosen.sum() >= n:
                break
            if not chosen[i] and nearest[i] < threshold:
                chosen[i] = True
                nearest = np.maximum(nearest, tanimoto(fingerprints, fingerprints[i : i + 1])[:, 0])
    return np.flatnonzero(chosen).tolist()
