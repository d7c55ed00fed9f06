"""What of a molecule is known in ChEMBL: ring systems, bonds, and with an extra scaffolds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rdkit import Chem
from rdkit.Chem.EnumerateStereoisomers import EnumerateStereoisomers, StereoEnumerationOptions

from chemvae.chem.molecules import neutralize, parse, quiet
from chemvae.chem.plausibility.bloom import BloomFilter
from chemvae.chem.plausibility.fragments import bond_keys, ring_systems

TABLES: dict[str, tuple[str, str | None]] = {
    "chembl": ("chembl_rings.bloom", "chembl_bonds.bloom"),
    "chembl-rings": ("chembl_rings.bloom", None),
}
"""What molecules can be plausible by: the files of ring systems and of bonds that are known, where bonds are looked at."""
DEFAULT_TABLE = "chembl"
ASSETS = Path(__file__).parent / "assets"
MOST_CONFIGURATIONS = 32


@dataclass(frozen=True)
class Strangeness:
    """What of a molecule is in no molecule of a table."""

    rings: tuple[str, ...]
    """Ring systems, as SMILES."""
    bonds: tuple[str, ...]
    """Bonds with the neighbours of both ends, as SMILES."""

    def __bool__(self) -> bool:
        return bool(self.rings or self.bonds)

    def __str__(self) -> str:
        parts = [f"ring system {', '.join(self.rings)}"] if self.rings else []
        return "; ".join([*parts, *([f"bond in {', '.join(self.bonds)}"] if self.bonds else [])])


def strangeness(smiles: str | Chem.Mol, table: str = DEFAULT_TABLE) -> Strangeness:
    """Find what of a molecule is in no molecule of a table.

    Charges that protons can take away are taken first: ChEMBL writes its molecules neutral. A ring system is known in whatever
    configuration. What is not a molecule has nothing that could be strange.

    Parameters
    ----------
    smiles : str or RDKit molecule
    table : str
        Of :data:`TABLES`.

    Examples
    --------
    >>> strangeness("c1ccccc1C1CC[NH2+]CC1"), str(strangeness("C1=CC2=CC1=CC2"))
    (Strangeness(rings=(), bonds=()), 'ring system C1=CC2=CC1=CC2; bond in ...')
    """
    return _strangeness(smiles if isinstance(smiles, str) else Chem.MolToSmiles(smiles), table)


@lru_cache(maxsize=2**14)
def _strangeness(smiles: str, table: str) -> Strangeness:
    """As :func:`strangeness`; remembered, because filters, properties and reports ask about the same molecules."""
    mol = parse(neutralize(smiles) or smiles)
    if mol is None:
        return Strangeness((), ())
    rings_known, bonds_known = (None if name is None else _table(name) for name in TABLES[table])
    rings = [ring for ring in dict.fromkeys(ring_systems(mol)) if not _is_known(ring, rings_known)]
    keys = [] if bonds_known is None else [key in bonds_known for key in bond_keys(mol)]
    bonds = [mol.GetBondWithIdx(place) for place, is_known in enumerate(keys) if not is_known]
    return Strangeness(tuple(rings), tuple(dict.fromkeys(smiles_around(bond) for bond in bonds)))


def count_unknown_rings(mol: Chem.Mol) -> float:
    """Number of different ring systems that no molecule in ChEMBL has.

    Examples
    --------
    >>> count_unknown_rings(parse("c1ccccc1")), count_unknown_rings(parse("C1=CC2=CC1=CC2"))
    (0.0, 1.0)
    """
    return float(len(strangeness(mol).rings))


def count_unknown_bonds(mol: Chem.Mol) -> float:
    """Number of different bonds that no molecule in ChEMBL has, with the neighbours of both ends.

    Examples
    --------
    >>> count_unknown_bonds(parse("CCO")), count_unknown_bonds(parse("OOOOC")) > 0
    (0.0, True)
    """
    return float(len(strangeness(mol).bonds))


def known_ring_share(smiles: list[str]) -> float | None:
    """Share of molecules all of whose ring systems are known in ChEMBL; None of no molecules.

    Examples
    --------
    >>> known_ring_share(["CCO", "c1ccccc1", "C1=CC2=CC1=CC2", "C1CC1"]), known_ring_share([])
    (0.75, None)
    """
    return sum(not strangeness(text).rings for text in smiles) / len(smiles) if smiles else None


@lru_cache(maxsize=8)
def _table(name: str) -> BloomFilter:
    return BloomFilter.read(ASSETS / name)


@lru_cache(maxsize=2**14)
def _is_known(ring: str, known: BloomFilter) -> bool:
    """Whether a ring system is in a table as it is, without its configuration, or in one that it leaves open."""
    mol = parse(ring)
    if ring in known or mol is None:
        return ring in known
    Chem.RemoveStereochemistry(mol)
    flat = Chem.MolToSmiles(mol)
    bare = parse(flat)
    return flat in known or (bare is not None and any(one in known for one in _configurations(bare)))


def _configurations(mol: Chem.Mol) -> list[str]:
    options = StereoEnumerationOptions(maxIsomers=MOST_CONFIGURATIONS, unique=True)
    with quiet():
        return [Chem.MolToSmiles(one) for one in EnumerateStereoisomers(mol, options=options)]


def smiles_around(bond: Chem.Bond) -> str:
    """A bond and the neighbours of its ends, as SMILES.

    Examples
    --------
    >>> smiles_around(parse("CCCCO").GetBondWithIdx(3))
    'CCO'
    """
    ends = bond.GetBeginAtom(), bond.GetEndAtom()
    atoms = {atom.GetIdx() for end in ends for atom in (end, *end.GetNeighbors())}
    return Chem.MolFragmentToSmiles(bond.GetOwningMol(), sorted(atoms))
