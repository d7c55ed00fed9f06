"""The figures as groups of lines: what a person reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chemvae.bench.measures.breakdown import PARTS
from chemvae.bench.protocol import PROTOCOL


@dataclass(frozen=True)
class Line:
    """One figure."""

    name: str
    figure: str
    """As it is shown, without unit."""
    unit: str
    ratio: str = ""
    """What it is compared with."""
    words: str = ""
    """How it was taken."""


@dataclass(frozen=True)
class Group:
    """Lines under one heading."""

    title: str
    lines: tuple[Line, ...]


def headline(figures: dict[str, Any]) -> str:
    """Where and on what, in a sentence."""
    f = figures
    return (
        f"{f['processor']}, {f['device']}, {count(f['threads'], 'thread')}, torch {f['versions'].get('torch', '?')}; "
        f"{f['n_molecules']:,} molecules of {f['data']}, {f['mean_tokens']:.1f} tokens on average; "
        f"{f['preset']} preset, {f['model_parameters'] / 1e6:.2f} M parameters; decoding with {f['model']}"
    )


def groups(figures: dict[str, Any]) -> list[Group]:
    """All groups that have figures; a line whose figure is missing is left out."""
    parts = (_peak, _training, _generation, _step, _flops, _gru_step, _waiting)
    return [group for group in (part(figures) for part in parts) if group.lines]


def number(value: float) -> str:
    """Three significant digits, thousands marked.

    Examples
    --------
    >>> number(1234.5), number(45.67), number(0.0123), number(0.0)
    ('1,234', '45.7', '0.0123', '0')
    """
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def times(ratio: float) -> str:
    """How many times as fast.

    Examples
    --------
    >>> times(35.23), times(7.31), times(0.5)
    ('35 x', '7.3 x', '0.5 x')
    """
    return f"{ratio:.0f} x" if ratio >= 10 else f"{ratio:.2g} x"


def count(n: int, what: str) -> str:
    """A number of things.

    Examples
    --------
    >>> count(1, "thread"), count(2, "thread")
    ('1 thread', '2 threads')
    """
    return f"{n} {what}{'' if n == 1 else 's'}"


def _line(f: dict[str, Any], key: str, name: str, unit: str, ratio: str = "", where: str = "") -> list[Line]:
    """The line of a key, nothing if it was not measured; ``where`` and the scatter stand before its sentence."""
    if f.get(key) is None:
        return []
    scatter = f"scatter {f[f'{key}_spread']:.0%}" if f.get(f"{key}_spread") else ""
    facts = ", ".join(fact for fact in (where, scatter) if fact)
    return [Line(name, number(f[key]), unit, ratio, PROTOCOL.get(key, "") + (f" ({facts})" if facts else ""))]


def _peak(f: dict[str, Any]) -> Group:
    lines = _line(f, "gemm_bf16_gflops", "matrix product, bf16", "GFLOP/s")
    return Group("Peak of this machine", (*lines, *_line(f, "gemm_fp32_gflops", "matrix product, fp32", "GFLOP/s")))


def _at_best(f: dict[str, Any], key: str) -> str:
    return f"batch {f[f'{key}_batch_size']}, {count(f[f'{key}_threads'], 'thread')}"


def _training(f: dict[str, Any]) -> Group:
    share = f"{f['train_share_of_peak']:.0%} of the {f['train_peak']} peak"
    where = f"batch {f['train_batch_size']}, {count(f['threads'], 'thread')}"
    lines = _line(f, "train_molecules_per_s", "chemvae", "molecules/s", share, where)
    for key, name, ratio in (
        ("nn_gru", "torch.nn.GRU, fp32", "train_vs_nn_gru"),
        ("nn_gru_autocast", "torch.nn.GRU, bf16 autocast", "train_vs_nn_gru_autocast"),
        ("moses", "MOSES-shaped VAE", "train_vs_moses"),
    ):
        rate = f"{key}_train_molecules_per_s"
        lines += _line(f, rate, name, "molecules/s", f"chemvae {times(f[ratio])}", _at_best(f, key))
    ratio = f"{times(f['train_fp32_vs_nn_gru'])} torch.nn.GRU, fp32" if "train_fp32_vs_nn_gru" in f else ""
    lines += _line(f, "train_fp32_molecules_per_s", "chemvae in fp32", "molecules/s", ratio, where)
    busy = f"{f.get('train_busy_share', 0):.0%} of undisturbed"
    lines += [_known(f, "moses_known_train_molecules_per_s")]
    lines += _line(f, "train_busy_molecules_per_s", "chemvae beside a busy neighbour", "molecules/s", busy)
    busy = f"{f.get('nn_gru_train_busy_share', 0):.0%} of undisturbed"
    lines += _line(f, "nn_gru_train_busy_molecules_per_s", "torch.nn.GRU beside one", "molecules/s", busy)
    return Group("Training", tuple(lines))


def _known(f: dict[str, Any], key: str) -> Line:
    low, high = f[key]
    return Line("MOSES VAE, as known", f"{low:.0f}-{high:.0f}", "molecules/s", "", PROTOCOL[key])


def _generation(f: dict[str, Any]) -> Group:
    per_s = "molecules/s"
    lines = _line(f, "encode_molecules_per_s", "encode", per_s, f"{f['encode_share_of_peak']:.0%} of the peak")
    lines += _line(f, "encode_checked_molecules_per_s", "encode, with RDKit", per_s)
    lines += _line(f, "decode_molecules_per_s", "decode, greedy", per_s, f"{f['decode_share_of_peak']:.0%} of the peak")
    lines += _line(f, "decode_checked_molecules_per_s", "decode, greedy, with RDKit", per_s)
    where = f"{f['sample_mean_tokens']:.0f} tokens on average, {f['sample_validity']:.0%} valid"
    lines += _line(f, "sample_molecules_per_s", "sample", per_s, "", where)
    lines += _line(f, "sample_checked_molecules_per_s", "sample, with RDKit", per_s)
    ratio = f"chemvae {times(f['sample_vs_moses'])}"
    lines += _line(f, "moses_sample_molecules_per_s", "MOSES-shaped VAE, sample", per_s, ratio, _at_best(f, "moses_sample"))
    lines += [_known(f, "moses_known_sample_molecules_per_s")]
    lines += _line(f, "rdkit_canonical_molecules_per_s", "RDKit alone, one core", per_s)
    ideal = f"{f['sample_end_to_end_share']:.0%} of the ideal"
    name = f"sample {f['sample_end_to_end_n']:,} end to end"
    lines += _line(f, "sample_end_to_end_molecules_per_s", name, per_s, ideal)
    return Group("Molecules to latent space and back", tuple(lines))


def _step(f: dict[str, Any]) -> Group:
    if "step_total_ms" not in f:
        return Group("", ())
    lines: list[Line] = []
    for part in PARTS:
        lines += _line(f, f"step_{part}_ms", part, "ms", f"{f[f'step_{part}_share']:.0%}")
    together = Line("together", number(f["step_total_ms"]), "ms")
    return Group(f"A training step of {f['step_batch_size']} molecules, one thread", (*lines, together))


def _flops(f: dict[str, Any]) -> Group:
    parts, total = f["train_flops_by_part"], f["train_flops_per_molecule"]
    lines = [Line(part, number(flops / 1e6), "MFLOP", f"{flops / total:.1%}") for part, flops in parts.items()]
    title = "Work per molecule in training, forward and backward, padding not counted"
    return Group(title, (*lines, Line("together", number(total / 1e6), "MFLOP")))


def _gru_step(f: dict[str, Any]) -> Group:
    lines: list[Line] = []
    for key, name in (
        ("product", "product alone"),
        ("kernels", "step, compiled gates"),
        ("eager", "step, torch operations"),
        ("compiled", "step, torch.compile"),
        ("train_kernels", "with gradients, compiled gates"),
        ("train_eager", "with gradients, torch operations"),
    ):
        lines += _line(f, f"gate_step_{key}_us", name, "us")
    return Group("One GRU step, 128 x 512, one thread", tuple(lines))


def _waiting(f: dict[str, Any]) -> Group:
    lines: list[Line] = []
    for key, name in (
        ("help", "chemvae --help"),
        ("load", "load a model"),
        ("first_sample", "load and first sample"),
        ("first_sample_empty_cache", "the same, empty cache"),
    ):
        lines += _line(f, f"startup_{key}_s", name, "s")
    lines += _line(f, "memory_peak_training_mib", "memory peak, training", "MiB")
    lines += _line(f, "memory_peak_mib", "memory peak, then sampling", "MiB")
    lines += _line(f, "gpu_memory_peak_mib", "memory peak on the GPU", "MiB")
    return Group("Waiting and memory", tuple(lines))
