"""Several decodes of a point, and the best of them: what encoder and decoder together find most likely.

The rule: of a point's valid decodes x, take the one with the largest log p(x|z) - d(x, z)^2 / 2. Here d is the distance of z
from the point of q(z|x), the encoder's answer to the canonical x, in units of that posterior's own spread; so the second term
is log q(z|x) less its value at that point, and the score asks both halves of the model. The decoder knows what reads well,
the encoder notices what is another molecule. If no decode is valid, the first is returned as it is: the greedy one, or the
most probable one of the beam.

Figures taken with this help carry ``_best_of_N`` or ``_beam_N`` in their key.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from chemvae.chem.molecules import canonicalize
from chemvae.errors import SettingsError
from chemvae.models.decoding import check_temperature
from chemvae.models.posteriors import Posterior, diagonal_parameters
from chemvae.models.vae import MolVAE
from chemvae.sampling.amounts import check_amount
from chemvae.sampling.beam import beam_search
from chemvae.sampling.latent_points import LatentPoints, tabulate
from chemvae.sampling.masked import MaskedState, decode_ids_masked, decode_masked, followed

DRAW_TEMPERATURE = 1.0  # of the draws beside the greedy decode; what is unlikely among them, the ranking turns away


@dataclass(frozen=True)
class DecodeSettings:
    """How latent points are decoded."""

    n_samples: int = 1
    """Decodes of every point that are returned."""
    temperature: float | None = None
    """0 is greedy, 1 samples from the model; None takes 0, or 1 for the draws of ``best_of``."""
    seed: int = 0
    best_of: int = 0
    """Decode every point so many times and return the best; 0 does not."""
    beam: int = 0
    """Search so many beginnings side by side and return the best of as many strings; 0 does not."""
    mask_syntax: bool = False
    """Forbid tokens that cannot go on to a SMILES."""

    def complaints(self) -> list[str]:
        """Say what is wrong with these settings, all at once."""
        found = [f"n_samples must be >= 1, got {self.n_samples}"] if self.n_samples < 1 else []
        found += [f"{name} must be >= 0, got {getattr(self, name)}" for name in ("best_of", "beam") if getattr(self, name) < 0]
        if self.temperature is not None:
            try:
                check_temperature(self.temperature)
            except SettingsError as error:
                found.append(str(error))
        if self.best_of and self.beam:
            found.append("best_of and beam are two ways to find candidates; choose one")
        if (self.best_of or self.beam) and self.n_samples > 1:
            found.append("best_of and beam return one molecule for every point; leave n_samples at 1")
        if self.beam and self.temperature:
            found.append("beam search draws nothing; leave out the temperature")
        if self.best_of > 1 and self.temperature == 0:
            found.append("draws at temperature 0 are all the greedy decode; leave out the temperature, or raise it")
        return found

    def __post_init__(self) -> None:
        if found := self.complaints():
            raise SettingsError(found)


def decode_points(model: MolVAE, z: np.ndarray | Tensor, settings: DecodeSettings) -> pd.DataFrame:
    """Decode latent points [N, D] as asked; the columns are those of :meth:`MolVAE.decode`."""
    s = settings
    each = max(s.n_samples, s.best_of, s.beam)
    check_amount(len(z) * each, model.latent_dim, f"{len(z):,} points of {each:,} candidates each")
    if s.best_of:
        temperature = DRAW_TEMPERATURE if s.temperature is None else s.temperature
        return decode_best_of(model, z, s.best_of, temperature, s.seed, mask_syntax=s.mask_syntax)
    if s.beam:
        return decode_beam(model, z, s.beam, mask_syntax=s.mask_syntax)
    decode = decode_masked if s.mask_syntax else MolVAE.decode
    return decode(model, z, n_samples=s.n_samples, temperature=s.temperature or 0.0, seed=s.seed)


def decode_best_of(
    model: MolVAE,
    z: np.ndarray | Tensor,
    n: int = 8,
    temperature: float = DRAW_TEMPERATURE,
    seed: int = 0,
    *,
    mask_syntax: bool = False,
) -> pd.DataFrame:
    """Decode every point greedily and ``n - 1`` times by drawing, and return the best by the rule of this module.

    Returns
    -------
    DataFrame
        One row per point. ``row``, ``sample`` (which of the decodes it is; 0 is the greedy one), ``smiles`` (as written),
        ``valid``, ``log_prob`` (nats).
    """
    parts = []
    for points in LatentPoints.of(model, z, n).blocks():
        if mask_syntax:
            greedy, drawn = _decode_masked_twice(model, points, temperature, seed)
            log_prob = None
        else:
            (greedy, first), (drawn, others) = _decode_twice(model, points, temperature, seed)
            log_prob = _beside(first, others, n)
        parts.append(take_best(model, points, tabulate(model, points, _beside(greedy, drawn, n), log_prob)))
    return pd.concat(parts, ignore_index=True)


def _decode_twice(model: MolVAE, points: LatentPoints, temperature: float, seed: int) -> tuple:
    """Greedy decodes [N, L] and draws [N * (n - 1), L], each with its log p(x|z)."""
    repeated, first_row = _repeated(points)
    how = model.max_length, model.product_dtype
    greedy = model.decoder.decode(points.z, *how)
    drawn = model.decoder.decode(repeated, *how, temperature, seed, first_row)
    return tuple((ids.cpu(), log_prob.float().cpu()) for ids, log_prob in (greedy, drawn))


def _decode_masked_twice(model: MolVAE, points: LatentPoints, temperature: float, seed: int) -> tuple[Tensor, Tensor]:
    repeated, first_row = _repeated(points)
    return decode_ids_masked(model, points.z), decode_ids_masked(model, repeated, temperature, seed, first_row)


def _repeated(points: LatentPoints) -> tuple[Tensor, int]:
    n_draws = points.n_samples - 1
    return points.z.repeat_interleave(n_draws, dim=0), points.first * n_draws


def _beside(one: Tensor, others: Tensor, n: int) -> Tensor:
    """Put each point's n - 1 others [N * (n - 1), ...] behind its one [N, ...]: [N * n, ...]."""
    rows = [one[:, None], others.view(len(one), n - 1, *others.shape[1:])]
    return torch.cat(rows, dim=1).flatten(0, 1)


def decode_beam(model: MolVAE, z: np.ndarray | Tensor, width: int = 8, *, mask_syntax: bool = False) -> pd.DataFrame:
    """Find every point's ``width`` most probable strings by beam search, and return the best by the rule of this module.

    Returns
    -------
    DataFrame
        As :func:`decode_best_of`; ``sample`` is the place among the strings by probability, 0 the most probable.
    """
    parts = []
    for points in LatentPoints.of(model, z, width).blocks():
        sizes = len(points.z), width, model.max_length
        if mask_syntax:
            state = MaskedState.start(model, points.z, model.max_length)
            found = beam_search(followed(model.decoder.step), state, *sizes, MaskedState.allowed, model.device)
        else:
            start = model.decoder.start(points.z, model.product_dtype)
            found = beam_search(model.decoder.step, start, *sizes, None, model.device)
        ids, log_prob = (part.flatten(0, 1).cpu() for part in found)
        parts.append(take_best(model, points, tabulate(model, points, ids, log_prob)))
    return pd.concat(parts, ignore_index=True)


def take_best(model: MolVAE, points: LatentPoints, table: pd.DataFrame) -> pd.DataFrame:
    """One row per point of a table of candidates: the valid one that the module's rule puts first, else the first."""
    valid = np.flatnonzero(table["valid"])
    score = np.full(len(table), -np.inf)
    score[valid] = table["log_prob"].to_numpy()[valid] - 0.5 * _squared_distance(model, points, table.iloc[valid])
    order = np.lexsort((table["sample"], -score, ~table["valid"], table["row"]))
    first = order[:: points.n_samples]
    return table.iloc[first].reset_index(drop=True)


def _squared_distance(model: MolVAE, points: LatentPoints, table: pd.DataFrame) -> np.ndarray:
    """Squared distance [M] of each valid decode's own point from its posterior, in that posterior's spreads; summed over D.

    Infinite where the canonical form holds a symbol the vocabulary lacks.
    """
    canonical = {text: canonicalize(text) for text in set(table["smiles"])}
    known = sorted({one for one in canonical.values() if one and model.vocabulary.complaint(one) is None})
    place: dict[str | None, int] = {one: i for i, one in enumerate(known)}
    found = np.full(len(table), np.inf)
    index = np.array([place.get(canonical[text], -1) for text in table["smiles"]], dtype=np.int64)
    if (index >= 0).any():
        rows = np.flatnonzero(index >= 0)
        z = points.z.cpu()[(table["row"].to_numpy() - points.first)[rows]]
        found[rows] = squared_distance(model.posterior(known)[torch.from_numpy(index[rows])], z).numpy()
    return found


@torch.no_grad()
def squared_distance(q: Posterior, z: Tensor) -> Tensor:
    """How far each z [N, D] lies from the point of its molecule's posterior [N]: 2 (log q(point|x) - log q(z|x)).

    For a Gaussian that is the squared distance from its mean in units of its own spread (Mahalanobis 1936).

    Examples
    --------
    >>> from chemvae.models.posteriors import gaussian_posterior
    >>> squared_distance(gaussian_posterior(torch.zeros(1, 2), torch.full((1, 2), 2.0)), torch.tensor([[2.0, 4.0]]))
    tensor([5.])
    """
    gaussian = diagonal_parameters(q)
    if gaussian is None:
        return 2 * (q.log_prob(q.point) - q.log_prob(z))
    loc, scale = gaussian
    return ((z - loc) / scale).square().sum(dim=1)
