"""Lookups that come with an extra: whether a molecule is sold, and whether its scaffold is known in ChEMBL."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from rdkit import Chem

from chemvae.chem.fingerprints import scaffold
from chemvae.chem.molecules import neutralize, parse
from chemvae.chem.plausibility.bloom import BloomFilter
from chemvae.errors import MissingExtraError

EXTRA = "plausible"
IN_STOCK = "zinc-instock-mini"
SCAFFOLDS = "chembl_scaffold.bloom"


def is_purchasable(mol: Chem.Mol) -> float:
    """1 if a molecule is in stock in ZINC20 (9.2 million), as it is or neutral, else 0.

    One in 14 of those that are not in stock counts as if it were. Molbloom's small catalog is asked, which comes with it:
    nothing is downloaded.

    References
    ----------
    Medina & White, Bloom filters for molecules, 2023. https://doi.org/10.1186/s13321-023-00765-1

    Raises
    ------
    MissingExtraError
    """
    require_stock("'purchasable'")
    from molbloom import buy

    text = Chem.MolToSmiles(mol)
    return float(any(buy(one, catalog=IN_STOCK) for one in {text, neutralize(text) or text}))


def has_known_scaffold(mol: Chem.Mol) -> float:
    """1 if the Murcko scaffold of a molecule, made neutral, is that of a molecule in ChEMBL, or if it has no ring; else 0.

    Raises
    ------
    MissingExtraError
    """
    require_scaffolds()
    text = Chem.MolToSmiles(mol)
    found = scaffold(neutralize(text) or text)
    return float(not found or found in _scaffolds() or _flat(found) in _scaffolds())


def require_stock(purpose: str) -> None:
    """Raise MissingExtraError unless molbloom is installed."""
    _require("molbloom", purpose)


def require_molbloom() -> None:
    """As :func:`require_stock`, for the property of that name."""
    require_stock("'purchasable'")


def require_scaffolds() -> None:
    """Raise MissingExtraError unless chembl-gen-check is installed."""
    _require("chembl-gen-check", "'known_scaffold'")


def _require(package: str, purpose: str) -> None:
    if find_spec(package.replace("-", "_")) is None:
        raise MissingExtraError(package, EXTRA, purpose)


@lru_cache(maxsize=1)
def _scaffolds() -> BloomFilter:
    """The table is read where the package lies; the package itself is not imported."""
    found = find_spec("chembl_gen_check")
    (folder,) = (found and found.submodule_search_locations) or ("",)
    return BloomFilter.read(Path(folder) / "data" / SCAFFOLDS)


def _flat(smiles: str) -> str:
    mol = parse(smiles)
    Chem.RemoveStereochemistry(mol)
    return Chem.MolToSmiles(mol)
