"""Pool sets of structures: every molecule once, in one part of the split, and none in training whose stereoisomer is held out.

Of a salt the largest organic fragment stays; charges stay as each source writes them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import pandas as pd
from rdkit import Chem

from chemvae.chem.molecules import canonicalize, parse
from chemvae.data.catalog.cards.base import DatasetCard
from chemvae.data.catalog.joining import ELEMENTS, computed_columns, largest_fragments, membership
from chemvae.data.splits import key_splits, smiles_keys

logger = logging.getLogger(__name__)

POOLING_RULES = 1  # raise it when other molecules are taken
STEREO_MARKS = frozenset("@/\\")


def pool_sets(frames: Mapping[str, pd.DataFrame], card: DatasetCard, jobs: int = 1) -> pd.DataFrame:
    """Pool sets, read as they are, into one table.

    Parameters
    ----------
    frames : mapping of name to DataFrame
        Raw rows with a column ``smiles``; molecules of the first set come first.
    card : DatasetCard
        Of the pooled set; its properties are computed.
    jobs : int
        Worker processes.

    Returns
    -------
    DataFrame
        ``smiles``, the card's properties, ``sets``, ``split``; one row per molecule.
    """
    fragments = {name: largest_fragments(frame["smiles"].tolist(), jobs) for name, frame in frames.items()}
    taken = {
        name: pd.DataFrame({"smiles": [one for one in found if one and is_taken(one)]}) for name, found in fragments.items()
    }
    sets = membership(taken)
    table = pd.DataFrame({"smiles": list(sets), "sets": list(sets.values())})
    table["split"] = key_splits(smiles_keys(table["smiles"].tolist()))
    table = without_leaks(table)
    return table.assign(**computed_columns(table["smiles"].tolist(), card.properties, jobs))


def is_taken(smiles: str) -> bool:
    """Whether a molecule is organic, of usual elements, and neither a radical nor labelled with isotopes.

    Examples
    --------
    >>> [is_taken(smiles) for smiles in ("CCO", "[Na+]", "C[Hg]C", "[CH2]C", "[2H]OC")]
    [True, False, False, False, False]
    """
    mol = parse(smiles)
    if mol is None:
        return False
    atoms = list(mol.GetAtoms())
    elements = {atom.GetSymbol() for atom in atoms}
    return "C" in elements <= ELEMENTS and not any(atom.GetNumRadicalElectrons() or atom.GetIsotope() for atom in atoms)


def without_leaks(table: pd.DataFrame) -> pd.DataFrame:
    """A table (columns ``smiles``, ``split``) less the training molecules that differ from a held-out one in stereo alone."""
    flat = table["smiles"].map(flattened)
    held_out = set(flat[table["split"] != "train"])
    leaks = (table["split"] == "train") & flat.isin(held_out)
    if leaks.any():
        logger.info("%d molecules are left out, as a stereoisomer of each is held out", leaks.sum())
    return table[~leaks].reset_index(drop=True)


def flattened(smiles: str) -> str:
    """A canonical SMILES without stereo.

    Examples
    --------
    >>> flattened("C[C@H](N)O") == flattened("C[C@@H](N)O") == flattened("CC(N)O")
    True
    """
    if STEREO_MARKS.isdisjoint(smiles):
        return smiles
    text = Chem.MolToSmiles(Chem.MolFromSmiles(smiles), isomericSmiles=False)
    return canonicalize(text) or text
