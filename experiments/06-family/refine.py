"""What the encoder leaves lying: nats of the bound, and molecules that come back, by gradient steps from its answer.

    CHEMVAE_DATA=FOLDER python experiments/06-family/refine.py [RUN ...]

Of the plain models of round one (run.py), or of the runs and shipped models named. Every molecule's own posterior is fitted by
0, 10, 50 and 200 steps (``chemvae encode --refine N``), the KL weighted as in training; and after 50 steps a Hamiltonian chain
of 40 moves of five gradients gives its mean (``--chain M``). Held-out molecules, greedy decodes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import tomllib

HERE = Path(__file__).parent
STEPS = (0, 10, 50, 200)
CHAIN = (50, 40)  # steps before it, and its moves
N_MOLECULES, SEED = 256, 0


def main(names: list[str]) -> None:
    import torch

    from chemvae.runs import environment, write_json

    torch.set_num_threads(1)
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    trained = Path(config["folder"]) / "full" / "round-1"
    command = " ".join(["python experiments/06-family/refine.py", *names])
    names = names or sorted(str(path) for path in trained.glob("plain-*-seed0") if (path / "prior.safetensors").exists())
    smiles, started = held_out(config["data"]), time.monotonic()
    metrics = {f"{Path(name).name}/{key}": value for name in names for key, value in measured(name, smiles).items()}
    origin = environment()
    write_json(HERE / "refine.json", {
        "command": command,
        "commit": origin["commit"], "device": f"{origin['processor']}, one thread", "versions": origin["versions"],
        "seeds": [SEED], "n_molecules": len(smiles), "steps": STEPS, "chain": CHAIN,
        "elapsed_s": round(time.monotonic() - started, 1), "metrics": metrics,
    })  # fmt: skip


def held_out(data: str) -> list[str]:
    from chemvae.data.prepare.preparation import load_table

    table = load_table(data, properties=[])
    valid = [one for one, split in zip(table.smiles, table.split, strict=True) if split == "valid"]
    chosen = np.random.default_rng(SEED).permutation(len(valid))[:N_MOLECULES]
    return [valid[i] for i in chosen]


def measured(name: str, smiles: list[str]) -> dict[str, Any]:
    """By number of steps: nats of the bound gained, share of molecules that come back, seconds a molecule."""
    import torch

    import chemvae
    from chemvae.evaluation.roundtrip import Canonical, decode_molecules
    from chemvae.models.inference.refinement import refine

    model, canonical, found = chemvae.load(name, device="cpu"), Canonical(), {}
    known = [one for one in smiles if model.vocabulary.complaint(one) is None]
    for n, n_moves in [*((n, 0) for n in STEPS), CHAIN]:
        began = time.monotonic()
        z, gained, accepted = refine(model, known, n, n_moves=n_moves, seed=SEED)
        took = (time.monotonic() - began) / len(known)
        back = decode_molecules(model, torch.from_numpy(z), canonical)["molecule"].tolist()
        same = sum(a == b for a, b in zip(back, canonical(known), strict=True))
        which = f"{n}_chain_{n_moves}" if n_moves else f"{n}"
        found |= {
            f"reconstruction_greedy_{which}": same / len(smiles),
            f"gained_nats_{which}": float(gained.mean()),
            f"seconds_a_molecule_{which}": round(took, 4),
            **({f"accepted_{which}": float(accepted.mean())} if n_moves else {}),
        }
        print(name, which, found[f"reconstruction_greedy_{which}"], found[f"gained_nats_{which}"], flush=True)
    return {**found, "kl_weight": model.training_facts.kl_weight}


if __name__ == "__main__":
    main(sys.argv[1:])
