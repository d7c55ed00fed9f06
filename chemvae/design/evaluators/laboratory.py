"""Campaigns whose scores come from a laboratory: molecules are handed out in batches, results come back days later.

The campaign is run anew each time: it repeats itself from its record up to the batch that is open, with the results that have
come in, and hands out what it proposes next. So nothing but the record need be kept, and where every round fills its batch and
every batch comes back whole, the choices are those of a campaign with a function that gives the same values.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from chemvae.chem.properties import PROPERTIES
from chemvae.design.evaluators.base import Evaluator, Plan
from chemvae.design.evaluators.history import Call, Chosen, History
from chemvae.design.evaluators.ledger import BEFORE, Ledger, read_ids
from chemvae.design.evaluators.receipt import Receipt
from chemvae.design.evaluators.results_table import Measurement, read_measurements
from chemvae.design.goals import Goal
from chemvae.design.oracles import DEFAULT_NAME, NoScore, Oracle, Score
from chemvae.design.oracles.score import is_usable
from chemvae.design.origin import UNKNOWN, Origin
from chemvae.errors import SettingsError

logger = logging.getLogger(__name__)

LABORATORY = "laboratory"
SMALL = 1e-3
TOO_LARGE = "larger than any measurement"
TOLD = Origin("told")


class Laboratory(Oracle):
    """What people measure. It scores nothing by itself: :func:`run_campaign` hands out molecules and is given ``results``.

    Parameters
    ----------
    *names : str
        Columns of the tables of results; "score" if none is given.

    Examples
    --------
    >>> Laboratory("pIC50", "solubility").describe()
    'laboratory: pIC50, solubility'
    """

    is_foreign = False
    shares_work = False
    keeps_limit = True

    def __init__(self, *names: str):
        self.names = names or (DEFAULT_NAME,)
        self.label = f"{LABORATORY}: {', '.join(self.names)}"

    def evaluate(self, smiles: Sequence[str]) -> np.ndarray:
        """Nothing is known before it is told."""
        raise NoScore("not measured yet")


def name_laboratory(oracle: Any, goals: Sequence[Goal | str] | Goal | str | None) -> Any:
    """Turn ``"laboratory"`` or ``"laboratory:NAME,NAME"`` into a :class:`Laboratory`; anything else is returned as it is.

    Without names, goals that RDKit cannot compute are measured; all goals if it could compute them all.

    Examples
    --------
    >>> name_laboratory("laboratory", ["pIC50", "qed"]).names, name_laboratory("laboratory:logP", ["logP"]).names
    (('pIC50',), ('logP',))
    """
    kind, _, named = oracle.partition(":") if isinstance(oracle, str) else ("", "", "")
    if kind.strip().lower() != LABORATORY:
        return oracle
    given = [goals] if isinstance(goals, (Goal, str)) else goals or []
    wanted = [goal.name if isinstance(goal, Goal) else goal for goal in given]
    computed = {name.lower() for name in PROPERTIES}
    names = [name.strip() for name in named.split(",") if name.strip()]
    return Laboratory(*(names or [name for name in wanted if name.lower() not in computed] or wanted))


def find_laboratory(oracle: Oracle) -> Laboratory | None:
    """The laboratory among an oracle's parts, None if there is none."""
    return next((part for part in getattr(oracle, "oracles", [oracle]) if isinstance(part, Laboratory)), None)


def read_results(results: Any, oracle: Oracle | None, record: str | Path | None, mode: str) -> Any:
    """Read results before anything that takes time, for a campaign with this record; None stays None.

    Returns
    -------
    list of Measurement or None
        What :func:`read_measurements` makes of them; it takes these again.

    Raises
    ------
    SettingsError
        If the oracle has no laboratory among its parts.
    InputError, NothingUsableError
        If the table cannot be taken.
    """
    if results is None:
        return None
    if oracle is None or find_laboratory(oracle) is None:
        raise SettingsError(f"results are what a laboratory measured; say oracle='{LABORATORY}', or leave them out")
    handed_out = {} if record is None else read_ids(Path(record))
    return read_measurements(results, _laboratory_of(oracle).names, handed_out, mode)


def _laboratory_of(oracle: Oracle) -> Laboratory:
    """The laboratory among the parts of an oracle that has one."""
    found = find_laboratory(oracle)
    if found is None:
        raise SettingsError(f"the oracle '{oracle.describe()}' has no laboratory among its parts, and results need one")
    return found


class LaboratoryEvaluator(Evaluator):
    """Hands out the molecules of each round, and takes in what the book says was measured.

    Parameters
    ----------
    book : Ledger
    receipt : Receipt or None
    oracle : Oracle
        The laboratory, or several oracles with it among them: the others are asked when a molecule has been measured.
    plan : Plan
        The budget counts results of molecules that were asked for.
    encode : callable
        Canonical SMILES -> points [N, D]; NaN rows for what the model cannot write.
    """

    def __init__(
        self,
        ledger: Ledger,
        receipt: Receipt | None,
        oracle: Oracle,
        plan: Plan,
        encode: Callable[[Sequence[str]], np.ndarray],
    ):
        self.ledger, self.receipt, self.oracle, self.encode, self.plan = ledger, receipt, oracle, encode, plan
        self.batch_size, self.budget = plan.batch_size, plan.budget
        self.ids, self.history = ledger.names, History(None, {})
        self.open: dict[str, np.ndarray] = {}
        self.unsolicited: list[str] = []
        self._last = max(ledger.batches, default=BEFORE)  # round that was played before
        self._taken: set[int] = set()
        self._proposed: dict[str, Origin] = {}  # by today's campaign, for a record that does not say

    def begin(self) -> list[Call]:
        """Results that came before anything was asked."""
        return self._take_in(BEFORE)

    def size(self, round_: int) -> int:
        """As many as when the round was first played."""
        return self.ledger.batches[round_].size if round_ in self.ledger.batches else self.batch_size

    def capacity(self, round_: int, size: int) -> int | None:
        """What fills the batch up again; None where it is full and no result has come in."""
        if round_ in self.ledger.batches:
            return len(self.ledger.batches[round_].points)
        if round_ < self._last:
            return 0
        free = min(size, self.batch_size, self.budget - self.n_paid) - len(self.open)
        return free if free > 0 else None

    def score(self, round_: int, molecules: Sequence[Chosen]) -> list[Call]:
        """Hand out the molecules, unless that was done, and return what came in before the next round on others."""
        if molecules and round_ > self._last:
            self.ledger.hand_out(round_, molecules, self.batch_size)
        points = self.ledger.batches[round_].points if round_ in self.ledger.batches else {}
        self._proposed |= {one.smiles: one.origin for one in molecules}
        chosen = {one.smiles for one in molecules}
        if points.keys() != chosen:
            logger.info("Round %d is taken as it was handed out, though other molecules would be proposed today.", round_)
        self.open |= points
        return [call for call in self._take_in(round_) if call.smiles not in chosen]

    def finish(self) -> None:
        """Take in what the record holds beyond the rounds played."""
        self._take_in(BEFORE)
        for round_, batch in self.ledger.batches.items():
            self.open |= {text: z for text, z in batch.points.items() if text not in self.history.known}
            self._take_in(round_)

    def batch_table(self, described: pd.DataFrame) -> pd.DataFrame:
        """The open molecules as a table to fill in.

        Parameters
        ----------
        described : DataFrame
            ``smiles`` of all open molecules, and what is known of them.

        Returns
        -------
        DataFrame
            ``id``, ``batch`` (the first it was in), ``smiles``, an empty column per value to measure, then what is known, to
            four decimals; to four digits what is smaller than a thousandth.
        """
        id_of = {text: key for key, text in self.ledger.ids.items()}
        smiles = described["smiles"].tolist()
        table = pd.DataFrame({"id": [id_of[text] for text in smiles], "batch": [self.ledger.batch_of[text] for text in smiles]})
        table = table.assign(smiles=smiles, **dict.fromkeys(_laboratory_of(self.oracle).names, ""))
        rest = described[[column for column in described if column not in table]]
        return table.join(rest.reset_index(drop=True).apply(_shortened))

    def close(self) -> None:
        """Let others work with the ledger."""
        self.ledger.record.close()

    def _take_in(self, round_: int) -> list[Call]:
        """The results of one round as calls."""
        told = [] if round_ in self._taken else self.ledger.told_in(round_)
        self._taken.add(round_)
        strangers = [one.smiles for one in told if one.smiles not in self.ledger.batch_of]
        points = self.open | dict(zip(strangers, self.encode(strangers), strict=True))
        calls = [
            Call(one.smiles, self._score(one), np.asarray(points[one.smiles]), self._bounds(one), self._origin(one.smiles))
            for one in told
        ]
        self.unsolicited += strangers
        for call in calls:
            self.open.pop(call.smiles, None)
            self.history.append(call)
            self.plan.on_call(call)
        return calls

    def _origin(self, smiles: str) -> Origin:
        """What proposed a measured molecule; nothing here did where nobody asked for it."""
        batch = next((batch for batch in self.ledger.batches.values() if smiles in batch.origins), None)
        if batch is None:
            return TOLD
        known = batch.origins[smiles]
        return self._proposed.get(smiles, known) if known == UNKNOWN else known

    def _bounds(self, one: Measurement) -> tuple[str, ...]:
        """The bounds of what was measured among the values of all oracles; what these compute is exact."""
        parts = getattr(self.oracle, "oracles", [self.oracle])
        marks = [one.bounds if isinstance(part, Laboratory) else ("",) * len(part.names) for part in parts]
        return tuple(mark for part in marks for mark in part) if one.bounds else ()

    def _score(self, one: Measurement) -> Score:
        """Join what was measured with what the other oracles say."""
        values = tuple(value if is_usable(value) else math.nan for value in one.values)
        score = Score(values, one.reason or ("" if values == one.values else TOO_LARGE))
        _laboratory_of(self.oracle).remember(one.smiles, score)
        if isinstance(self.oracle, Laboratory):
            return score  # no foreign code: nothing to seed
        return next(self.plan.seeded(self.oracle.iter_scores([one.smiles])))


def _shortened(column: pd.Series) -> pd.Series:
    """Numbers short enough to be read by people; anything else as it is."""
    if not pd.api.types.is_float_dtype(column):
        return column
    return column.round(4).where(~(column.abs() < SMALL), column.map(lambda value: float(f"{value:.4g}")))


def open_laboratory(
    path: str | Path | None, settings: Mapping[str, Any], oracle: Oracle, results: Any, **options: Any
) -> LaboratoryEvaluator:
    """Open the book of a campaign, and record results that have come in.

    Parameters
    ----------
    path : path
        Of the ledger.
    settings : mapping
        What must stay the same; how many molecules are asked for at a time may change.
    oracle : Oracle
    results : path, DataFrame or None
        As for :func:`read_measurements`.
    **options
        ``latent_dim``, ``standardize`` (of molecules in the results), and the other arguments of :class:`LaboratoryEvaluator`.

    Raises
    ------
    SettingsError
        Without a path: the book is what the campaign goes on from.
    """
    if path is None:
        raise SettingsError("a laboratory's campaign needs history_path: what was asked and told must be kept between batches")
    names = _laboratory_of(oracle).names
    shape, mode = (len(names), options.pop("latent_dim", None)), options.pop("standardize", "none")
    ledger = Ledger(path, {key: value for key, value in settings.items() if key not in ("batch_size", "diverse")}, shape)
    try:
        receipt = None if results is None else ledger.take(read_measurements(results, names, ledger.ids, mode))
    except Exception:
        ledger.record.give_up()
        raise
    return LaboratoryEvaluator(ledger, receipt, oracle, **options)
