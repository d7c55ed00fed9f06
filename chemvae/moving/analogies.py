"""A is to B as C is to ?: the step from one molecule's code to another's, taken from a third."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from chemvae.models.latent_space import FlatSpace
from chemvae.models.vae import MolVAE
from chemvae.moving.editing import EditSettings, describe_path
from chemvae.moving.vectors import AttributeVector
from chemvae.sampling.inversion import encode_one, own_point


def analogy_path(
    model: MolVAE,
    first: str,
    second: str,
    smiles: str,
    settings: EditSettings | None = None,
    vector: AttributeVector | None = None,
) -> pd.DataFrame:
    """Change a molecule as a first one is changed into a second one.

    Parameters
    ----------
    model : MolVAE
    first, second : str
        A and B.
    smiles : str
        C, which the step from A to B is taken from; ``settings.direction`` "min" takes the step from B to A.
    settings : EditSettings, optional
        ``radius`` is not heeded: the last step is the whole way from A to B.
    vector : AttributeVector, optional
        Of a property that is to be told at each step.

    Returns
    -------
    DataFrame
        As :func:`chemvae.moving.editing.edit_molecule` gives it; ``share`` of the whole step stands in place of ``radius``.

    Raises
    ------
    InvalidMoleculeError, UnknownTokenError, SettingsError

    References
    ----------
    Mikolov et al., Linguistic Regularities in Continuous Space Word Representations, 2013. https://aclanthology.org/N13-1090
    """
    settings = settings or EditSettings()
    settings.check_amount(model.latent_dim)
    a, b = (torch.from_numpy(encode_one(model, one))[None] for one in (first, second))
    c = torch.from_numpy(own_point(model, smiles))[None]
    if settings.direction == "min":
        a, b = b, a
    step = carried_step(model.latent_space, a, b, c)
    shares = torch.linspace(0.0, 1.0, settings.steps + 1)[:, None]
    path = model.latent_space.move(c.expand(len(shares), -1), shares * step)
    table = describe_path(model, smiles, path, settings, vector).rename(columns={"radius": "share"})
    return table.assign(share=shares[:, 0].numpy())


def carried_step(space: FlatSpace, first: Tensor, second: Tensor, third: Tensor) -> Tensor:
    """The step [N, D] that leads from a first point to a second one, as it is at a third [N, D].

    In R^D it is the difference. On a sphere it is the tangent of the great circle, carried along the great circle from the
    first point to the third (parallel transport), which keeps its length and its angle to that way.

    Examples
    --------
    >>> from chemvae.models.latent_space import SPHERE
    >>> pole, east, north = torch.eye(3)[:, None]
    >>> carried_step(SPHERE, pole, east, north).abs().div(torch.pi / 2).round(decimals=3)  # the way to the east stays it
    tensor([[0., 1., 0.]])
    """
    if space.kind == "flat":
        return second - first
    step = tangent_to(first, second)
    way = tangent_to(first, third)
    angle = way.norm(dim=-1, keepdim=True)
    unit = way / angle.clamp_min(torch.finfo(way.dtype).tiny)
    along = (step * unit).sum(dim=-1, keepdim=True)
    return step + along * ((angle.cos() - 1) * unit - angle.sin() * first)


def tangent_to(first: Tensor, second: Tensor) -> Tensor:
    """The tangent [N, D] at a first point of the unit sphere that leads to a second one, as long as the way is (radians)."""
    flat = second - (second * first).sum(dim=-1, keepdim=True) * first
    length = flat.norm(dim=-1, keepdim=True)
    angle = torch.atan2(length, (first * second).sum(dim=-1, keepdim=True))
    return angle * flat / length.clamp_min(torch.finfo(first.dtype).tiny)
