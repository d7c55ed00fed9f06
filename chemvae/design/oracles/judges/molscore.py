"""Tasks of MolScore, the GuacaMol benchmark among them, as oracles: others' benchmarks run on us without our code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chemvae.design.oracles.base import Oracle
from chemvae.design.oracles.judges.worker import JudgePackage, JudgeWorker

MOLSCORE = JudgePackage("molscore", "molscore", "molscore", "molscore.py")


class MolScoreOracle(Oracle):
    """The score of a task of MolScore, to be maximised; in 0..1 for the tasks that come with it.

    Parameters
    ----------
    task : str
        "GuacaMol:Osimertinib_MPO", a name of the GuacaMol set without the set, or a configuration file (.json).

    Raises
    ------
    MissingExtraError
        If MolScore is not installed, here or where ``CHEMVAE_MOLSCORE_PYTHON`` points to.
    ChemVAEError
        If it has no such task.

    References
    ----------
    Thomas et al., MolScore, 2024. https://doi.org/10.1186/s13321-024-00861-w. Brown et al., GuacaMol, 2019.
    https://doi.org/10.1021/acs.jcim.8b00839
    """

    shares_work = False  # one process answers

    def __init__(self, task: str):
        self.task = str(Path(task).expanduser().absolute()) if task.endswith(".json") else task
        self.label = f"molscore:{task}"
        self._worker()

    def evaluate(self, smiles: Sequence[str]) -> np.ndarray:
        """Ask the task: [N]."""
        return np.array(self._worker().ask({"smiles": list(smiles)})["scores"], dtype=float)

    def _worker(self) -> JudgeWorker:
        return MOLSCORE.worker(f"'{self.label}'", self.task)


def make_molscore(argument: str, model: Any) -> MolScoreOracle:
    """``TASK``."""
    return MolScoreOracle(argument.strip())
