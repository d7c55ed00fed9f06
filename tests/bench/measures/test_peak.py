"""Products: timed, counted, and left out where they would take too long."""

import torch

from chemvae.bench.measures import peak
from chemvae.bench.measures.peak import measure_peak, product_gflops

CPU = torch.device("cpu")


def test_a_product_is_timed_and_counted(monkeypatch):
    monkeypatch.setattr(peak, "repeat", lambda work, seconds, device: [work() is None or 1.0, 0.5])
    assert product_gflops(10, 20, 30, torch.float32, CPU, 1.0)[1] == 2 * 10 * 20 * 30 / 0.5 / 1e9


def test_products_that_would_take_too_long_are_left_out(monkeypatch):
    asked = []

    def slow(rows, inner, columns, *_):
        asked.append(rows)
        return [1.0]  # GFLOP/s

    monkeypatch.setattr(peak, "product_gflops", slow)
    found = measure_peak(torch.bfloat16, CPU, (512, 4096), seconds=3.0)  # 4096: 137 s at that speed
    assert asked == [512, 512] and set(found) == {"512x512x1536", "512x512x512"}
