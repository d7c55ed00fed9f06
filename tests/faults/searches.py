"""Searches that go wrong: damaged folders, hostile oracles, hostile sheets of results."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pandas as pd

from chemvae.design import run_campaign
from chemvae.design.evaluators.laboratory import LABORATORY
from chemvae.design.oracles.programs.command_csv import CsvCommandOracle
from chemvae.design.oracles.programs.command_json import CommandOracle
from chemvae.design.search_folder import SearchFolder
from chemvae.design.search_settings import SearchSettings
from chemvae.errors import ChemVAEError
from tests.design.toys import Bowl, ToyModel
from tests.faults.fault import Fault

PAID, BUDGET = 6, 8
SOUGHT = {"maximize": ["qed"], "budget": PAID, "batch": 3, "method": "random"}
LONELY = "\ud800"


# damaged folders ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _whole() -> tuple[Path, list[str]]:
    """A folder of a search with six paid calls, and the eight molecules that the search comes to."""
    path = Path(tempfile.mkdtemp()) / "hits"
    folder, settings = SearchFolder(path), SearchSettings(**SOUGHT)
    with folder.opened(settings):
        _search(folder, settings)
    other = SearchFolder(path.parent / "other")
    longer = SearchSettings(**SOUGHT | {"budget": BUDGET})
    with other.opened(longer):
        return path, _search(other, longer)


def _search(folder: SearchFolder, settings: SearchSettings) -> list[str]:
    found = run_campaign(ToyModel(), history_path=folder.record, method=settings.method, **settings.arguments())
    return found.history["smiles"].tolist()


def _go_on(path: Path, damage: Callable[[Path], Any], words: tuple[str, ...] | None, **asked: Any) -> list[str]:
    """Damage a copy of the folder and go on with it: ``words`` are those of the refusal, None where it is to go on."""
    whole, wanted = _whole()
    path = path / "hits"
    shutil.copytree(whole, path)
    damage(path)
    record = path / "history.jsonl"
    before = record.read_bytes() if record.is_file() else b""
    try:
        folder = SearchFolder(path)
        found = _search(folder, folder.resume({"budget": BUDGET, **asked}))
    except ChemVAEError as error:
        after = record.read_bytes() if record.is_file() else b""
        return _refusal(str(error), words) + ([] if after == before else ["the record was changed"])
    if words is not None:
        return ["it went by in silence"]
    return [] if found == wanted else ["it came to other molecules"]


def _refusal(sentence: str, words: tuple[str, ...] | None) -> list[str]:
    if words is None:
        return [f"refused: {sentence}"]
    missing = [word for word in words if word.lower() not in sentence.lower()]
    long = [] if len(sentence) < 600 and sentence.isprintable() else ["the sentence cannot be read"]
    return long + ([f"not said: {', '.join(missing)}; but: {sentence[:200]}"] if missing else [])


def _lines(change: Callable[[list[bytes]], Any]) -> Callable[[Path], None]:
    """Change the record's lines, line ends included."""

    def damage(path: Path) -> None:
        record = path / "history.jsonl"
        lines = record.read_bytes().splitlines(keepends=True)
        record.write_bytes(b"".join(change(lines) or lines))

    return damage


def _field(**changed: Any) -> Callable[[Path], None]:
    """Change fields of the record's fourth line, its third call; a function makes the new value of the old one."""

    def change(lines: list[bytes]) -> None:
        row = json.loads(lines[3])
        row |= {name: value(row[name]) if callable(value) else value for name, value in changed.items()}
        lines[3] = json.dumps(row).encode() + b"\n"

    return _lines(change)


def _repeated(lines: list[bytes]) -> None:
    lines[3] = json.dumps(json.loads(lines[3]) | {"smiles": json.loads(lines[2])["smiles"]}).encode() + b"\n"


def _header(**changed: Any) -> Callable[[Path], None]:
    def change(lines: list[bytes]) -> None:
        lines[0] = json.dumps(json.loads(lines[0]) | changed).encode() + b"\n"

    return _lines(change)


def _put(place: int, line: bytes) -> Callable[[Path], None]:
    def change(lines: list[bytes]) -> None:
        lines[place] = line

    return _lines(change)


def _settings(**changed: Any) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        found = json.loads((path / "settings.json").read_text())
        (path / "settings.json").write_text(json.dumps(found | changed))

    return damage


def _settings_are(content: bytes) -> Callable[[Path], Any]:
    return lambda path: (path / "settings.json").write_bytes(content)


def _record_is(make: Callable[[Path], Any]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        (path / "history.jsonl").unlink()
        make(path / "history.jsonl")

    return damage


def _folder_in_place(path: Path) -> None:
    (path / "settings.json").unlink()
    (path / "settings.json").mkdir()


MEANT = {
    "the call": "call", "the molecule": "smiles", "the values": "values", "the reason": "reason", "the seconds": "seconds",
    "the point": "z",
}  # fmt: skip
DEEP = b"[" * 100_000
LINE = ("line 4",)
FOLDERS: list[tuple[str, Callable[[Path], Any], tuple[str, ...] | None]] = [
    ("nothing is damaged", lambda path: None, None),
    ("the last line is cut", _lines(lambda lines: lines[:-1] + [lines[-1][:20]]), None),
    ("rubbish without a line end follows", _lines(lambda lines: [*lines, b"\x00\xff\x00"]), None),
    ("line ends are those of Windows", _lines(lambda lines: [line[:-1] + b"\r\n" for line in lines]), None),
    ("the record is empty", _lines(lambda lines: [b""]), None),
    ("only half of the first line is there", _lines(lambda lines: [lines[0][:30]]), None),
    ("a line is gone", _lines(lambda lines: lines[:3] + lines[4:]), LINE),
    ("a line stands there twice", _lines(lambda lines: [*lines[:3], lines[2], *lines[3:]]), LINE),
    ("two lines have changed places", _lines(lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]]), LINE),
    ("a line is blank", _put(3, b"\n"), LINE),
    ("a line is a list", _put(3, b"[1, 2]\n"), LINE),
    ("a line is a number", _put(3, b"17\n"), LINE),
    ("a line is nested without end", _put(3, DEEP + b"\n"), LINE),
    ("a line is of zeros", _put(3, b"\x00" * 200 + b"\n"), LINE),
    ("a line is no UTF-8", _put(3, b"\xff\xfe\n"), ("cannot be read",)),
    ("the first line is gone", _lines(lambda lines: lines[1:]), ("not a record", "line 1")),
    ("the first line begins with a mark of byte order", _lines(lambda lines: [b"\xef\xbb\xbf", *lines]), ("line 1",)),
    ("a molecule stands there twice", _lines(_repeated), LINE),
    *[
        (f"{name} is {told}", _field(**{MEANT[name]: value}), LINE)
        for name, told, value in (
            ("the call", "null", None),
            ("the call", "of another line", 9),
            ("the call", "true", True),
            ("the call", "a text", "3"),
            ("the molecule", "null", None),
            ("the molecule", "a number", 5),
            ("the molecule", "empty", ""),
            ("the molecule", "none", "C1CC"),
            ("the molecule", "of 100,000 atoms", "C" * 100_000),
            ("the values", "null", None),
            ("the values", "none", []),
            ("the values", "too many", [0.5, 0.5]),
            ("the values", "a text", ["0.5"]),
            ("the values", "true", [True]),
            ("the values", "infinite", [float("inf")]),
            ("the values", "of 400 digits", [10**400]),
            ("the values", "in a field with a name", {"0": 0.5}),
            ("the reason", "null", None),
            ("the reason", "a number", 3),
            ("the seconds", "null", None),
            ("the seconds", "a text", "soon"),
            ("the point", "null", None),
            ("the point", "too short", lambda z: z[:-1]),
            ("the point", "of texts", lambda z: ["a"] * len(z)),
        )
    ],
    *[(f"the format is {value!r}", _header(format=value), ("format",)) for value in (0, -1, 2, True, "1", None, 1.5, [1])],
    ("the first line has another seed", _header(seed=7), ("another seed",)),
    ("the first line has no goals", _header(goals=None), ("another goals",)),
    ("the first line has another model", _header(model="x"), ("another model",)),
    ("the record is a folder", _record_is(Path.mkdir), ("is no file",)),
    ("the record is a pipe", _record_is(os.mkfifo), ("is no file",)),
    ("the record points nowhere", _record_is(lambda path: path.symlink_to("gone")), ("no search",)),
    ("the settings are gone", lambda path: (path / "settings.json").unlink(), ("nothing to optimise",)),
    ("the settings are a folder", _folder_in_place, ("settings.json", "delete")),
    *[
        (f"the settings are {told}", _settings_are(content), ("settings.json", "delete"))
        for told, content in (
            ("empty", b""),
            ("null", b"null"),
            ("a list", b"[]"),
            ("cut", b'{"maximize": ["q'),
            ("no text", b"\xff\xfe\x00"),
            ("nested without end", DEEP),
        )
    ],
    *[
        (f"the settings say {name} = {str(value)[:20]}", _settings(**{name: value}), words)
        for name, value, words in (
            ("seed", None, None),
            ("method", ["random"], ("method",)),
            ("patience", None, None),
            ("a word of tomorrow", 3, None),
            ("maximize", "qed", ("maximize", "list")),
            ("maximize", [1], ("maximize", "list")),
            ("batch", "3", ("batch", "whole number")),
            ("seed", 1.5, ("seed", "whole number")),
            ("seed", True, ("seed", "whole number")),
            ("seed", 10**30, ("seed",)),
            ("patience", -1, ("patience",)),
            ("patience", 10**30, ("patience", "at most")),
            ("batch", 10**12, ("batch_size", "at most")),
            ("timeout_s", 1e300, ("timeout_s", "at most")),
            ("time_limit", float("nan"), ("time_limit_s",)),
            ("method", "magic", ("magic",)),
            ("alerts", "yes", ("alerts",)),
            ("oracle", 5, ("oracle",)),
            ("model", {}, ("model",)),
        )
    ],
]


# hostile oracles ------------------------------------------------------------------------------------------------------------

SMILES = ["CCO", "CCN", "CCC"]
ANSWER = "while read -r line; do i=${line#*: }; i=${i%%%%,*}; %s; done"
USUAL = 'echo "{\\"id\\": $i, \\"score\\": $i}"'


def _shell(script: str) -> list[str]:
    return ["/bin/sh", "-c", script]


def _second(instead: str) -> str:
    """A program that answers as it should, but for the second molecule."""
    return ANSWER % f"if [ $i = 1 ]; then {instead}; else {USUAL}; fi"


def _judge(
    folder: Path, command: list[str], reason: str, kind: Any = CommandOracle, fails: tuple[int, ...] = (1,)
) -> list[str]:
    """The molecules that are to fail do, each with a reason; all others have their score."""
    scores = kind(command, timeout_s=20.0).score(SMILES)
    failed = tuple(i for i, score in enumerate(scores) if score.failed)
    found = [] if failed == fails else [f"failed: {failed}"]
    told = [scores[i].reason for i in failed]
    found += [
        f"its reason: {text[:200]!r}" for text in told if reason not in text or not text.isprintable() or len(text) > 1000
    ]
    return found


def _function(folder: Path, function: Callable[[str], Any], reason: str) -> list[str]:
    """As for programs: a function that goes wrong for some molecules only."""
    inside = os.getcwd()
    try:
        found = run_campaign(ToyModel(), function, budget=6, batch_size=6, method="random", history_path=folder / "a.jsonl")
    finally:
        os.chdir(inside)
    table = found.history
    failed = table[table["score"].isna()]
    wrong = [text for text in failed["reason"] if reason not in text]
    lines = (folder / "a.jsonl").read_text().splitlines()
    return wrong + ([] if len(table) == 6 and len(lines) == 7 else [f"{len(table)} calls, {len(lines)} lines"])


def _sometimes(act: Callable[[], Any]) -> Callable[[str], Any]:
    return lambda smiles: act() if len(smiles) % 2 else Bowl()(smiles)


def _raise(error: BaseException) -> Any:
    raise error


class _Rude(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def _endless() -> Any:
    return _endless()


def _leave_folder() -> float:
    os.chdir("/")
    return 1.0


def _copy_of_the_program() -> float:
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
    return 1.0


def _outlives(folder: Path) -> list[str]:
    """A grandchild in a session of its own, whose parent is gone, ends with its program."""
    told = folder / "pid"
    script = f'(setsid sh -c "echo \\$\\$ > {told}; exec sleep 300" &) ; sleep 0.1; ' + ANSWER % USUAL
    CommandOracle(_shell(script), timeout_s=20.0).score(SMILES)
    pid, until = int(told.read_text()), time.monotonic() + 3.0
    while time.monotonic() < until:
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return []
        time.sleep(0.02)
    os.kill(pid, 9)
    return ["it lives on"]


def _no_program(folder: Path) -> list[str]:
    program = folder / "dock"
    program.write_text("no program of any kind")
    program.chmod(0o755)
    return _judge(folder, [str(program)], "could not be started", fails=(0, 1, 2))


ENDLESS_LINE = "tr '\\0' x < /dev/zero"
PROGRAMS: list[tuple[str, Callable[[Path], list[str]], bool]] = [
    ("a line without end", partial(_judge, command=_shell(_second(ENDLESS_LINE)), reason="line of more than"), True),
    ("lines without end", partial(_judge, command=_shell(_second("yes")), reason="wrote more than"), False),
    ("JSON nested without end", partial(_judge, command=_shell(_second(
        "head -c 200000 /dev/zero | tr '\\0' '['; echo; exit 0")), reason="no JSON object"), True),
    ("an early end", partial(_judge, command=_shell(_second("exit 0")), reason="ended without an answer"), True),
    ("an early end with words", partial(_judge, command=_shell(_second(
        "echo no licence >&2; exit 3")), reason="no licence"), True),
    ("complaints without end", partial(_judge, command=_shell(_second(
        "yes complaint | head -c 3000000 >&2; exit 1")), reason="complaint"), True),
    ("an end by a signal", partial(_judge, command=_shell(_second("kill -9 $$")), reason="exit code -9"), True),
    ("an answer for nobody", partial(_judge, command=_shell(_second(
        'echo "{\\"id\\": 77, \\"score\\": 1}"; exit 0')), reason="77"), True),
    ("true for an id", partial(_judge, command=_shell(_second(
        'echo "{\\"id\\": true, \\"score\\": 1}"; exit 0')), reason="True"), True),
    ("a list for an id", partial(_judge, command=_shell(_second(
        'echo "{\\"id\\": [[1]], \\"score\\": 1}"; exit 0')), reason="[[1]]"), True),
    ("an id of 9,000 digits", partial(_judge, command=_shell(_second(
        'printf "{\\"id\\": \\"%09000d\\", \\"score\\": 1}\\n" 1; exit 0')), reason="000"), True),
    ("a text for a score", partial(_judge, command=_shell(_second(
        'echo "{\\"id\\": 1, \\"score\\": \\"1.5\\"}"')), reason="gave no number"), True),
    ("true for a score", partial(_judge, command=_shell(_second(
        'echo "{\\"id\\": 1, \\"score\\": true}"')), reason="gave no number"), True),
    ("an infinite score", partial(_judge, command=_shell(_second(
        'echo "{\\"id\\": 1, \\"score\\": 1e999}"')), reason="gave no number"), True),
    ("the largest number there is", partial(_judge, command=_shell(_second(
        'echo "{\\"id\\": 1, \\"score\\": -1.7976931348623157e308}"')), reason="gave no number"), True),
    ("a reason that paints the terminal", partial(_judge, command=_shell(_second(
        'printf %s "{\\"id\\": 1, \\"error\\": \\"\\u001b[31mred\\u0007 \\ud800\\"}"; echo')), reason="red"), True),
    ("a reason of a million characters", partial(_judge, command=_shell(_second(
        'printf "{\\"id\\": 1, \\"error\\": \\"%0900000d\\"}\\n" 1')), reason="000"), True),
    ("bytes that are no text", partial(_judge, command=_shell(_second(
        "printf '\\377\\376\\000\\n'; exit 0")), reason="no JSON object"), True),
    ("a grandchild in a session of its own", _outlives, True),
    ("no program of any kind", _no_program, True),
    ("a table with a cell too long", partial(_judge, command=_shell(
        "echo smiles,score; echo CCO,1; head -c 300000 /dev/zero | tr '\\0' x; echo ,2"), reason="no row",
        kind=CsvCommandOracle, fails=(1, 2)), True),
    ("a folder in place of a table", partial(_judge, command=["/bin/sh", "-c", "mkdir $0", "{output}"], reason="no column",
        kind=CsvCommandOracle, fails=(0, 1, 2)), True),
    ("a pipe in place of a table", partial(_judge, command=["/bin/sh", "-c", "mkfifo $0", "{output}"], reason="no column",
        kind=CsvCommandOracle, fails=(0, 1, 2)), True),
    ("os._exit in a function", partial(_function, function=_sometimes(lambda: os._exit(3)), reason="os._exit(3)"), True),
    ("os.abort in a function", partial(_function, function=_sometimes(lambda: os.abort()), reason="os.abort()"), True),
    ("sys.exit in a function", partial(_function, function=_sometimes(sys.exit), reason="SystemExit"), True),
    ("an error that cannot be said", partial(_function, function=_sometimes(lambda: _raise(_Rude())), reason="_Rude"), True),
    ("an error that is none", partial(
        _function, function=_sometimes(lambda: _raise(GeneratorExit())), reason="GeneratorExit"), True),
    ("an error with half a character", partial(
        _function, function=_sometimes(lambda: _raise(ValueError(LONELY))), reason=""), True),
    ("a function that calls itself without end", partial(
        _function, function=_sometimes(_endless), reason="RecursionError"), True),
    ("a function that leaves the folder", partial(_function, function=_sometimes(_leave_folder), reason=""), True),
    ("a function that copies the program", partial(_function, function=_sometimes(_copy_of_the_program), reason=""), True),
    ("a list from a function", partial(_function, function=_sometimes(lambda: [1, 2]), reason="TypeError"), True),
    ("a text from a function", partial(_function, function=_sometimes(lambda: "1.5"), reason="not a number"), True),
    ("infinity from a function", partial(_function, function=_sometimes(lambda: float("inf")), reason="inf"), True),
]  # fmt: skip


# hostile sheets -------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _handed_out() -> tuple[bytes, pd.DataFrame]:
    """The record of a laboratory's campaign, and the six molecules it has handed out."""
    path = Path(tempfile.mkdtemp()) / "history.jsonl"
    batch = run_campaign(ToyModel(), LABORATORY, budget=12, batch_size=6, method="random", history_path=path).batch
    return path.read_bytes(), batch.assign(score=["1.5", "2.5", "3.5", "", "5.5", "failed"])


def _sheet(folder: Path, change: Callable[[pd.DataFrame], Any], words: tuple[str, ...] | int) -> list[str]:
    """Give a changed sheet back: it is refused with these words and nothing is recorded, or so many results are taken."""
    record, filled = _handed_out()
    path = folder / "history.jsonl"
    path.write_bytes(record)
    results = change(filled.astype(object).copy())
    if isinstance(results, bytes):
        (folder / "next.csv").write_bytes(results)
        results = folder / "next.csv"
    try:
        found = run_campaign(
            ToyModel(), LABORATORY, budget=12, batch_size=6, method="random", history_path=path, results=results
        )
    except ChemVAEError as error:
        changed = [] if path.read_bytes() == record else ["the record was changed"]
        return _refusal(str(error), words if isinstance(words, tuple) else None) + changed
    taken = found.receipt.values + found.receipt.failed
    return [] if taken == words else [f"{taken} results were taken: {found.history[['smiles', 'score', 'reason']]}"]


def _cell(value: Any, column: str = "score", row: int = 1) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[row, column] = value
        return table

    return change


def _as_csv(change: Callable[[bytes], bytes]) -> Callable[[pd.DataFrame], bytes]:
    return lambda table: change(table.to_csv(index=False).encode())


def _twice(table: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([table, table.head(1).assign(score="9.9")])


def _mixed_up(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(id=table["id"].tolist()[::-1])


SHEETS: list[tuple[str, Callable[[pd.DataFrame], Any], tuple[str, ...] | int]] = [
    ("nothing is wrong", lambda table: table, 5),
    ("rows and columns in another order", lambda table: table.iloc[::-1, ::-1], 5),
    ("ids alone", lambda table: table[["id", "score"]], 5),
    ("molecules alone, written otherwise", lambda table: table[["smiles", "score"]].assign(
        smiles=[f"[CH3]{text[1:]}" if text.startswith("CC") else text for text in table["smiles"]]), 5),
    ("ids in capitals and between blanks", lambda table: table.assign(id=" " + table["id"].str.upper() + " "), 5),
    ("a column name in capitals", lambda table: table.rename(columns={"score": "SCORE"}), 5),
    ("a comment that a spreadsheet would carry out", lambda table: table.assign(comment="=cmd|' /C calc'!A0"), 6),
    ("an id marked as text", lambda table: table.assign(id="'" + table["id"]), 5),
    ("ids that belong to other rows", _mixed_up, ("row 1", "correct the id")),
    ("a row twice, with another value", _twice, ("twice",)),
    ("a date", _cell(pd.Timestamp("2026-05-03")), ("row 2", "date")),
    ("a truth value", _cell(True), ("row 2", "true or false")),
    ("a formula", _cell("=A1*2"), ("row 2", "formula")),
    ("an error cell", _cell("#VALUE!"), ("row 2", "error cell")),
    ("a bound", _cell(">10"), 5),
    ("a number with its unit", _cell("5 nM"), ("row 2",)),
    ("a decimal comma", _cell("1,200"), ("row 2", "comma")),
    ("a number beyond all measure", _cell("1e308"), ("row 2", "larger")),
    ("infinity", _cell(float("inf")), ("row 2", "finite")),
    ("a list in a cell", _cell([1, 2]), ("row 2",)),
    ("an id nobody handed out", lambda table: _cell("m9999", "id")(table).drop(columns="smiles"), ("row 2", "m9999")),
    ("a molecule that is none", _cell("C1CC", "smiles"), ("row 2", "no molecule")),
    ("a molecule of a million characters", _cell("C" * 1_000_000, "smiles"), ("row 2", "no molecule")),
    ("no column of results", lambda table: table.drop(columns="score"), ("no column 'score'",)),
    ("nothing filled in", lambda table: table.assign(score=""), ("nothing in column",)),
    ("a header and nothing else", _as_csv(lambda text: text.splitlines(keepends=True)[0]), ("no rows",)),
    ("an empty file", _as_csv(lambda text: b""), ()),
    ("a file of zeros", _as_csv(lambda text: b"\x00" * 5000), ()),
    ("a picture", _as_csv(lambda text: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20), ()),
    ("a file that ends within a row", _as_csv(lambda text: text[: text.rfind(b"failed") - 3]), 4),
    ("UTF-16, as a spreadsheet writes it", _as_csv(lambda text: text.decode().encode("utf-16")), 5),
]  # fmt: skip


FAULTS = [
    *[Fault(f"folder: {name}", partial(_go_on, damage=damage, words=words)) for name, damage, words in FOLDERS],
    *[Fault(f"oracle: {name}", act, short=short) for name, act, short in PROGRAMS],
    *[Fault(f"sheet: {name}", partial(_sheet, change=change, words=words)) for name, change, words in SHEETS],
]
