"""Filters on structure: similarity, substructures, structural alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from rdkit import Chem

from chemvae.chem.alerts import DEFAULT_CATALOGS, catalog_names, find_alerts, has_alert
from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.chem.molecules import canonicalize, neutralize, parse, parse_known, quiet
from chemvae.design.filters.base import Filter
from chemvae.errors import SettingsError


@dataclass(frozen=True)
class Similarity(Filter):
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
        return np.asarray((similarity >= self.minimum).any(axis=1))


@dataclass(frozen=True)
class Substructure(Filter):
    """A pattern that must be there, or must not.

    Chemists write patterns as molecules: as SMARTS, ``C1=CC=CC=C1`` is a ring of aliphatic carbons that no benzene matches, and
    ``N(=O)=O`` no nitro group. So a text that is a SMILES too is looked for in both meanings, and found if either is there. A
    hydrogen that is written out is looked for among all hydrogens.

    Examples
    --------
    >>> Substructure("c1ccccc1", wanted=True).allows(["Cc1ccccc1", "CCO"])
    array([ True, False])
    >>> Substructure("C1=CC=CC=C1", wanted=False).allows(["Cc1ccccc1"])
    array([False])
    >>> Substructure("[H]O", wanted=True).allows(["CCO", "COC"])
    array([ True, False])
    """

    smarts: str
    """SMARTS, or a SMILES."""
    wanted: bool
    """True for a scaffold to keep, False for a forbidden group."""

    def __post_init__(self) -> None:
        if not self._patterns:
            raise SettingsError(f"'{self.smarts}' is not a SMARTS pattern; check its brackets and ring numbers")

    @cached_property
    def _patterns(self) -> list[Chem.Mol]:
        """The SMARTS, then what the text is as a SMILES, if it is a molecule or a group and has no hydrogens to be lost.

        Nothing where it is no SMARTS.
        """
        with quiet():
            pattern = Chem.MolFromSmarts(self.smarts) if self.smarts else None
        if pattern is None:
            return []
        if _has_hydrogens(pattern):
            return [pattern]
        molecule = parse(self.smarts) or _group(self.smarts)
        return [pattern] if molecule is None else [pattern, molecule]

    def _is_in(self, smiles: str) -> bool:
        mol = parse_known(smiles)
        if _has_hydrogens(self._patterns[0]):
            mol = Chem.AddHs(mol)
        return any(mol.HasSubstructMatch(pattern) for pattern in self._patterns)

    @property
    def label(self) -> str:
        """The pattern and what is asked of it."""
        return f"{'keeps' if self.wanted else 'without'} {self.smarts}"

    def allows(self, smiles: Sequence[str]) -> np.ndarray:
        """Look for the pattern."""
        return np.array([self._is_in(text) == self.wanted for text in smiles], dtype=bool)


@dataclass(frozen=True)
class Neutral(Filter):
    """No charge: neither one that protons can take away nor any other (:func:`chemvae.chem.molecules.neutralize`).

    Examples
    --------
    >>> Neutral().allows(["CC(=O)O", "CC(=O)[O-]", "[NH3+]CC(=O)[O-]", "C[N+](C)(C)C", "C[N+](=O)[O-]"])
    array([ True, False, False, False,  True])
    """

    @property
    def label(self) -> str:
        """One word."""
        return "neutral"

    def allows(self, smiles: Sequence[str]) -> np.ndarray:
        """Whether neutralising changes nothing."""
        return np.array([neutralize(text) == canonicalize(text) for text in smiles], dtype=bool)


@dataclass(frozen=True)
class Alerts(Filter):
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


def _group(smiles: str) -> Chem.Mol | None:
    """A group that is no molecule by itself, such as N(=O)=O, as RDKit writes it on a carbon; None if it is none either."""
    hanging = parse(f"C{smiles}")
    if hanging is None:
        return None
    group = Chem.RWMol(hanging)
    group.RemoveAtom(0)
    return group.GetMol()


def _has_hydrogens(pattern: Chem.Mol) -> bool:
    """Whether hydrogens stand in a pattern as atoms."""
    return any(atom.GetAtomicNum() == 1 for atom in pattern.GetAtoms())
