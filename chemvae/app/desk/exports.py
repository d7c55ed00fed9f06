"""Tables of jobs: read back, chosen from, compared, and written as what a person wants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from chemvae.app.plain import as_json, as_rows
from chemvae.disk.csv_tables import read_csv
from chemvae.errors import InputError
from chemvae.tables import write_table

ENDINGS = ("csv", "sdf", "xlsx", "json")
TABLE = "table.csv"
PLACE = ("x", "y")
"""Where the map draws a molecule: for the page, and for scripts that read JSON; in a chemist's sheet it means nothing."""


def read_table(folder: Path) -> pd.DataFrame:
    """The table of a job; one without rows where nothing has come of it (yet).

    Raises
    ------
    InputError
        If it is damaged.
    """
    path = folder / TABLE
    if not path.is_file():
        return pd.DataFrame({"smiles": []})
    try:
        return read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"'{path.parent.name}/{TABLE}' cannot be read ({str(error)[:80]}). Ask for the job again.") from None


def rows_of(folder: str) -> list[dict[str, Any]]:
    """The rows of a job's table."""
    return as_rows(read_table(Path(folder)))


def export(
    folder: str,
    ending: str,
    rows: list[int] | None,
    out: str,
    found: list[dict[str, Any]] | None = None,
    smiles: list[str] | None = None,
) -> int:
    """Write a job's table, or some of its rows or molecules, to a file.

    Parameters
    ----------
    folder : str
        Of the job.
    ending : str
        Of :data:`ENDINGS`.
    rows : list of int, optional
        Positions in the table, in the order that is wanted.
    out : str
        The file.
    found : list of dict, optional
        The rows themselves, where the job has not written its table yet.
    smiles : list of str, optional
        Molecules as they stand in the table, in the order that is wanted; the first row of each.

    Returns
    -------
    int
        Rows written.
    """
    table = pd.DataFrame(found) if found is not None else read_table(Path(folder))
    if rows is not None:
        if stray := [one for one in rows if not 0 <= one < len(table)]:
            raise InputError(f"the table has no row {stray[0]}; it has {len(table):,}, and the first is 0.")
        table = table.iloc[rows].reset_index(drop=True)
    if smiles is not None:
        table = _chosen(table, smiles)
    if ending == "json":
        import json

        Path(out).write_text(json.dumps(as_rows(table)), encoding="utf-8")
    else:
        write_table(table.drop(columns=list(PLACE), errors="ignore"), out)
    return len(table)


def _chosen(table: pd.DataFrame, smiles: list[str]) -> pd.DataFrame:
    """The first row of each of some molecules.

    Raises
    ------
    InputError
        If the table does not hold one of them.
    """
    by_smiles = table.drop_duplicates("smiles").set_index("smiles", drop=False)
    if stray := [one for one in smiles if one not in by_smiles.index]:
        raise InputError(
            f"the table has no molecule '{stray[0][:80]}'. Ask for the job again, and choose from what it holds now."
        )
    return by_smiles.loc[smiles].reset_index(drop=True)


def compare(
    first: str, second: str, a: list[dict[str, Any]] | None = None, b: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Molecules of two jobs' tables: those of both with both rows, and those of one alone, the best first.

    Parameters
    ----------
    first, second : str
        Folders of the jobs.
    a, b : list of dict, optional
        The rows themselves, where a job has not written its table yet.

    Returns
    -------
    dict
        ``only_a`` and ``only_b``, rows; ``both``, rows of the first without their score, with both scores as ``a`` and ``b``.
    """
    one, other = (_by_smiles(folder, rows) for folder, rows in ((first, a), (second, b)))
    both = [text for text in one.index if text in other.index]
    mine = one.loc[both].drop(columns=["score"], errors="ignore")
    return {
        "only_a": as_rows(one.loc[[text for text in one.index if text not in other.index]]),
        "only_b": as_rows(other.loc[[text for text in other.index if text not in one.index]]),
        "both": [
            {**row, "a": as_json(_score(one.loc[text])), "b": as_json(_score(other.loc[text]))}
            for text, row in zip(both, as_rows(mine), strict=True)
        ],
    }


def _by_smiles(folder: str, rows: list[dict[str, Any]] | None) -> pd.DataFrame:
    """A table with one row per molecule, found by its SMILES."""
    table = read_table(Path(folder)) if rows is None else pd.DataFrame(rows or {"smiles": []})
    return table.drop_duplicates("smiles").set_index("smiles", drop=False)


def _score(row: pd.Series) -> float | None:
    return None if "score" not in row or row["score"] != row["score"] else float(row["score"])
