"""Linear algebra of covariances."""

from __future__ import annotations

import torch
from torch import Tensor

JITTERS = (0.0, 1e-8, 1e-6, 1e-4, 1e-2, 0.1)


def cholesky(matrix: Tensor, *, relative: bool = False) -> Tensor:
    """Factorise a covariance with as little added to its diagonal as it takes.

    Parameters
    ----------
    matrix : Tensor [N, N]
        Symmetric, positive semi-definite but for rounding. Not modified; gradients flow.
    relative : bool
        Measure what is added in the matrix's mean diagonal, for covariances of any unit. Else in 1, for standardised ones.

    Returns
    -------
    Tensor [N, N]
        Lower triangular L with L L' the matrix and at most a tenth of that measure on its diagonal.

    Raises
    ------
    torch.linalg.LinAlgError
        If that is not enough: the matrix is no covariance.

    Examples
    --------
    >>> root = cholesky(torch.ones(3, 3, dtype=torch.float64))
    >>> bool((root @ root.T - 1).abs().max() < 1e-6)
    True
    """
    unit = float(matrix.detach().diagonal().mean()) if relative and len(matrix) else 1.0
    for jitter in JITTERS:
        root, problem = torch.linalg.cholesky_ex(_raised(matrix, jitter * unit))
        if not int(problem):
            return root
    return torch.linalg.cholesky(_raised(matrix, JITTERS[-1] * unit))  # which says what is wrong


def _raised(matrix: Tensor, by: float) -> Tensor:
    """The matrix, or a copy with something added to the diagonal; an identity of 3,000 rows would cost more than the factor."""
    if not by:
        return matrix
    copy = matrix.clone()
    copy.diagonal().add_(by)
    return copy


def squared_distance(a: Tensor, b: Tensor) -> Tensor:
    """Squared Euclidean distances [N, M] of a [N, K] and b [M, K]; the gradient is finite where they meet.

    Examples
    --------
    >>> squared_distance(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]])).tolist()
    [[25.0, 1.0]]
    """
    return (a.square().sum(dim=1)[:, None] + b.square().sum(dim=1) - 2.0 * a @ b.T).clamp_min(0.0)
