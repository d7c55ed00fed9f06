"""What a search is asked for, in the words of ``chemvae optimize``: settings.json holds them, a campaign is made of them."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from chemvae.data.catalog.locate import is_catalog_name
from chemvae.data.files.reading import FORMATS, read_records, split_suffix
from chemvae.data.prepare.tables import Table, load_table, read_rows
from chemvae.design.campaign.spec import CampaignSpec
from chemvae.design.evaluators.laboratory import LABORATORY
from chemvae.design.filters.property_bounds import Constraint, Range
from chemvae.design.goals import Goal
from chemvae.design.oracles import cautious, make_oracle
from chemvae.errors import InputError, SettingsError

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

log = logging.getLogger(__name__)

LABORATORY_BATCH = 24


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """The flags of ``chemvae optimize`` that say what is sought and how; JSON types.

    Examples
    --------
    >>> SearchSettings(maximize=["qed"], target=["logP=2.5"], weight=["QED=3"]).goals()[0].weight
    3.0
    """

    model: str | None = None
    """Run folder or shipped model; None where the model was in memory, or is the usual one."""
    maximize: Sequence[str] | None = None
    minimize: Sequence[str] | None = None
    target: Sequence[str] | None = None
    """``NAME=NUMBER`` each, as are weights."""
    weight: Sequence[str] | None = None
    range: Sequence[str] | None = None
    """``NAME=LOW..HIGH`` each."""
    oracle: str | None = None
    """As text; None without one, or where it was an object."""
    oracle_memory: str | None = None
    retry_failures: bool = False
    constraint: Sequence[str] | None = None
    min_similarity: float | None = None
    scaffold: str | None = None
    forbid: Sequence[str] | None = None
    neutral: bool = False
    standardize: str | None = None
    """Of start molecules and laboratory tables; None as usual."""
    alerts: bool = False
    alert_catalog: Sequence[str] | None = None
    plausible: str | None = None
    """Known molecules that ring systems and bonds must be in, by name."""
    start: Sequence[str] | None = None
    """SMILES, or files of them; for a laboratory also with what is measured already."""
    smiles_column: str | None = None
    known: str | None = None
    method: Any = "auto"
    """Name in ``OPTIMIZERS``, or a dict with ``name`` and settings."""
    budget: int = 500
    batch: int | None = None
    diverse: int | None = None
    """Molecules of a batch of which no two are alike; in place of ``batch``."""
    jobs: int | None = None
    engine: str = "local"
    timeout_s: float | None = None
    time_limit: float | None = None
    """Minutes."""
    patience: int = 20
    baseline: bool = False
    seed: int = 0

    def goals(self) -> list[Goal]:
        """The goals that the words for them mean.

        Raises
        ------
        SettingsError
            If a value cannot be read, or a weight or range belongs to no goal.
        """
        return with_ranges(make_goals(vars(self)), self.range)

    def arguments(self) -> dict[str, Any]:
        """The arguments of :func:`chemvae.design.campaign.run.run_campaign` but for model, oracle, method and record."""
        return {
            "budget": self.budget,
            "seed": self.seed,
            "start": read_starts(self.start, self.smiles_column),
            "goals": self.goals() or None,
            "constraints": list(self.constraint or ()),
            "timeout_s": self.timeout_s,
            "batch_size": None if self.diverse else self.batch,
            "diverse": self.diverse,
            "known": read_starts([self.known], self.smiles_column) if self.known else None,
            "min_similarity": self.min_similarity,
            "scaffold": self.scaffold,
            "forbid": list(self.forbid or ()),
            "neutral": self.neutral,
            "standardize": self.standardize or CampaignSpec.standardize,
            "alerts": list(self.alert_catalog or ()) or self.alerts,
            "plausible": self.plausible,
            "patience": self.patience,
            "time_limit_s": None if self.time_limit is None else 60.0 * self.time_limit,
        }

    @property
    def cleaning(self) -> str:
        """How given molecules are standardised, as :attr:`CampaignSpec.cleaning` says it."""
        return "neutral" if self.neutral else self.standardize or CampaignSpec.standardize

    def equip(self, oracle: Any, model: MolVAE | None) -> Any:
        """The oracle with its memory and workers; what has a meaning of its own without them stays as it was given.

        Raises
        ------
        SettingsError
            If there are memory or workers, and no oracle that they are for.
        """
        extras: dict[str, Any] = {"jobs": self.jobs, "engine": None if self.engine == "local" else self.engine}
        extras |= {"memory": self.oracle_memory, "retry_failures": self.retry_failures or None}
        given = {name: value for name, value in extras.items() if value is not None}
        if given and oracle is None:
            raise SettingsError(
                "--oracle-memory, --retry-failures, --jobs and --engine are about --oracle; name one, or leave them out"
            )
        if not given:
            return oracle
        return make_oracle(cautious(make_oracle(oracle, model), self.goals()), model, **given)  # a memory holds what is scored

    def is_laboratory(self, *, hands_over: bool) -> bool:
        """Whether scores come from people; ``hands_over``: a table of molecules or of results is asked for.

        Raises
        ------
        SettingsError
            If they are to come from elsewhere too, or at once.
        """
        named = (self.oracle or "").partition(":")[0].strip().lower() == LABORATORY
        wanted = named or hands_over
        if wanted and self.oracle and not named:
            raise SettingsError(f"--batch-in and --batch-out are for a laboratory; leave them out, or --oracle {self.oracle}")
        if wanted and self.baseline:
            raise SettingsError("--baseline would have as many molecules measured again; leave it out")
        return wanted

    def for_laboratory(self) -> SearchSettings:
        """The same with the oracle and the batch that a laboratory has where nothing else is said."""
        return replace(self, oracle=self.oracle or LABORATORY, batch=self.batch or LABORATORY_BATCH)

    def anchored(self) -> SearchSettings:
        """The same with paths that hold wherever the search is gone on with."""
        model = str(Path(self.model).resolve()) if self.model and Path(self.model).exists() else self.model
        memory = str(Path(self.oracle_memory).resolve()) if self.oracle_memory else None
        return replace(self, model=model, oracle_memory=memory)


WORDS = tuple(field.name for field in fields(SearchSettings))
_KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "str": ("a text", lambda value: isinstance(value, str)),
    "bool": ("true or false", lambda value: isinstance(value, bool)),
    "int": ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "float": ("a number", lambda value: isinstance(value, (int, float)) and not isinstance(value, bool)),
    "Sequence[str]": ("a list of texts", lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value)),
    "Any": ("a name, or a name with settings", lambda value: isinstance(value, (str, dict))),
}


def checked_words(found: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The fields of :class:`SearchSettings` among what a file holds; null is what was not said.

    Raises
    ------
    InputError
        Naming what is of the wrong kind.

    Examples
    --------
    >>> checked_words({"budget": None, "seed": 3, "a word of tomorrow": 1}, Path("settings.json"))
    {'seed': 3}
    """
    words = {field.name: found[field.name] for field in fields(SearchSettings) if found.get(field.name) is not None}
    for field in fields(SearchSettings):
        meaning, fits = _KINDS[str(field.type).removesuffix(" | None")]
        if field.name in words and not fits(words[field.name]):
            raise InputError(
                f"{path} says {field.name} = {str(words[field.name])[:60]!r}, which is not {meaning}. Correct it there, or "
                "delete the file and say the flags of the search again with --resume."
            )
    return words


# words -> objects ---------------------------------------------------------------------------------------------------------


def make_goals(asked: Mapping[str, Any]) -> list[Goal]:
    """Turn what is to be maximised, minimised and brought to a value, with its weights, into goals.

    Raises
    ------
    SettingsError
        If a value cannot be read, or a weight belongs to no goal.

    Examples
    --------
    >>> [g.describe() for g in make_goals({"maximize": ["qed"], "target": ["logP=2.5"], "weight": ["QED=3"]})]
    ['max qed', 'logP = 2.5']
    """
    weights = {name.lower(): value for name, value in (read_pair("--weight", text) for text in asked.get("weight") or ())}
    targets = [read_pair("--target", text) for text in asked.get("target") or ()]
    names = [*(asked.get("maximize") or ()), *(asked.get("minimize") or ()), *(name for name, _ in targets)]
    stray = sorted(weights.keys() - {name.lower() for name in names})
    if stray:
        raise SettingsError(f"--weight {stray[0]} belongs to no goal; name it with --maximize, --minimize or --target")
    w = {name: weights.get(name.lower(), 1.0) for name in names}
    found = [Goal(name, "max", weight=w[name]) for name in asked.get("maximize") or ()]
    found += [Goal(name, "min", weight=w[name]) for name in asked.get("minimize") or ()]
    return found + [Goal(name, target=value, weight=w[name]) for name, value in targets]


def read_pair(flag: str, text: str) -> tuple[str, float]:
    """Read ``NAME=NUMBER``.

    Examples
    --------
    >>> read_pair("--target", "logP = -2.5")
    ('logP', -2.5)
    """
    name, _, value = text.rpartition("=")
    try:
        return (name.strip() or value), float(value) if name.strip() else float("x")
    except ValueError:
        raise SettingsError(f"{flag} wants NAME=NUMBER, such as logP=2.5; got '{text}'") from None


def with_ranges(goals: Sequence[Goal], texts: Sequence[str] | None) -> list[Goal]:
    """Give goals the ranges of ``--range``.

    Examples
    --------
    >>> with_ranges([Goal("pIC50"), Goal("qed")], ["pic50=4..9"])[0].high
    9.0
    """
    found = dict(_read_range(text) for text in texts or ())
    stray = sorted(found.keys() - {goal.name.lower() for goal in goals})
    if stray:
        raise SettingsError(f"--range {stray[0]} belongs to no goal; name it with --maximize, --minimize or --target")
    ranges = [found.get(goal.name.lower(), (goal.low, goal.high)) for goal in goals]
    return [replace(goal, low=low, high=high) for goal, (low, high) in zip(goals, ranges, strict=True)]


def _read_range(text: str) -> tuple[str, tuple[float, float]]:
    name, _, ends = text.rpartition("=")
    low, dots, high = ends.partition("..")
    try:
        if not (name.strip() and dots):
            raise ValueError
        return name.strip().lower(), (float(low), float(high))
    except ValueError:
        raise SettingsError(f"--range wants P=LOW..HIGH, such as pIC50=4..9; got '{text}'") from None


def read_starts(texts: Sequence[str] | None, smiles_column: str | None) -> list[str] | None:
    """Take each text as a file of molecules where it is one, else as a SMILES."""
    found: list[str] = []
    for text in texts or ():
        if not _is_table(text):
            found.append(text)
            continue
        table = load_table(text, smiles_column=smiles_column)
        found += table.smiles
        _say_left_out(text, table)
    return found or None


def _say_left_out(source: str, table: Table) -> None:
    """Say which rows of a table of molecules hold none: a search would fill their place with molecules of its own."""
    if not table.dropped:
        return
    first = next(iter(table.dropped_rows), None)
    example = "" if first is None else f"; the first: row {first.row}, '{first.smiles[:80]}': {first.detail or first.reason}"
    counts = table.dropped.total(), table.n_rows
    log.warning("%s: %d of %d rows hold no molecule that can be used and are left out%s.", source, *counts, example)


def measured_starts(texts: Sequence[str] | None, names: Sequence[str]) -> Any:
    """What start molecules bring along of what a laboratory is to measure: tables with a column for each name.

    Parameters
    ----------
    texts : sequence of str, optional
        As for :func:`read_starts`.
    names : sequence of str
        What is measured.

    Returns
    -------
    str, DataFrame or None
        The one file that has all columns, or the rows of several together; None where none has them.
    """
    found = [text for text in texts or () if _is_table(text) and not is_catalog_name(text) and _has_columns(text, names)]
    if len(found) < 2:
        return found[0] if found else None
    return pd.concat([read_rows(text)[0] for text in found], ignore_index=True)


def _has_columns(path: str, names: Sequence[str]) -> bool:
    """Whether a table has a column of each name, whatever the case."""
    columns = {str(column).strip().lower() for chunk in islice(read_records(path, 1), 1) for column in chunk.frame.columns}
    return all(name.lower() in columns for name in names)


def _is_table(text: str) -> bool:
    """Whether a text names a file of molecules rather than a molecule."""
    return Path(text).is_file() or is_catalog_name(text) or bool(FORMATS.get(split_suffix(text)[0]))


# objects -> words ---------------------------------------------------------------------------------------------------------


def in_words(asked: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split the arguments of a search into words for :class:`SearchSettings` and what the campaign is given as it is.

    Arguments may be named as the flags are, or as :func:`chemvae.design.campaign.run.run_campaign` names them. What words can
    only tell in part (an order of goals, a filter of one's own) is in both; the campaign goes by the object.

    Raises
    ------
    SettingsError
        For names that neither has.

    Examples
    --------
    >>> words, objects = in_words({"goals": [Goal("SAS", "min", weight=2.0)], "oracle": len, "batch_size": 8})
    >>> words["minimize"], words["weight"], words["batch"], sorted(objects)
    (['SAS'], ['SAS=2.0'], 8, ['batch_size', 'goals', 'oracle'])
    """
    unknown = [name for name in asked if name not in WORDS and name not in _AS_OBJECTS]
    if unknown:
        near = difflib.get_close_matches(unknown[0], [*WORDS, *_AS_OBJECTS], n=1)
        raise SettingsError(f"a search has no option '{unknown[0]}'" + (f"; did you mean '{near[0]}'?" if near else ""))
    words: dict[str, Any] = {}
    for name, value in asked.items():
        words |= _SAYING[name](value) if name in _SAYING else {name: value} if name in WORDS else {}
    objects = {name: value for name, value in asked.items() if name in _AS_OBJECTS and _AS_OBJECTS[name](value)}
    return words, objects


def _say_goals(goals: Any) -> dict[str, Any]:
    """Goals as words; those that are no goals say nothing, and the campaign complains of them."""
    listed = goals if isinstance(goals, Iterable) and not isinstance(goals, str) else [goals]
    named = [Goal(goal) if isinstance(goal, str) else goal for goal in listed if isinstance(goal, (str, Goal))]
    plain = [goal for goal in named if goal.target is None]
    words = {
        "maximize": [goal.name for goal in plain if goal.direction == "max"],
        "minimize": [goal.name for goal in plain if goal.direction == "min"],
        "target": [f"{goal.name}={goal.target!r}" for goal in named if goal.target is not None],
        "weight": [f"{goal.name}={goal.weight!r}" for goal in named if goal.weight != 1.0],
        "range": [f"{goal.name}={goal.low!r}..{goal.high!r}" for goal in named if None not in (goal.low, goal.high)],
    }
    return {name: texts or None for name, texts in words.items()}


def _say_constraints(constraints: Any) -> dict[str, Any]:
    listed = constraints if isinstance(constraints, Iterable) and not isinstance(constraints, str) else [constraints]
    texts = [item.label if isinstance(item, (Constraint, Range)) else item for item in listed]
    return {"constraint": [text for text in texts if isinstance(text, str)] or None}


def _say_alerts(alerts: Any) -> dict[str, Any]:
    if isinstance(alerts, bool):
        return {"alerts": alerts}
    return {"alerts": False, "alert_catalog": _as_list(alerts) or None}


def _as_list(texts: Any) -> list[str]:
    return [texts] if isinstance(texts, str) else [str(text) for text in texts]


def _if_text(name: str) -> Callable[[Any], dict[str, Any]]:
    """What is a text (or a path) is a word; anything else is not said."""
    return lambda value: {name: str(value)} if isinstance(value, (str, Path)) else {}


def _several(name: str) -> Callable[[Any], dict[str, Any]]:
    """One text or several, as a list."""
    return lambda value: {name: None if value is None else _as_list(value)}


_SAYING: dict[str, Callable[[Any], dict[str, Any]]] = {
    "goals": _say_goals,
    "constraints": _say_constraints,
    "alerts": _say_alerts,
    "batch_size": lambda value: {"batch": value},
    "time_limit_s": lambda value: {"time_limit": None if value is None else value / 60.0},
    "method": lambda value: {"method": value} if isinstance(value, (str, dict)) else {},
    **{name: _if_text(name) for name in ("oracle", "oracle_memory", "known")},
    **{name: _several(name) for name in ("start", "forbid")},
}
"""How arguments are said that words have another name or form for."""

_AS_OBJECTS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("goals", "constraints", "batch_size", "time_limit_s"), lambda value: value is not None),
    **dict.fromkeys(("oracle", "known"), lambda value: value is not None and not isinstance(value, (str, Path))),
    "method": lambda value: value is not None and not isinstance(value, (str, dict)),
}
"""What the campaign is given as an object, and when: texts are read from the words."""
