"""How much of everything a demo does: with the shipped model or with one of its own, in full or fast."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class DemoSizes:
    """How much of everything.

    Attributes
    ----------
    limit : molecules of the library; None takes all of it.
    n_molecules, n_samples, n_reconstruction, n_curve : as in EvaluationSettings.
    n_near : decodes around the molecule that is looked at.
    n_steps : points on the way from it to another, both ends included.
    budget, batch : oracle calls of each search, and molecules of one of its rounds; None as usual.
    n_starts, start_budget : molecules to improve, and calls for each.
    n_mapped : library molecules on the map.
    n_drawn : samples drawn in the report.
    training : settings that differ from the preset "tiny", where a model is trained.
    """

    limit: int | None = None
    n_molecules: int = 500
    n_samples: int = 2_000
    n_reconstruction: int = 50
    n_curve: int = 100
    n_near: int = 200
    n_steps: int = 6
    budget: int = 200
    batch: int | None = None
    n_starts: int = 4
    start_budget: int = 40
    n_mapped: int = 2_000
    n_drawn: int = 12
    training: dict[str, Any] = field(default_factory=dict)


TRAINED = DemoSizes(training={"epochs": 8, "beta": 0.1})
TRAINED_FAST = DemoSizes(
    limit=600, n_molecules=40, n_samples=100, n_reconstruction=2, n_curve=5, n_near=20, n_steps=3, budget=10,
    n_starts=1, start_budget=6, n_mapped=150, n_drawn=6,
    training={
        "epochs": 8, "beta": 0.05, "encoder_dim": 48, "decoder_dim": 96, "batch_size": 32, "learning_rate": 4e-3,
        "ema_decay": 0.9, "warmup_steps": 10, "min_kl": 0.0, "min_active_units": 0.0,
    },
)  # fmt: skip
SHIPPED = DemoSizes(
    limit=2_000, n_samples=500, n_reconstruction=1, n_curve=0, budget=48, batch=12, n_starts=3, start_budget=20,
)  # fmt: skip
SHIPPED_FAST = DemoSizes(
    limit=120, n_molecules=40, n_samples=40, n_reconstruction=1, n_curve=0, n_near=20, n_steps=3, budget=6,
    n_starts=1, start_budget=6, n_mapped=120, n_drawn=6,
)  # fmt: skip


def choose_sizes(*, train: bool, fast: bool) -> DemoSizes:
    """The sizes of one of the four demos; the fast ones are for tests and say little.

    Examples
    --------
    >>> choose_sizes(train=False, fast=False).budget
    48
    """
    return {
        (True, False): TRAINED,
        (True, True): TRAINED_FAST,
        (False, False): SHIPPED,
        (False, True): SHIPPED_FAST,
    }[train, fast]
