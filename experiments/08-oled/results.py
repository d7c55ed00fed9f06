"""How the scripts of this folder write what they found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tomllib

from chemvae.runs import environment, write_json

HERE = Path(__file__).parent
CONFIG = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))


def figure(value: float | int) -> dict:
    """One number."""
    return {"mean": value, "std": None, "n": 1}


def spread(values: list[float]) -> dict:
    """Several numbers of the same kind."""
    return {"mean": float(np.mean(values)), "std": float(np.std(values, ddof=1)), "n": len(values)}


def describe(script: str, config: dict, metrics: dict, elapsed: dict) -> dict:
    """Where figures come from, and the figures."""
    origin = environment()
    return {
        "command": f"python experiments/08-oled/{script}.py",
        "commit": origin["commit"],
        "seeds": [CONFIG["seed"]],
        "device": f"{origin['processor']}, 1 thread",
        "versions": origin["versions"],
        "elapsed_s": elapsed,
        "config": config,
        "metrics": metrics,
    }


def write_result(script: str, config: dict, metrics: dict, elapsed: dict) -> None:
    """Write ``<script>.json`` beside the script."""
    write_json(HERE / f"{script}.json", describe(script, config, metrics, elapsed))
