"""An oracle that is another program: a CSV table in, a CSV table out."""

from __future__ import annotations

import csv
import io
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from chemvae.chem.identity import identify
from chemvae.design.oracles.programs.program import MOST_OUTPUT, Program, ProgramOracle
from chemvae.design.oracles.score import Score, is_usable

SMILES, INPUT, OUTPUT = "smiles", "{input}", "{output}"
REASONS = ("error", "reason")
NOT_VALUES = {SMILES, "id", "index", "", *REASONS}


class CsvCommandOracle(ProgramOracle):
    """Scores molecules with an external program that reads a table and writes one.

    The program is started once per batch. It reads a table with the one column ``smiles`` from its standard input, or from a
    file where an argument holds ``{input}``, and writes one with the score to its standard output, or to the file
    ``{output}``. The score stands in the column named so (any case), or in the only one there is beside ``smiles``. A
    molecule is found by the column ``smiles``, however it is written there, or, where there is none, by its place, if there
    are as many rows as molecules. An empty cell is a failure, with the reason in the column ``error``, if any; so is a row of
    more cells than the header has, and a molecule with two different values.

    Such a table is often written at the very end, so the time limit is one for the whole batch: ``timeout_s`` times its
    molecules. After an overrun or a crash, those without a row are asked again one by one, each with its own limit, so that
    only the molecule at fault is left without a score.

    Parameters
    ----------
    command : sequence of str
        Program and arguments; no shell is involved.
    names : sequence of str
        Columns of the values.
    timeout_s : float, optional
        Seconds per molecule.

    Raises
    ------
    SettingsError
        If the program is not found.

    Examples
    --------
    >>> import sys
    >>> program = "import sys, csv\\nprint('smiles,score')\\nfor r in csv.DictReader(sys.stdin): print(r['smiles'] + ',1.5')"
    >>> CsvCommandOracle([sys.executable, "-c", program])(["CCO", "CC"])
    array([1.5, 1.5])
    """

    def run(self, smiles: Sequence[str]) -> Iterator[Score]:
        """Start the program, and start it again for each molecule that an early end left without a row."""
        started = time.perf_counter()
        text, problem, stopped = self._ask(smiles)
        seconds = (time.perf_counter() - started) / max(len(smiles), 1)
        found, missing = self._read(text, smiles, seconds, is_whole=not problem)
        score: Score | None
        for one in smiles:
            if one in found:
                score = found[one]
            elif problem and len(smiles) > 1 and not stopped:
                score = next(self.run([one]), None)
            else:
                score = None if stopped else self.failure(problem or missing, seconds)
            if score is None:  # stopped from outside
                return
            yield score

    def _ask(self, smiles: Sequence[str]) -> tuple[str, str, bool]:
        """Run the program once: what it wrote, what went wrong ("" if nothing), and whether it was stopped from outside."""
        table = "".join(f"{text}\n" for text in (SMILES, *smiles))
        with tempfile.TemporaryDirectory() as folder:
            files = {INPUT: Path(folder, "input.csv"), OUTPUT: Path(folder, "output.csv")}
            files[INPUT].write_text(table, encoding="utf-8")
            command = [_with_files(part, files) for part in self.command]
            with self._start(command, table) as program:
                written = self._listen(program, len(smiles))
                failed = program.timed_out or program.trouble or program.exit_code() != 0
                problem = program.problem(self.timeout_s) if failed else ""
                if any(OUTPUT in part for part in self.command):
                    written, too_long = _read_file(files[OUTPUT])
                    problem = problem or too_long
                return written, problem, program.stopped

    def _listen(self, program: Program, n: int) -> str:
        """All the program writes before it ends or its time is over."""
        deadline = None if self.timeout_s is None else time.perf_counter() + self.timeout_s * n
        return "".join(iter(lambda: program.next_line(deadline), None))

    def _read(self, text: str, smiles: Sequence[str], seconds: float, is_whole: bool) -> tuple[dict[str, Score], str]:
        """The scores of the molecules that can be told, and why others have none."""
        if not is_whole:
            text = text[: text.rfind("\n") + 1]  # half a number is another number
        head, rows = _rows(text)
        header = {name: place for place, name in enumerate(head)}
        columns = self._columns(header)
        twice = next((name for name in (SMILES, *map(str.lower, self.names)) if head.count(name) > 1), None)
        if twice is not None:
            return {}, f"the program's table has {head.count(twice)} columns {twice}"
        if len(head) == 1 and {";", "\t"} & set(head[0]):
            return {}, f"the cells of the program's table must be separated by commas; it begins with {head[0]!r}"
        if columns is None:
            there = ", ".join(map(repr, head)) or "none"
            return {}, f"the program's table has no column {', '.join(self.names)}; its columns: {there}"
        if SMILES in header:
            whose = [_find(row[header[SMILES]], set(smiles)) for row in rows]
        elif is_whole and len(rows := _as_many(rows, len(smiles))) == len(smiles):
            whose = list(smiles)
        else:
            return {}, f"the program wrote {len(rows)} rows for {len(smiles)} molecules, and no column smiles to tell whose"
        reasons = [header[name] for name in REASONS if name in header]
        found: dict[str, Score] = {}
        for one, row in zip(whose, rows, strict=True):
            if one is None:
                continue
            told = next((row[place] for place in reasons if row[place]), "")
            score = self._as_score_of([row[place] for place in columns], told, seconds)
            if any(row[len(head) :]) and not _is_remark(head, columns):
                score = self.failure(f"its row has {len(row)} cells under {len(head)} columns (a decimal comma?)", seconds)
            if one in found and str(found[one].values) != str(score.values):
                score = self.failure("the program gave it two different values", seconds)
            found[one] = score
        return found, "the program gave no row for it"

    def _columns(self, header: dict[str, int]) -> list[int] | None:
        """Places of the values; None if they are not there."""
        if all(name.lower() in header for name in self.names):
            return [header[name.lower()] for name in self.names]
        others = [name for low, name in header.items() if low not in NOT_VALUES]
        return others if len(others) == len(self.names) == 1 else None

    def _as_score_of(self, cells: Sequence[str | None], reason: str, seconds: float) -> Score:
        values = tuple(_float(cell) for cell in cells)
        missing = [name for name, value in zip(self.names, values, strict=True) if math.isnan(value)]
        reason = reason or f"the program gave no number for {', '.join(missing)}"
        return Score(values, reason if missing else "", seconds)


def _as_many(rows: list[list[str]], n: int) -> list[list[str]]:
    """Rows of a table without SMILES: empty lines are empty cells where that makes one row for each molecule, else nothing."""
    return rows if len(rows) == n else [row for row in rows if row != [""]]


def _is_remark(head: Sequence[str], columns: Sequence[int]) -> bool:
    """Whether the last column is one of words behind the values, so that a comma in it moves nothing."""
    return bool(head) and head[-1] in REASONS and max(columns) < len(head) - 1


def _rows(text: str) -> tuple[list[str], list[list[str]]]:
    """The names of the columns, and the rows under them as far as they can be read; cells that a row lacks are empty.

    An empty line is a row of a table with one column, and none of a wider one.

    Examples
    --------
    >>> _rows("Score\\n1\\n\\n3\\n"), _rows("smiles, Score \\nCCO,1\\n\\nCC\\n")
    ((['score'], [['1'], [''], ['3']]), (['smiles', 'score'], [['CCO', '1'], ['CC', '']]))
    """
    found: list[list[str]] = []
    try:
        found.extend(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    except csv.Error:  # a cell longer than csv reads, or a line end where none may be
        pass
    begin = next((i for i, row in enumerate(found) if row), len(found))
    head = [name.strip().lower() for name in found[begin]] if found[begin:] else []
    rows = [row or [""] for row in found[begin + 1 :] if row or len(head) == 1]
    return head, [row + [""] * (len(head) - len(row)) for row in rows]


def _read_file(path: Path) -> tuple[str, str]:
    """The text of a file up to a bound, and what is wrong with it ("" if nothing); no text where there is no file."""
    if not path.is_file():
        return "", ""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(MOST_OUTPUT + 1)
    except OSError as error:
        return "", f"the program's table cannot be read ({error.strerror or error})"
    return text, f"the program wrote more than {MOST_OUTPUT:,} characters" if len(text) > MOST_OUTPUT else ""


def _with_files(part: str, files: dict[str, Path]) -> str:
    for mark, path in files.items():
        part = part.replace(mark, str(path))
    return part


def _find(text: str | None, smiles: set[str]) -> str | None:
    """The molecule that a cell means; None if it is none of these."""
    if text in smiles:
        return text
    canonical = None if text is None else identify(text)
    return canonical if canonical in smiles else None


def _float(cell: str | None) -> float:
    try:
        number = float(cell or "nan")
    except ValueError:
        return math.nan
    if cell and "_" in cell:  # Python reads 1_0 as ten; nobody else writes it so
        return math.nan
    return number if is_usable(number) else math.nan
