"""QED of at least 0.9 at a similarity of at least 0.4 to the start: how many molecules, in how many calls?

    CHEMVAE_DATA=FOLDER python experiments/04-design/improve.py [--jobs N] [--molecules 100]

The molecules are those of ZINC250k's test split with a QED of 0.7 to 0.8 whose canonical SMILES have the lowest sha1. Each
search may score 1,000 molecules and ends with the round in which one is good enough. Similarity: Tanimoto of ECFP4, 2,048
bits; it holds for every molecule that is scored. What is done is kept in ``runs/design/improve.jsonl``; the figures go to
``improve.json``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

HERE = Path(__file__).parent
KEPT = Path("runs/design/improve.jsonl")
MODEL, BUDGET, WANTED, SIMILARITY = "drug", 1000, 0.9, 0.4
QED_RANGE = (0.7, 0.8)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--jobs", type=int, default=1)
    asked.add_argument("--molecules", type=int, default=100)
    options = asked.parse_args()
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    chosen = choose(options.molecules)
    done = {row["start"]: row for row in map(json.loads, KEPT.read_text().splitlines())} if KEPT.exists() else {}
    with ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool, KEPT.open("a") as file:
        waiting = [pool.submit(improve, smiles) for smiles in chosen if smiles not in done]
        for number, answer in enumerate(as_completed(waiting), start=1):
            row = answer.result()
            done[row["start"]] = row
            file.write(json.dumps(row) + "\n")
            file.flush()
            print(f"{number} of {len(waiting)}: {row}", flush=True)
    write([done[smiles] for smiles in chosen])


def choose(n: int) -> list[str]:
    """The n start molecules, the lowest sha1 first."""
    from chemvae.data.prepare.preparation import load_table

    table = load_table("zinc250k", properties=["qed"]).frame()
    test = table[(table["split"] == "test") & table["qed"].between(*QED_RANGE)]["smiles"]
    return sorted(test, key=lambda smiles: hashlib.sha1(smiles.encode()).hexdigest())[:n]


def improve(smiles: str) -> dict:
    """One search."""
    import torch

    from chemvae import api

    torch.set_num_threads(1)

    def enough(progress) -> None:
        if progress.best >= WANTED:
            raise KeyboardInterrupt  # ends a search as Ctrl-C does: with what there is

    started = time.monotonic()
    result = api.optimize(
        api.load(MODEL), goals="qed", budget=BUDGET, start=[smiles], min_similarity=SIMILARITY, callback=enough
    )
    return {
        "start": smiles,
        "best": float(result.best["score"]),
        "best_smiles": result.best["smiles"],
        "calls": len(result.history),
        "elapsed_s": round(time.monotonic() - started, 1),
    }


def write(rows: list[dict]) -> None:
    """improve.json: the success rate and the calls it took."""
    from chemvae.runs import environment, write_json

    good = [row for row in rows if row["best"] >= WANTED]
    origin = environment()
    write_json(
        HERE / "improve.json",
        {
            "command": "python experiments/04-design/improve.py",
            "commit": origin["commit"],
            "device": f"{origin['processor']}, one thread per search",
            "versions": origin["versions"],
            "protocol": __doc__.split("\n\n")[2],
            "n_molecules": len(rows),
            "budget": BUDGET,
            "success": len(good) / len(rows),
            "calls_of_successes_median": statistics.median(row["calls"] for row in good),
            "calls_total": sum(row["calls"] for row in rows),
            "elapsed_s_total": round(sum(row["elapsed_s"] for row in rows), 1),
            "rows": rows,
        },
    )


if __name__ == "__main__":
    main()
