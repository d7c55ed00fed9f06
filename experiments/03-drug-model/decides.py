"""Does z decide? What validity hides: whether draws are found again, how alike texts of one draw are, how many are distinct.

    python experiments/03-drug-model/decides.py          # the shipped weights; some minutes; writes decides.json

No data set is needed. The measures are those of ``chemvae evaluate``, whose keys they have, over five seeds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import chemvae
from chemvae.evaluation.generation import N_UNIQUE, TEMPERATURES
from chemvae.evaluation.latent.code_use import own_code_found, text_similarity
from chemvae.evaluation.metrics import unique_at, validity
from chemvae.evaluation.roundtrip import Canonical, decode_molecules
from chemvae.models.latent_space import draw_prior
from chemvae.models.vae import MolVAE
from chemvae.runs import environment

HERE = Path(__file__).parent
N_DRAWS, SEEDS, N_SIMILAR = 1_000, range(5), 200


def main() -> None:
    started, model, canonical = time.monotonic(), chemvae.load("drug", device="cpu"), Canonical()
    figures: dict[str, object] = {}
    for prior in ("learned", "normal"):
        found = [found_again(model, prior, seed, canonical) for seed in SEEDS]
        figures |= {f"own_code_found_{prior}_{name}": summary([one[name] for one in found]) for name in TEMPERATURES}
    within, between = text_similarity(model, draw_prior(model, N_SIMILAR, "learned"), canonical)
    figures |= {"within_z_similarity_learned": within, "between_z_similarity_learned": between}
    greedy = list(decode_molecules(model, draw_prior(model, N_UNIQUE, "normal"), canonical)["molecule"])
    figures |= {"validity_normal_greedy": validity(greedy), "unique_10k_normal_greedy": unique_at(greedy, N_UNIQUE)}
    facts = {"command": "python experiments/03-drug-model/decides.py", "elapsed_s": round(time.monotonic() - started, 1)}
    text = json.dumps({"figures": figures, **environment(), **facts}, indent=2)
    (HERE / "decides.json").write_text(text + "\n", encoding="utf-8")


def found_again(model: MolVAE, prior: str, seed: int, canonical: Canonical) -> dict[str, float]:
    """Share of draws that are the nearest to the code of what they were decoded to, by temperature."""
    z = draw_prior(model, N_DRAWS, prior, seed)
    tables = {name: decode_molecules(model, z, canonical, temperature=value, seed=seed) for name, value in TEMPERATURES.items()}
    return {name: own_code_found(model, z, list(table["molecule"])) for name, table in tables.items()}


def summary(values: Sequence[float]) -> dict[str, float]:
    return {"mean": float(np.mean(values)), "std": float(np.std(values, ddof=1)), "n": len(values)}


if __name__ == "__main__":
    main()
