"""RDKit's reader, which the grammar is held against."""

import re

import numpy as np
from rdkit import Chem

from chemvae.chem.molecules import quiet

TOKENS = (
    "C",
    "c",
    "N",
    "O",
    "Cl",
    "[",
    "]",
    "(",
    ")",
    "1",
    "2",
    "=",
    "-",
    "#",
    "/",
    "@",
    "H",
    "+",
    "%10",
    ".",
    ":",
    "<",
    ">",
    "*",
)
LONG_NUMBER = re.compile(r"\d{4}|@[A-Z]")  # numbers RDKit finds too large; stereo classes, whose numbers end somewhere


def reads(smiles):
    """Whether RDKit's reader takes each string, chemistry aside."""
    with quiet():
        mols = [Chem.MolFromSmiles(one, sanitize=False) for one in smiles]
    return np.array([mol is not None and mol.GetNumAtoms() > 0 for mol in mols])
