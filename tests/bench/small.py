"""One benchmark run at the smallest size, made once for all tests that read figures."""

from __future__ import annotations

import os
import pickle
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest

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


LONGEST_WAIT_S = 300.0


@pytest.fixture(scope="session")
def small_figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All figures of one small run; processes that share the tests share it: the first to ask makes it, the others wait."""
    own = tmp_path_factory.getbasetemp()
    folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    kept, begun = folder / "bench.pickle", folder / "bench-begun"
    try:
        begun.touch(exist_ok=False)
    except FileExistsError:
        deadline = time.monotonic() + LONGEST_WAIT_S
        while not kept.exists() and time.monotonic() < deadline:
            time.sleep(0.2)
    else:
        (folder / "bench-new").write_bytes(pickle.dumps(small_run()))
        (folder / "bench-new").rename(kept)
    return pickle.loads(kept.read_bytes()) if kept.exists() else small_run()


def small_run() -> dict[str, Any]:
    """No model is shipped, so that one is trained on the way, and no process is started."""
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(run, "shipped_models", list),
        patch.object(startup, "first_sample", lambda *_: (0.1, 0.2)),
        patch.object(startup, "whole_process", lambda *_: 0.3),
    ):
        return run_bench(BenchSettings(data=write_molecules(Path(folder) / "molecules.csv"), **MICRO, **GROWTH))
