"""Which way of drawing a map keeps neighbourhoods, and what does it cost? The default is chosen by these figures.

    CHEMVAE_DATA=FOLDER python experiments/09-maps/run.py [SET ...] [--only METHOD ...]
    CHEMVAE_DATA=FOLDER python experiments/09-maps/run.py whole

With sets or methods named, the others' figures stay as result.json has them. Codes are kept in the folder that
CHEMVAE_MAP_CODES names, where one is given. Needs the extra 'maps'.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tomllib
import torch

from chemvae import api
from chemvae.data.prepare.tables import load_table
from chemvae.maps import PROJECTIONS, map_quality
from chemvae.maps.factory import fingerprint_rows
from chemvae.maps.projection import Projection
from chemvae.runs import environment, write_json

HERE = Path(__file__).parent
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
WHOLE = "whole"
HEADINGS = {"trustworthiness": "trustworthiness", "neighbours kept": "15 nearest kept", "seconds of processor": "processor [s]",
            "seconds": "elapsed [s]", "new points, ms each": "a new one [ms]"}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare ways of drawing a map.")
    parser.add_argument("sets", nargs="*", help="sets of config.toml, or 'whole'")
    parser.add_argument("--only", nargs="*", help="methods")
    asked = parser.parse_args()
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    for name in asked.sets or config["sets"]:
        for label, rows, projection in cases(config, name, asked.only or config["methods"]):
            found = measure(projection, rows, config)
            print(label, *(f"{key}: {value:.4g}" for key, value in found.items()), sep="\n  ", flush=True)
            write_down(config, {f"{label}: {key}": figure(value) for key, value in found.items()}, found["seconds"])


def cases(config: dict, name: str, methods: list[str]) -> Any:
    """What is measured: words for it, rows [N, D], a projection that is not fitted."""
    if name == WHOLE:
        whole = config[WHOLE]
        rows = space_rows(config, [whole["data"]], None, "latent")
        yield f"{whole['data']} whole, latent, {whole['method']}", rows, PROJECTIONS[whole["method"]](max_fit=whole["n_fitted"])
        return
    chosen = config["sets"][name]
    for space in chosen["spaces"]:
        rows = space_rows(config, chosen["data"], chosen["n"], space)
        for method in methods:
            yield f"{name}, {space}, {method}", rows, PROJECTIONS[method](random_state=config["seed"])


def space_rows(config: dict, data: list[str], n: int | None, space: str) -> np.ndarray:
    """Codes [N, D] of some molecules of joined sets, kept where a folder for them is given."""
    kept = os.environ.get("CHEMVAE_MAP_CODES")
    path = Path(kept or ".") / f"{'-'.join(data)}-{n or 'all'}-{space}.npy"
    if kept and path.exists():
        return np.load(path)
    smiles = list(dict.fromkeys(one for name in data for one in load_table(name).smiles))
    if n is not None:
        smiles = pd.Series(smiles).sample(n, random_state=config["seed"]).tolist()
    rows = encoded(config["model"], smiles) if space == "latent" else fingerprint_rows(smiles)
    rows = rows[np.isfinite(rows).all(axis=1)]
    if kept:
        np.save(path, rows)
    return rows


def encoded(model: str, smiles: list[str]) -> np.ndarray:
    """Posterior means [N, D]."""
    return api.load(model, "cpu").encode(smiles, canonicalize=False)


def measure(projection: Projection, rows: np.ndarray, config: dict) -> dict[str, float]:
    """Fit, judge, and place a hundred molecules again as if they were new."""
    processor, clock = time.process_time(), time.monotonic()
    xy = projection.fit_transform(rows)
    spent = {"seconds of processor": time.process_time() - processor, "seconds": time.monotonic() - clock}
    quality = map_quality(rows, xy, n_neighbors=config["n_neighbors"], max_points=config["n_asked"], seed=config["seed"])
    clock = time.process_time()
    projection.transform(rows[:100] + np.float32(1e-4))
    each = 10.0 * (time.process_time() - clock)
    return {
        "molecules": float(len(rows)),
        "trustworthiness": quality["trustworthiness"],
        "neighbours kept": quality["neighbours_kept"],
        **spent,
        "new points, ms each": each,
    }


def figure(value: float) -> dict:
    return {"mean": value, "std": None, "n": 1}


def write_down(config: dict, metrics: dict[str, dict], seconds: float) -> None:
    """Put new figures beside those that result.json has, if it was made with the same settings, and into the page."""
    path = HERE / "result.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"config": {}}
    same = {**before["config"], WHOLE: config[WHOLE]} == config
    label = next(iter(metrics)).rsplit(": ", 1)[0]
    origin = environment()
    write_json(path, {
        "command": "python experiments/09-maps/run.py",
        "commit": origin["commit"],
        "seeds": [config["seed"]],
        "device": f"{origin['processor']}, 1 thread",
        "versions": origin["versions"] | {name: version(name) for name in ("pacmap", "openTSNE", "umap-learn")},
        "elapsed_s": (before["elapsed_s"] if same else {}) | {label: round(seconds, 1)},
        "config": config,
        "metrics": (before["metrics"] if same else {}) | metrics,
    })  # fmt: skip
    page = (HERE / "README.md").read_text(encoding="utf-8")
    done = json.loads(path.read_text(encoding="utf-8"))["metrics"]
    (HERE / "README.md").write_text(fill_table(page, done), encoding="utf-8")


def version(package: str) -> str:
    from importlib.metadata import version as of

    return of(package)


def fill_table(page: str, metrics: dict) -> str:
    """Put the figures into the page, between its two marks: a row for each map."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    labels = list(dict.fromkeys(key.rsplit(": ", 1)[0] for key in metrics))
    rows = [f"| molecules, space, method | {' | '.join(HEADINGS.values())} |", "|---" * (1 + len(HEADINGS)) + "|"]
    for label in labels:
        n = metrics[f"{label}: molecules"]["mean"]
        cells = [metrics[f"{label}: {key}"]["mean"] for key in HEADINGS]
        rows.append(f"| {n:,.0f} {label} | {' | '.join(f'{value:.3g}' for value in cells)} |")
    return f"{before}{BEGIN}\n" + "\n".join(rows) + f"\n{END}{after}"


if __name__ == "__main__":
    main()
