"""Atoms in space, as every calculator takes them, and the error by which a calculation says why there is no value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from rdkit import Chem

BOHR_ANGSTROM = 0.529177210903  # CODATA 2018
HARTREE_EV = 27.211386245988
DEBYE_AU = 2.541746473  # debye per atomic unit of dipole moment


class CalculationError(ValueError):
    """A calculation without a value; the text is the reason, for the row of the table where the value would stand.

    Parameters
    ----------
    reason : str
    values : mapping of quantity to number, optional
        What it has found all the same.
    """

    def __init__(self, reason: str, values: Mapping[str, float] | None = None):
        super().__init__(reason)
        self.values = dict(values or {})


@dataclass(frozen=True)
class Structure:
    """One molecule in one geometry, a closed shell."""

    smiles: str
    """Canonical, without explicit hydrogen atoms: what results are kept under."""
    numbers: np.ndarray
    """[A] atomic numbers, hydrogens included."""
    positions: np.ndarray
    """[A, 3] Angstrom."""
    charge: int
    """Elementary charges."""

    @classmethod
    def from_mol(cls, mol: Chem.Mol) -> Structure:
        """Take a molecule with its hydrogen atoms and one conformer.

        Raises
        ------
        CalculationError
            If it has no conformer.

        Examples
        --------
        >>> from chemvae.chem.conformers import conformer
        >>> water = Structure.from_mol(conformer("O"))
        >>> water.smiles, water.symbols, water.n_electrons
        ('O', ['O', 'H', 'H'], 10)
        """
        if mol.GetNumConformers() == 0:
            raise CalculationError("the molecule has no conformer")
        numbers = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()])
        positions = np.array(mol.GetConformer().GetPositions())
        return cls(heavy_smiles(mol), numbers, positions, Chem.GetFormalCharge(mol))

    @property
    def symbols(self) -> list[str]:
        """[A] element symbols."""
        table = Chem.GetPeriodicTable()
        return [table.GetElementSymbol(int(number)) for number in self.numbers]

    @property
    def positions_bohr(self) -> np.ndarray:
        """[A, 3] Bohr, the unit of most programs."""
        return self.positions / BOHR_ANGSTROM

    @property
    def n_electrons(self) -> int:
        """All electrons."""
        return int(self.numbers.sum()) - self.charge

    @property
    def n_heavy(self) -> int:
        """Atoms other than hydrogen."""
        return int((self.numbers > 1).sum())


def heavy_smiles(mol: Chem.Mol) -> str:
    """Canonical SMILES of a molecule without the hydrogen atoms that were added to it.

    Examples
    --------
    >>> heavy_smiles(Chem.AddHs(Chem.MolFromSmiles("OCC")))
    'CCO'
    """
    return Chem.MolToSmiles(Chem.RemoveHs(mol, sanitize=False))  # what was read once need not be understood anew
