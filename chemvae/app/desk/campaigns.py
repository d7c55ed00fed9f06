"""Campaigns: searches that a laboratory measures for, each a folder that ``chemvae optimize --batch-in`` goes on with."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from chemvae.app.desk.told import FAILED, kind_of, said_of, slip_in
from chemvae.data.files.reading import read_records
from chemvae.disk.files import write_atomically
from chemvae.errors import InputError, NothingUsableError
from chemvae.tables import write_table

if TYPE_CHECKING:
    from chemvae.design.evaluators.measurement import Measurement

SHEET, RESULTS, SETTINGS = "next.csv", "results.csv", "campaign.json"
KEY = ("id", "smiles")


def read_campaign(folder: Path) -> dict[str, Any]:
    """What a campaign asks for.

    Raises
    ------
    InputError
        If there is none.
    """
    try:
        return json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(f"'{folder.name}' is no campaign of this project.") from None


def stand_of(folder: Path) -> dict[str, Any]:
    """How a campaign stands: its round, molecules that wait, and those that were measured."""
    sheet, results = _read(folder / SHEET), _read(folder / RESULTS)
    told = {row["id"] for row in results}
    batches = [int(row["batch"]) for row in sheet if row.get("batch", "").isdigit()]
    return {
        "name": folder.name,
        "round": max(batches, default=0),
        "waiting": sum(row["id"] not in told for row in sheet),
        "measured": len(results),
        "failed": sum(kind_of(row, measured_names(folder)) == FAILED for row in results),
        "names": measured_names(folder),
    }


def told_rows(folder: Path) -> dict[str, Any]:
    """All that was told of molecules, the newest last: what was measured, and what each row counts as."""
    names = measured_names(folder)
    return {"names": names, "rows": [{**row, "kind": kind_of(row, names)} for row in _read(folder / RESULTS)]}


def measured_names(folder: Path) -> list[str]:
    """What is measured: the columns of the sheet between the SMILES and what is known."""
    settings = read_campaign(folder)
    _, _, names = str(settings.get("oracle", "")).partition(":")
    return [one.strip() for one in names.split(",") if one.strip()] or [one["name"] for one in settings.get("goals", ())]


def _read(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: value or "" for name, value in row.items() if name} for row in csv.DictReader(file)]


def waiting_rows(folder: Path) -> list[dict[str, str]]:
    """The rows of the sheet that nothing has been told of yet."""
    told = {row["id"] for row in _read(folder / RESULTS)}
    return [row for row in _read(folder / SHEET) if row["id"] not in told]


def read_results(path: Path) -> pd.DataFrame:
    """All results that were taken, as texts."""
    return pd.DataFrame(_read(path))


def take_results(folder: Path, given: pd.DataFrame, *, typed: bool = False) -> dict[str, Any]:
    """Take the rows of a table of results that can be understood, and say of each other one why it cannot.

    A word in place of a number is a failure, as in every table of results, and told as one; typed in, where a slip is
    likelier than a reason, it must begin with "failed".

    Parameters
    ----------
    folder : Path
        Of the campaign.
    given : DataFrame
        As :func:`chemvae.design.evaluators.results_table.read_measurements` reads it. Its index is what rows are called by.
    typed : bool
        Whether it was typed in, row by row.

    Returns
    -------
    dict
        ``read``, how many were taken; ``open``, how many molecules wait still; ``refused``, rows with their reasons, and
        ``failed``, rows that count as failures with theirs.
    """
    names = measured_names(folder)
    sheet = _read(folder / SHEET)
    handed_out = {row["id"]: row["smiles"] for row in (*sheet, *_read(folder / RESULTS)) if row["id"]}
    ids = {smiles: name for name, smiles in handed_out.items()}
    taken, refused = {row["smiles"]: row for row in _read(folder / RESULTS)}, []
    again: dict[str, list[Any]] = {}
    failed = []
    for number, row in given.iterrows():
        one = row.to_frame().T.reset_index(drop=True)
        one.attrs = given.attrs  # how numbers are written in the whole table
        found = _one(one, names, handed_out, typed=typed)
        if isinstance(found, str):
            refused.append({"row": number, "reason": found})
        elif found is not None:
            smiles, cells = found
            taken[smiles] = {"id": ids.get(smiles, ""), "smiles": smiles, **cells}
            if kind_of(taken[smiles], names) == FAILED:
                failed.append({"row": number, "reason": said_of(taken[smiles], names)})
            again.setdefault(smiles, []).append(number)
    for smiles, rows in again.items():
        if len(rows) > 1 and smiles not in ids:
            taken[smiles] |= _merged(given, rows, names)
    _keep(folder / RESULTS, list(taken.values()), names)
    n_read = sum(map(len, again.values()))
    return {"read": n_read, "open": len(waiting_rows(folder)), "refused": refused, "failed": failed}


def _merged(given: pd.DataFrame, rows: list[Any], names: Sequence[str]) -> dict[str, str]:
    """The cells of a molecule that several rows of one table measured, as ``chemvae optimize --batch-in`` merges them."""
    from chemvae.design.evaluators.results_table import read_measurements

    own = given.loc[rows].reset_index(drop=True)
    own.attrs = given.attrs
    return _told(read_measurements(own, names, {})[0], names)


def _told(found: Measurement, names: Sequence[str]) -> dict[str, str]:
    """What was measured as cells: a number, with its sign where it is a bound."""
    values = zip(names, found.values, found.bounds or ("",) * len(names), strict=True)
    return {name: f"{bound}{value!r}" for name, value, bound in values if value == value}


def as_table(path: str | None, rows: list[dict[str, Any]] | None, names: Sequence[str]) -> pd.DataFrame:
    """Results as a table whose index counts rows from 1: of a file, or typed in as ``id`` (or ``smiles``) and ``value``.

    Raises
    ------
    InputError
        If the file cannot be read, or there is no row.
    """
    if path is not None:
        frames = [chunk.frame for chunk in read_records(path)]
        frame = pd.concat(frames).set_axis(range(1, sum(map(len, frames)) + 1), axis=0)
        frame.attrs = frames[0].attrs
        return frame
    if not rows:
        raise InputError("There are no results. Give a file, or rows with id and value.")
    told = [{(names[0] if key == "value" and names else key): cell for key, cell in row.items()} for row in rows]
    return pd.DataFrame(told, index=range(1, len(told) + 1))


def write_sheet(folder: Path, out: str) -> int:
    """Write what waits to be measured to a workbook; how many molecules that is."""
    table = pd.DataFrame(waiting_rows(folder))
    if not len(table):
        raise InputError(f"Nothing waits to be measured in '{folder.name}'. Ask for the next batch.")
    write_table(table, out)
    return len(table)


def _one(
    row: pd.DataFrame, names: Sequence[str], handed_out: dict[str, str], *, typed: bool
) -> tuple[str, dict[str, str]] | str | None:
    """The molecule of a row with its cells; why it cannot be understood; None for one that is empty."""
    from chemvae.design.evaluators.results_table import read_measurements

    cells = {name: _cell(row, name) for name in names}
    if typed and (slip := slip_in(cells)):
        return slip
    try:
        found = read_measurements(row, names, handed_out)
    except NothingUsableError as error:
        return None if not any(cells.values()) and _has(row, names) else str(error)
    except InputError as error:
        return str(error)
    if not found:
        return None
    comment = next((_cell(row, one) for one in ("reason", "comment") if _cell(row, one)), "")
    return found[0].smiles, {**cells, **_told(found[0], names), "comment": comment}


def _has(row: pd.DataFrame, names: Sequence[str]) -> bool:
    columns = {str(column).strip().lower() for column in row.columns}
    return any(name.lower() in columns for name in names)


def _cell(row: pd.DataFrame, name: str) -> str:
    """A cell as text, whatever the case of its column; empty where there is none."""
    column = next((column for column in row.columns if str(column).strip().lower() == name.lower()), None)
    value = None if column is None else row[column].iloc[0]
    return "" if value is None or value != value else str(value).strip()


def _keep(path: Path, rows: list[dict[str, str]], names: Sequence[str]) -> None:
    columns = [*KEY, *names, "comment"]

    def write(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)

    write_atomically(path, write)
