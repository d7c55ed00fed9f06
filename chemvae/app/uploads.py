"""Files that were given: kept in the project under a name of ours, with what a look through them has found."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chemvae.app.plain import as_json
from chemvae.app.project import UPLOAD_FACTS
from chemvae.disk.files import refusals_explained
from chemvae.errors import InputError

if TYPE_CHECKING:
    from chemvae.data.prepare.checking import Check

FACTS, TABLE = UPLOAD_FACTS, "table"
ENDINGS = (".csv", ".tsv", ".txt", ".smi", ".smiles", ".sdf", ".sd", ".mol", ".parquet", ".xlsx")
PACKED = (".gz", ".zst")
LINES = (".txt", ".smi", ".smiles")
"""Files that hold a molecule a line, under no heading: what is written in words looks like one."""
MOST_PROBLEMS = 1_000
_ID = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True)
class Upload:
    """A file in the project."""

    path: Path
    facts: dict[str, Any]
    """What its check found."""


def ending_of(name: str) -> str:
    """The ending of a file's name, if it is one that is read here.

    Raises
    ------
    InputError
        If it is not.

    Examples
    --------
    >>> ending_of("My table.CSV"), ending_of("x.csv.gz")
    ('.csv', '.csv.gz')
    """
    parts = [one.lower() for one in Path(name.replace("\\\\", "/")).suffixes[-2:]]
    packed = parts[-1] if parts and parts[-1] in PACKED else ""
    plain = (parts[-2:-1] if packed else parts[-1:]) or [""]
    if plain[0] not in ENDINGS:
        raise InputError(f"'{name[-60:]}' is no table that is read here. Give a file that ends in {', '.join(ENDINGS)}.")
    return plain[0] + packed


def find_upload(project: Path, name: str) -> Upload:
    """An upload by its id.

    Raises
    ------
    InputError
        If there is none.
    """
    folder = project / "uploads" / name
    try:
        if not _ID.fullmatch(name) or folder.is_symlink():
            raise OSError
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        (path,) = [
            one for one in folder.iterdir() if one.name.startswith(f"{TABLE}.") and one.is_file() and not one.is_symlink()
        ]
    except (OSError, ValueError):
        raise InputError(f"There is no upload '{name[:40]}' in this project. Upload the file again.") from None
    return Upload(path, facts)


def list_uploads(project: Path) -> list[dict[str, Any]]:
    """What is known of every upload, the newest first; what is damaged is left out."""
    found = []
    for folder in (project / "uploads").iterdir():
        try:
            found.append((folder.stat().st_mtime, find_upload(project, folder.name).facts))
        except (InputError, OSError):
            continue
    return [facts for _, facts in sorted(found, key=lambda one: one[0], reverse=True)]


def keep_facts(path: Path, facts: dict[str, Any]) -> None:
    """Write down what the check of an upload found."""
    with refusals_explained(path):
        path.write_text(json.dumps(as_json(facts)), encoding="utf-8")


def check_upload(path: str, name: str, most_rows: int) -> dict[str, Any]:
    """Look through a file as ``chemvae data check`` does, and keep the report beside it.

    Raises
    ------
    InputError, NothingUsableError
        If it cannot be read, holds no molecule, or more rows than are taken.
    """
    from chemvae.app.columns import warnings_heard
    from chemvae.data.prepare.checking import check

    with warnings_heard() as heard:
        report = check(path, properties=None, source_path=None)
    if report.n_rows > most_rows:
        raise InputError(f"'{name}' has {report.n_rows:,} rows; at most {most_rows:,} are taken. Split it.")
    if not report.n_valid and Path(path).suffix in LINES:
        raise InputError(
            f"'{name}' is no table of molecules: none of its {report.n_rows:,} lines begins with a SMILES. Give one molecule a "
            "line, or a table with a column of SMILES as .csv."
        )
    facts = {
        "id": Path(path).parent.name,
        "name": name,
        "rows": report.n_rows,
        "smiles_column": report.smiles_column,
        "problems": [
            {"line": one.line, "row": one.row, "reason": one.reason, "detail": one.detail, "smiles": one.smiles[:200]}
            for one in report.offences[:MOST_PROBLEMS]
        ],
        "counts": dict(report.counts),
        "usable": report.n_valid,
        "distinct": report.n_distinct,
        "duplicates": report.counts.get("duplicate", 0),
        "notes": [one.replace(path, name) for one in heard],
        **_look_at_columns(path, report),
    }
    keep_facts(Path(path).with_name(FACTS), facts)
    return facts


def _look_at_columns(path: str, report: Check) -> dict[str, Any]:
    """Which columns are numbers, what stands in them, and which molecules have several."""
    import pandas as pd

    from chemvae.app.columns import MOST_LOOKED, count_cells, disagreements
    from chemvae.data.prepare.checking import label_columns, usual_cleaning
    from chemvae.data.prepare.tables import load_table, read_rows

    frame, _ = read_rows(path, limit=MOST_LOOKED)
    numbers = label_columns(frame.head(2_000), (), (report.smiles_column,))
    smiles = pd.Series(dtype=object)
    if report.n_valid > report.n_distinct:
        table = load_table(path, standardize=usual_cleaning(path), limit=MOST_LOOKED)
        smiles = pd.Series(table.smiles, index=table.rows)
    return {
        "columns": [{"name": one, "numeric": one in numbers} for one in report.columns],
        "cells": count_cells(frame, report.smiles_column),
        "disagreements": disagreements(frame, smiles, numbers),
    }
