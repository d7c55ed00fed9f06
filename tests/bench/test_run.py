"""A whole run at the smallest size: every key is there and the arithmetic between them holds."""

import json

import pytest

from chemvae import runs
from chemvae.bench import BenchSettings, report, run_bench
from chemvae.bench.protocol import PROTOCOL
from chemvae.bench.workload import PREFERRED, is_at_hand
from chemvae.errors import ChemVAEError, NothingUsableError
from tests.bench.small import MICRO, small_run, write_molecules

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
def figures():
    return dict(small_run())


def test_every_key_is_there(figures):
    assert set(figures) >= ASKED_FOR
    rates = [key for key in figures if key.endswith(("_per_s", "_gflops", "_mib", "_us", "_s", "_ms")) and "known" not in key]
    assert all(figures[key] is None or min(numbers(figures[key])) >= 0 for key in rates), rates


def numbers(value):
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]


def test_every_figure_explains_itself(figures):
    assert set(figures["protocol"]) <= set(figures)
    assert {key for key in ASKED_FOR if key in PROTOCOL} <= set(figures["protocol"])
    assert all(words.endswith(".") for words in PROTOCOL.values())


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


def test_the_report_shows_every_group(figures):
    groups = report.groups(figures)
    assert len(groups) == 7 and all(group.lines for group in groups)
    shown = {line.name: line for group in groups for line in group.lines}
    assert shown["chemvae"].ratio.endswith(f"of the {figures['train_peak']} peak")
    assert shown["MOSES-shaped VAE"].ratio == f"chemvae {report.times(figures['train_vs_moses'])}"
    assert "1 thread" in report.headline(figures)


def test_what_was_not_measured_is_left_out(figures):
    shown = report.groups({**figures, "gate_step_kernels_us": None, "startup_help_s": None})
    names = [line.name for group in shown for line in group.lines]
    assert "chemvae --help" not in names and "step, compiled gates" not in names


def test_data_and_model_that_are_not_there_are_said(csv, tmp_path):
    with pytest.raises(ChemVAEError, match="nowhere"):
        run_bench(BenchSettings(data=str(tmp_path / "nowhere.csv"), **MICRO))
    with pytest.raises(ChemVAEError, match="no-such-run"):
        run_bench(BenchSettings(data=csv, model=str(tmp_path / "no-such-run"), **MICRO))
    (tmp_path / "bad.csv").write_text("smiles\nC1CC\n")
    with pytest.raises(NothingUsableError):
        run_bench(BenchSettings(data=str(tmp_path / "bad.csv"), **MICRO))


def test_zinc_is_taken_only_where_it_lies(monkeypatch, tmp_path):
    monkeypatch.setenv("CHEMVAE_CACHE", str(tmp_path))
    monkeypatch.setenv("CHEMVAE_DATA", str(tmp_path / "missing"))
    assert not is_at_hand(PREFERRED)
    monkeypatch.delenv("CHEMVAE_DATA")
    assert not is_at_hand(PREFERRED)
