"""Kernels of molecules and of points."""

from __future__ import annotations

import torch
from torch import Tensor

from chemvae.gp.linalg import squared_distance


def rbf(a: Tensor, b: Tensor) -> Tensor:
    """Squared exponential kernel exp(-|a - b|^2 / 2): [N, M] of a [N, K] and b [M, K], in units of their length scales.

    Examples
    --------
    >>> rbf(torch.zeros(1, 2), torch.tensor([[0.0, 0.0], [1.0, 1.0]])).log().round(decimals=4).tolist()
    [[0.0, -1.0]]
    """
    return torch.exp(-0.5 * squared_distance(a, b))


def tanimoto(a: Tensor, b: Tensor) -> Tensor:
    """Tanimoto similarity of dense counts (or bits), sum of minima over sum of maxima: [N, M] float64 of a [N, L], b [M, L].

    Minima are summed level by level, because min(x, y) is the number of levels that both reach: products of zeros and ones.
    Nothing is like nothing. Counts in sparse rows are compared by :func:`chemvae.chem.fingerprints.count_tanimoto`, which needs
    no torch.

    References
    ----------
    Ralaivola, Swamidass, Saigo & Baldi, Graph kernels for chemical informatics, 2005 (their MinMax kernel).
    https://doi.org/10.1016/j.neunet.2005.07.009

    Examples
    --------
    >>> tanimoto(torch.tensor([[2.0, 1.0, 0.0]]), torch.tensor([[1.0, 1.0, 1.0], [2.0, 1.0, 0.0]])).tolist()
    [[0.5, 1.0]]
    """
    smaller = torch.zeros(len(a), len(b), dtype=torch.float64)
    level = 1
    while True:
        reach_a, reach_b = a >= level, b >= level
        columns = reach_a.any(dim=0) & reach_b.any(dim=0)
        if not columns.any():
            break
        smaller += reach_a[:, columns].float() @ reach_b[:, columns].float().T
        level += 1
    larger = a.sum(dim=1).double()[:, None] + b.sum(dim=1).double() - smaller
    return torch.where(larger > 0, smaller / larger.clamp_min(1e-9), 1.0)
