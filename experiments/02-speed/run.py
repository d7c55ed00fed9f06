"""Measure speed on this machine, with the growth curves, and draw them.

    CHEMVAE_DATA=FOLDER python experiments/02-speed/run.py [MODEL]

FOLDER holds zinc250k.csv.gz; MODEL is a run folder that decodes and samples, where config.toml should not choose. The same
without the settings of config.toml and without the plot: ``chemvae bench --growth --compile --json bench.json``. Nothing else
should run on the cores; ``taskset -c 0,1`` in front keeps a larger machine to two.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import tomllib

from chemvae.bench import BenchSettings, run_bench
from chemvae.commands.bench import show
from chemvae.commands.shared import console
from chemvae.runs import write_json

HERE = Path(__file__).parent
METRICS = (
    "gemm_bf16_gflops", "gemm_fp32_gflops", "train_molecules_per_s", "train_share_of_peak", "nn_gru_train_molecules_per_s",
    "nn_gru_autocast_train_molecules_per_s", "train_fp32_molecules_per_s", "train_fp32_vs_nn_gru",
    "moses_train_molecules_per_s", "train_vs_nn_gru", "train_vs_nn_gru_autocast",
    "train_vs_moses", "train_busy_share", "encode_molecules_per_s", "encode_checked_molecules_per_s", "decode_molecules_per_s",
    "decode_checked_molecules_per_s", "sample_molecules_per_s", "sample_checked_molecules_per_s",
    "moses_sample_molecules_per_s", "sample_vs_moses", "rdkit_canonical_molecules_per_s", "sample_end_to_end_molecules_per_s",
    "sample_end_to_end_share", "startup_help_s", "startup_first_sample_s", "startup_first_sample_empty_cache_s",
    "memory_peak_training_mib", "memory_peak_mib",
)  # fmt: skip
CURVES = (
    ("molecules", "growth_n_molecules", {"growth_token_set_s": "token set", "growth_batching_s": "one pass of batches"}),
    ("molecules", "growth_n_encoded", {"growth_encode_s": "encoding"}),
    (
        "tokens per molecule, batch 128",
        "growth_tokens",
        {"growth_tokens_train_step_s": "training step", "growth_tokens_encode_s": "encoding"},
    ),
    ("batch size", "growth_batch_size", {"growth_batch_train_step_s": "training step"}),
    ("decoder width", "growth_decoder_width", {"growth_width_train_step_s": "training step"}),
)
"""Label of the axis, its key, and what is drawn over it."""


def main() -> None:
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    chosen = dict(config["bench"])
    if len(sys.argv) > 1:
        chosen["model"] = sys.argv[1]
    with console.talking():
        figures = run_bench(BenchSettings(**chosen))
        show(figures)
    write_json(HERE / "result.json", describe(config, figures))
    draw(figures, HERE / "growth.png")


def describe(config: dict[str, Any], figures: dict[str, Any]) -> dict[str, Any]:
    """Everything result.json says: where the figures come from, the ones to quote, and all of them."""
    return {
        "command": "python experiments/02-speed/run.py",
        "commit": figures["commit"],
        "seeds": [config["bench"]["seed"]],
        "device": f"{figures['processor']}, {figures['threads']} threads",
        "versions": figures["versions"],
        "elapsed_s": {"bench": figures["elapsed_s"]},
        "config": config,
        "metrics": {name: metric(figures, name) for name in METRICS if figures.get(name) is not None},
        "protocol": figures["protocol"],
        "figures": {name: value for name, value in figures.items() if name not in ("protocol", "versions")},
    }


def metric(figures: dict[str, Any], name: str) -> dict[str, Any]:
    """Mean and standard deviation over the rounds; what was measured once, or is a median already, stands alone."""
    import statistics

    values = figures["repeats"].get(name, [figures[name]])
    std = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.fmean(values), "std": std, "n": len(values)}


def draw(figures: dict[str, Any], path: Path) -> None:
    """One panel per axis, both axes logarithmic, a grey line of slope 1 under each set of curves."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    labels = list(dict.fromkeys(label for label, _, _ in CURVES))
    figure, axes = pyplot.subplots(1, len(labels), figsize=(4 * len(labels), 3.6), constrained_layout=True)
    for label, key, curves in CURVES:
        axis = axes[labels.index(label)]
        for name, words in curves.items():
            axis.loglog(figures[key], figures[name], "o-", label=words)
            start, first = figures[key][-1], figures[name][-1]
            guide = [first * x / start for x in figures[key]]
            axis.loglog(figures[key], guide, "--", color="0.7", zorder=0)
        ticks = {x for other, name, _ in CURVES if other == label for x in figures[name]}
        axis.xaxis.set_major_locator(ticker.FixedLocator(sorted(ticks)))
        axis.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axis.xaxis.set_minor_locator(ticker.NullLocator())
        axis.tick_params(axis="x", labelrotation=45)
        axis.set_xlabel(label)
        axis.set_ylabel("seconds")
        axis.legend(frameon=False, fontsize="small")
    axes[0].set_title("grey: proportional to the axis", fontsize="small", loc="left")
    figure.savefig(path, dpi=150)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
