"""One benchmark run at the smallest size, made once for all tests that read figures."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd

from chemvae.bench import BenchSettings, run, run_bench
from chemvae.bench.measures import startup
from tests.conftest import MOLECULES

MICRO = {
    "preset": "tiny", "device": "cpu", "threads": 1, "seconds": 0.05, "rounds": 2, "batch_sizes": (8,),
    "moses_batch_sizes": (4,), "moses_sample_sizes": (2,), "product_sizes": (64,), "n_decoded": 20, "n_sampled": 20,
    "n_starts": 1, "train_s": 0.5,
}  # fmt: skip
GROWTH = {
    "growth": True, "growth_molecules": (10, 30), "growth_encoded": (10,), "growth_lengths": (5, 10),
    "growth_batch_sizes": (4,), "growth_widths": (16, 32),
}  # fmt: skip


def write_molecules(path: Path) -> str:
    """A table of the twenty molecules with one label."""
    pd.DataFrame({"smiles": MOLECULES, "logP": range(len(MOLECULES))}).to_csv(path, index=False)
    return str(path)


@functools.cache
def small_run() -> dict[str, Any]:
    """All figures; no model is shipped, so that one is trained on the way, and no process is started."""
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(run, "shipped_models", list),
        patch.object(startup, "first_sample", lambda *_: (0.1, 0.2)),
        patch.object(startup, "whole_process", lambda *_: 0.3),
    ):
        return run_bench(BenchSettings(data=write_molecules(Path(folder) / "molecules.csv"), **MICRO, **GROWTH))
