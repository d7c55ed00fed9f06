"""How close one molecule comes to a target: another molecule, a pattern, a molecular formula. Numbers in 0..1."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache, partial
from typing import Any

import numpy as np
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator as generators

from chemvae.chem.desirability import gaussian, geometric_mean
from chemvae.chem.fingerprints import morgan
from chemvae.chem.molecules import canonicalize, invalid_reason, parse_known, quiet
from chemvae.errors import InvalidMoleculeError, SettingsError
from chemvae.registry import find

_ELEMENT = re.compile(r"([A-Z][a-z]?)(\d*)")
ELEMENT_SIGMA, TOTAL_SIGMA = 1.0, 2.0  # atoms; of the isomer score, as in GuacaMol


def _bits() -> Callable[[Chem.Mol], Any]:
    return lambda mol: morgan([mol])[0]


def _morgan_counts(radius: int, features: bool = False) -> Callable[[Chem.Mol], Any]:
    invariants = {"atomInvariantsGenerator": generators.GetMorganFeatureAtomInvGen()} if features else {}
    return generators.GetMorganGenerator(radius=radius, **invariants).GetSparseCountFingerprint


def _atom_pairs() -> Callable[[Chem.Mol], Any]:
    return generators.GetAtomPairGenerator(maxDistance=10).GetSparseCountFingerprint


FINGERPRINTS: dict[str, tuple[Callable[[], Callable[[Chem.Mol], Any]], str]] = {
    "ECFP4": (_bits, "2,048 bits of Morgan environments of radius 2, as --min-similarity"),
    "ECFP4_counts": (partial(_morgan_counts, 2), "how often each Morgan environment of radius 2 occurs, not folded"),
    "ECFP6_counts": (partial(_morgan_counts, 3), "the same with radius 3"),
    "FCFP4_counts": (partial(_morgan_counts, 2, features=True), "radius 2 over features of atoms (donor, aromatic, ...)"),
    "AP": (_atom_pairs, "how often each pair of atoms occurs at each distance up to 10 bonds"),
}
"""Ways to see a molecule that similarity can use: what makes them, and what they hold. The counted ones are GuacaMol's."""


@lru_cache(maxsize=8)
def _view(name: str) -> Callable[[Chem.Mol], Any]:
    return FINGERPRINTS[name][0]()


class SimilarityTo:
    """Tanimoto similarity to one molecule.

    Parameters
    ----------
    smiles : str
        The molecule to come close to.
    fingerprint : str
        Of :data:`FINGERPRINTS`.

    Raises
    ------
    InvalidMoleculeError
        If it is not a molecule.
    UnknownNameError
        If there is no such fingerprint.

    Examples
    --------
    >>> near = SimilarityTo("OCC")
    >>> near(parse_known("CCO")), round(near(parse_known("CCN")), 2)
    (1.0, 0.33)
    """

    def __init__(self, smiles: str, fingerprint: str = "ECFP4"):
        if (canonical := canonicalize(smiles)) is None:
            raise InvalidMoleculeError(smiles, invalid_reason(smiles) or "unreadable")
        self.smiles, self.fingerprint = canonical, find(FINGERPRINTS, fingerprint, "fingerprint")[0]

    def __call__(self, mol: Chem.Mol) -> float:
        """Similarity of a molecule, 0..1."""
        return float(DataStructs.TanimotoSimilarity(self._see(mol), self._target))

    @cached_property
    def _target(self) -> Any:
        return self._see(parse_known(self.smiles))

    def _see(self, mol: Chem.Mol) -> Any:
        return _view(self.fingerprint)(mol)

    def __getstate__(self) -> dict[str, str]:
        return {"smiles": self.smiles, "fingerprint": self.fingerprint}


class HasPattern:
    """1 where a pattern is found, else 0.

    Raises
    ------
    SettingsError
        If it is not a SMARTS pattern.

    Examples
    --------
    >>> HasPattern("c1ccccc1")(parse_known("Cc1ccccc1")), HasPattern("[OH]")(parse_known("CCN"))
    (1.0, 0.0)
    """

    def __init__(self, smarts: str):
        with quiet():
            pattern = Chem.MolFromSmarts(smarts) if smarts else None
        if pattern is None:
            raise SettingsError(f"'{smarts}' is not a SMARTS pattern; check its brackets and ring numbers")
        self.pattern, self.smarts = pattern, smarts

    def __call__(self, mol: Chem.Mol) -> float:
        """1.0 or 0.0."""
        return float(mol.HasSubstructMatch(self.pattern))


class IsomerOf:
    """Closeness to a molecular formula: 1 for its isomers and for nothing else.

    The geometric mean of a Gaussian for each element of the formula (sigma 1 atom) and one for the number of all atoms (sigma
    2 atoms), hydrogens included, counted in the molecule itself.

    Parameters
    ----------
    formula : str
        Such as "C9H10N2O2PF2Cl"; elements may repeat, order does not matter.

    Raises
    ------
    SettingsError
        If it is not a formula.

    References
    ----------
    Brown et al., GuacaMol, 2019. https://doi.org/10.1021/acs.jcim.8b00839

    Examples
    --------
    >>> score = IsomerOf("C2H6O")
    >>> score(parse_known("CCO")), score(parse_known("COC")), round(score(parse_known("CCN")), 3)
    (1.0, 1.0, 0.755)
    """

    def __init__(self, formula: str):
        self.formula, self.wanted = formula, parse_formula(formula)

    def __call__(self, mol: Chem.Mol) -> float:
        """Closeness of a molecule, 0..1."""
        return isomer_score(count_atoms(mol), self.wanted)


def parse_formula(formula: str) -> dict[str, int]:
    """Read a molecular formula: element -> number of atoms.

    Raises
    ------
    SettingsError
        If it is not one.

    Examples
    --------
    >>> parse_formula("C2H5OH")
    {'C': 2, 'H': 6, 'O': 1}
    """
    parts = _ELEMENT.findall(formula)
    if not parts or "".join(element + number for element, number in parts) != formula:
        raise SettingsError(f"'{formula}' is not a molecular formula; write for instance C9H10N2O2PF2Cl")
    table = Chem.GetPeriodicTable()
    counts: Counter[str] = Counter()
    for element, number in parts:
        if not _is_element(table, element):
            raise SettingsError(f"'{formula}' is not a molecular formula: there is no element {element}")
        counts[element] += int(number or 1)
    return dict(counts)


def _is_element(table: Any, symbol: str) -> bool:
    try:
        with quiet():
            return table.GetAtomicNumber(symbol) > 0
    except RuntimeError:
        return False


def count_atoms(mol: Chem.Mol) -> Counter[str]:
    """Count the atoms of each element of a molecule, hydrogens included.

    Examples
    --------
    >>> dict(count_atoms(parse_known("[NH4+]")))
    {'N': 1, 'H': 4}
    """
    counts = Counter(atom.GetSymbol() for atom in mol.GetAtoms())
    hydrogens = sum(atom.GetTotalNumHs() for atom in mol.GetAtoms())
    if hydrogens:
        counts["H"] += hydrogens
    return counts


def isomer_score(found: Mapping[str, int], wanted: Mapping[str, int]) -> float:
    """Geometric mean of the Gaussians of each wanted element and of the number of all atoms."""
    elements = [float(gaussian(found.get(element, 0), n, ELEMENT_SIGMA)) for element, n in wanted.items()]
    total = float(gaussian(sum(found.values()), sum(wanted.values()), TOTAL_SIGMA))
    scores = np.array([[*elements, total]])
    return float(geometric_mean(scores, np.ones(scores.shape[1]))[0])
