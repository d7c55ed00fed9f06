"""The char-RNN's molecules under the measures of the drug model: same number of samples, same held-out molecules.

    python experiments/03-drug-model/yardstick.py     # after run.py, which trains the char-RNN; writes yardstick.json

It has no latent space, so nothing but its samples compares: 30,000 at temperature 1, raw.
"""

from __future__ import annotations

import time
from pathlib import Path

import char_rnn
import numpy as np
import tomllib
import torch

from chemvae.data.preparation import load_table
from chemvae.evaluation import metrics
from chemvae.evaluation.frechet import fcd
from chemvae.evaluation.roundtrip import Canonical
from chemvae.evaluation.selection import select_molecules
from chemvae.runs import environment, write_json

HERE = Path(__file__).parent
N_UNIQUE, N_FCD = 10_000, 10_000


def main() -> None:
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    asked, folder, started = config["evaluation"], Path(config["folder"]), time.monotonic()
    table = load_table(str(folder / "data"))
    smiles, split = np.array(table.smiles), np.asarray(table.split)
    held_out = select_molecules(smiles[split == asked["split"]].tolist(), None, asked["n_molecules"], Canonical())[0]["smiles"]
    model = char_rnn.load(folder / "char-rnn")
    texts = model.sample(asked["n_samples"], torch.Generator().manual_seed(config["seed"]))
    found = Canonical()(text or "" for text in texts)
    valid = [text for text in found if text]
    origin = environment()
    write_json(
        HERE / "yardstick.json",
        {
            "command": "python experiments/03-drug-model/yardstick.py",
            "commit": origin["commit"],
            "seeds": [config["seed"]],
            "device": origin["processor"],
            "versions": origin["versions"],
            "elapsed_s": round(time.monotonic() - started, 1),
            "parameters": sum(p.numel() for p in model.parameters()),
            "training": config["char_rnn"],
            "metrics": {
                "validity": metrics.validity(found),
                "unique_10k": metrics.unique_at(found, N_UNIQUE),
                "novelty": metrics.novelty(found, set(smiles[split == "train"].tolist())),
                "fcd": fcd(valid[:N_FCD], list(held_out)),
                "n_fcd": len(valid[:N_FCD]),
            },
        },
    )


if __name__ == "__main__":
    main()
