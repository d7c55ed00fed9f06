"""What a laboratory says: a table of results as people fill it in, read row by row, or refused as a whole with reasons."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from chemvae.chem.identity import identify
from chemvae.chem.molecules import invalid_reason, standardize
from chemvae.data.files.columns import SMILES_NAMES, find_column, find_id_column, is_missing
from chemvae.data.files.molecule_column import find_smiles_column
from chemvae.data.files.number_columns import Places
from chemvae.data.files.numbers import DECIMAL, Cell, decimal_of, is_waiting, read_number
from chemvae.data.files.reading import read_records, source_name
from chemvae.data.files.writing import as_meant
from chemvae.design.evaluators.measurement import Measurement
from chemvae.design.evaluators.replicates import merge_replicates
from chemvae.design.oracles.score import LARGEST_SCORE, is_usable
from chemvae.errors import InputError, NothingUsableError
from chemvae.parallel import Workers

logger = logging.getLogger(__name__)

__all__ = ["Measurement", "read_measurements"]
ID, COMMENTS = "id", ("reason", "comment", "remark", "note")
MOST_SHOWN, LONGEST_SHOWN, LONGEST_ID = 5, 80, 200
MANY, SHARE = 10_000, 1_000  # texts that are worth processes, and texts in a block
_NO_WORDS = frozenset(
    "true false yes wahr falsch vrai faux inf infinity about approx approximately around circa roughly etwa value mean median "
    "average result jan feb mar apr may jun jul aug sep oct nov dec january february march april june july august "
    "september october november december mol mmol umol nmol kcal".split()
)
"""What is no reason: truth values, months, and what people write around a number."""
_UNIT = r"(?:%|[pnumkµμ]?M|[nmuµμ]?mol(?:/L)?|[mnuµμk]?g(?:/m?L)?|[mk]?cal/mol|kJ/mol|nm|m?eV|K|°C|h|min|s|pp[mb])"
_NAMED_NUMBER = re.compile(rf"[\w()/.]{{1,20}}\s*(?:[=:<>≤≥~≈]+\s*)*[-+]?\d[\d.,]*\s*{_UNIT}?")
"""``IC50 = 5 nM``: a number, with what was measured."""


def read_measurements(
    source: Any, names: Sequence[str], handed_out: Mapping[str, str], mode: str = "none"
) -> list[Measurement]:
    """Read results: a column per name, and ``id`` or ``smiles`` to say of which molecule.

    Rows may stand in any order, and other columns beside them. A cell that says in words why there is no value ("failed") is a
    failure, whose reason is what the cell says, and so is an empty one beside a ``comment`` or a value. A row that is empty
    otherwise leaves its molecule open, like the words ``open`` and ``pending``. Several rows of a molecule that was not asked
    for are merged (:mod:`chemvae.design.evaluators.replicates`). Of a bound such as ``>9`` limit and side are kept.

    Parameters
    ----------
    source : path, "-", DataFrame or list of Measurement
        The last is what was read before, and returned as it is.
    names : sequence of str, length P
        What was measured.
    handed_out : mapping
        Ids of the molecules that were asked for -> canonical SMILES.
    mode : "none", "salts" or "neutral": what is done to SMILES, as the salt weighed in is the molecule handed out.

    Returns
    -------
    list of Measurement, one per molecule

    Raises
    ------
    NothingUsableError
        If a column is missing, or all cells are empty.
    InputError
        If rows cannot be understood, naming all of them; if it is no table, or has a column twice.

    Examples
    --------
    >>> table = pd.DataFrame({"id": ["m0002", "m0001"], "pIC50": ["6.5", "insoluble"]})
    >>> read_measurements(table, ["pIC50"], {"m0001": "CCO", "m0002": "CCN"})
    [Measurement(smiles='CCN', values=(6.5,), reason='', bounds=()), Measurement(smiles='CCO', values=(nan,), \
reason='insoluble', bounds=())]
    """
    if isinstance(source, list) and all(isinstance(one, Measurement) for one in source):
        return source
    frame, places, name = _table(source, names)
    reader = _Reader(frame, names, {as_id(key): text for key, text in handed_out.items()}, name, mode, places)
    told = reader.read_all(len(frame))
    reader.check(n_told=len(told))
    found = [merge_replicates(rows) for rows in told.values()]
    _say_merged([one for one, rows in zip(found, told.values(), strict=True) if str(one) != str(rows[0])], name)
    return found


def _table(source: Any, names: Sequence[str]) -> tuple[pd.DataFrame, list[str], str]:
    """The rows, how each is named to a person, and the table's own name; InputError if it is none, or has a column twice."""
    if not isinstance(source, (str, Path, pd.DataFrame)):
        raise InputError(f"results must be a table: the path of a file, or a DataFrame; this is a {type(source).__name__}.")
    name = "the table" if isinstance(source, pd.DataFrame) else source_name(source)
    frame, places = _frame(source, name)
    twice = sorted({str(column) for column in frame.columns[frame.columns.duplicated()]} & {*names, ID, *SMILES_NAMES})
    if twice:
        raise InputError(f"{name} has two columns called '{twice[0]}'. Keep one, or give the other another name.")
    return frame, places, name


def _say_merged(merged: Sequence[Measurement], name: str) -> None:
    """Say which molecules stand there several times with different values."""
    if merged:
        logger.info(
            "%s: %s with different values in several rows; each counts once, such as %s: %s.",
            name, f"{len(merged):,} molecules" if len(merged) > 1 else "a molecule", merged[0].smiles,
            merged[0].reason or ", ".join(f"{value:g}" for value in merged[0].values),
        )  # fmt: skip


def _frame(source: Any, name: str) -> tuple[pd.DataFrame, list[str]]:
    """The rows, and how each is named to a person."""
    frame, places = (source, []) if isinstance(source, pd.DataFrame) else _read(source)
    if not len(frame):
        raise NothingUsableError(f"{name} has no rows. Fill in the table of the last batch, and give that.")
    return frame.reset_index(drop=True), places or [f"row {row}" for row in range(1, len(frame) + 1)]


def _read(source: str | Path) -> tuple[pd.DataFrame, list[str]]:
    chunks = list(read_records(source))
    places = [place for chunk in chunks for place in Places(chunk.frame.index, chunk.lines)]
    return (pd.concat([chunk.frame for chunk in chunks], ignore_index=True) if chunks else pd.DataFrame()), places


class _Reader:
    """Reads rows of one table and collects what is wrong with them."""

    def __init__(
        self,
        frame: pd.DataFrame,
        names: Sequence[str],
        handed_out: Mapping[str, str],
        source: str,
        mode: str,
        places: list[str],
    ):
        self.mode, self.places = mode, places
        self.names, self.handed_out, self.source = list(names), handed_out, source
        columns = [as_meant(str(column)) for column in frame.columns]
        self._as_handed_out = set(handed_out.values())
        self.ids = _column(frame, columns, (ID,))
        self.smiles = _column(frame, columns, SMILES_NAMES)
        if self.smiles is None and (self.ids is None or not handed_out):  # a table of before: no id of ours stands in it
            self.smiles = frame[frame.columns[_place_of_smiles(frame, source)]].tolist()
        self.cells = [frame[frame.columns[columns.index(find_column(columns, name, source))]].tolist() for name in names]
        named = find_id_column(columns, {*names, *(name for name in columns if name.strip().lower() in SMILES_NAMES)})
        self.own_ids = None if named is None else frame[frame.columns[columns.index(named)]].tolist()
        self.comments = _column(frame, columns, COMMENTS)
        self.decimals = [decimal_of(cells, frame.attrs.get(DECIMAL, "")) for cells in self.cells]
        self.complaints: list[str] = []
        self.left_out: list[str] = []
        self.is_blank = True

    def read_all(self, n_rows: int) -> dict[str, list[Measurement]]:
        """What the rows say of each molecule; one that was asked for, a vial with a number, has a single row."""
        told: dict[str, list[Measurement]] = {}
        for row in range(n_rows):
            one = self.read(row)
            if one is None:
                continue
            rows = told.setdefault(one.smiles, [])
            if rows and one.smiles in self._as_handed_out and str(one) != str(rows[0]):
                self.complain(row, f"{one.smiles} stands there twice with different values; keep one row, such as their mean")
            rows.append(one)
        return told

    def complain(self, row: int, what: str) -> None:
        """Note what is wrong with a row: on which line of its file, or, of a table in memory, the first row being row 1."""
        self.complaints.append(f"{self.places[row]}: {what}")

    def leave_out(self, row: int, what: str) -> None:
        """A row without a molecule: of a table from before the campaign it is left out, of a sheet for it it is refused."""
        if self.handed_out:
            self.complain(row, what)
        else:
            self.left_out.append(f"{self.places[row]}: {what}")

    def check(self, n_told: int) -> None:
        """Raise if anything was wrong; say which rows of a table are left out."""
        if self.left_out and n_told:
            more = len(self.left_out) - MOST_SHOWN
            shown = "; ".join(self.left_out[:MOST_SHOWN]) + (f"; and {more} more" if more > 0 else "")
            n, s = len(self.left_out), "s of {} hold" if len(self.left_out) > 1 else " of {} holds"
            logger.warning("%d row%s no molecule and count for nothing: %s", n, s.format(self.source), shown)
        elif self.left_out:
            self.complaints += self.left_out
        if self.complaints:
            more = len(self.complaints) - MOST_SHOWN
            shown = "; ".join(self.complaints[:MOST_SHOWN]) + (f"; and {more} more" if more > 0 else "")
            raise InputError(f"{self.source} is not taken, for {shown}. Correct it and give it again; nothing was recorded.")
        if self.is_blank:
            raise NothingUsableError(
                f"{self.source} has nothing in column {', '.join(self.names)}. Fill it in, with failed where there is no value."
            )

    def read(self, row: int) -> Measurement | None:
        """One row; None where it is open or cannot be understood."""
        cells = [column[row] for column in self.cells]
        if all(_is_blank(cell) for cell in cells) and not _text(self.comments, row):
            return None
        self.is_blank = False
        if any(isinstance(cell, str) and is_waiting(cell) for cell in cells):
            return None
        smiles = self._molecule(row)
        if smiles is None:
            return None
        found = [read_number(cell, decimal) for cell, decimal in zip(cells, self.decimals, strict=True)]
        values = [self._value(row, one) for one in found]
        said = [
            self._reason(row, name, cell, one.problem) if math.isnan(value) else _bound(one)
            for name, cell, one, value in zip(self.names, cells, found, values, strict=True)
        ]
        bounds = tuple(one.bound for one in found)
        reason = "; ".join(filter(None, said))
        return Measurement(smiles, tuple(values), reason, bounds if any(bounds) else (), self._own_id(row, smiles))

    def _own_id(self, row: int, smiles: str) -> str:
        """What the user calls a molecule that we have not handed out."""
        return "" if smiles in self._as_handed_out else as_meant(_text(self.own_ids, row))[:LONGEST_ID]

    def _value(self, row: int, found: Cell) -> float:
        value = found.limit if found.bound else found.value
        if not math.isnan(value) and not is_usable(value):
            self.complain(row, f"{value:g} is no measurement, being larger than {LARGEST_SCORE:g}; write failed in its place")
        return value

    def _reason(self, row: int, name: str, cell: Any, problem: str) -> str:
        """Why a cell holds no number."""
        text = "" if _is_blank(cell) else str(cell).strip()
        if text and not (isinstance(cell, str) and is_reason(text)):
            self.complain(row, f"{problem}, or write failed")
        where = f"{name}: " if len(self.names) > 1 else ""
        return where + (text or _text(self.comments, row) or "no value was given")

    def _molecule(self, row: int) -> str | None:
        """Canonical SMILES of a row; None, with a complaint, where it is not clear which molecule is meant."""
        key, written = _text(self.ids, row), _text(self.smiles, row)
        known, canonical = self.handed_out.get(as_id(key)), self._spelling(written)
        if written and canonical is None:
            self.leave_out(row, f"'{written[:LONGEST_SHOWN]}' is no molecule ({invalid_reason(written)})")
            return None
        if known is not None and canonical not in (None, known):
            self.complain(row, f"{key} is {known}, not {written}; correct the id or leave it out")
            return None
        if known is None and canonical is None:
            what = f"no molecule was handed out as '{key[:LONGEST_SHOWN]}', and no SMILES is given"
            self.leave_out(row, what if key else "neither id nor SMILES says which molecule is meant")
            return None
        return canonical or known

    def _spelling(self, written: str) -> str | None:
        """A molecule as it was handed out, or in its one spelling if it was not; None for what is none."""
        if not written or written in self._as_handed_out:
            return written or None
        found = self._identities[written] if written in self._identities else identify(written)
        if found is not None and found not in self._by_identity and self.mode != "none":
            found = identify(standardize(found, self.mode) or found)
        return None if found is None else self._by_identity.get(found, found)

    @cached_property
    def _identities(self) -> dict[str, str | None]:
        """The identity of each text that was not handed out, found by several workers where there are many."""
        texts = {_text(self.smiles, row) for row in range(len(self.smiles or ()))} - self._as_handed_out - {""}
        listed = sorted(texts) if len(texts) >= MANY else []
        return dict(zip(listed, identify_all(listed), strict=True)) if listed else {}

    @cached_property
    def _by_identity(self) -> dict[str, str]:
        """The one spelling of what was handed out -> the spelling that it was handed out by."""
        return {identify(text) or text: text for text in sorted(self._as_handed_out)}


def identify_all(smiles: Sequence[str]) -> list[str | None]:
    """:func:`identify` of many texts, in order, on all cores."""
    with Workers(identify, 0) as workers:
        answers = [workers.submit(smiles[start : start + SHARE]) for start in range(0, len(smiles), SHARE)]
        return [one for answer in answers for one in answer.result()]


def as_id(text: str) -> str:
    """An id as it is compared: whatever its case, the blanks around it, and the mark of a text before it.

    Examples
    --------
    >>> as_id(" M0001 ")
    'm0001'
    """
    return as_meant(text.strip()).lower()


def _column(frame: pd.DataFrame, columns: Sequence[str], names: Sequence[str]) -> list[Any] | None:
    """The cells of the first column with one of these names, whatever the case; None where there is none."""
    by_key = {column.strip().lower(): i for i, column in reversed(list(enumerate(columns)))}
    found = next((by_key[name] for name in names if name in by_key), None)
    return None if found is None else frame[frame.columns[found]].tolist()


def _place_of_smiles(frame: pd.DataFrame, source: str) -> int:
    """Where the SMILES stand in a table that calls them by no usual name; NothingUsableError if nowhere."""
    names = [str(column) for column in frame.columns]
    return names.index(find_smiles_column(frame.set_axis(names, axis=1), None, source))


def is_reason(text: str) -> bool:
    """Whether a text says in words why there is no value, and is no number, bound or truth value that was written oddly.

    Examples
    --------
    >>> [is_reason(one) for one in ("insoluble", "(precipitated)", "failed at 10 uM", "n.s.", "0 % recovery", "HPLC: 2 peaks")]
    [True, True, True, True, True, True]
    >>> [is_reason(one) for one in ("ca. 5", "(5)", "<LOD", "TRUE", "x5", "IC50=5", "≈5", "'5", "inf", "?5")]
    [False, False, False, False, False, False, False, False, False, False]
    """
    plain = " ".join(text.split())
    if plain[:1] in "<>≤≥≲≳≈~=#@" or _NAMED_NUMBER.fullmatch(plain):
        return False
    words = {word.lower() for word in re.findall(r"[^\W\d_]+", plain)}
    if any(len(word) > 2 and word not in _NO_WORDS for word in words):
        return True
    return bool(words - {"y"} - _NO_WORDS) and not re.search(r"\d", plain)  # no, n.s., k.A.


def _bound(found: Cell) -> str:
    """What is to be remembered of a value that is only known to lie on one side of it; "" for any other."""
    return f"{found.bound}{found.limit:g} is a bound" if found.bound else ""


def _is_blank(cell: Any) -> bool:
    """Whether nothing stands there, nor a mark that nobody sees; a word for what is to come is no blank."""
    return is_missing(cell) or isinstance(cell, str) and not is_waiting(cell) and read_number(cell).is_open


def _text(cells: list[Any] | None, row: int) -> str:
    return "" if cells is None or is_missing(cells[row]) else str(cells[row]).strip()
