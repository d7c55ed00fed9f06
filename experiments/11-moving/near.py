"""Near analogues in so many decodes: this model around a molecule's code, and annalog, which was trained to write analogues.

annalog (a wheel with its model inside) is asked where it can be imported: ``pip install annalog``, or its folder in PYTHONPATH.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

sys.path.insert(0, str(Path(__file__).parent))

from figures import figure, similarities  # noqa: E402
from run import molecules_of  # noqa: E402

from chemvae.chem.molecules import canonicalize  # noqa: E402
from chemvae.models.vae import MolVAE  # noqa: E402
from chemvae.moving.steps import spread_of  # noqa: E402
from chemvae.sampling.pipeline import decode_canonical, open_readers  # noqa: E402


def measure(model: MolVAE, table: pd.DataFrame, asked: dict) -> dict[str, dict]:
    """Decode around every molecule at each radius, greedily and at temperature 1."""
    smiles = molecules_of(table, asked["split"], asked["n_molecules"], asked["seed"])
    z = torch.from_numpy(model.encode(smiles, canonicalize=False))
    generator = torch.Generator().manual_seed(asked["seed"])
    noise = torch.randn(len(z), asked["n_decodes"], model.latent_dim, generator=generator) * spread_of(model)
    found: dict[str, dict] = {}
    groups_at: dict[str, np.ndarray] = {}
    with open_readers(noise.shape[0] * noise.shape[1], 1) as readers:
        for radius, temperature in asked["ways"]:
            moved = model.latent_space.move(z[:, None].expand_as(noise).flatten(0, 1), radius * noise.flatten(0, 1))
            decoded = decode_canonical(model, moved, readers, temperature, asked["seed"])
            texts = [text if valid else None for text, valid in zip(decoded["smiles"], decoded["valid"], strict=True)]
            groups = np.array(texts, dtype=object).reshape(len(z), -1)
            words = f"radius {radius:g}, temperature {temperature:g}"
            groups_at[words] = groups
            found |= {f"{words}, {key}": one for key, one in judge(groups, smiles, model, asked).items()}
            print(radius, temperature, flush=True)
    if importlib.util.find_spec("annalog") is not None:
        found |= beside_annalog(model, groups_at, smiles, asked)
    return found


def beside_annalog(model: MolVAE, groups_at: dict[str, np.ndarray], smiles: list[str], asked: dict) -> dict[str, dict]:
    """annalog's sampling at its own temperature, beside as many decodes around as many of the same molecules."""
    n, n_decodes = asked["n_annalog"], asked["n_annalog_decodes"]
    ask = make_annalog()
    written = [[canonicalize(text) for text in ask(one, n_decodes)] for one in smiles[:n]]
    found = {f"annalog, {n_decodes} decodes, {key}": one for key, one in judge(written, smiles[:n], model, asked).items()}
    for words, groups in groups_at.items():
        some = judge(groups[:n, :n_decodes], smiles[:n], model, asked)
        found |= {f"{words}, {n_decodes} decodes, {key}": one for key, one in some.items()}
    return found


def make_annalog() -> Callable[[str, int], list[str]]:
    """What writes n analogues of a molecule with annalog's own weights, as they come."""
    import annalog

    folder = Path(annalog.__file__).parent / "ckpt_and_vocab"
    words = folder / "stereo_experiment_vocab_ttf.pkl"
    handler = annalog.SMILESModelHandler(words, words, folder / "Lev_extended.pt", device="cpu")
    generator = annalog.SMILESGenerator(handler)

    def write(smiles: str, n: int) -> list[str]:
        found = generator.generate_smiles(smiles, generation_number=n, generation_method="sampling")
        return [text for text, _ in found]

    return write


def judge(groups: Sequence[Sequence[str | None]], smiles: list[str], model: MolVAE, asked: dict) -> dict[str, dict]:
    """Of each molecule's decodes: how many are molecules, others, near, new, and how many different ones that makes."""
    valid, other, near, analogues = [], [], [], []
    for group, own in zip(groups, smiles, strict=True):
        known = [one for one in group if one is not None]
        others = [one for one in known if one != own]
        alike = similarities(others, [own] * len(others))
        close = [one for one, s in zip(others, alike, strict=True) if s >= asked["similarity"]]
        distinct = list(dict.fromkeys(close))
        in_training = model.is_known(distinct)
        new = distinct if in_training is None else [one for one, seen in zip(distinct, in_training, strict=True) if not seen]
        n = len(group)
        valid.append(len(known) / n)
        other.append(len(others) / n)
        near.append(len(close) / n)
        analogues.append(len(new) / n)
    return {
        "valid": figure(valid),
        "another molecule": figure(other),
        "near": figure(near),
        "near and new": figure(analogues),
    }
