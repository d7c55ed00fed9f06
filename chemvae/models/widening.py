"""Give a trained model more units without changing what it says, so that training goes on from what it knows.

The new units read everything and nothing reads them yet, which is Net2Net's promise (Chen, Goodfellow & Shlens 2016,
https://arxiv.org/abs/1511.05641) kept by zeros instead of by copies: no two units are alike, and noise is not needed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from torch import Tensor

from chemvae.errors import SettingsError
from chemvae.models.storage import model_tensors, prior_tensors
from chemvae.models.vae import MolVAE
from chemvae.seeding import seeded

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
    return _grown(model, "encoder", encoder_dim, seed, _fill_directions)


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
    return _grown(model, "decoder", decoder_dim, seed, _fill_first_state_or_output)


def _grown(model: MolVAE, part: str, units: int, seed: int, fill: Callable[[Tensor, Tensor], None]) -> MolVAE:
    """A copy with so many units in one part; ``fill(new, old)`` writes what is not its GRU's and has another shape."""
    before = getattr(model.settings, f"{part}_dim")
    if units < before:
        raise SettingsError(f"the {part} has {before} units and can only grow, not to {units}")
    with seeded(seed):
        settings = replace(model.settings, **cast(dict[str, Any], {f"{part}_dim": units}))
        wide = MolVAE(model.vocabulary, settings, model.property_names, model.property_units)
    tensors = wide.state_dict()
    for key, old in model_tensors(model).items():
        new = tensors[key]
        if key.startswith(f"{part}.gru."):
            _fill_gates(new.view(GATES, units, -1), old.view(GATES, before, -1))
        elif new.shape != old.shape:
            fill(new, old)
        else:
            new.copy_(old)
    wide.load_state_dict(tensors)
    wide.load_state_dict(prior_tensors(model), strict=False)
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


def _fill_first_state_or_output(new: Tensor, old: Tensor) -> None:
    """What makes the decoder's first state [H, D] or [H], or reads its states [V, H]: new units are not read."""
    if len(new) > len(old):
        new[: len(old)] = old
    else:
        new.zero_()[:, : old.shape[1]] = old
