"""Char-RNNs' molecules under the measures of the drug model: same number of samples, same held-out molecules.

    python experiments/03-drug-model/yardstick.py [NAME ...]    # after run.py; writes yardstick.json

They have no latent space, so nothing but their samples compares: 30,000 at temperature 1, raw, and as many at lower ones, where
more are molecules and they are less like the data. ``char-rnn`` wrote the extra molecules; ``char-rnn-wide`` ([yardstick] in
config.toml, trained here where it is not there) has as many units as the drug model's decoder. Figures of models not named stay
as they are.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import char_rnn
import numpy as np
import tomllib
import torch

from chemvae.data.prepare.preparation import load_table
from chemvae.evaluation import metrics
from chemvae.evaluation.frechet import fcd
from chemvae.evaluation.roundtrip import Canonical
from chemvae.evaluation.selection import select_molecules
from chemvae.runs import environment, write_json

HERE = Path(__file__).parent
RESULT = HERE / "yardstick.json"
TEMPERATURES = (1.0, 0.9, 0.8)
N_UNIQUE, N_FCD = 10_000, 10_000


def main(*names: str) -> None:
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    trained = {"char-rnn": config["char_rnn"], "char-rnn-wide": config["yardstick"]}
    known = json.loads(RESULT.read_text(encoding="utf-8"))["models"] if RESULT.exists() else {}
    found = {name: measured(name, trained[name], config) for name in names or trained}
    write_json(RESULT, {"seeds": [config["seed"]], "models": {**known, **found}})


def measured(name: str, training: dict, config: dict) -> dict:
    """One char-RNN's figures and where they come from; it is trained first if it is not there."""
    asked, folder = config["evaluation"], Path(config["folder"])
    if not (folder / name / "char_rnn.json").exists():
        settings = char_rnn.Settings(hidden_dim=training["hidden"], epochs=training["epochs"])
        char_rnn.train(str(folder / "data"), folder / name, settings)
    started = time.monotonic()
    table = load_table(str(folder / "data"))
    smiles, split = np.array(table.smiles), np.asarray(table.split)
    held_out = select_molecules(smiles[split == asked["split"]].tolist(), None, asked["n_molecules"], Canonical())[0]["smiles"]
    model = char_rnn.load(folder / name)
    known = set(smiles[split == "train"].tolist())
    by_temperature = {str(one): of_samples(model, one, config, known, list(held_out)) for one in TEMPERATURES}
    origin = environment()
    return {
        "command": " ".join(["python experiments/03-drug-model/yardstick.py", *sys.argv[1:]]),
        "commit": origin["commit"],
        "device": origin["processor"],
        "versions": origin["versions"],
        "elapsed_s": round(time.monotonic() - started, 1),
        "parameters": sum(p.numel() for p in model.parameters()),
        "training": training,
        "history": json.loads((folder / name / "char_rnn.json").read_text(encoding="utf-8"))["history"],
        "split": asked["split"],
        "metrics": by_temperature[str(1.0)],
        "by_temperature": by_temperature,
    }


def of_samples(model: char_rnn.CharRNN, temperature: float, config: dict, known: set[str], held_out: list[str]) -> dict:
    """Figures of the model's samples at one temperature."""
    asked = config["evaluation"]
    texts = model.sample(asked["n_samples"], torch.Generator().manual_seed(config["seed"]), temperature=temperature)
    found = Canonical()(text or "" for text in texts)
    valid = [text for text in found if text][:N_FCD]
    return {
        "validity": metrics.validity(found),
        "unique_10k": metrics.unique_at(found, N_UNIQUE),
        "novelty": metrics.novelty(found, known),
        "fcd": fcd(valid, held_out),
        "n_fcd": len(valid),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
