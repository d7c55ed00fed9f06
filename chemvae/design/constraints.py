"""Constraints: what a molecule must fulfil to be sent to the oracle. They hold by construction in everything returned."""

from __future__ import annotations

import operator
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from rdkit import Chem

from chemvae.chem.alerts import DEFAULT_CATALOGS, catalog_names, find_alerts, has_alert
from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.chem.molecules import parse, quiet
from chemvae.chem.properties import PROPERTIES, compute_table
from chemvae.errors import SettingsError, UnknownNameError
from chemvae.registry import find

OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": np.isclose}
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_SIGN = r"<=|>=|==|<|>|="
_PATTERN = re.compile(rf"^\s*(?:({_NUMBER})\s*({_SIGN})\s*)?([A-Za-z_][\w .\-]*?)\s*(?:({_SIGN})\s*({_NUMBER})\s*)?$")


class Restriction(ABC):
    """A condition on molecules."""

    @property
    @abstractmethod
    def label(self) -> str:
        """The condition in a few words; rejections are counted under it."""

    @abstractmethod
    def allows(self, smiles: Sequence[str]) -> np.ndarray:
        """Tell for valid molecules which fulfil it: bool [N]."""

    def explain(self, smiles: str) -> str:
        """Say what a molecule that does not fulfil it does wrong."""
        return self.label


@dataclass(frozen=True)
class Constraint(Restriction):
    """A bound on a property, such as ``Constraint("SAS", "<", 3)``.

    Examples
    --------
    >>> Constraint("rings", ">=", 1).allows(["CCO", "c1ccccc1"])
    array([False,  True])
    """

    name: str
    """Of a property (``PROPERTIES``), or of one the model predicts."""
    operator: str
    """One of < <= > >= ==."""
    value: float
    """In the property's unit."""

    def __post_init__(self) -> None:
        if self.operator not in OPERATORS:
            raise SettingsError(f"the constraint on '{self.name}' must use one of {' '.join(OPERATORS)}, got '{self.operator}'")

    @property
    def label(self) -> str:
        """As written."""
        return f"{self.name} {self.operator} {self.value:g}"

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Compare values with the bound: bool [N]; NaN fulfils nothing."""
        return np.asarray(OPERATORS[self.operator](np.asarray(values, dtype=float), self.value), dtype=bool)

    def allows(self, smiles: Sequence[str]) -> np.ndarray:
        """Compute the property with RDKit and compare."""
        return self.holds(compute_table(smiles, [self.name]).to_numpy()[:, 0])


@dataclass(frozen=True)
class Range(Restriction):
    """A property between two bounds.

    Examples
    --------
    >>> parse_constraint("1 < logP <= 3").label
    '1 < logP <= 3'
    """

    lower: Constraint
    """``name > low`` or ``name >= low``."""
    upper: Constraint
    """``name < high`` or ``name <= high``."""

    def __post_init__(self) -> None:
        if not self.lower.value <= self.upper.value:
            raise SettingsError(f"nothing fulfils {self.label}; the smaller number belongs on the left")

    @property
    def name(self) -> str:
        """Of the property."""
        return self.lower.name

    @property
    def label(self) -> str:
        """As written."""
        return f"{self.lower.value:g} {MIRRORED[self.lower.operator]} {self.upper.label}"

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Compare values with both bounds: bool [N]."""
        return self.lower.holds(values) & self.upper.holds(values)

    def allows(self, smiles: Sequence[str]) -> np.ndarray:
        """Compute the property with RDKit and compare."""
        return self.holds(compute_table(smiles, [self.name]).to_numpy()[:, 0])


@dataclass(frozen=True)
class Similarity(Restriction):
    """Tanimoto similarity of ECFP4 (2048 bits) to the nearest of some molecules.

    Examples
    --------
    >>> Similarity(("CCCO",), 0.5).allows(["CCO", "c1ccccc1"])
    array([ True, False])
    """

    references: tuple[str, ...]
    """SMILES."""
    minimum: float
    """In 0..1."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.minimum <= 1.0:
            raise SettingsError(f"min_similarity must be in 0..1, got {self.minimum}")
        if not self.references:
            raise SettingsError("min_similarity needs a molecule to be similar to: give --start SMILES")

    @cached_property
    def _fingerprints(self) -> list[Any]:
        return morgan(list(self.references))

    @property
    def label(self) -> str:
        """The bound."""
        return f"similarity to start >= {self.minimum:g}"

    def allows(self, smiles: Sequence[str]) -> np.ndarray:
        """Compare each molecule with the references."""
        similarity = tanimoto(morgan(list(smiles)), self._fingerprints)  # [N, R]
        return (similarity >= self.minimum).any(axis=1)


@dataclass(frozen=True)
class Substructure(Restriction):
    """A pattern that must be there, or must not.

    Examples
    --------
    >>> Substructure("c1ccccc1", wanted=True).allows(["Cc1ccccc1", "CCO"])
    array([ True, False])
    """

    smarts: str
    """SMARTS (a SMILES will do)."""
    wanted: bool
    """True for a scaffold to keep, False for a forbidden group."""

    def __post_init__(self) -> None:
        if self._pattern is None:
            raise SettingsError(f"'{self.smarts}' is not a SMARTS pattern; check its brackets and ring numbers")

    @cached_property
    def _pattern(self) -> Chem.Mol | None:
        with quiet():
            return Chem.MolFromSmarts(self.smarts) if self.smarts else None

    @property
    def label(self) -> str:
        """The pattern and what is asked of it."""
        return f"{'keeps' if self.wanted else 'without'} {self.smarts}"

    def allows(self, smiles: Sequence[str]) -> np.ndarray:
        """Look for the pattern."""
        return np.array([parse(text).HasSubstructMatch(self._pattern) == self.wanted for text in smiles], dtype=bool)


@dataclass(frozen=True)
class Alerts(Restriction):
    """No structural alert of RDKit's catalogs; :data:`chemvae.chem.alerts.SOURCES` says whose they are.

    Examples
    --------
    >>> Alerts().allows(["CCO", "CCN=[N+]=[N-]"]), Alerts("NIH").explain("CCN=[N+]=[N-]")
    (array([ True, False]), 'no alerts (NIH): azide (NIH)')
    """

    catalogs: tuple[str, ...] | str = DEFAULT_CATALOGS
    """Names of RDKit's catalogs: PAINS, BRENK, NIH, ZINC, ..."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "catalogs", catalog_names(self.catalogs))

    @property
    def label(self) -> str:
        """The catalogs."""
        return f"no alerts ({', '.join(self.catalogs)})"

    def allows(self, smiles: Sequence[str]) -> np.ndarray:
        """Run the catalogs."""
        return np.array([not has_alert(text, self.catalogs) for text in smiles], dtype=bool)

    def explain(self, smiles: str) -> str:
        """The label, and the alerts hit."""
        return f"{self.label}: {', '.join(str(alert) for alert in find_alerts(smiles, self.catalogs))}"


def parse_constraint(text: str) -> Constraint | Range:
    """Read a constraint as users write it: ``SAS<3``, ``MW <= 500``, ``1 < logP < 3``.

    Raises
    ------
    SettingsError
        If it cannot be read.

    Examples
    --------
    >>> parse_constraint("SAS<3")
    Constraint(name='SAS', operator='<', value=3.0)
    >>> parse_constraint("5 >= HBD").label
    'HBD <= 5'
    """
    match = _PATTERN.match(text)
    if match is None or (match[2] is None and match[4] is None):
        raise SettingsError(f"'{text}' is not a constraint; write for instance SAS<3, MW<=500 or 1<logP<3")
    left, left_sign, name, right_sign, right = match.groups()
    bounds = []
    if left_sign:
        bounds.append(Constraint(name, MIRRORED[_plain(left_sign)], float(left)))
    if right_sign:
        bounds.append(Constraint(name, _plain(right_sign), float(right)))
    if len(bounds) == 1:
        return bounds[0]
    if bounds[0].operator[0] == "<" and bounds[1].operator[0] == ">":  # 3 > logP > 1
        bounds.reverse()
    if bounds[0].operator[0] != ">" or bounds[1].operator[0] != "<":
        raise SettingsError(f"'{text}' is not a range; write for instance 1<logP<3")
    return Range(*bounds)


def _plain(sign: str) -> str:
    return "==" if sign == "=" else sign


def gather_constraints(
    constraints: Iterable[Restriction | str] | Restriction | str | None = None,
    *,
    start: Sequence[str] = (),
    min_similarity: float | None = None,
    scaffold: str | None = None,
    forbid: Sequence[str] | str = (),
    alerts: bool | str | Sequence[str] = False,
) -> list[Restriction]:
    """Collect what flags and arguments ask for into one list.

    Parameters
    ----------
    constraints : Constraint, text such as "SAS<3", any Restriction, or several of these
    start : sequence of str
        Molecules that ``min_similarity`` refers to.
    min_similarity : float, optional
        ECFP4 Tanimoto to the nearest start molecule.
    scaffold : str, optional
        SMARTS that must be kept.
    forbid : SMARTS or sequence of SMARTS
    alerts : bool, str or sequence of str
        Turn away what the catalogs flag: True for PAINS and BRENK, or the names of others.

    Examples
    --------
    >>> [r.label for r in gather_constraints("SAS<3", scaffold="c1ccccc1", forbid="N=O")]
    ['SAS < 3', 'keeps c1ccccc1', 'without N=O']
    """
    listed = isinstance(constraints, Iterable) and not isinstance(constraints, str)
    given = list(constraints) if listed else [] if constraints is None else [constraints]
    if not all(isinstance(item, (Restriction, str)) for item in given):
        raise SettingsError(f"constraints are texts such as 'SAS<3', restrictions, or a list of these; got {constraints!r}")
    found = [parse_constraint(item) if isinstance(item, str) else item for item in given]
    if min_similarity is not None:
        found.append(Similarity(tuple(start), float(min_similarity)))
    if scaffold:
        found.append(Substructure(scaffold, wanted=True))
    found += [Substructure(text, wanted=False) for text in ([forbid] if isinstance(forbid, str) else forbid)]
    if alerts:
        found.append(Alerts() if alerts is True else Alerts(alerts))
    return found


class Gatekeeper:
    """Checks molecules against all constraints and counts, under their labels, how many distinct ones each turned away.

    Properties that RDKit computes come from RDKit; others from the model's predictor.

    Raises
    ------
    UnknownNameError
        If a constraint names a property that is neither computed nor predicted.

    Examples
    --------
    >>> gate = Gatekeeper([Constraint("rings", ">", 0), Constraint("HBD", "<", 1)])
    >>> gate.verdicts(["c1ccccc1", "CCO", "CCC"]), dict(gate.counts)
    (['', 'rings > 0', 'rings > 0'], {'rings > 0': 2, 'HBD < 1': 1})
    """

    def __init__(self, restrictions: Sequence[Restriction], model: Any = None):
        self.restrictions, self.model = list(restrictions), model
        self.counts: Counter[str] = Counter({item.label: 0 for item in self.restrictions})
        self._verdicts: dict[str, str] = {}
        bounds = [item for item in self.restrictions if isinstance(item, (Constraint, Range))]
        self._sources = {item.name: self._source(item.name) for item in bounds}

    def verdicts(self, smiles: Sequence[str]) -> list[str]:
        """Say for each canonical molecule what is wrong by the first constraint it breaks, "" if it breaks none."""
        new = [text for text in dict.fromkeys(smiles) if text not in self._verdicts]
        if new:
            self._judge(new)
        return [self._verdicts[text] for text in smiles]

    def _judge(self, smiles: list[str]) -> None:
        table = self._properties(smiles)
        first = [""] * len(smiles)
        for item in self.restrictions:
            fine = item.holds(table[item.name]) if isinstance(item, (Constraint, Range)) else item.allows(smiles)
            self.counts[item.label] += int((~fine).sum())
            for i in np.flatnonzero(~fine):
                first[i] = first[i] or item.explain(smiles[i])
        self._verdicts.update(zip(smiles, first, strict=True))

    def _properties(self, smiles: list[str]) -> dict[str, np.ndarray]:
        computed = sorted({key for kind, key in self._sources.values() if kind == "computed"})
        frames = compute_table(smiles, computed) if computed else {}
        needs_model = any(kind == "predicted" for kind, _ in self._sources.values())
        predicted = self.model.predict(smiles) if needs_model else {}
        return {
            name: np.asarray((frames if kind == "computed" else predicted)[key], dtype=float)
            for name, (kind, key) in self._sources.items()
        }

    def _source(self, name: str) -> tuple[str, str]:
        try:
            return "computed", find(PROPERTIES, name, "property")[0]
        except UnknownNameError:
            predicted = {key: None for key in getattr(self.model, "property_names", ())}
            if name.lower() in (key.lower() for key in predicted):
                return "predicted", find(predicted, name, "property")[0]
            return find({key: None for key in (*PROPERTIES, *predicted)}, name, "property")  # raises, naming the choices
