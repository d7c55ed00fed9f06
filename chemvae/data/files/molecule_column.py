"""Find the column that holds the molecules by what stands in its cells; a name decides only where that could be so."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

import pandas as pd

from chemvae.chem.molecules import LONGEST_SMILES, parse
from chemvae.data.files.annotations import bare_smiles
from chemvae.data.files.columns import SMILES_NAMES, find_column, is_missing, list_names
from chemvae.errors import NothingUsableError

logger = logging.getLogger(__name__)

_CELLS, _FEWEST_CELLS, _ALL_CELLS = 64, 6, 20_000  # distinct cells looked at: of a column, of one among many, of a table
_FEW_ATOMS = 3  # N, CO and the like are words as often as molecules
_WRITTEN = re.compile(r"(?:\[[^\[\]\s]+\]|Cl|Br|[BCNOPSFIbcnops]|[0-9()=#$:/\\.\-+*~%])+")
_LETTER = re.compile(r"[A-Za-z*]")


class Content(NamedTuple):
    """What stands in the cells of a column: distinct ones at its top."""

    n_large: int
    """Molecules of more than three heavy atoms."""
    n_several: int
    """Molecules of more than one."""
    n_molecules: int
    n_cells: int

    @property
    def is_molecules(self) -> bool:
        """Whether at least half of the cells are molecules."""
        return self.n_molecules > 0 and 2 * self.n_molecules >= self.n_cells


def is_written_like_smiles(cell: Any) -> bool:
    """Whether a cell holds only what SMILES hold, and is worth reading as one.

    Examples
    --------
    >>> is_written_like_smiles("C1CC"), is_written_like_smiles("aspirin"), is_written_like_smiles("12.5")
    (True, False, False)
    """
    text = bare_smiles(cell)[0]
    text = text.strip() if isinstance(text, str) else ""
    return 0 < len(text) <= LONGEST_SMILES and bool(_WRITTEN.fullmatch(text)) and bool(_LETTER.search(text))


def count_molecules(cells: Sequence[Any], most: int = _CELLS) -> Content:
    """Read the first ``most`` distinct cells that are not empty.

    Examples
    --------
    >>> count_molecules(["N", "Y", "N"]), count_molecules(["CC(=O)Nc1ccc(O)cc1", "CO", ""])
    (Content(n_large=0, n_several=0, n_molecules=1, n_cells=2), Content(n_large=1, n_several=2, n_molecules=2, n_cells=2))
    """
    try:
        candidates = dict.fromkeys(cells)  # quick, and often few
    except TypeError:  # lists and the like
        candidates = dict.fromkeys(map(str, cells))
    distinct = list(islice((str(cell) for cell in candidates if not is_missing(cell)), most))
    if not any(map(_LETTER.search, distinct)):  # numbers; a table may have very many columns of them
        return Content(0, 0, 0, len(distinct))
    mols = [parse(bare_smiles(text)[0]) if is_written_like_smiles(text) else None for text in distinct]
    sizes = [mol.GetNumHeavyAtoms() for mol in mols if mol is not None]
    return Content(sum(n > _FEW_ATOMS for n in sizes), sum(n > 1 for n in sizes), len(sizes), len(distinct))


def find_smiles_column(
    frame: pd.DataFrame, asked: str | None = None, source: str = "the table", *, is_told: bool = True
) -> str:
    """Return the column of SMILES: the one asked for, else one with a usual name that holds any, else the one with most.

    Most distinct molecules of more than a few atoms count, so that neither ``N`` and ``Y`` nor the elements of a column
    ``element`` win. Which column was taken is logged, with the next best, unless its name is a usual one or ``is_told`` is
    false.

    Raises
    ------
    NothingUsableError
        If the column asked for is not there, or no column holds molecules.

    Examples
    --------
    >>> find_smiles_column(pd.DataFrame({"hit": ["N", "Y"], "drug": ["CCOC", "c1ccccc1"]}))
    'drug'
    """
    columns = [str(column) for column in frame.columns]
    if asked is not None:
        return find_column(columns, asked, source)
    contents = _contents(frame)
    ranked = sorted(
        (name for name in columns if contents[name].is_molecules), key=lambda name: contents[name][:3], reverse=True
    )
    named = _named_like_smiles(columns)
    column = _choose(named, ranked, contents)
    if column is None:
        remedy = "Name the column with --smiles-column" if len(columns) > 1 else "Is it a list of SMILES?"
        raise NothingUsableError(f"{source} has no valid SMILES in any column (columns: {list_names(columns)}). {remedy}")
    if is_told and len(columns) > 1:
        _say(source, column, named, ranked, contents)
    return column


def _contents(frame: pd.DataFrame) -> dict[str, Content]:
    most = max(_FEWEST_CELLS, min(_CELLS, _ALL_CELLS // max(1, len(frame.columns))))
    cells = frame.to_numpy(dtype=object)  # at once: a column at a time costs more than reading it
    return {str(name): count_molecules(cells[:, i], most) for i, name in enumerate(frame.columns)}


def _choose(named: str | None, ranked: list[str], contents: dict[str, Content]) -> str | None:
    """A usual name wins if a molecule stands there, or if no other column holds any to speak of."""
    best = ranked[0] if ranked else None
    if named is None or (best is not None and not contents[named].n_several and contents[best].n_large):
        return best
    return named


def _say(source: str, column: str, named: str | None, ranked: list[str], contents: dict[str, Content]) -> None:
    if column == named and column.strip().lower() in SMILES_NAMES:
        return  # as everybody would expect
    found = contents[column]
    other = next((name for name in ranked if name != column), None)
    beside = f"; next: '{other}', {contents[other].n_molecules} of {contents[other].n_cells}" if other else ""
    logger.log(
        logging.INFO if named in (None, column) else logging.WARNING,
        "%s: the SMILES are taken from column '%s' (%s of %s distinct cells looked at are molecules%s); -s names another.%s",
        source,
        column,
        found.n_molecules,
        found.n_cells,
        beside,
        "" if named in (None, column) else f" No cell of '{named}' is a molecule of several atoms.",
    )


def _named_like_smiles(columns: Sequence[str]) -> str | None:
    keys = [re.sub(r"[\s-]+", "_", column.strip().lower()) for column in columns]
    for name in SMILES_NAMES:
        if name in keys:
            return columns[keys.index(name)]
    alike = [column for column, key in zip(columns, keys, strict=True) if "smiles" in key]
    return alike[0] if len(alike) == 1 else None
