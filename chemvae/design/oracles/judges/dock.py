"""Docking scores by dockstring: AutoDock Vina against 58 prepared targets, each with its search box."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from chemvae.design.oracles.base import Oracle
from chemvae.design.oracles.score import NoScore
from chemvae.errors import MissingExtraError, SettingsError
from chemvae.registry import find

FIRST_SEED = 974528263  # dockstring's own: one seed gives the scores of its publications
MOST_SEEDS = 100
NOISE = 0.7  # kcal/mol, standard deviation between seeds; a figure taken over, not measured here


class DockOracle(Oracle):
    """The docking score of a target in kcal/mol, the mean over seeds; to be minimised.

    Most of the time is AutoDock Vina's, which is given one core: spread molecules over ``jobs``. Scores differ between seeds by
    about 0.7 kcal/mol (standard deviation): differences below that mean nothing with one seed, and half of it with four. The
    same seeds give the same score.

    Parameters
    ----------
    target : str
        Of dockstring's, case does not matter: "DRD2", "KIT", "F2", ...
    n_seeds : int
        Dockings per molecule, of which the score is the mean.

    Raises
    ------
    MissingExtraError
        If dockstring is not installed.
    SettingsError
        If Open Babel is not, or the number of seeds is out of range.
    UnknownNameError
        If there is no such target.

    References
    ----------
    Garcia-Ortegon et al., DOCKSTRING, 2022. https://doi.org/10.1021/acs.jcim.1c01334
    """

    chunk_size = 1

    def __init__(self, target: str, n_seeds: int = 1):
        require_docking(f"'dock:{target}'")
        if not 1 <= n_seeds <= MOST_SEEDS:
            raise SettingsError(f"docking takes 1 to {MOST_SEEDS} seeds, got {n_seeds}")
        self.target, self.n_seeds = find(targets(), target, "docking target")[0], n_seeds
        self.names = (f"dock_{self.target}",)
        self.label = f"dock:{self.target}, {n_seeds} seed{'s' if n_seeds > 1 else ''}, +-{self.noise:.2g} kcal/mol"

    @property
    def noise(self) -> float:
        """Standard deviation of a score between one choice of seeds and another, in kcal/mol."""
        return NOISE / math.sqrt(self.n_seeds)

    def evaluate(self, smiles: Sequence[str]) -> np.ndarray:
        """Dock: [N]."""
        return np.array([np.mean([self._dock(text, FIRST_SEED + i) for i in range(self.n_seeds)]) for text in smiles])

    def _dock(self, smiles: str, seed: int) -> float:
        """One docking, in a folder of its own.

        Raises
        ------
        NoScore
            Where dockstring refuses a molecule, or finds no pose.
        """
        from dockstring import load_target
        from dockstring.errors import DockstringError

        try:
            score = load_target(self.target).dock(smiles, num_cpus=1, seed=seed)[0]
        except DockstringError as error:
            raise NoScore(str(error).strip() or type(error).__name__) from error
        if score is None:
            raise NoScore("no pose was found")
        return float(score)


def targets() -> dict[str, None]:
    """The names of all targets."""
    from dockstring import list_all_target_names

    return dict.fromkeys(sorted(list_all_target_names()))


def require_docking(purpose: str) -> None:
    """Raise unless dockstring and Open Babel's program are installed."""
    if find_spec("dockstring") is None:
        raise MissingExtraError("dockstring", "dock", purpose)
    if shutil.which("obabel") is None:
        raise SettingsError(f"{purpose} needs Open Babel's program obabel; install it first (Debian: apt install openbabel)")


def make_dock(argument: str, model: Any) -> DockOracle:
    """``TARGET[,seeds=N]``."""
    target, mark, seeds = argument.partition(",seeds=")
    if mark and not seeds.strip().isdecimal():
        raise SettingsError(f"seeds must be a whole number, got '{seeds}' in 'dock:{argument}'")
    return DockOracle(target.strip(), int(seeds) if mark else 1)
