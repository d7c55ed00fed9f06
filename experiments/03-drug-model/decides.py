"""Does z decide? What validity hides: whether draws are found again, how alike texts of one draw are, how many are distinct.

    python experiments/03-drug-model/decides.py          # the shipped weights; a few minutes; writes decides.json

No data set is needed. Own code found: of N draws, decoded and encoded again, the share whose nearest draw is their own.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import torch

import chemvae
from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.chem.molecules import canonicalize
from chemvae.models.latent_space import draw_prior
from chemvae.models.vae import MolVAE
from chemvae.runs import environment

HERE = Path(__file__).parent
N_DRAWS, SEEDS, N_SIMILAR, N_TEXTS, N_DISTINCT = 1_000, range(5), 200, 8, 10_000


def main() -> None:
    started, model = time.monotonic(), chemvae.load("drug", device="cpu")
    figures = {}
    for prior in ("learned", "normal"):
        for name, temperature in (("greedy", 0.0), ("sampled", 1.0)):
            found = [own_code_found(model, prior, temperature, seed) for seed in SEEDS]
            figures[f"own_code_found_{prior}_{name}"] = {"mean": np.mean(found), "std": np.std(found, ddof=1), "n": len(found)}
    figures |= {f"{name}_learned": value for name, value in similarity(model).items()}
    figures |= {f"{name}_normal_greedy": value for name, value in distinct(model).items()}
    facts = {"command": "python experiments/03-drug-model/decides.py", "elapsed_s": round(time.monotonic() - started, 1)}
    (HERE / "decides.json").write_text(
        json.dumps({"figures": figures, **environment(), **facts}, indent=2) + "\n", encoding="utf-8"
    )


def own_code_found(model: MolVAE, prior: str, temperature: float, seed: int) -> float:
    """Of draws, decoded and encoded again, the share whose nearest draw is their own; what is no molecule has not found it."""
    z = draw_prior(model, N_DRAWS, prior, seed).cpu()
    texts = model.decode(z, temperature=temperature, seed=seed)
    back = torch.from_numpy(model.encode([canonicalize(text) or "" for text in texts["smiles"]]))
    nearest = torch.cdist(back.nan_to_num(1e6), z).argmin(dim=1)
    return float(((nearest == torch.arange(len(z))) & torch.tensor(texts["valid"].tolist())).float().mean())


def similarity(model: MolVAE, seed: int = 0) -> dict[str, float]:
    """Mean Tanimoto (ECFP4) of texts of one draw at temperature 1, and of the first texts of different draws."""
    table = model.decode(draw_prior(model, N_SIMILAR, "learned", seed), n_samples=N_TEXTS, temperature=1.0, seed=seed)
    groups = [group.loc[group["valid"], "smiles"].tolist() for _, group in table.groupby("row")]
    within = [_mean_of_pairs(group) for group in groups if len(group) > 1]
    return {"within_z_similarity": float(np.mean(within)), "between_z_similarity": _mean_of_pairs([g[0] for g in groups if g])}


def _mean_of_pairs(smiles: list[str]) -> float:
    prints = morgan(smiles)
    return float(np.asarray(tanimoto(prints, prints))[np.triu_indices(len(smiles), 1)].mean())


def distinct(model: MolVAE, seed: int = 0) -> dict[str, float]:
    """Share of greedy texts at draws of N(0, I) that are molecules, and of these molecules' share that is distinct."""
    table = model.decode(draw_prior(model, N_DISTINCT, "normal", seed), seed=seed)
    molecules = [canonicalize(text) for text in table.loc[table["valid"], "smiles"]]
    return {"validity": float(table["valid"].mean()), "unique_10k": len(set(molecules)) / len(molecules)}


if __name__ == "__main__":
    main()
