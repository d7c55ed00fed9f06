"""Where does a way set out from? Molecules unlike the training set's, at the encoder's answer and at a point found near it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

sys.path.insert(0, str(Path(__file__).parent))

from edit import Direction, decode, judge  # noqa: E402
from figures import figure, similarities  # noqa: E402
from run import molecules_of  # noqa: E402

from chemvae.data.prepare.tables import load_table  # noqa: E402
from chemvae.models.vae import MolVAE  # noqa: E402
from chemvae.moving.labelled import LabelledCodes  # noqa: E402
from chemvae.moving.steps import go_along, random_direction, spread_of  # noqa: E402
from chemvae.moving.vectors import fit_vector  # noqa: E402
from chemvae.sampling.inversion import invert  # noqa: E402
from chemvae.sampling.pipeline import open_readers  # noqa: E402
from chemvae.sampling.property_values import property_values  # noqa: E402

TOLD = ("moved as asked", "similarity", "near and changed")
ENCODER, FOUND = "the encoder's answer", "a point found near it"


def measure(model: MolVAE, table: pd.DataFrame, asked: dict) -> dict[str, dict]:
    """Look at both points, move from each, and decode greedily."""
    smiles = strangers(model, asked)
    points = {ENCODER: model.encode(smiles, canonicalize=False)}
    began = time.monotonic()
    points[FOUND], exact = invert(model, smiles)
    seconds = (time.monotonic() - began) / len(smiles)
    moved = np.sqrt((((points[FOUND] - points[ENCODER]) / spread_of(model).numpy()) ** 2).mean(axis=1))
    found = {"share with such a point": figure(exact), "its distance in sd where it is another": figure(moved[moved > 0])}
    found["seconds a molecule"] = {"mean": seconds, "std": None, "n": len(smiles)}
    with open_readers(len(smiles), 1) as readers:
        for point, z in points.items():
            start = decode(model, torch.from_numpy(z), readers)
            found[f"{point}, the molecule itself"] = figure([a == b for a, b in zip(start, smiles, strict=True)])
            found[f"{point}, similarity"] = figure(similarities(start, smiles))
            for way, direction in directions(model, table, asked).items():
                decoded = decode(model, go_along(model, torch.from_numpy(z), direction, asked["radius"], 1)[-1], readers)
                values = [property_values(model, one, [asked["property"]])[asked["property"]] for one in (decoded, smiles)]
                change = ((values[0] - values[1]) / values[1].std()).to_numpy()
                judged = judge(decoded, smiles, change, similarities(decoded, smiles), asked)
                found |= {f"{point} and {way}, {what}": judged[what] for what in TOLD}
            print(point, flush=True)
    return found


def strangers(model: MolVAE, asked: dict) -> list[str]:
    """Molecules of a set that the model was not trained on, canonical, whose symbols it knows."""
    known = [one for one in load_table(asked["data"], properties=[]).smiles if model.vocabulary.complaint(one) is None]
    return [known[i] for i in np.random.default_rng(asked["seed"]).permutation(len(known))[: asked["n_molecules"]]]


def directions(model: MolVAE, table: pd.DataFrame, asked: dict) -> dict[str, Direction]:
    """Along the property, as its regression on training molecules says, and anywhere."""
    train, name = molecules_of(table, "train", asked["n_labels"], asked["seed"]), asked["property"]
    labels = property_values(model, train, [name])[name].to_numpy()
    vector = fit_vector(
        model, LabelledCodes(name, model.encode(train, canonicalize=False), labels, False, "train"), "regression"
    )
    return {
        "a step": lambda here: vector.direction.expand_as(here),
        "a random step": lambda here: random_direction(here, asked["seed"]),
    }
