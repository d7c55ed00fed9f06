"""Progress of one stage, told as progress of the whole recipe."""

from __future__ import annotations

from collections.abc import Sequence

from chemvae.models.vae import MolVAE
from chemvae.training.callbacks import Callback
from chemvae.training.recipes.recipe import StageSpec


class Overall(Callback):
    """Passes on what a stage tells, with the time left to the end of the recipe.

    Parameters
    ----------
    callbacks : sequence of Callback
    stages : sequence of StageSpec
    number : int
        Of the stage that tells, from 0.
    budget_s : float
        Seconds that it may take; 0 is any time.
    n_units : int
        Steps or rounds of a stage that tunes.
    """

    def __init__(
        self, callbacks: Sequence[Callback], stages: Sequence[StageSpec], number: int, budget_s: float = 0.0, n_units: int = 0
    ):
        self.callbacks, self.budget_s, self.n_units = callbacks, budget_s, n_units
        later = sum(one.share for one in stages[number + 1 :])
        self.later = later / stages[number].share if stages[number].share else 0.0

    def left(self, elapsed_s: float, eta_s: float) -> float:
        """Seconds to the end of the recipe: of this stage, and of those after it by their shares.

        Examples
        --------
        >>> halves = [StageSpec(name, "fit", 0.5, 0, {}) for name in "ab"]
        >>> Overall((), halves, 0).left(30.0, 10.0), Overall((), halves, 0, budget_s=20.0).left(5.0, 100.0)
        (50.0, 35.0)
        """
        own = min(eta_s, max(0.0, self.budget_s - elapsed_s)) if self.budget_s else eta_s
        return own + self.later * (self.budget_s or elapsed_s + eta_s)

    def on_step(self, info: dict[str, float]) -> None:
        elapsed_s = info["eta_s"] * info["step"] / max(1, info["n_steps"] - info["step"])
        told = {**info, "eta_s": self.left(elapsed_s, info["eta_s"])}
        for callback in self.callbacks:
            callback.on_step(told)

    def on_epoch(self, row: dict[str, float], model: MolVAE) -> None:
        for callback in self.callbacks:
            callback.on_epoch(row, model)

    def report(self, row: dict[str, float]) -> None:
        """What a tuning tells."""
        done = row.get("step", row.get("round", 0.0))
        eta_s = row["elapsed_s"] * (self.n_units - done) / max(1.0, done)
        told = {**row, "eta_s": self.left(row["elapsed_s"], max(0.0, eta_s))}
        for callback in self.callbacks:
            callback.on_tuning(told)
