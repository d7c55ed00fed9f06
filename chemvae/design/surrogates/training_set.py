"""What surrogates are fitted to: which calls, centred and scaled."""

from __future__ import annotations

import torch
from torch import Tensor

LOWEST_TARGET = -3.0  # standardised: a few disasters must not flatten everything else


REFIT_GROWTH = 1.25  # hyperparameters are fitted anew when the data has grown by this factor


def centre_and_spread(y: Tensor) -> tuple[Tensor, Tensor]:
    """Median, and half the width of the middle 68 % (a standard deviation that outliers do not move); 1 for a constant.

    What is constant is told by the rounding of the values themselves, so that a search is the same in any unit.

    Examples
    --------
    >>> y = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0], dtype=torch.float64)
    >>> [float((centre_and_spread(unit * y)[1] / unit).round(decimals=6)) for unit in (1e-200, 1.0, 1e90)]
    [1.36, 1.36, 1.36]
    >>> float(centre_and_spread(torch.full((5,), 1e-30))[1])
    1.0
    """
    low, centre, high = torch.quantile(y, torch.tensor([0.16, 0.5, 0.84], dtype=y.dtype))
    rounding = 8 * torch.finfo(y.dtype).eps * y.abs().max()
    scale = y.abs().max().clamp_min(torch.finfo(y.dtype).tiny)  # so that squares neither overflow nor vanish
    for spread in ((high - low) / 2, (y / scale).std() * scale):
        if spread > rounding:
            return centre, spread
    return centre, torch.ones_like(centre)


def training_rows(y: Tensor, cap: int, generator: torch.Generator) -> Tensor:
    """Choose at most ``cap`` of the scores [N]: half the best, a quarter the latest, the rest at random; ascending."""
    if len(y) <= cap:
        return torch.arange(len(y))
    kept = torch.cat([y.argsort(descending=True, stable=True)[: cap // 2], torch.arange(len(y) - cap // 4, len(y))]).unique()
    others = torch.ones(len(y), dtype=torch.bool)
    others[kept] = False
    rest = others.nonzero()[:, 0]
    return torch.cat([kept, rest[torch.randperm(len(rest), generator=generator)[: cap - len(kept)]]]).sort().values
