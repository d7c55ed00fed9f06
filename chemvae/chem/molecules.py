"""Read, write and clean molecules, and say in words why a string is not one.

What has more than :data:`LONGEST_SMILES` characters or :data:`MOST_ATOMS` atoms is not read: RDKit crashes on some strings
of ten thousand, and takes minutes for scaffolds and drawings of some with a thousand atoms. Nothing here raises on a bad
molecule: an unreadable string is None and :func:`invalid_reason` tells why. RDKit's own log stays silent inside these
functions and is left as the caller had it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rdkit import Chem, rdBase

from chemvae.errors import InvalidMoleculeError, SettingsError

if TYPE_CHECKING:  # worker processes that only read molecules start sooner without it
    import numpy as np

STANDARDIZE_MODES = ("none", "salts", "neutral")
LONGEST_SMILES = 2_000  # characters
MOST_ATOMS = 500  # heavy ones; the scaffold of as many takes a fifth of a second, their drawing a second and a half
_PROBLEM_WORDS = {
    "KekulizeException": "no alternating bonds fit its aromatic ring",
    "AtomKekulizeException": "it has an aromatic atom outside a ring",
}
UNSEEN = "\u00ad\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
"""Marks without width that copying leaves in a text."""
_WITHOUT_UNSEEN = dict.fromkeys(map(ord, UNSEEN))
_ATOM_PATTERN = re.compile(r"\[[^\]]*\]|Cl|Br|[BCNOPSFI]|[bcnops]|%\d\d|[0-9()=#$:/\\.\-+*~]")


@contextmanager
def quiet() -> Iterator[None]:
    """Silence RDKit's log inside the block; outside it is as it was.

    Examples
    --------
    >>> with quiet():
    ...     Chem.MolFromSmiles("C1CC") is None
    True
    """
    block = rdBase.BlockLogs()
    try:
        yield
    finally:
        del block


def parse(smiles: Any) -> Chem.Mol | None:
    """Read one SMILES; None if RDKit cannot, if there is no atom or are too many, or if it is not a string.

    Blanks around it are ignored, and marks that nobody sees. A blank inside is not: what follows it is a name, which belongs to
    the file reader. Letters that only look like symbols (a Cyrillic С) make no molecule; RDKit would drop them at the ends.

    Examples
    --------
    >>> parse("OCC").GetNumAtoms()
    3
    >>> parse("C(C)(C)(C)(C)C") is None, parse("") is None, parse(float("nan")) is None
    (True, True, True)
    """
    if not isinstance(smiles, str):
        return None
    fields = smiles.translate(_WITHOUT_UNSEEN).split()
    if len(fields) != 1 or len(fields[0]) > LONGEST_SMILES or not fields[0].isascii():
        return None
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(fields[0])
    return mol if mol is not None and mol.GetNumAtoms() > 0 and is_small(mol) else None


def is_molecule(smiles: str) -> bool:
    """Whether RDKit reads a text as a molecule; stands here, so that a process which asks nothing else starts without torch.

    Examples
    --------
    >>> is_molecule("OCC"), is_molecule("C1CC"), is_molecule("")
    (True, False, False)
    """
    return parse(smiles) is not None


def parse_known(smiles: str) -> Chem.Mol:
    """Read a SMILES that is known to be a molecule: it has been read before, or chemvae wrote it itself.

    Raises
    ------
    InvalidMoleculeError
        If it is none all the same.

    Examples
    --------
    >>> parse_known("OCC").GetNumAtoms()
    3
    """
    if (mol := parse(smiles)) is None:
        raise InvalidMoleculeError(smiles, invalid_reason(smiles) or "RDKit reads no molecule in it")
    return mol


def canonicalize(smiles: str) -> str | None:
    """Return RDKit's canonical isomeric SMILES, or None if the string is not a molecule.

    Examples
    --------
    >>> canonicalize("OC[C@@H](N)C"), canonicalize("C1CC")
    ('C[C@H](N)CO', None)
    """
    mol = parse(smiles)
    return None if mol is None else Chem.MolToSmiles(mol)


def randomize(smiles: str, rng: np.random.Generator) -> str:
    """Write the same molecule from a random atom in a random order; what is not a molecule comes back unchanged.

    Examples
    --------
    >>> import numpy as np
    >>> canonicalize(randomize("CC(=O)Oc1ccccc1C(=O)O", np.random.default_rng(0)))
    'CC(=O)Oc1ccccc1C(=O)O'
    """
    mol = parse(smiles)
    if mol is None:
        return smiles
    seed = int(rng.integers(1, 2**31 - 1))
    return Chem.MolToRandomSmilesVect(mol, 1, randomSeed=seed)[0]


def standardize(smiles: str, mode: str = "none") -> str | None:
    """Clean one molecule as asked and return its canonical SMILES; None if it is not a molecule.

    Stereo is always kept, tautomers are left alone.

    Parameters
    ----------
    smiles : str
    mode : {"none", "salts", "neutral"}
        ``none`` canonicalises only; ``salts`` keeps the largest organic fragment with its charge; ``neutral`` also
        removes the charges that adding or taking protons can remove (a quaternary nitrogen keeps its own).

    Raises
    ------
    SettingsError
        If ``mode`` is none of these.

    Examples
    --------
    >>> standardize("[Na+].CC(=O)[O-]", "salts"), standardize("[Na+].CC(=O)[O-]", "neutral")
    ('CC(=O)[O-]', 'CC(=O)O')
    """
    check_standardize_mode(mode)
    mol = parse(smiles)
    if mol is None:
        return None
    if mode == "none" or not _needs_cleaning(mol, mode):
        return Chem.MolToSmiles(mol)
    choose_fragment, uncharge = _cleaners()
    with quiet():
        mol = choose_fragment(mol)
        if mode == "neutral":
            mol = uncharge(mol)
    return canonicalize(Chem.MolToSmiles(mol))


def neutralize(smiles: str) -> str | None:
    """The largest organic part of a molecule without charges that protons can take away, in its canonical SMILES.

    None if it is no molecule, or if it is charged all the same (a quaternary nitrogen). Charges that cancel within it, as in a
    nitro group, are none.

    Examples
    --------
    >>> neutralize("[Na+].CC(=O)[O-]"), neutralize("[NH3+]CC(=O)[O-]"), neutralize("C[N+](C)(C)C"), neutralize("C[N+](=O)[O-]")
    ('CC(=O)O', 'NCC(=O)O', None, 'C[N+](=O)[O-]')
    """
    found = standardize(smiles, "neutral")
    mol = None if found is None else parse(found)
    return found if mol is not None and Chem.GetFormalCharge(mol) == 0 else None


def check_standardize_mode(mode: str) -> None:
    """Raise SettingsError unless ``mode`` is one that :func:`standardize` knows."""
    if mode not in STANDARDIZE_MODES:
        raise SettingsError(f"standardize must be one of {', '.join(STANDARDIZE_MODES)}, got '{mode}'")


def invalid_reason(smiles: Any) -> str | None:
    """Say why a string is not a molecule; None if it is one.

    Examples
    --------
    >>> invalid_reason("c1ccccc1") is None
    True
    >>> invalid_reason("C1CC")
    'ring 1 is opened and never closed'
    >>> invalid_reason("C(C)(C)(C)(C)C")
    'atom 0 (C) has 5 bonds, more than it can carry'
    """
    if not isinstance(smiles, str):
        return "the cell is empty" if smiles is None or smiles != smiles else f"a {type(smiles).__name__} is not a SMILES"
    fields = smiles.translate(_WITHOUT_UNSEEN).split()
    if not fields:
        return "the cell is empty"
    if len(fields) > 1:
        return "it holds a blank; a name belongs in a column of its own"
    if len(fields[0]) > LONGEST_SMILES:
        return f"it has {len(fields[0]):,} characters; molecules of more than {LONGEST_SMILES:,} are not read"
    if parse(smiles) is not None:
        return None
    strange = next((i for i, letter in enumerate(fields[0]) if not letter.isascii()), None)
    if strange is not None:
        shown = fields[0][strange] if fields[0][strange].isprintable() else f"U+{ord(fields[0][strange]):04X}"
        return f"'{shown}' at position {strange} is not a SMILES symbol"
    raw = parse_raw(fields[0])
    if raw is None:
        return _syntax_reason(fields[0])
    if not is_small(raw):
        return f"it has {raw.GetNumHeavyAtoms():,} heavy atoms; molecules of more than {MOST_ATOMS:,} are not read"
    return "it has no atoms" if raw.GetNumAtoms() == 0 else _chemistry_reason(raw)


def parse_raw(smiles: str) -> Chem.Mol | None:
    """Read one SMILES by its grammar alone, without chemistry; None if it does not follow it or is too long.

    Examples
    --------
    >>> parse_raw("C(C)(C)(C)(C)C").GetNumAtoms(), parse_raw("C1CC") is None
    (6, True)
    """
    if not smiles.strip() or len(smiles) > LONGEST_SMILES or not smiles.isascii():
        return None
    with quiet():
        return Chem.MolFromSmiles(smiles, sanitize=False)


def is_small(mol: Chem.Mol) -> bool:
    """Whether a molecule has few enough atoms for everything that is done with it.

    Examples
    --------
    >>> is_small(Chem.MolFromSmiles("CCO"))
    True
    """
    return mol.GetNumHeavyAtoms() <= MOST_ATOMS


def _needs_cleaning(mol: Chem.Mol, mode: str) -> bool:
    """Whether cleaning can change anything; spares the slow cleaners for most molecules."""
    if len(Chem.GetMolFrags(mol)) > 1:
        return True
    return mode == "neutral" and any(atom.GetFormalCharge() for atom in mol.GetAtoms())


@lru_cache(maxsize=1)
def _cleaners() -> tuple[Callable[[Chem.Mol], Chem.Mol], Callable[[Chem.Mol], Chem.Mol]]:
    """Make RDKit's fragment chooser and neutraliser once; importing them costs time that most callers never need."""
    from rdkit.Chem.MolStandardize import rdMolStandardize

    fragments = rdMolStandardize.LargestFragmentChooser(preferOrganic=True)
    return fragments.choose, rdMolStandardize.Uncharger().uncharge


def _chemistry_reason(raw: Chem.Mol) -> str:
    """Put RDKit's first complaint about a readable but impossible molecule in words."""
    with quiet():
        problems = Chem.DetectChemistryProblems(raw)
    if not problems:
        return "RDKit cannot make a molecule of it"
    first = problems[0]
    if first.GetType() == "AtomValenceException":
        atom = raw.GetAtomWithIdx(first.GetAtomIdx())
        bonds = int(sum(bond.GetBondTypeAsDouble() for bond in atom.GetBonds())) + atom.GetNumExplicitHs()
        return f"atom {atom.GetIdx()} ({atom.GetSymbol()}) has {bonds} bonds, more than it can carry"
    return _PROBLEM_WORDS.get(first.GetType(), first.Message())


def _syntax_reason(smiles: str) -> str:
    """Find the first plain slip in a string that RDKit cannot even tokenise."""
    rest = _ATOM_PATTERN.sub("", smiles)
    if "[" in rest or "]" in rest:
        return "a square bracket is not closed" if "[" in rest else "a square bracket is closed and was never opened"
    if rest:
        return f"'{rest[0]}' at position {smiles.index(rest[0])} is not a SMILES symbol"
    bare = re.sub(r"\[[^\]]*\]", "*", smiles)
    depth = bare.count("(") - bare.count(")")
    if depth:
        return "a parenthesis is opened and never closed" if depth > 0 else "a parenthesis is closed and was never opened"
    labels = re.findall(r"%\d\d|\d", bare)
    unpaired = [label for label in dict.fromkeys(labels) if labels.count(label) % 2]
    if unpaired:
        return f"ring {unpaired[0].lstrip('%')} is opened and never closed"
    return "it does not follow the SMILES grammar"
