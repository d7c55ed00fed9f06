"""What may listen to training."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from chemvae.errors import MissingExtraError
from chemvae.models.vae import MolVAE

STEP_FACTS = ("step", "n_steps", "epoch", "loss", "molecules_per_s", "eta_s")
"""What a callback is told of every step, whatever the objective."""


class Callback:
    """Told what happens; subclasses override what they want to hear of."""

    def on_step(self, info: dict[str, float]) -> None:
        """:data:`STEP_FACTS`, and the parts of the objective's loss under its own names; every 20 steps."""

    def on_epoch(self, row: dict[str, float], model: MolVAE) -> None:
        """The epoch's line of metrics.csv, and the model with averaged weights. Values added to ``row`` are kept."""

    def on_stage(self, name: str, number: int, n_stages: int) -> None:
        """A recipe comes to this stage, counted from 1."""

    def on_tuning(self, row: dict[str, float]) -> None:
        """What a stage that tunes has reached: ``step`` or ``round``, its figures, ``elapsed_s``, ``eta_s`` of the recipe."""


class WandB(Callback):
    """Logs every number the trainer tells to Weights & Biases (extra ``log``).

    Parameters
    ----------
    run : optional
        What ``wandb.init`` gave; by default one is begun at the first number, with ``options``.
    **options
        Of ``wandb.init``: ``project``, ``name``, ``mode``, ``config``, ...

    Raises
    ------
    MissingExtraError
        If wandb is not installed, and no run is given.
    """

    def __init__(self, run: Any = None, **options: Any):
        self._run, self._options = run, options
        self._module: Any = _module("wandb") if run is None else None  # wandb's own types are not there without it

    @property
    def run(self) -> Any:
        """The run that is logged to."""
        if self._run is None:
            self._run = self._module.init(**self._options)
        return self._run

    def on_step(self, info: dict[str, float]) -> None:
        """Log what every step tells."""
        self.run.log(_numbers(info, "step"), step=int(info["step"]))

    def on_epoch(self, row: dict[str, float], model: MolVAE) -> None:
        """Log what every epoch tells."""
        self.run.log(_numbers(row, "epoch"), step=int(row["step"]))


class MLflow(Callback):
    """Logs every number the trainer tells to MLflow's active run, or one that it begins (extra ``log``).

    Parameters
    ----------
    client : optional
        What has ``log_metrics(metrics, step=)``; by default the module ``mlflow``.

    Raises
    ------
    MissingExtraError
        If mlflow is not installed, and no client is given.
    """

    def __init__(self, client: Any = None):
        self.client = _module("mlflow") if client is None else client

    def on_step(self, info: dict[str, float]) -> None:
        """Log what every step tells."""
        self.client.log_metrics(_numbers(info, "step"), step=int(info["step"]))

    def on_epoch(self, row: dict[str, float], model: MolVAE) -> None:
        """Log what every epoch tells."""
        self.client.log_metrics(_numbers(row, "epoch"), step=int(row["step"]))


def _numbers(told: Mapping[str, Any], group: str) -> dict[str, float]:
    """What is told as ``group/name`` -> number, without the place in training and what only helps a progress bar.

    Examples
    --------
    >>> _numbers({"step": 20, "n_steps": 100, "eta_s": 3.0, "loss": 21.5}, "step")
    {'step/loss': 21.5}
    """
    known = {"step", "epoch", "n_steps", "eta_s"}
    return {f"{group}/{name}": float(value) for name, value in told.items() if name not in known and _is_number(value)}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) or hasattr(value, "__float__")


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtraError(name, "log", f"Logging to {name}") from None
