"""Give a trained model a wider encoder that still says the same, so that training goes on from what it knows."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor

from chemvae.errors import SettingsError
from chemvae.models.storage import model_tensors
from chemvae.models.vae import MolVAE

GATES = 3


def widen_encoder(model: MolVAE, encoder_dim: int, seed: int = 0) -> MolVAE:
    """Return a copy of a model whose encoder has more units per direction, and the same codes for every molecule.

    The new units read everything and nothing reads them yet, which is Net2Net's promise (Chen, Goodfellow & Shlens 2016,
    https://arxiv.org/abs/1511.05641) kept by zeros instead of by copies: no two units are alike, and noise is not needed.

    Parameters
    ----------
    model : MolVAE
        Not modified.
    encoder_dim : int
        At least that of the model.
    seed : int
        Of the new units' weights.

    Raises
    ------
    SettingsError
        If the encoder would shrink.
    """
    before = model.settings.encoder_dim
    if encoder_dim < before:
        raise SettingsError(f"the encoder has {before} units per direction and can only grow, not to {encoder_dim}")
    settings = replace(model.settings, encoder_dim=encoder_dim)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        wide = MolVAE(model.vocabulary, settings, model.property_names, model.property_units)
    tensors = wide.state_dict()
    for key, old in model_tensors(model).items():
        new = tensors[key]
        if key.startswith("encoder.gru."):
            _fill_gates(new.view(GATES, encoder_dim, -1), old.view(GATES, before, -1))
        elif new.shape != old.shape:
            _fill_directions(new, old)
        else:
            new.copy_(old)
    wide.load_state_dict(tensors)
    wide.priors.load_state_dict(model.priors.state_dict())
    wide.latent_statistics.load_state_dict(model.latent_statistics.state_dict())
    wide.training_facts = copy.copy(model.training_facts)
    return wide.to(model.device).train(model.training)


def _fill_gates(new: Tensor, old: Tensor) -> None:
    """Weights [3, H, inputs] (or biases, one input): old units keep theirs and do not read new ones."""
    units, inputs = old.shape[1:]
    new[:, :units, :inputs] = old
    new[:, :units, inputs:] = 0


def _fill_directions(new: Tensor, old: Tensor) -> None:
    """What reads both directions' last states, side by side [out, 2H]: new units are not read."""
    width, before = new.shape[1] // 2, old.shape[1] // 2
    new.zero_()
    for direction in range(2):
        new[:, direction * width : direction * width + before] = old[:, direction * before : (direction + 1) * before]
