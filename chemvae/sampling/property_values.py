"""Properties of decoded molecules: computed where that is possible, else what the model predicts of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from chemvae.chem.properties import PROPERTIES, affordable, compute_table
from chemvae.models.vae import MolVAE
from chemvae.registry import find

USUAL = ("logP", "qed", "SAS")


def resolve(model: MolVAE, name: str) -> str:
    """The spelling of a property that can be computed or that the model predicts; case does not matter.

    Raises
    ------
    UnknownNameError
        Naming both kinds.
    """
    return find(dict.fromkeys([*PROPERTIES, *model.property_names]), name, "property")[0]


def property_values(model: MolVAE, smiles: Sequence[str | None], names: Sequence[str]) -> pd.DataFrame:
    """Properties [N, P] of molecules; NaN where there is none.

    What has a function in :data:`chemvae.chem.properties.PROPERTIES` is computed, what only the model knows is predicted.

    Parameters
    ----------
    model : MolVAE
    smiles : sequence of str or None, length N
    names : sequence of str, length P

    Raises
    ------
    UnknownNameError
        If a property is neither.
    """
    names = [resolve(model, name) for name in names]
    texts = [one or "" for one in smiles]
    found = compute_table(texts, [name for name in names if name in PROPERTIES])
    learned = [name for name in names if name not in PROPERTIES]
    if learned:
        usable = [i for i, one in enumerate(texts) if one]
        values = np.full((len(texts), len(learned)), np.nan)
        if usable:
            values[usable] = model.predict([texts[i] for i in usable])[learned].to_numpy()
        found[learned] = values
    return found[names]


def usual_properties(model: MolVAE) -> list[str]:
    """What is shown where nothing is asked for: the model's own properties that cost little; logP, qed and SAS without any."""
    own = [resolve(model, name) for name in model.property_names]
    cheap = affordable([name for name in own if name in PROPERTIES]) + [name for name in own if name not in PROPERTIES]
    return cheap or list(USUAL)
