"""How long a user waits before anything happens, each figure from fresh processes; kernels are compiled anew where said."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from chemvae.cache import CACHE_VARIABLE

TIMEOUT_S = 300.0
_FIRST_SAMPLE = """
import json, sys, time
from chemvae import api, sampling
before = time.perf_counter()
model = api.load(sys.argv[1], sys.argv[2])
loaded = time.perf_counter()
prior = "learned" if model.latent_statistics.is_fitted else "normal"
sampling.sample(model, 1, prior=prior)
print(json.dumps([loaded - before, time.perf_counter() - before]))
"""


def measure_startup(model: str | Path, device: str, n: int) -> dict[str, Any]:
    """Time ``chemvae --help`` and a model's first sample in fresh processes; medians of ``n``.

    Parameters
    ----------
    model : str or Path
        Shipped name or run folder.
    device : str
    n : int
        Processes per figure.

    Returns
    -------
    dict
        ``startup_help_s`` of the whole process; ``startup_load_s`` and ``startup_first_sample_s`` (load included) after the
        imports, with a warm cache; ``startup_first_sample_empty_cache_s`` the same with an empty cache folder, so that the
        gate kernels are compiled.
    """
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, CACHE_VARIABLE: cache}
        empty = first_sample(model, device, environment)
        warm = [first_sample(model, device, environment) for _ in range(n)]
        helped = [whole_process(["-m", "chemvae", "--help"], environment) for _ in range(n)]
    return {
        "startup_help_s": statistics.median(helped),
        "startup_load_s": statistics.median(load for load, _ in warm),
        "startup_first_sample_s": statistics.median(sample for _, sample in warm),
        "startup_first_sample_empty_cache_s": empty[1],
    }


def first_sample(model: str | Path, device: str, environment: dict[str, str]) -> tuple[float, float]:
    """Seconds until the model is loaded, and until it has written its first molecule."""
    words = [sys.executable, "-c", _FIRST_SAMPLE, str(model), device]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    loaded, sampled = json.loads(done.stdout.splitlines()[-1])
    return loaded, sampled


def whole_process(words: list[str], environment: dict[str, str]) -> float:
    """Seconds from starting Python with these words to its end."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *words], env=environment, capture_output=True, timeout=TIMEOUT_S, check=True)
    return time.perf_counter() - started
