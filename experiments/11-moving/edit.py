"""Does a property move as asked? Attribute vectors, gradient steps of the predictor and random steps, all equally long."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))

from figures import figure, similarities  # noqa: E402
from run import molecules_of  # noqa: E402

from chemvae.models.vae import MolVAE  # noqa: E402
from chemvae.moving.labelled import LabelledCodes  # noqa: E402
from chemvae.moving.steps import go_along, gradient_of, random_direction  # noqa: E402
from chemvae.moving.vectors import fit_vector  # noqa: E402
from chemvae.parallel import Workers  # noqa: E402
from chemvae.sampling.pipeline import decode_canonical, open_readers  # noqa: E402
from chemvae.sampling.property_values import property_values  # noqa: E402

Direction = Callable[[Tensor], Tensor]


def measure(model: MolVAE, table: pd.DataFrame, asked: dict) -> dict[str, dict]:
    """Move every molecule each way by each length, decode greedily, and compare."""
    smiles = molecules_of(table, asked["split"], asked["n_molecules"], asked["seed"])
    names = list(asked["properties"])
    z = torch.from_numpy(model.encode(smiles, canonicalize=False))
    own = property_values(model, smiles, names)
    spread = own.std()
    train = molecules_of(table, "train", asked["n_labels"], asked["seed"])
    codes, labels = model.encode(train, canonicalize=False), property_values(model, train, names)
    found: dict[str, dict] = {}
    with open_readers(len(z), 1) as readers:
        ways = {"random": {"": lambda here: random_direction(here, asked["seed"])}}
        for name, sign in asked["properties"].items():
            ways[name] = directions(model, name, sign, codes, labels[name].to_numpy(), asked)
        print("molecules read, directions learned", flush=True)
        for aim, by_method in ways.items():
            for method, direction in by_method.items():
                n_steps = asked["gradient_steps"] if method == "gradient" else 1
                for radius in asked["radii"]:
                    decoded = decode(model, go_along(model, z, direction, radius, n_steps)[-1], readers)
                    print(aim, method, radius, flush=True)
                    values = property_values(model, decoded, names)
                    alike = similarities(decoded, smiles)
                    for name in names if aim == "random" else [aim]:
                        change = asked["properties"][name] * (values[name] - own[name]).to_numpy() / spread[name]
                        key = f"{name}, {method or 'random'}, {radius:g}"
                        found |= {f"{key}, {what}": one for what, one in judge(decoded, smiles, change, alike, asked).items()}
    return found


def directions(model: MolVAE, name: str, sign: int, codes: np.ndarray, labels: np.ndarray, asked: dict) -> dict[str, Direction]:
    """The ways to move along one property."""

    def vector(n: int, method: str) -> Direction:
        labelled = LabelledCodes(name, codes[:n], labels[:n], False, "train")
        fitted = fit_vector(model, labelled, method)
        print(f"{name} {method} {fitted.sentence()}", flush=True)
        return lambda here: sign * fitted.direction.expand_as(here)

    return {
        "regression": vector(asked["n_labels"], "regression"),
        f"regression of {asked['few_labels']}": vector(asked["few_labels"], "regression"),
        "mean difference": vector(asked["n_labels"], "mean"),
        "gradient": gradient_of(model, model.property_names.index(name), sign),
    }


def decode(model: MolVAE, z: Tensor, readers: Workers) -> list[str | None]:
    """Greedy decodes [N], canonical; None where there is no molecule."""
    table = decode_canonical(model, z.to(model.device), readers)
    return [text if valid else None for text, valid in zip(table["smiles"], table["valid"], strict=True)]


def judge(decoded: list[str | None], smiles: list[str], change: np.ndarray, alike: np.ndarray, asked: dict) -> dict[str, dict]:
    """Shares of all molecules, and means over the decodes that are molecules."""
    valid = np.array([one is not None for one in decoded])
    same = np.array([one == other for one, other in zip(decoded, smiles, strict=True)])
    change = np.where(same, 0.0, change)
    with np.errstate(invalid="ignore"):
        as_asked = valid & (np.nan_to_num(change) > 0)
        against = valid & (np.nan_to_num(change) < 0)
        near = valid & (np.nan_to_num(change) >= asked["enough"]) & (np.nan_to_num(alike) >= asked["near"])
    return {
        "valid": figure(valid),
        "the same molecule": figure(same),
        "moved as asked": figure(as_asked),
        "moved against": figure(against),
        "change, sd": figure(np.where(valid, change, np.nan)),
        "similarity": figure(alike),
        "near and changed": figure(near),
    }
