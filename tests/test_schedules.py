"""Schedules at their corners."""

from chemvae.schedules import cosine_decay, cyclical, linear_warmup


def test_linear_without_steps_is_on_from_the_start():
    assert linear_warmup(0, 0) == 1.0


def test_cycles_start_at_zero_and_end_at_one():
    values = [cyclical(step, 100, 4) for step in range(101)]
    assert [values[i] for i in (0, 25, 50, 75)] == [0.0] * 4
    assert values[100] == 1.0 and max(values) == 1.0


def test_cosine_falls_monotonically_after_warmup():
    values = [cosine_decay(step, 1000, 50, 0.01) for step in range(1001)]
    assert all(a <= b for a, b in zip(values[:49], values[1:50], strict=True))
    assert all(a >= b for a, b in zip(values[50:1000], values[51:1001], strict=True))
    assert abs(values[1000] - 0.01) < 1e-12
