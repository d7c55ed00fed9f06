"""Read SDF records one by one, so that a damaged record costs itself and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rdkit import Chem

from chemvae.chem.molecules import MOST_ATOMS, is_small, quiet

_DATA_NAME = re.compile(r"^>.*?<(.+?)>")


@dataclass(frozen=True)
class SdfRecord:
    """One structure with its data items."""

    cells: dict[str, str]
    """``smiles`` ("" if unreadable), ``name`` and the data items."""
    line: int
    """Line on which the record ends."""
    problem: str = ""
    """Why no structure could be read; chemistry that does not sanitise is left to the SMILES, which then does not parse."""


def read_sdf_records(text: Iterable[str]) -> Iterator[SdfRecord]:
    """Split text at ``$$$$`` and read each piece.

    Examples
    --------
    >>> block = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO")) + "> <logP>\\n-0.3\\n\\n$$$$\\n"
    >>> [record.cells for record in read_sdf_records(block.splitlines(keepends=True))]
    [{'smiles': 'CCO', 'name': '', 'logP': '-0.3'}]
    """
    lines: list[str] = []
    number = 0
    for number, line in enumerate(text, start=1):
        if line.startswith("$$$$"):
            yield _read_record(lines, number)
            lines = []
        else:
            lines.append(line.rstrip("\r\n"))
    if any(line.strip() for line in lines):
        yield _read_record(lines, number)


def _read_record(lines: list[str], number: int) -> SdfRecord:
    end = next((i + 1 for i, line in enumerate(lines) if line.startswith("M  END")), len(lines))
    mol = _read_structure("\n".join(lines[:end]) + "\n")
    problem = "its structure block cannot be read" if mol is None else ""
    if mol is not None and not is_small(mol):
        problem = f"it has {mol.GetNumHeavyAtoms():,} heavy atoms; molecules of more than {MOST_ATOMS:,} are not read"
    cells = {"smiles": "" if problem else Chem.MolToSmiles(mol), "name": lines[0].strip() if lines else ""}
    cells.update(_data_items(lines[end:]))
    return SdfRecord(cells, number, problem)


def _read_structure(block: str) -> Chem.Mol | None:
    with quiet():
        try:
            mol = Chem.MolFromMolBlock(block)
            return mol if mol is not None else Chem.MolFromMolBlock(block, sanitize=False)
        except RuntimeError:  # RDKit raises, rather than returning None, on some malformed count lines
            return None


def _data_items(lines: list[str]) -> dict[str, str]:
    """Read ``> <name>`` items; values of several lines are joined, names that are taken get an ending."""
    items: dict[str, str] = {}
    name = ""
    for line in lines:
        if match := _DATA_NAME.match(line):
            name = match.group(1)
            name = f"{name}_sdf" if name in ("smiles", "name") else name
            items[name] = ""
        elif name and line.strip():
            items[name] += ("\n" if items[name] else "") + line
        else:
            name = ""
    return items
