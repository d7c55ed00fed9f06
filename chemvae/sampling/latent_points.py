"""Latent points going in and the table of decodes coming out, for decoding that is not :meth:`MolVAE.decode`'s own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from chemvae.chem.molecules import parse
from chemvae.errors import SettingsError
from chemvae.models.decoding import finished
from chemvae.models.vae import DECODE_BATCH, MolVAE


@dataclass(frozen=True)
class LatentPoints:
    """Some latent points, each of which is decoded ``n_samples`` times."""

    z: Tensor
    """[N, D] on the model's device; zeros where a point has gaps."""
    lost: np.ndarray
    """[N] bool, where it has."""
    n_samples: int
    first: int = 0
    """Number of the first point; random numbers belong to a point, whatever block it is decoded in."""

    @classmethod
    def of(cls, model: MolVAE, z: np.ndarray | Tensor, n_samples: int = 1) -> LatentPoints:
        """Check points z [N, D] or [D]; SettingsError if they do not have the model's length."""
        z = torch.as_tensor(z, dtype=torch.float32)
        z = z[None] if z.ndim == 1 else z
        if z.ndim != 2 or z.shape[1] != model.latent_dim:
            raise SettingsError(f"z must have shape [N, {model.latent_dim}], got {list(z.shape)}")
        lost = z.isnan().any(dim=1)
        return cls(torch.where(lost[:, None], 0.0, z).to(model.device), lost.cpu().numpy(), n_samples)

    def blocks(self) -> Iterator[LatentPoints]:
        """The points in blocks that decode together; one empty block if there are none."""
        size = max(1, DECODE_BATCH // self.n_samples)
        for start in range(0, max(1, len(self.z)), size):
            part = slice(start, start + size)
            yield LatentPoints(self.z[part], self.lost[part], self.n_samples, self.first + start)


def tabulate(model: MolVAE, points: LatentPoints, ids: Tensor, log_prob: Tensor | None = None) -> pd.DataFrame:
    """Describe decodes in the columns of :meth:`MolVAE.decode`.

    Parameters
    ----------
    points : LatentPoints
        N of them.
    ids : Tensor [N * n_samples, L]
        A point's decodes stand together.
    log_prob : Tensor [N * n_samples], optional
        log p(x|z) in nats. Computed if not given, and NaN then where the string was not ended.
    """
    texts, lost = model.vocabulary.decode_rows(ids.numpy()), points.lost.repeat(points.n_samples)
    texts = ["" if gone else text for gone, text in zip(lost, texts, strict=True)]
    ended = finished(ids).numpy() & ~lost
    valid = np.array([end and parse(text) is not None for end, text in zip(ended, texts, strict=True)], dtype=bool)
    if log_prob is None:
        log_prob = _log_prob(model, points, texts, ended)
    row, sample = np.divmod(np.arange(len(texts)), points.n_samples)
    known = np.where(lost, np.nan, log_prob.numpy())
    return pd.DataFrame({"row": points.first + row, "sample": sample, "smiles": texts, "valid": valid, "log_prob": known})


def _log_prob(model: MolVAE, points: LatentPoints, texts: list[str], ended: np.ndarray) -> Tensor:
    """log p(x|z) [M] of what was written; NaN where it did not end or cannot be split into tokens."""
    found = torch.full((len(texts),), torch.nan)
    known = [i for i in np.flatnonzero(ended).tolist() if texts[i] and model.vocabulary.complaint(texts[i]) is None]
    if known:
        z = points.z[[i // points.n_samples for i in known]]
        found[known] = model.log_likelihood(z, [texts[i] for i in known], canonicalize=False)
    return found
