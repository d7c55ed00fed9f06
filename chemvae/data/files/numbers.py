"""Numbers as people and their programs write them: what clearly is one is read, what clearly is empty is open.

The rest is refused. A label that is silently wrong is worse than one that is missing, so dates, truth values, formulas, error
cells, units, ranges and whatever could be read in two ways are no numbers here, each with the reason; ``>10`` is a bound.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from chemvae.chem.molecules import UNSEEN

MISSING_WORDS = frozenset(
    {"", "nan", "na", "n/a", "#n/a", "none", "null", "nil", "-", "--", "---", "–", "—", "?", "<na>", "nat"}
)
"""What stands in a cell that has no value."""
WAITING_WORDS = frozenset(
    {"open", "pending", "later", "todo", "to do", "tbd", "tba", "n.a.", "n.d.", "nd", "not determined", "not measured"}
    | {"not tested", "not yet", "not yet measured", "not yet tested", "in progress", "running", "...", "tbc", "to be confirmed"}
    | {"n.t.", "queued", "awaiting", "awaiting result", "awaiting results", "repeat", "to be repeated", "ausstehend"}
)
"""What stands in a cell whose value is still to come."""
DECIMAL = "decimal"
"""Key of ``frame.attrs`` under which a reader says how its file writes decimals: "." or ",", where its separator tells."""

_LOOKS = str.maketrans(
    {
        **dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\ufe63\uff0d", "-"),  # minus signs and dashes of word processors
        "\uff1c": "<",
        "\uff1e": ">",
        "\u2a7d": "≤",
        "\u2a7e": "≥",
        "\uff0b": "+",
        "\uff0e": ".",
        "\uff0c": ",",
        **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f\u3000", " "),
        **dict.fromkeys(UNSEEN),
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
    }
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_PLAIN = re.compile(r"[+-]? ?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_POWER = re.compile(r"([+-]? ?\d+(?:\.\d+)?) ?[x×·*] ?10(?: ?\^ ?([+-]?\d+)|([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+))")
_BOUND = re.compile(r"(<=|>=|=<|=>|<|>|≤|≥) ?(.+)")
_WITH_COMMA = re.compile(r"(?:[<>=≤≥]{1,2} ?)?[+-]? ?[\d.' ]*,\d+(?:[eE][+-]?\d+)?")
_BOUNDS = {"<=": "<", "=<": "<", "≤": "<", ">=": ">", "=>": ">", "≥": ">"}
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:([,. '’])\d{3})(?:\1\d{3})*(?:([.,])\d+)?")
_LIKE_THOUSANDS = re.compile(r"[+-]? ?[1-9]\d{0,2}\.\d{3}")
_COMMA_DECIMAL = re.compile(r"[+-]? ?\d*,\d+(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class Cell:
    """What a cell says."""

    value: float = math.nan
    """NaN unless it is a number."""
    bound: str = ""
    """``<`` or ``>`` where the cell says on which side of ``limit`` the value lies."""
    limit: float = math.nan
    """Of a bound."""
    problem: str = ""
    """Why it is refused; empty for a number, a bound, and an empty cell."""

    @property
    def is_open(self) -> bool:
        """Whether nothing stands there."""
        return math.isnan(self.value) and not self.bound and not self.problem


@dataclass(frozen=True)
class Column:
    """What the cells of a column say."""

    values: np.ndarray
    """float64 [N]; NaN where there is no number."""
    refused: dict[int, str] = field(default_factory=dict)
    """Position -> why a cell that is not empty holds no number; bounds are among them."""
    bounds: dict[int, tuple[str, float]] = field(default_factory=dict)
    """Position -> side and limit of a censored value."""

    @property
    def bad(self) -> np.ndarray:
        """bool [N]: where something stands that is no number."""
        mask = np.zeros(len(self.values), dtype=bool)
        mask[list(self.refused)] = True
        return mask


def read_number(cell: Any, decimal: str = "") -> Cell:
    """Read one cell.

    Parameters
    ----------
    cell : object
        Text, a number, or whatever a spreadsheet made of it.
    decimal : str
        "." or "," where the file says how it writes decimals; "" where it does not. With "," a comma is a decimal sign, with
        "." groups of three digits behind commas are thousands; what could be either is refused, such as 1.000 beside 1,5.

    Examples
    --------
    >>> read_number("−3.5").value, read_number("1.2 × 10⁻³").value, read_number("2,5", decimal=",").value
    (-3.5, 0.0012, 2.5)
    >>> read_number("> 10").bound, read_number("n.d.").is_open, read_number(True).problem
    ('>', True, 'true or false is no number; write 1 or 0')
    >>> read_number("1,200").problem
    "'1,200' is 1200 or 1.200; write it without a comma"
    """
    if isinstance(cell, str):
        return _read_text(cell, decimal)
    if isinstance(cell, (bool, np.bool_)):
        return Cell(problem="true or false is no number; write 1 or 0")
    if cell is None or cell is pd.NA or cell is pd.NaT or isinstance(cell, (np.datetime64, np.timedelta64)) and np.isnat(cell):
        return Cell()
    if isinstance(cell, (date, time, timedelta, np.datetime64, np.timedelta64)):
        return Cell(problem=f"{cell} is a date or time, not a number; a spreadsheet may have made it of one")
    if isinstance(cell, (Real, Decimal, Fraction, np.number)) and not isinstance(cell, np.complexfloating):
        return _of_number(cell)
    return Cell(problem=f"a {type(cell).__name__} is no number")


def _of_number(cell: Any) -> Cell:
    try:
        return _finite(float(cell), str(cell)[:40])
    except (OverflowError, ValueError):  # a whole number of a mile, which Python does not even write; a signalling NaN
        return Cell(problem=f"a {type(cell).__name__} that no floating-point number can hold is not read")


def _finite(value: float, written: str) -> Cell:
    if math.isinf(value):
        return Cell(problem=f"{written} is not finite")
    if value == 0 and _is_more_than_nothing(written):
        return Cell(problem=f"{written} is too small for a number of a computer; write it in another unit")
    return Cell(value)


def _is_more_than_nothing(written: str) -> bool:
    """Whether a text that was read as zero says something else.

    Examples
    --------
    >>> _is_more_than_nothing("1e-400"), _is_more_than_nothing("0.0e5"), _is_more_than_nothing("0")
    (True, False, False)
    """
    return bool(re.search("[1-9]", re.split("[eEx×·*]", written)[0]))


def _read_text(text: str, decimal: str) -> Cell:
    seen = text.translate(_LOOKS).strip()
    plain = " ".join(seen.split())
    if is_waiting(plain) or plain.lower() in MISSING_WORDS:
        return Cell()
    if len(seen.splitlines()) > 1 or "\t" in seen:
        return Cell(problem=f"'{plain[:40]}' stands on several lines or between tabs: more than one number, or none")
    if plain[0] in "=#@":
        what = "a formula" if plain[0] != "#" else "an error cell of a spreadsheet"
        return Cell(problem=f"'{plain[:40]}' is {what}; paste the value")
    if match := _BOUND.fullmatch(plain):
        return _bound(match[1], match[2], plain, decimal)
    return _read_value(plain, decimal)


def is_waiting(text: str) -> bool:
    """Whether a cell says that its value is still to come.

    Examples
    --------
    >>> is_waiting("TBD."), is_waiting("not yet…"), is_waiting("…"), is_waiting("failed")
    (True, True, True, False)
    """
    word = " ".join(text.translate(_LOOKS).split()).lower()
    return word in WAITING_WORDS or bool(word) and word.rstrip(".…") in {"", *WAITING_WORDS}


def _bound(sign: str, rest: str, plain: str, decimal: str) -> Cell:
    limit = _read_value(rest, decimal)
    if limit.problem:
        return Cell(problem=f"'{plain[:40]}' is no bound: {limit.problem}")
    side = _BOUNDS.get(sign, sign)
    return Cell(bound=side, limit=limit.value, problem=f"'{plain}' is a bound, not a value")


def _read_value(plain: str, decimal: str) -> Cell:
    """Read a number without bound or word: plain, with a power of ten, with a decimal comma, with thousands."""
    if decimal == "," and _LIKE_THOUSANDS.fullmatch(plain):
        return Cell(problem=f"'{plain}' is {plain.replace('.', '')} or {plain.replace('.', ',')}; write it without a point")
    if _PLAIN.fullmatch(plain):
        return _finite(float(plain.replace(" ", "")), plain)
    if match := _POWER.fullmatch(plain):
        exponent = match[2] or match[3].translate(_RAISED)
        return _finite(float(f"{match[1].replace(' ', '')}e{exponent}"), plain)
    if decimal == "," and _COMMA_DECIMAL.fullmatch(plain):
        return _finite(float(plain.replace(" ", "").replace(",", ".")), plain)
    if match := _GROUPED.fullmatch(plain):
        return _grouped(plain, match[1], match[2], decimal)
    comma = "; write decimals with a point" if _COMMA_DECIMAL.fullmatch(plain) else "; leave out units and remarks"
    return Cell(problem=f"'{plain[:40]}' is no number{comma if re.match(r'[+-]? ?[.,]?[0-9]', plain) else ''}")


def _grouped(plain: str, mark: str, point: str | None, decimal: str) -> Cell:
    """Read a number whose digits stand in groups of three behind ``mark``, with a fraction behind ``point`` if any."""
    if point == mark:
        return Cell(problem=f"'{plain}' is no number; leave out units and remarks")
    clear = plain.count(mark) > 1 or mark in " '’" or point or (mark == "," and decimal == ".")
    if not clear:
        return Cell(problem=f"'{plain}' is {plain.replace(mark, '')} or {plain.replace(',', '.')}; write it without a comma")
    whole = plain.replace(mark, "")
    return _finite(float(whole.replace(",", ".") if point == "," else whole), plain)


def read_numbers(cells: pd.Series | Sequence[Any], decimal: str | None = None) -> Column:
    """Read the cells of a column.

    Parameters
    ----------
    cells : Series or sequence, length N
    decimal : str, optional
        As for :func:`read_number`; None asks ``cells.attrs``.

    Examples
    --------
    >>> column = read_numbers(["1.5", "", "high", " 2e3", ">10"])
    >>> column.values.tolist(), column.refused[2], column.bounds
    ([1.5, nan, nan, 2000.0, nan], "'high' is no number", {4: ('>', 10.0)})
    """
    series = cells if isinstance(cells, pd.Series) else pd.Series(list(cells), dtype=object)
    decimal = decimal_of(series, series.attrs.get(DECIMAL, "") if decimal is None else decimal)
    kinds = pd.api.types.is_bool_dtype, pd.api.types.is_complex_dtype
    is_number = pd.api.types.is_numeric_dtype(series.dtype) and not any(is_kind(series.dtype) for is_kind in kinds)
    if is_number:
        values = series.to_numpy(dtype=float, na_value=np.nan, copy=True)
    else:
        values = _quick(series, decimal)
    return _slowly(series, values, decimal)


def decimal_of(cells: pd.Series | Sequence[Any], decimal: str) -> str:
    """How cells write decimals, where their file says that it is with a comma: "," if one of them does, else "".

    Examples
    --------
    >>> decimal_of(["1.000", "2,5"], ","), decimal_of(["1.000", "2.500"], ","), decimal_of(["1.000"], ".")
    (',', '', '.')
    """
    if decimal != ",":
        return decimal
    texts = (cell for cell in cells if isinstance(cell, str) and "," in cell)
    return "," if any(_WITH_COMMA.fullmatch(" ".join(text.translate(_LOOKS).split())) for text in texts) else ""


def _quick(series: pd.Series, decimal: str) -> np.ndarray:
    """What pandas reads of text and floats without doubt, to the last bit as Python reads it; NaN for all else.

    pandas 2 reads one number in four a little off: here it only says which cells are numbers.
    """
    values = np.full(len(series), np.nan)
    cells = series.to_numpy(dtype=object)
    plain = np.fromiter((isinstance(cell, (str, float)) for cell in cells), dtype=bool, count=len(cells))
    if plain.any():
        plain[plain] = ~np.isnan(pd.to_numeric(cells[plain], errors="coerce").astype(float))
        values[plain] = [float(cell) for cell in cells[plain]]
    zeros = np.flatnonzero(values == 0)
    doubtful = {text for text in {str(cells[position]) for position in zeros} if _is_more_than_nothing(text)}
    if doubtful:
        values[[position for position in zeros if str(cells[position]) in doubtful]] = np.nan
    if decimal == ",":
        values[[isinstance(cell, str) and "." in cell for cell in cells]] = np.nan
    return values


def _slowly(series: pd.Series, values: np.ndarray, decimal: str) -> Column:
    """Look at each cell that has no finite value yet."""
    refused: dict[int, str] = {}
    bounds: dict[int, tuple[str, float]] = {}
    for position in np.flatnonzero(~np.isfinite(values)).tolist():
        cell = read_number(series.iloc[position], decimal)
        values[position] = cell.value
        if cell.problem:
            refused[position] = cell.problem
        if cell.bound:
            bounds[position] = (cell.bound, cell.limit)
    return Column(values, refused, bounds)


def with_points(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with a decimal point in its columns of numbers, where its file wrote commas: so it can be written with others.

    Columns that hold anything but numbers, bounds and gaps stay as they are.

    Examples
    --------
    >>> frame = pd.DataFrame({"y": ["1,500", ">2,25", ""], "note": ["1,2-dichloro", "1,5", ""]})
    >>> frame.attrs[DECIMAL] = ","
    >>> with_points(frame)["y"].tolist(), with_points(frame)["note"].tolist()
    (['1.5000', '>2.25', ''], ['1,2-dichloro', '1,5', ''])
    """
    if frame.attrs.get(DECIMAL) != ",":
        return frame
    changed = {}
    for place in range(frame.shape[1]):
        cells = frame.iloc[:, place]
        if decimal_of(cells, ",") == "," and _holds_numbers(cells):
            changed[place] = [_with_point(cell) if isinstance(cell, str) else cell for cell in cells]
    if not changed:
        return frame
    columns = [changed.get(place, frame.iloc[:, place].tolist()) for place in range(frame.shape[1])]
    table = pd.DataFrame(dict(enumerate(columns)), index=frame.index).set_axis(frame.columns, axis=1)
    table.attrs = frame.attrs
    return table


def _holds_numbers(cells: pd.Series) -> bool:
    """Whether there is nothing but numbers, bounds and gaps, with decimal commas; the first other cell ends the look."""
    found = (read_number(cell, ",") for cell in cells.unique())
    return all(not cell.problem or cell.bound for cell in found)


def _with_point(cell: str) -> str:
    """A number with a decimal comma as one with a point; no three digits behind it, which could be thousands."""
    if "," not in cell:
        return cell
    plain = re.sub(r"[. '](?=\d{3})", "", " ".join(cell.translate(_LOOKS).split())).replace(",", ".")
    return plain + "0" if re.search(r"\.\d{3}$", plain) else plain


def describe_refused(cells: pd.Series | Sequence[Any], decimal: str | None = None) -> str:
    """Say how many cells of a column are no numbers, with one of them; "" where each is a number or empty.

    Examples
    --------
    >>> describe_refused(["12", ">10000", "", ">10000"])
    "2 of 4 cells such as '>10000' are no numbers"
    >>> describe_refused(["high", 1.5]), describe_refused([1.5, None])
    ("1 of 2 cells, 'high', is no number", '')
    """
    series = cells if isinstance(cells, pd.Series) else pd.Series(list(cells), dtype=object)
    refused = read_numbers(series, decimal).refused
    if not refused:
        return ""
    shown = f"'{str(series.iloc[next(iter(refused))])[:40]}'"
    few = f"1 of {len(series):,} cells, {shown}, is no number"
    return few if len(refused) == 1 else f"{len(refused):,} of {len(series):,} cells such as {shown} are no numbers"
