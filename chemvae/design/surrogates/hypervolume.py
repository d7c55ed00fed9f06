"""How much a point is expected to add to a front: the measure by which several goals are sought at once.

The volume that a front dominates, above a reference point, grows with every point that no other beats in all goals. Boxes
that tile what is not dominated come from BoTorch; where the values of a molecule are independent normal variables, what it
is expected to add is a sum over the boxes of products over the goals, without sampling (Yang et al., Efficient computation
of expected hypervolume improvement using box decomposition algorithms, 2019, https://doi.org/10.1007/s10898-019-00798-7).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from chemvae.errors import SettingsError

if TYPE_CHECKING:
    from botorch.utils.multi_objective.box_decompositions.non_dominated import FastNondominatedPartitioning

MOST_GOALS = 4  # boxes multiply with every further goal
CELLS = 2_000_000  # (molecule, box) pairs at a time
LOOKED_AT = 32


def boxes(front: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Tile what a front does not dominate.

    Parameters
    ----------
    front : Tensor [F, P]
        Points, to be maximised; dominated ones change nothing. May be empty.
    reference : Tensor [P]
        What is not above it in every goal counts for nothing.

    Returns
    -------
    lower, upper : Tensor [K, P]
        Corners of the boxes; upper ones may be infinite.

    Raises
    ------
    SettingsError
        For more than four goals.
    """
    lower, upper = _partition(front, reference).get_hypercell_bounds()
    return lower, upper


def check_goals(n: int) -> None:
    """Refuse a front of so many goals that it cannot be filled.

    Raises
    ------
    SettingsError
        For more than four.
    """
    if n > MOST_GOALS:
        raise SettingsError(
            f"a front of {n} goals is more than a search can fill, {MOST_GOALS} at most; "
            "weigh some of them against each other with --method auto"
        )


def _partition(front: Tensor, reference: Tensor) -> FastNondominatedPartitioning:
    """BoTorch's boxes, to which points can be added."""
    from botorch.utils.multi_objective.box_decompositions.non_dominated import FastNondominatedPartitioning

    check_goals(front.shape[1])
    return FastNondominatedPartitioning(ref_point=reference, Y=front)


def expected_gain(mean: Tensor, std: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """Volume that each point is expected to add to the front.

    Parameters
    ----------
    mean, std : Tensor [M, P]
        Of independent normal variables, std >= 0.
    lower, upper : Tensor [K, P]
        Boxes, as :func:`boxes` gives them.

    Returns
    -------
    Tensor [M]

    Examples
    --------
    >>> lower, upper = boxes(torch.tensor([[1.0, 1.0]]), torch.zeros(2))
    >>> expected_gain(torch.tensor([[2.0, 3.0], [0.5, 0.5]]), torch.zeros(2, 2), lower, upper)
    tensor([5., 0.])
    """
    out = mean.new_empty(len(mean))
    size = max(1, CELLS // max(1, len(lower)))
    for first in range(0, len(mean), size):
        rows = slice(first, first + size)
        m, s = mean[rows, None], std[rows, None]
        inside = _excess(m, s, lower) - _excess(m, s, upper)  # E[(min(y, upper) - lower)+], [M, K, P]
        out[rows] = inside.clamp_min(0.0).prod(dim=2).sum(dim=1)
    return out


def _excess(mean: Tensor, std: Tensor, bound: Tensor) -> Tensor:
    """E[(y - bound)+] of normal y; 0 for an infinite bound."""
    above = torch.where(bound.isinf(), torch.full_like(mean, -torch.inf), mean - bound)
    s = std.clamp_min(1e-12)
    t = above / s
    density = torch.exp(-0.5 * t.square()) / math.sqrt(2 * math.pi)
    return torch.where(bound.isinf(), 0.0, s * density + above * torch.special.ndtr(t)).nan_to_num(0.0)


def volume(points: Tensor, reference: Tensor) -> float:
    """Volume that points [F, P] dominate above a reference point [P].

    Examples
    --------
    >>> volume(torch.tensor([[1.0, 2.0], [2.0, 1.0]]), torch.zeros(2))
    3.0
    """
    from botorch.utils.multi_objective.hypervolume import Hypervolume
    from botorch.utils.multi_objective.pareto import is_non_dominated

    points = points[(points > reference).all(dim=1)]
    return float(Hypervolume(reference).compute(points[is_non_dominated(points)])) if len(points) else 0.0


def choose_by_gain(mean: Tensor, covariance: Tensor, front: Tensor, reference: Tensor, n: int) -> list[int]:
    """Choose n of M points by expected gain, each time as if those already chosen had turned out as predicted.

    Parameters
    ----------
    mean : Tensor [M, P]
    covariance : Tensor [P, M, M]
        Between the points, for each goal.
    front : Tensor [F, P]
    reference : Tensor [P]
    n : int

    Returns
    -------
    list of int
        Indices, the first choice first.

    Examples
    --------
    >>> mean = torch.tensor([[2.0, 0.5], [1.9, 0.5], [0.5, 1.0]])
    >>> choose_by_gain(mean, torch.zeros(2, 3, 3), torch.empty(0, 2), torch.zeros(2), 2)
    [0, 2]
    """
    n = min(n, len(mean))
    partition = _partition(front, reference)
    variance = covariance.diagonal(dim1=1, dim2=2).T.clone()  # [M, P]
    factor = mean.new_zeros(*mean.shape, n)
    smallest = (1e-10 * variance.amax(dim=0)).clamp_min(torch.finfo(mean.dtype).tiny)
    worth = _worth(mean, variance, partition, reference)
    chosen: list[int] = []
    for i in range(n):
        best = _best(worth, mean, variance, partition, reference) if i else int(worth.argmax())
        explained = (factor[:, :, :i] * factor[best, :, :i]).sum(dim=2)  # by earlier choices, [M, P]
        column = covariance[:, :, best].T - explained
        factor[:, :, i] = column / column[best].clamp_min(smallest).sqrt()
        variance -= factor[:, :, i].square()
        partition.update(mean[best][None])
        worth[best] = -torch.inf
        chosen.append(best)
    return chosen


def _best(worth: Tensor, mean: Tensor, variance: Tensor, partition: FastNondominatedPartitioning, reference: Tensor) -> int:
    """The point worth most now, from what each was worth before: choices take worth away and add none, so few are looked at."""
    stale = torch.ones(len(worth), dtype=torch.bool)
    while True:
        best = int(worth.argmax())
        if not stale[best] or worth[best] == -torch.inf:
            return best
        look = torch.where(stale, worth, -torch.inf).topk(min(LOOKED_AT, len(worth))).indices
        look = look[worth[look] > -torch.inf]
        worth[look] = _worth(mean[look], variance[look], partition, reference)
        stale[look] = False


def _worth(mean: Tensor, variance: Tensor, partition: FastNondominatedPartitioning, reference: Tensor) -> Tensor:
    """Expected gains [M]; where there is none, -1 and below, the nearest to the reference first."""
    gain = expected_gain(mean, variance.clamp_min(0.0).sqrt(), *partition.get_hypercell_bounds())
    return torch.where(gain > 0, gain, (mean - reference).amin(dim=1).clamp_max(0.0) - 1.0)
