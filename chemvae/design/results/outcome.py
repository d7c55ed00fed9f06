"""What came of a campaign: its history, the best molecules described, what was turned away and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from chemvae.design.evaluators.receipt import Receipt
from chemvae.design.goals import Utility

if TYPE_CHECKING:
    from chemvae.design.oracles.uncertain import UncertainOracle
    from chemvae.models.vae import MolVAE


@dataclass(frozen=True)
class Outcome:
    """Everything a campaign found out."""

    history: pd.DataFrame
    """One row per distinct molecule sent to the oracle: ``call`` (from 1), ``smiles`` (canonical), ``score`` (the oracle's
    value in its unit; the weighted desirability when there are several goals), ``reason`` (why there is none), ``seconds``,
    ``z`` (the point it was decoded from), ``utility`` (what was maximised; NaN for what does not count), ``stream`` (what
    proposed it, of :data:`chemvae.design.origin.STREAMS`), ``parent`` (canonical SMILES of what it was made from, a space
    between two: scored before it, or start molecules), and a column per goal when there are several; ``bound`` where a value
    is only known to lie on one side of a limit, such as ``>9``, which counts by
    :func:`chemvae.design.evaluators.censored.as_counted`."""
    proposals: pd.DataFrame
    """What was turned away: ``round``, ``smiles``, ``outcome`` (invalid or refused), ``reason``, ``times``."""
    molecules: pd.DataFrame
    """The best molecules, at most 100: ``smiles``, ``score``, properties computed by RDKit, ``P_predicted`` and
    ``P_predicted_std`` beside them, ``distance`` to the training data, ``hardest_bond`` (where a molecule is most unlike
    what has been made), ``novel`` where the model has a training index, ``nearest_known`` and ``nearest_start`` with their
    similarity where such molecules were given. Where a goal is predicted, ``P_learned``, ``P_learned_low`` and
    ``P_learned_high`` (90 %) and ``P_learned_warning``; of several goals, ``P`` is the prediction too, and ``P_scored`` what
    counted of it, the cautious end of the interval (:mod:`chemvae.design.oracles.uncertain`), which the history has as ``P``
    beside ``P_learned`` (of at most 5,000 calls). What was learned from a table
    has its molecules as the known ones unless others were given (then as ``nearest_labelled``). ``stream`` and ``parent`` are
    those of the history. Where the decoder was retrained, ``lives_in`` names the model through which a molecule
    comes back from its code: "given", "retrained", "both" or "neither"."""
    utility: Utility
    """The goals."""
    rejections: dict[str, int]
    """Constraint -> distinct molecules it turned away."""
    counts: dict[str, int]
    """``points`` decoded, ``valid`` among them at the first, greedy attempt, and how the others ended."""
    settings: dict[str, Any]
    """All that is needed to run it again."""
    stopped: str
    """Why it ended: "budget spent", "cancelled" (by a token), "interrupted" (by Ctrl-C), or in words what it ran out of."""
    elapsed_s: float
    """Wall time."""
    model: MolVAE | None = field(default=None, repr=False)
    """The model that was used: the caller's own, unchanged, or a copy where the optimizer has retrained one."""
    is_retrained: bool = False
    """Whether it is such a copy, in which hits may live that the caller's own does not write; see ``lives_in``."""
    batch: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    """The molecules a laboratory is asked to measure: ``id``, ``batch``, ``smiles``, an empty column per value, and what is
    known of them. Empty for other oracles."""
    receipt: Receipt | None = None
    """What became of the results that were handed in."""
    learned: list[dict[str, Any]] = field(default_factory=list, repr=False)
    """For each value that was learned from a table: from how many labels, its error on molecules left out, and what is claimed
    for the best molecule (:func:`chemvae.design.results.learned.judge`)."""
    leads: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    """What the search set out from, at most three molecules, to compare with: ``smiles``, ``score`` (also of one that a
    constraint turns away, which is a call of the budget; NaN where a laboratory would have to measure it), ``reason`` (the
    constraint, or why there is no score), the goals, and what is known of ``molecules``. Of more than three start molecules
    the best one that was scored."""

    predictors: list[UncertainOracle] = field(default_factory=list, repr=False)
    """The oracles among those asked that predict: they say of any molecule what they predict, and how sure they are, where the
    history has what was scored."""
    n_told: int = 0
    """Rows of ``history`` that nobody asked for: what a laboratory told besides, which the budget does not count."""

    @property
    def best(self) -> pd.Series | None:
        """The row of ``history`` with the highest utility; None if nothing could be scored."""
        return None if self.history["utility"].isna().all() else self.history.loc[self.history["utility"].idxmax()]

    @cached_property
    def pareto(self) -> pd.DataFrame:
        """The rows of ``history`` that the constraints allow and no other beats in one goal without losing in another."""
        allowed = self.history[self.history["utility"].notna()]
        return allowed[non_dominated(self.utility.merits(allowed[self.utility.columns].to_numpy(dtype=float)))]

    @property
    def interrupted(self) -> bool:
        """Whether the user stopped it, by Ctrl-C or by a cancel token: the same call goes on where it has a record."""
        return self.stopped in ("interrupted", "cancelled")


def non_dominated(merits: np.ndarray) -> np.ndarray:
    """Tell which rows no other row dominates; rows with NaN never count.

    Parameters
    ----------
    merits : ndarray [N, P]
        To be maximised.

    Returns
    -------
    ndarray of bool [N]

    Examples
    --------
    >>> non_dominated(np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 1.0], [np.nan, 9.0]]))
    array([ True,  True, False, False])
    """
    from botorch.utils.multi_objective.pareto import is_non_dominated

    usable = ~np.isnan(merits).any(axis=1)
    front = np.zeros(len(merits), dtype=bool)
    front[usable] = is_non_dominated(torch.as_tensor(merits[usable]), deduplicate=False).numpy()
    return front
