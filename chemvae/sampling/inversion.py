"""Codes that decode to their own molecule: a few gradient steps where the encoder's answer comes back as something else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from chemvae.chem.molecules import canonicalize
from chemvae.data.given import read_molecules
from chemvae.data.tokens.datasets import Batch
from chemvae.errors import InvalidMoleculeError
from chemvae.models.vae import MolVAE, eval_mode

STEPS, RATE = 40, 0.05
LOOK_EVERY = 5  # steps between two decodes
BATCH = 256


def invert(
    model: MolVAE, smiles: Sequence[str], n_steps: int = STEPS, rate: float = RATE, batch_size: int = BATCH
) -> tuple[np.ndarray, np.ndarray]:
    """Return codes whose greedy decode is the molecule itself, wherever a short search finds one.

    Posterior means come first. Where such a code decodes to another molecule, Adam raises log p(x | z) from there until it
    does not; a code that never gets there stays the posterior mean.

    Parameters
    ----------
    model : MolVAE
        Only read.
    smiles : sequence of str, length N
        Canonical, as the model was trained on.
    n_steps : int
        Steps at most; 0 only says which molecules come back.
    rate : float
        Adam's learning rate, in units of z.
    batch_size : int
        Molecules searched for together.

    Returns
    -------
    z : array [N, D], float32
        NaN rows for what cannot be encoded.
    exact : array [N], bool
        Whether the greedy decode of z is the molecule, by canonical isomeric SMILES.

    References
    ----------
    Kim et al., Semi-amortized variational autoencoders, 2018. https://arxiv.org/abs/1802.02550 (the encoder's answer is where
    a search starts). Chu et al., Inversion-based latent Bayesian optimization, 2024. https://arxiv.org/abs/2411.05330.
    """
    smiles = list(smiles)
    z = model.encode(smiles)
    exact = np.zeros(len(smiles), dtype=bool)
    usable = np.flatnonzero(~np.isnan(z).any(axis=1))
    wanted = [canonicalize(text) for text in smiles]
    exact[usable] = _comes_back(model, z[usable], [wanted[i] for i in usable])
    lost = usable[~exact[usable]]
    for start in range(0, len(lost) if n_steps else 0, batch_size):
        rows = lost[start : start + batch_size]
        found, good = _search(model, z[rows], [smiles[i] for i in rows], [wanted[i] for i in rows], n_steps, rate)
        z[rows[good]], exact[rows] = found[good], good
    return z, exact


def encode_one(model: MolVAE, smiles: str) -> np.ndarray:
    """Return the posterior mean [D] of one molecule, read in its canonical form.

    Raises
    ------
    InvalidMoleculeError
        If RDKit cannot read it.
    UnknownTokenError
        If the vocabulary cannot write it.
    """
    return model.encode([_read_one(model, smiles)], canonicalize=False)[0]


def own_point(model: MolVAE, smiles: str) -> np.ndarray:
    """Return the point [D] that a way through the space sets out from: one that decodes to the molecule, if one is found.

    That is the posterior mean for most molecules like the training set's, and else what :func:`invert` finds near it. Where it
    finds nothing it is the posterior mean all the same.

    Raises
    ------
    InvalidMoleculeError, UnknownTokenError
        As :func:`encode_one`.
    """
    return invert(model, [_read_one(model, smiles)])[0][0]


def _read_one(model: MolVAE, smiles: str) -> str:
    """The canonical form of a molecule that the model can write."""
    given = read_molecules([smiles])
    canonical = given.smiles[0]
    if canonical is None:
        raise InvalidMoleculeError(str(smiles), given.reasons[0] or "RDKit cannot read it")
    model.vocabulary.encode(canonical)
    return canonical


def _search(
    model: MolVAE, start: np.ndarray, smiles: list[str], wanted: list[str | None], n_steps: int, rate: float
) -> tuple[np.ndarray, np.ndarray]:
    """The first code on each path that decodes to its molecule [N, D], and whether there was one [N]."""
    best, good = start.copy(), np.zeros(len(start), dtype=bool)
    z = torch.from_numpy(start).to(model.device).requires_grad_(True)
    adam = torch.optim.Adam([z], lr=rate)
    batch = _as_batch(model, smiles)
    with eval_mode(model):
        for step in range(1, n_steps + 1):
            with torch.enable_grad():
                z.grad = torch.autograd.grad(-model.log_px_z(z, batch, None).sum(), [z])[0]
            adam.step()
            with torch.no_grad():
                z.copy_(model.latent_space.project(z))  # codes of a sphere stay on it
            if step % LOOK_EVERY and step < n_steps:
                continue
            here = z.detach().float().cpu().numpy()
            new = _comes_back(model, here, wanted) & ~good
            best[new], good = here[new], good | new
            if good.all():
                break
    return best, good


def _as_batch(model: MolVAE, smiles: list[str]) -> Batch:
    tokens = model.tokens(smiles)
    ids, lengths = tokens.rows(np.arange(len(tokens)))
    return Batch(ids, lengths, torch.zeros(len(smiles), 0)).to(model.device)


def _comes_back(model: MolVAE, z: np.ndarray | Tensor, wanted: Sequence[str | None]) -> np.ndarray:
    """Whether the greedy decode of each point is the molecule that is wanted [N]."""
    if not len(wanted):
        return np.zeros(0, dtype=bool)
    table = model.decode(z, check=False)
    same = [
        done and target is not None and (text == target or canonicalize(text) == target)
        for text, done, target in zip(table["smiles"], table["finished"], wanted, strict=True)
    ]
    return np.array(same, dtype=bool)
