"""What surrogates are fitted to: which calls, centred and scaled."""

from __future__ import annotations

import torch
from torch import Tensor

LOWEST_TARGET = -3.0  # standardised: a few disasters must not flatten everything else


REFIT_GROWTH = 1.25  # hyperparameters are fitted anew when the data has grown by this factor


def centre_and_spread(y: Tensor) -> tuple[Tensor, Tensor]:
    """Median, and half the width of the middle 68 % (a standard deviation that outliers do not move); 1 for a constant."""
    low, centre, high = torch.quantile(y, torch.tensor([0.16, 0.5, 0.84], dtype=y.dtype))
    for spread in ((high - low) / 2, y.std()):
        if float(spread) > 1e-12:
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
