"""The machine's peak: the fastest large matrix product found in this run."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from chemvae.bench.timing import repeat

STEP_SHAPE = (512, 512, 1536)  # the recurrent product of the cpu preset's decoder at batch size 512
GPU_FACTOR = 4  # a GPU needs larger matrices to show what it can do
PATIENCE = 4.0  # budgets that a single product may be predicted to take; beyond that its size is left out


def product_gflops(
    rows: int, inner: int, columns: int, dtype: torch.dtype, device: torch.device, seconds: float
) -> list[float]:
    """Time ``[rows, inner] @ [inner, columns]``; return GFLOP/s of each repetition, 2 x rows x inner x columns FLOP each."""
    a, b = torch.randn(rows, inner, device=device).to(dtype), torch.randn(inner, columns, device=device).to(dtype)
    out = torch.empty(rows, columns, dtype=dtype, device=device)
    flops = 2 * rows * inner * columns
    return [flops / time_s / 1e9 for time_s in repeat(lambda: torch.mm(a, b, out=out), seconds, device)]


def measure_peak(dtype: torch.dtype, device: torch.device, sizes: Sequence[int], seconds: float) -> dict[str, float]:
    """Return the best GFLOP/s of each shape, "1024x1024x1024" and so on; ``seconds`` in all.

    A square too large for its budget, at the speed seen so far, is left out: without bf16 hardware a bf16 product can take
    minutes.
    """
    factor = GPU_FACTOR if device.type == "cuda" else 1
    shapes = [STEP_SHAPE, *((factor * size,) * 3 for size in sorted(sizes))]
    budget = seconds / len(shapes)
    found: dict[str, float] = {}
    for shape in shapes:
        predicted_s = 2 * shape[0] * shape[1] * shape[2] / 1e9 / max(found.values(), default=1e9)
        if predicted_s < PATIENCE * budget:
            found["x".join(map(str, shape))] = max(product_gflops(*shape, dtype, device, budget))
    return found
