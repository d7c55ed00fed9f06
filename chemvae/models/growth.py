"""Give a trained model more units without changing what it says, so that training goes on from what it knows.

The new units read everything and nothing reads them yet, which is Net2Net's promise (Chen, Goodfellow & Shlens 2016,
https://arxiv.org/abs/1511.05641) kept by zeros instead of by copies: no two units are alike, and noise is not needed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from chemvae.errors import SettingsError
from chemvae.models.storage import model_tensors
from chemvae.models.vae import ModelSettings, MolVAE

GATES = 3


def widen_encoder(model: MolVAE, encoder_dim: int, seed: int = 0) -> MolVAE:
    """Return a copy of a model whose encoder has more units per direction, and the same codes for every molecule.

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

    def fill(key: str, new: Tensor, old: Tensor) -> None:
        if key.startswith("encoder.gru."):
            _fill_gates(new.view(GATES, encoder_dim, -1), old.view(GATES, before, -1))
        else:
            _fill_directions(new, old)

    return _grown(model, replace(model.settings, encoder_dim=encoder_dim), seed, fill)


def widen_decoder(model: MolVAE, decoder_dim: int, seed: int = 0) -> MolVAE:
    """Return a copy of a model whose decoder has more units, and the same probabilities of every text at every z.

    A decoder with too few units reconstructs well or writes well at draws from a prior, hardly both.

    Parameters
    ----------
    model : MolVAE
        Not modified.
    decoder_dim : int
        At least that of the model.
    seed : int
        Of the new units' weights.

    Raises
    ------
    SettingsError
        If the decoder would shrink.
    """
    before = model.settings.decoder_dim
    if decoder_dim < before:
        raise SettingsError(f"the decoder has {before} units and can only grow, not to {decoder_dim}")

    def fill(key: str, new: Tensor, old: Tensor) -> None:
        if key.startswith("decoder.gru."):
            _fill_gates(new.view(GATES, decoder_dim, -1), old.view(GATES, before, -1))
        elif key == "decoder.output.weight":
            _fill_gates(new[None], old[None])
        else:  # the first state
            new[:before] = old

    return _grown(model, replace(model.settings, decoder_dim=decoder_dim), seed, fill)


def _grown(model: MolVAE, settings: ModelSettings, seed: int, fill: Callable[[str, Tensor, Tensor], None]) -> MolVAE:
    """A copy of other settings; ``fill(key, new, old)`` writes old weights into new ones where their shapes differ."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        wide = MolVAE(model.vocabulary, settings, model.property_names, model.property_units)
    tensors = wide.state_dict()
    for key, old in model_tensors(model).items():
        new = tensors[key]
        if new.shape != old.shape:
            fill(key, new, old)
        else:
            new.copy_(old)
    wide.load_state_dict(tensors)
    wide.priors.load_state_dict(model.priors.state_dict())
    wide.latent_statistics.load_state_dict(model.latent_statistics.state_dict())
    wide.training_facts = copy.copy(model.training_facts)
    return wide.to(model.device).train(model.training)


def _fill_gates(new: Tensor, old: Tensor) -> None:
    """Weights [gates, H, inputs] (or biases, one input): old units keep theirs and do not read new ones."""
    units, inputs = old.shape[1:]
    new[:, :units, :inputs] = old
    new[:, :units, inputs:] = 0


def _fill_directions(new: Tensor, old: Tensor) -> None:
    """What reads both directions' last states, side by side [out, 2H]: new units are not read."""
    width, before = new.shape[1] // 2, old.shape[1] // 2
    new.zero_()
    for direction in range(2):
        new[:, direction * width : direction * width + before] = old[:, direction * before : (direction + 1) * before]
