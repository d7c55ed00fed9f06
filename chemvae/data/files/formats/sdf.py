"""Read SDF records one by one, so that a damaged record costs itself and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

import pandas as pd
from rdkit import Chem
from rdkit.Chem import rdDepictor

from chemvae.chem.molecules import MOST_ATOMS, is_small, parse, quiet
from chemvae.data.files.rows import Chunk
from chemvae.data.files.textlines import TextLines

MOST_LINES = 100_000  # of a record; the largest structure that is read needs a thousand
_REGISTRY = r"\s*(?:\([^()]*\)|DT\d+|\d+)?\s*$"  # what may follow an item's name
_DATA_NAME = re.compile(rf"^>[^<]*<(.+?)>(?={_REGISTRY})|^>.*?<(.+?)>")
_FIELD = re.compile(r"^>\s+(?:\d+\s+)?(DT\d+)\b")
_COUNTS = re.compile(r"^M  V30 COUNTS (\d+)")


@dataclass(frozen=True)
class SdfRecord:
    """One structure with its data items."""

    cells: dict[str, str]
    """``smiles`` ("" if unreadable), ``name`` and the data items."""
    line: int
    """Line on which the record ends."""
    problem: str = ""
    """Why no structure could be read; chemistry that does not sanitise is left to the SMILES, which then does not parse."""


def read_sdf(rewind: Callable[[], BinaryIO], encoding: str, name: str, chunk_rows: int) -> Iterator[Chunk]:
    """Read records in chunks that all have the columns of all data items, also of those that first occur late.

    Parameters
    ----------
    rewind : callable
        Gives the file from its beginning; it is read twice.
    """
    columns = ["smiles", "name", *item_names(TextLines(rewind(), encoding, name))]
    lines = TextLines(rewind(), encoding, name)
    records = enumerate(read_sdf_records(lines), start=1)
    while block := list(islice(records, chunk_rows)):
        rows = pd.Index([row for row, _ in block], name="row")
        frame = pd.DataFrame([record.cells for _, record in block], index=rows, columns=columns).fillna("")
        problems = {row: record.problem for row, record in block if record.problem}
        yield Chunk(frame, [record.line for _, record in block], problems)


def sdf_record(smiles: str, name: str, items: Mapping[str, object]) -> str:
    """One molecule as a record: its layout, its name, and its data items, those that are missing left out; "" for no molecule.

    Examples
    --------
    >>> text = sdf_record("OCC", "1", {"logP": -0.3, "note": None})
    >>> next(read_sdf_records(text.splitlines(keepends=True))).cells
    {'smiles': 'CCO', 'name': '1', 'logP': '-0.3'}
    """
    mol = parse(smiles)
    if mol is None:
        return ""
    mol = Chem.Mol(mol)
    rdDepictor.Compute2DCoords(mol)
    mol.SetProp("_Name", name)
    told = {key: value for key, value in items.items() if value is not None and value == value}
    lines = "".join(f">  <{key}>\n{as_value(value)}\n\n" for key, value in told.items())
    return f"{Chem.MolToMolBlock(mol)}{lines}$$$$\n"


def item_names(text: Iterable[str]) -> list[str]:
    """Names of all data items, in the order of their first use, as :func:`read_sdf_records` calls them."""
    found: dict[str, None] = {}
    here: dict[str, str] = {}
    is_open = False
    for line in text:
        if line.startswith("$$$$"):
            here, is_open = {}, False
        elif line[:1] == ">" and (name := _item_name(line, here, is_open)):
            here[name], is_open = "", True
            found[name] = None
        elif not line.strip():
            is_open = False
    return list(found)


def read_sdf_records(text: Iterable[str]) -> Iterator[SdfRecord]:
    """Split text at ``$$$$`` and read each piece.

    Examples
    --------
    >>> block = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO")) + "> <logP>\\n-0.3\\n\\n$$$$\\n"
    >>> [record.cells for record in read_sdf_records(block.splitlines(keepends=True))]
    [{'smiles': 'CCO', 'name': '', 'logP': '-0.3'}]
    """
    lines: list[str] = []
    number = n_lines = 0
    for number, line in enumerate(text, start=1):
        if line.startswith("$$$$"):
            yield _read_record(lines, number, n_lines)
            lines, n_lines = [], 0
        else:
            n_lines += 1
            if n_lines <= MOST_LINES:
                lines.append(line.rstrip("\r\n"))
    if any(line.strip() for line in lines):
        yield _read_record(lines, number, n_lines)


def _read_record(lines: list[str], number: int, n_lines: int) -> SdfRecord:
    end = next((i + 1 for i, line in enumerate(lines) if line.startswith("M  END")), None)
    if end is None:  # a damaged structure costs itself and not what is told of it
        end = next((i for i, line in enumerate(lines) if i > 3 and _DATA_NAME.match(line)), len(lines))
    mol, problem = _read_structure(lines[:end])
    if n_lines > MOST_LINES:
        mol, problem = None, f"it has {n_lines:,} lines; records of more than {MOST_LINES:,} are not read"
    cells = {"smiles": "" if problem or mol is None else Chem.MolToSmiles(mol), "name": lines[0].strip() if lines else ""}
    cells.update(_data_items(lines[end:]))
    return SdfRecord(cells, number, problem)


def _read_structure(lines: list[str]) -> tuple[Chem.Mol | None, str]:
    """The molecule, or why there is none."""
    counts = [int(match[1]) for line in lines[:50] if (match := _COUNTS.match(line))]
    if counts and counts[0] > 4 * MOST_ATOMS:  # hydrogens may be among them
        return None, f"it has {counts[0]:,} atoms; molecules of more than {MOST_ATOMS:,} heavy ones are not read"
    mol = _parse_block("\n".join(lines) + "\n")
    if mol is None:
        return None, "its structure block cannot be read"
    if not is_small(mol):
        return None, f"it has {mol.GetNumHeavyAtoms():,} heavy atoms; molecules of more than {MOST_ATOMS:,} are not read"
    return mol, _query_problem(mol)


def _query_problem(mol: Chem.Mol) -> str:
    """Why a structure is a pattern or a part rather than one molecule; "" if it is one."""
    if any(atom.HasProp("_MolFileRLabel") for atom in mol.GetAtoms()):
        return "it has an R-group; fill it in"
    if any(atom.HasQuery() for atom in mol.GetAtoms()):
        return "it has an atom that stands for several elements (a list, or any atom); draw one"
    if any(bond.HasQuery() for bond in mol.GetBonds()):
        return "it has a bond of no certain order; draw one"
    return ""


def _parse_block(block: str) -> Chem.Mol | None:
    with quiet():
        try:
            mol = Chem.MolFromMolBlock(block)
            return mol if mol is not None else Chem.MolFromMolBlock(block, sanitize=False)
        except RuntimeError:  # RDKit raises, rather than returning None, on some malformed count lines
            return None


def _data_items(lines: list[str]) -> dict[str, str]:
    """Read ``> <name>`` items; values of several lines are joined, names that are taken get an ending."""
    items: dict[str, str] = {}
    current = ""
    for line in lines:
        if line[:1] == ">" and (name := _item_name(line, items, bool(current))):
            current = name
            items[current] = ""
        elif current and line.strip():
            items[current] += ("\n" if items[current] else "") + line
        else:
            current = ""
    return items


def as_value(value: object) -> str:
    """A cell as the lines of an item's value: none of them is empty, which would end it."""
    return "\n".join(as_value_line(line) for line in str(value).splitlines() if line.strip())


def as_value_line(line: str) -> str:
    """A line of an item's value, so that it ends neither the item nor the record.

    Examples
    --------
    >>> as_value_line(">10"), as_value_line("> <IC50>"), as_value_line("$$$$")
    ('>10', ' > <IC50>', '$$ $$')
    """
    plain = line.replace("$$$$", "$$ $$") if line.startswith("$$$$") else line
    return f" {plain}" if _DATA_NAME.match(plain) or _FIELD.match(plain) else plain


def _item_name(line: str, items: dict[str, str], is_open: bool) -> str:
    """What the item that a line begins is called among those of its record; "" where the line is part of a value."""
    match = _DATA_NAME.match(line) or (None if is_open else _FIELD.match(line))
    if match is None:
        return ""
    given = next(filter(None, match.groups()))
    base = name = f"{given}_sdf" if given in ("smiles", "name") else given
    copy = 0
    while name in items:
        copy += 1
        name = f"{base}.{copy}"
    return name
