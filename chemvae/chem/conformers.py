"""Molecules in space: one conformer of each, the same each time."""

from __future__ import annotations

from functools import lru_cache

from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

CONFORMER_SEED = 0
EMBEDDING_LIMIT_S = 10  # a cage that cannot be laid out is given up
MOST_ATOMS = 200
"""Heavy atoms of a molecule whose conformer is sought; cages of sixty can take minutes to fail."""


@lru_cache(maxsize=256)
def conformer(smiles: str) -> Chem.Mol:
    """A molecule with its hydrogen atoms and one conformer, the same each time; only read it.

    ETKDG version 3, then MMFF94, or UFF where that lacks parameters, as for boron.

    References
    ----------
    Wang et al., Improving Conformer Generation for Small Rings and Macrocycles, 2020. https://doi.org/10.1021/acs.jcim.0c00025.
    Halgren, Merck Molecular Force Field, 1996. Rappe et al., UFF, 1992. https://doi.org/10.1021/ja00051a040

    Raises
    ------
    ValueError
        If none is found within ten seconds, or the molecule has more than 200 heavy atoms.

    Examples
    --------
    >>> water = conformer("O")
    >>> place = water.GetConformer().GetAtomPosition
    >>> water.GetNumAtoms(), round(place(0).Distance(place(1)), 2)  # Angstrom
    (3, 0.97)
    """
    settings = rdDistGeom.ETKDGv3()
    settings.randomSeed = CONFORMER_SEED  # type: ignore[assignment]  # RDKit's stubs give its properties their class's type
    settings.timeout = EMBEDDING_LIMIT_S  # type: ignore[assignment]  # as in the line above
    mol = Chem.MolFromSmiles(smiles)
    if mol.GetNumHeavyAtoms() > MOST_ATOMS:
        raise ValueError(f"no conformer is sought for more than {MOST_ATOMS} heavy atoms")
    mol = Chem.AddHs(mol)
    if rdDistGeom.EmbedMolecule(mol, settings) < 0:
        raise ValueError(f"no conformer of '{smiles}' was found")
    if rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
        rdForceFieldHelpers.MMFFOptimizeMolecule(mol)
    elif rdForceFieldHelpers.UFFHasAllMoleculeParams(mol):
        rdForceFieldHelpers.UFFOptimizeMolecule(mol)
    return mol
