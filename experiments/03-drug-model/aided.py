"""What help at decoding time brings beside the raw decoder: a syntax mask, the best of several decodes, beam search, inversion.

    python experiments/03-drug-model/aided.py     # after run.py has prepared the data; writes aided.json

The shipped model, the held-out molecules of config.toml's split with the lowest sha1, and draws from both priors. None of these
figures stands in the table of the model, which is raw.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import tomllib

from chemvae import api
from chemvae.chem.molecules import canonicalize
from chemvae.data.prepare.preparation import load_table
from chemvae.evaluation.roundtrip import Canonical
from chemvae.evaluation.selection import select_molecules
from chemvae.runs import environment, write_json
from chemvae.sampling import DecodeSettings, decode_points, draw_latents, invert

HERE = Path(__file__).parent
N_MOLECULES, N_DRAWS = 1000, 2000
WAYS = {
    "greedy": DecodeSettings(),
    "greedy_masked": DecodeSettings(mask_syntax=True),
    "temperature_1": DecodeSettings(temperature=1.0),
    "temperature_1_masked": DecodeSettings(temperature=1.0, mask_syntax=True),
    "best_of_8": DecodeSettings(best_of=8),
    "beam_5": DecodeSettings(beam=5),
}


def main() -> None:
    config, started = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8")), time.monotonic()
    model, seed = api.load("drug"), config["seed"]
    table = load_table(str(Path(config["folder"]) / "data"))
    split = np.asarray(table.split) == config["evaluation"]["split"]
    smiles = select_molecules(np.array(table.smiles)[split].tolist(), None, N_MOLECULES, Canonical())[0]["smiles"].tolist()
    codes = model.encode(smiles)
    draws = {prior: draw_latents(model, N_DRAWS, prior, seed) for prior in ("normal", "learned")}
    metrics = {}
    for name, way in WAYS.items():
        metrics[f"reconstruction_{name}"] = came_back(decode_points(model, codes, way), smiles)
        for prior, z in draws.items():
            metrics[f"validity_{prior}_{name}"] = float(decode_points(model, z, way)["valid"].mean())
        print(name, {key: round(value, 4) for key, value in metrics.items() if key.endswith(f"_{name}")}, flush=True)
    metrics["reconstruction_greedy_inverted"] = float(invert(model, smiles)[1].mean())
    origin = environment()
    write_json(
        HERE / "aided.json",
        {
            "command": "python experiments/03-drug-model/aided.py",
            "commit": origin["commit"],
            "seeds": [seed],
            "device": origin["processor"],
            "versions": origin["versions"],
            "elapsed_s": round(time.monotonic() - started, 1),
            "n_molecules": len(smiles),
            "n_draws": N_DRAWS,
            "metrics": metrics,
        },
    )


def came_back(decoded, smiles: list[str]) -> float:
    """Share of molecules whose one decode is the molecule itself."""
    rows = zip(decoded["valid"], decoded["smiles"], smiles, strict=True)
    return float(np.mean([ok and canonicalize(text) == one for ok, text, one in rows]))


if __name__ == "__main__":
    main()
