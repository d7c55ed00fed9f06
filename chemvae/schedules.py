"""Pure functions of the step: KL weight and learning rate."""

from __future__ import annotations

import math


def step_by_time(step: int, n_steps: int, elapsed_s: float, budget_s: float) -> float:
    """This step, or as many as the time that is over stands for, where a budget ends before the steps do.

    Parameters
    ----------
    step, n_steps : int
    elapsed_s, budget_s : float
        A budget of 0 is any time.

    Examples
    --------
    >>> [step_by_time(7, 100, elapsed_s, 10.0) for elapsed_s in (0.0, 5.0, 11.0)], step_by_time(7, 100, 5.0, 0.0)
    ([7, 50.0, 100], 7)
    """
    by_time = elapsed_s / budget_s * n_steps if budget_s else 0.0
    return min(n_steps, max(step, by_time))


def linear_warmup(step: float, n_steps: int) -> float:
    """Rise from 0 to 1 over ``n_steps``, then stay.

    Examples
    --------
    >>> [linear_warmup(step, 4) for step in (0, 2, 4, 9)]
    [0.0, 0.5, 1.0, 1.0]
    """
    return 1.0 if n_steps <= 0 else min(1.0, step / n_steps)


def cyclical(step: float, n_steps: int, n_cycles: int, rise: float = 0.5) -> float:
    """Rise from 0 to 1 over the first ``rise`` of each of ``n_cycles`` equal cycles, stay for the rest of it.

    After ``n_steps`` it stays at 1. Fu et al. 2019, https://arxiv.org/abs/1903.10145.

    Examples
    --------
    >>> [cyclical(step, 8, 2) for step in (0, 1, 2, 3, 4, 5, 8, 99)]
    [0.0, 0.5, 1.0, 1.0, 0.0, 0.5, 1.0, 1.0]
    """
    if step >= n_steps:
        return 1.0
    position = (step * n_cycles / n_steps) % 1.0
    return min(1.0, position / rise)


def cosine_decay(step: float, n_steps: int, n_warmup: int, floor: float) -> float:
    """Rise linearly over ``n_warmup`` steps to 1, then fall along half a cosine to ``floor`` at ``n_steps``.

    Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983.

    Examples
    --------
    >>> [round(cosine_decay(step, 100, 10, 0.1), 3) for step in (0, 9, 55, 100)]
    [0.1, 1.0, 0.55, 0.1]
    """
    if step < n_warmup:
        return (step + 1) / n_warmup
    progress = min(1.0, (step - n_warmup) / max(1, n_steps - n_warmup))
    return floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2
