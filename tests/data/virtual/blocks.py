"""What tests of building blocks share."""

from types import ModuleType

from rdkit import Chem

from chemvae.chem.molecules import canonicalize


def tables_of(module: ModuleType) -> dict[str, dict[str, str]]:
    """The tables of a module: name -> block -> SMILES."""
    return {key: table for key, table in vars(module).items() if key.isupper()}


def check_sites(table: dict[str, str], site: str, n: int = 1) -> None:
    """Each block has so many places that a SMARTS fits."""
    pattern = Chem.MolFromSmarts(site)
    found = {name: len(Chem.MolFromSmiles(smiles).GetSubstructMatches(pattern)) for name, smiles in table.items()}
    assert found == dict.fromkeys(table, n)


def check_tables(module: ModuleType) -> None:
    """Blocks are molecules, and no table holds one twice."""
    for table in tables_of(module).values():
        canonical = [canonicalize(smiles) for smiles in table.values()]
        assert all(canonical) and len(set(canonical)) == len(table)
