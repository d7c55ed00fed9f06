"""A whole run at the smallest size: every key is there and the arithmetic between them holds."""

import json

import pytest

from chemvae import runs
from chemvae.bench import BenchSettings, run_bench
from chemvae.errors import ChemVAEError, NothingUsableError
from tests.bench.small import MICRO, small_figures, write_molecules

__all__ = ["small_figures"]
ASKED_FOR = {
    "train_molecules_per_s", "train_share_of_peak", "train_vs_moses", "train_vs_nn_gru", "train_vs_nn_gru_autocast",
    "sample_molecules_per_s", "sample_vs_moses", "encode_molecules_per_s", "decode_molecules_per_s", "gemm_bf16_gflops",
    "gemm_fp32_gflops", "threads", "processor", "versions", "memory_peak_mib", "startup_help_s", "startup_first_sample_s",
    "sample_end_to_end_share", "step_products_ms", "gate_step_eager_us", "growth_token_set_s", "elapsed_s",
}  # fmt: skip


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    return write_molecules(tmp_path_factory.mktemp("bench") / "molecules.csv")


@pytest.fixture
def figures(small_figures):
    return dict(small_figures)


def test_every_key_is_there(figures):
    assert set(figures) >= ASKED_FOR
    rates = [key for key in figures if key.endswith(("_per_s", "_gflops", "_mib", "_us", "_s", "_ms")) and "known" not in key]
    assert all(figures[key] is None or min(numbers(figures[key])) >= 0 for key in rates), rates


def numbers(value):
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]


def test_ratios_are_medians_of_rounds(figures):
    repeats = figures["repeats"]
    ratios = [a / b for a, b in zip(repeats["train_molecules_per_s"], repeats["moses_train_molecules_per_s"], strict=True)]
    assert repeats["train_vs_moses"] == pytest.approx(ratios) and len(ratios) == 2
    assert figures["train_vs_moses"] == pytest.approx(sum(ratios) / 2)


def test_share_of_peak_follows_from_the_figures(figures):
    gflops = figures["train_molecules_per_s"] * figures["train_flops_per_molecule"] / 1e9
    assert figures["train_gflops"] == pytest.approx(gflops)
    assert figures["train_share_of_peak"] == pytest.approx(gflops / figures[f"gemm_{figures['train_peak']}_gflops"])
    assert sum(figures["train_flops_by_part"].values()) == pytest.approx(figures["train_flops_per_molecule"])


def test_growth_holds_a_time_for_every_size(figures):
    for sizes, times in (
        ("growth_n_molecules", "growth_token_set_s"),
        ("growth_n_molecules", "growth_batching_s"),
        ("growth_n_encoded", "growth_encode_s"),
        ("growth_tokens", "growth_tokens_train_step_s"),
        ("growth_tokens", "growth_tokens_encode_s"),
        ("growth_batch_size", "growth_batch_train_step_s"),
        ("growth_decoder_width", "growth_width_train_step_s"),
    ):
        assert len(figures[sizes]) == len(figures[times]) > 0 and min(figures[times]) > 0


def test_figures_can_be_written(figures, tmp_path):
    runs.write_json(tmp_path / "bench.json", figures)
    assert json.loads((tmp_path / "bench.json").read_text())["threads"] == 1


def test_data_and_model_that_are_not_there_are_said(csv, tmp_path):
    with pytest.raises(ChemVAEError, match="nowhere"):
        run_bench(BenchSettings(data=str(tmp_path / "nowhere.csv"), **MICRO))
    with pytest.raises(ChemVAEError, match="no-such-run"):
        run_bench(BenchSettings(data=csv, model=str(tmp_path / "no-such-run"), **MICRO))
    (tmp_path / "bad.csv").write_text("smiles\nC1CC\n")
    with pytest.raises(NothingUsableError):
        run_bench(BenchSettings(data=str(tmp_path / "bad.csv"), **MICRO))
