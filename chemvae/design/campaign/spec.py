"""The numbers and choices of a campaign, checked, and what a caller holds in hand while it runs."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from chemvae.chem.molecules import STANDARDIZE_MODES
from chemvae.design.campaign.progress import Progress
from chemvae.design.filters.base import Filter
from chemvae.design.filters.parsing import gather_constraints
from chemvae.design.filters.structure import Neutral
from chemvae.design.goals import Goal
from chemvae.errors import SettingsError
from chemvae.progress import CancelToken

LARGEST_SEED = 2**32 - 1
SMALLEST_BATCH, LARGEST_BATCH, BATCHES = 5, 64, 50
MOST = {"budget": 10**9, "patience": 10**9, "batch_size": 10_000}
"""Calls, rounds, and molecules of a round, which are judged together."""
LONGEST_S = 1e8  # three years: what the system's clocks can be asked to wait


@dataclass(frozen=True)
class CampaignSpec:
    """What a campaign seeks, within which bounds, and how: everything but the model, the oracle, and who watches.

    Raises
    ------
    SettingsError
        If numbers are out of range; all complaints at once.

    Examples
    --------
    >>> CampaignSpec(budget=1000).molecules_per_round
    20
    >>> CampaignSpec(budget=0, timeout_s=-1)
    Traceback (most recent call last):
    chemvae.errors.SettingsError: budget must be a whole number >= 1, got 0; timeout_s must be a number > 0, got -1
    """

    budget: int = 100
    """Distinct molecules to score, >= 1; failures and scored start molecules count."""
    seed: int = 0
    """The same seed gives the same history."""
    method: Any = "auto"
    """Name in ``OPTIMIZERS``, a dict with ``name`` and settings, an Optimizer class or an instance."""
    start: Sequence[str] | str | None = None
    """SMILES to start from. They are scored first (at most 20, or a fiftieth of the budget where that is more); the others are
    a library that the optimizer may choose from."""
    goals: Sequence[Goal | str] | Goal | str | None = None
    """Goals or names; by default what the oracle gives is maximised. See :func:`plan_goals`."""
    constraints: Sequence[Filter | str] | Filter | str | None = None
    """Texts such as ``"SAS<3"`` or filters: they hold for every molecule that is scored."""
    min_similarity: float | None = None
    """ECFP4 Tanimoto to the nearest start molecule that every molecule keeps, 0 to 1."""
    scaffold: str | None = None
    """SMARTS that every molecule keeps."""
    forbid: Sequence[str] | str = ()
    """SMARTS that no molecule contains."""
    alerts: bool | str | Sequence[str] = False
    """Structural alerts that no molecule has: True for PAINS and BRENK, or the names of RDKit's catalogs."""
    neutral: bool = False
    """Every molecule is neutral: charges that protons can take away are taken from what is decoded and from start molecules,
    and what is charged all the same breaks a constraint."""
    standardize: str = "salts"
    """What is done to start molecules and to what a laboratory is given and tells: "salts" keeps the largest part of each,
    "neutral" takes charges away too, "none" leaves them."""
    batch_size: int | None = None
    """Molecules per round; by default a fiftieth of the budget within 5 to 64."""
    patience: int = 20
    """The search ends after this many rounds in a row without a new molecule, a round being ten points for each molecule of the
    batch (methods that decode fewer at a time have as many more rounds)."""
    timeout_s: float | None = None
    """Seconds a molecule may take; an overrun is a failed call. The oracle then runs in a worker process."""
    time_limit_s: float | None = None
    """No round begins after this many seconds."""
    known: Sequence[str] | None = None
    """SMILES of known molecules, to report the nearest one of each design."""
    history_path: str | Path | None = None
    """Journal of all calls, as JSON lines. If it exists, the campaign repeats itself up to where the record ends without paying
    for any molecule again, and goes on from there."""

    def __post_init__(self) -> None:
        complaints = [*self._bad_counts(), *self._bad_seed(), *self._bad_limits()]
        if self.standardize not in STANDARDIZE_MODES:
            complaints.append(f"standardize must be one of {', '.join(STANDARDIZE_MODES)}, got {self.standardize!r}")
        if complaints:
            raise SettingsError(complaints)
        for name in ("start", "goals", "constraints", "forbid", "known"):  # a generator can be read only once
            if isinstance(getattr(self, name), Iterator):
                object.__setattr__(self, name, tuple(getattr(self, name)))

    @property
    def molecules_per_round(self) -> int:
        """The batch size, or what it is by default."""
        return self.batch_size or min(max(self.budget // BATCHES, SMALLEST_BATCH), LARGEST_BATCH)

    @property
    def cleaning(self) -> str:
        """How given molecules are standardised."""
        return "neutral" if self.neutral else self.standardize

    def filters(self, starts: Sequence[str]) -> list[Filter]:
        """All constraints as filters; ``starts`` are canonical."""
        kind = [Neutral()] if self.neutral else []
        return kind + gather_constraints(
            self.constraints,
            start=starts,
            min_similarity=self.min_similarity,
            scaffold=self.scaffold,
            forbid=self.forbid,
            alerts=self.alerts,
        )

    def _bad_counts(self) -> list[str]:
        counts: dict[str, Any] = {"budget": self.budget, "patience": self.patience, "batch_size": self.batch_size}
        given = {name: value for name, value in counts.items() if not (name == "batch_size" and value is None)}
        wrong = [name for name, value in given.items() if not (_is_whole(value) and value >= 1)]
        large = [name for name, value in given.items() if name not in wrong and value > MOST[name]]
        return [f"{name} must be a whole number >= 1, got {given[name]!r}" for name in wrong] + [
            f"{name} must be at most {MOST[name]:,}, got {given[name]:,}" for name in large
        ]

    def _bad_seed(self) -> list[str]:
        fine = _is_whole(self.seed) and 0 <= self.seed <= LARGEST_SEED
        return [] if fine else [f"seed must be a whole number from 0 to {LARGEST_SEED}, got {self.seed!r}"]

    def _bad_limits(self) -> list[str]:
        limits = {"timeout_s": self.timeout_s, "time_limit_s": self.time_limit_s}
        given = {name: value for name, value in limits.items() if value is not None}
        wrong = [
            name for name, value in given.items() if isinstance(value, bool) or not (isinstance(value, Real) and value > 0)
        ]
        long = [name for name, value in given.items() if name not in wrong and value > LONGEST_S]
        return [f"{name} must be a number > 0, got {given[name]!r}" for name in wrong] + [
            f"{name} must be at most {LONGEST_S:g} s, got {given[name]!r}; leave it out for no limit" for name in long
        ]


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


@dataclass(frozen=True)
class Controls:
    """What a caller holds in hand while a campaign runs; it changes nothing of what the campaign is."""

    callback: Callable[[Progress], None] | None = None
    """Called with :class:`Progress` after each round, and about once a second while an oracle works."""
    cancel: CancelToken = field(default_factory=CancelToken)
    """Ends the search, from any thread, after the molecule that is being scored; it returns what it has."""
    results: Any = None
    """What a laboratory has measured since, a path or a DataFrame; see :func:`read_measurements`. Molecules that nobody asked
    for are taken too, and do not count against the budget. Each is on record in ``history_path`` before anything else."""


def sort_options(spec: CampaignSpec | None, options: Mapping[str, Any]) -> tuple[CampaignSpec, Controls]:
    """Sort options into a spec and controls; one given by name goes before the spec's own.

    Raises
    ------
    SettingsError
        If there is no such option, naming the nearest; or for numbers out of range.

    Examples
    --------
    >>> sort_options(CampaignSpec(seed=3), {"budget": 10})[0].seed
    3
    >>> sort_options(None, {"bugdet": 10})
    Traceback (most recent call last):
    chemvae.errors.SettingsError: a search has no option 'bugdet'; did you mean 'budget'?
    """
    own, held = ({one.name for one in fields(kind)} for kind in (CampaignSpec, Controls))
    unknown = [name for name in options if name not in own | held]
    if unknown:
        raise SettingsError([_unknown(name, sorted(own | held)) for name in unknown])
    chosen = {name: value for name, value in options.items() if name in own}
    controls = {name: value for name, value in options.items() if name in held and value is not None}
    return CampaignSpec(**chosen) if spec is None else replace(spec, **chosen), Controls(**controls)


def _unknown(name: str, choices: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(name.lower(), choices, n=1)
    hint = f"did you mean '{nearest[0]}'?" if nearest else f"it has {', '.join(choices)}"
    return f"a search has no option '{name}'; {hint}"
