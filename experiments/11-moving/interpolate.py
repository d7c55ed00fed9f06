"""The arc against the straight line between two held-out molecules."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch

sys.path.insert(0, str(Path(__file__).parent))

from edit import decode  # noqa: E402
from figures import figure, similarities  # noqa: E402
from run import molecules_of  # noqa: E402

from chemvae.models.vae import MolVAE  # noqa: E402
from chemvae.sampling.paths import PATHS, points_between  # noqa: E402
from chemvae.sampling.pipeline import open_readers  # noqa: E402


def measure(model: MolVAE, table: pd.DataFrame, asked: dict) -> dict[str, dict]:
    """Decode greedily along both paths between the same ends."""
    n, n_steps = asked["n_pairs"], asked["n_steps"]
    smiles = molecules_of(table, asked["split"], 2 * n, asked["seed"])
    z = torch.from_numpy(model.encode(smiles, canonicalize=False))
    shares = torch.linspace(0, 1, n_steps, dtype=z.dtype)[:, None]
    found: dict[str, dict] = {}
    with open_readers(n * n_steps, 1) as readers:
        for path in PATHS:
            points = [points_between(model.latent_space, z[[i]], z[[n + i]], shares, path) for i in range(n)]
            decoded = np.array(decode(model, torch.cat(points), readers), dtype=object).reshape(n, n_steps)
            norms = torch.stack(points)[:, n_steps // 2].norm(dim=1)
            found |= {f"{path}, {key}": value for key, value in judge(decoded).items()}
            found[f"{path}, norm half way"] = figure(norms.numpy())
    return found


def judge(decoded: np.ndarray) -> dict[str, dict]:
    """Figures of paths [N, S]."""
    valid = np.array([[one is not None for one in path] for path in decoded])
    distinct = [
        len({one for one in path if one is not None}) / max(1, sum(one is not None for one in path)) for path in decoded
    ]
    jumps = np.array([similarities(path[:-1], path[1:]) for path in decoded])
    apart = np.array([a != b for path in decoded for a, b in zip(path[:-1], path[1:], strict=True)]).reshape(jumps.shape)
    return {
        "valid points": figure(valid[:, 1:-1].mean(axis=1)),
        "distinct molecules": figure(distinct),
        "similarity of neighbours that differ": figure(np.where(apart, jumps, np.nan).ravel()),
        "largest jump": figure(1 - np.nanmin(jumps, axis=1)),
    }
