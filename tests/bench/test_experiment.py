"""experiments/02-speed turns the figures of a run into its result and its plot."""

import importlib.util
import json
from pathlib import Path

import pytest

from chemvae.bench import BenchSettings
from chemvae.runs import write_json
from tests.bench.small import small_figures

tomllib = pytest.importorskip("tomllib", reason="the script reads TOML with Python 3.11")
__all__ = ["small_figures"]
FOLDER = Path(__file__).parent.parent.parent / "experiments" / "02-speed"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("speed", FOLDER / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_result_says_where_its_figures_come_from(script, small_figures, tmp_path):
    write_json(tmp_path / "result.json", script.describe({"bench": {"seed": 0}}, small_figures))
    result = json.loads((tmp_path / "result.json").read_text())
    assert {"command", "commit", "seeds", "device", "elapsed_s", "config", "metrics", "versions"} <= set(result)
    rounds = small_figures["repeats"]["train_vs_moses"]
    found = result["metrics"]["train_vs_moses"]
    assert found["n"] == 2 and found["mean"] == pytest.approx(sum(rounds) / 2) and found["std"] > 0
    assert result["metrics"]["startup_help_s"] == {"mean": 0.3, "std": None, "n": 1}
    assert set(script.METRICS) >= set(result["metrics"]) >= {"train_share_of_peak", "sample_vs_moses"}


def test_growth_is_drawn(script, small_figures, tmp_path):
    script.draw(small_figures, tmp_path / "growth.png")
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


def test_the_settings_are_settings(script):
    assert BenchSettings(**tomllib.loads((FOLDER / "config.toml").read_text())["bench"]).growth
