"""Bounds on properties, and how users write them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chemvae.chem.properties import compute_table
from chemvae.design.filters.base import Filter
from chemvae.errors import SettingsError

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": np.isclose,
}


MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}


_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"


_SIGN = r"<=|>=|==|<|>|="


_PATTERN = re.compile(rf"^\s*(?:({_NUMBER})\s*({_SIGN})\s*)?([A-Za-z_][\w .\-]*?)\s*(?:({_SIGN})\s*({_NUMBER})\s*)?$")


@dataclass(frozen=True)
class Constraint(Filter):
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
class Range(Filter):
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
        raise SettingsError(f"'{text}' is not a constraint; write for instance SAS<3, MW<=500, 1<logP<3 or novel")
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
