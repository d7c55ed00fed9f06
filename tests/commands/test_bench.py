"""chemvae bench: flags become settings, figures become a table and JSON."""

import json
import os

import pytest

from chemvae import bench
from chemvae.bench.measures.startup import first_sample, whole_process
from tests.bench.small import small_figures

__all__ = ["small_figures"]


@pytest.fixture
def asked(monkeypatch, small_figures):
    """The settings that the command asked for; the figures are those of a small run."""
    settings, figures = [], small_figures
    monkeypatch.setattr(bench, "run_bench", lambda given: settings.append(given) or figures)
    return settings


def test_flags_become_settings(chemvae, asked):
    words = [
        "mine.csv",
        "-m",
        "run",
        "--preset",
        "tiny",
        "--threads",
        2,
        "--seed",
        5,
        "--device",
        "cpu",
        "--growth",
        "--compile",
    ]
    assert chemvae("bench", *words).exit_code == 0
    expected = bench.BenchSettings("mine.csv", "run", "tiny", "cpu", threads=2, seed=5, growth=True, compile=True)
    assert asked == [expected]


def test_quick_is_the_short_run(chemvae, asked):
    assert chemvae("bench", "--quick").exit_code == 0
    assert asked == [bench.BenchSettings().quick()]


def test_json_holds_the_figures_and_stdout_nothing_else(chemvae, asked, small_figures, tmp_path):
    figures = small_figures
    found = chemvae("bench", "--json", "-")
    assert json.loads(found.stdout)["train_molecules_per_s"] == figures["train_molecules_per_s"]
    assert chemvae("bench", "--json", "b.json", "-q").stderr == ""
    written = json.loads((tmp_path / "b.json").read_text())
    assert written["protocol"]["train_share_of_peak"] == figures["protocol"]["train_share_of_peak"]
    assert "trained for" in written["model"] and written["sample_prior"] == "learned"


def test_the_table_is_aligned(chemvae, asked):
    lines = chemvae("bench").stderr.splitlines()
    rates = [line for line in lines if " molecules/s" in line and not line.startswith("    ")]
    assert len(rates) >= 12
    assert len({line.index("molecules/s") for line in rates}) == 1  # one column
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("Peak of this machine") for line in lines)


def test_a_wrong_number_of_threads_is_a_usage_error(chemvae):
    found = chemvae("bench", "--threads", "-1")
    assert found.exit_code == 2 and "threads must be >= 0, got -1" in found.stderr


def test_missing_data_is_one_sentence(chemvae):
    found = chemvae("bench", "nowhere.csv", "--quick")
    assert found.exit_code == 1 and "nowhere.csv" in found.stderr and "Traceback" not in found.stderr


def test_a_fresh_process_loads_and_samples(tiny_run):
    load_s, sample_s = first_sample(tiny_run, "cpu", dict(os.environ))
    assert 0 < load_s < sample_s
    assert whole_process(["-S", "-c", "pass"], dict(os.environ)) > 0
