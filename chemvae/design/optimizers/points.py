"""Points in latent space, each with where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from chemvae.design.origin import Origin


class Points(NamedTuple):
    """N points and their origins.

    Examples
    --------
    >>> here = Points(torch.zeros(1, 2), [Origin("prior")])
    >>> Points.together([here, here.moved(torch.ones(1, 2), "neighbour")]).origins[1]
    Origin(stream='neighbour', parents=())
    """

    z: Tensor
    """[N, D]."""
    origins: list[Origin]
    """N of them; of what is to become a parent, the parents of its children."""

    def moved(self, z: Tensor, stream: str) -> Points:
        """What a stream has made of each of these: points [N, D]."""
        return Points(z, [Origin(stream, one.parents) for one in self.origins])

    def take(self, rows: Tensor | Sequence[int]) -> Points:
        """Some of them, by rows [K]."""
        chosen = torch.as_tensor(rows, dtype=torch.long)
        return Points(self.z[chosen], [self.origins[i] for i in chosen.tolist()])

    @classmethod
    def of(cls, z: Tensor, smiles: Sequence[str]) -> Points:
        """Codes [N, D] of molecules, which are the parents of whatever is made of them; "" for a code without one."""
        return cls(z, [Origin("start", (text,) if text else ()) for text in smiles])

    @classmethod
    def together(cls, parts: Sequence[Points]) -> Points:
        """All points, one part after another."""
        return cls(torch.cat([part.z for part in parts]), [one for part in parts for one in part.origins])


def crossed(z: Tensor, first: Points, second: Points) -> Points:
    """What crosses of pairs have made: points [N, D]."""
    pairs = zip(first.origins, second.origins, strict=True)
    return Points(z, [Origin.joined("crossover", pair) for pair in pairs])
