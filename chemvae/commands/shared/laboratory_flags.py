"""``chemvae optimize`` for those whose oracle is a laboratory: a table of molecules out, a table of results in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.optimize_display import show_best
from chemvae.errors import ChemVAEError, SettingsError

if TYPE_CHECKING:
    from chemvae.design import Goal, Result

PANEL = "When a laboratory is the oracle"
SHEET, BATCH = "next.csv", 24

BatchOut = Annotated[
    Path | None,
    typer.Option(
        "--batch-out", metavar="FILE", rich_help_panel=PANEL, show_default=False,
        help=f"Write the molecules to measure there, {BATCH} or as many as --batch says, and stop.",
    ),
]  # fmt: skip
BatchIn = Annotated[
    str | None,
    typer.Option(
        "--batch-in", metavar="FILE", rich_help_panel=PANEL, show_default=False,
        help="What was measured: such a table with its column filled in, a word like failed where there is no value. "
        "Flags need not be repeated.",
    ),
]  # fmt: skip
Ranges = Annotated[
    list[str] | None,
    typer.Option(
        "--range", metavar="P=LOW..HIGH", rich_help_panel="What is wanted", show_default=False,
        help="The range of a goal that counts among several, where it is no property with a usual one.",
    ),
]  # fmt: skip


def is_laboratory(asked: Mapping[str, Any], results: str | None, sheet: Path | None) -> bool:
    """Whether scores come from people.

    Raises
    ------
    SettingsError
        If they are to come from elsewhere too, or at once.
    """
    named = (asked["oracle"] or "").partition(":")[0].strip().lower() == "laboratory"
    wanted = named or results is not None or sheet is not None
    if wanted and asked["oracle"] and not named:
        raise SettingsError(f"--batch-in and --batch-out are for a laboratory; leave them out, or --oracle {asked['oracle']}")
    if wanted and asked["baseline"]:
        raise SettingsError("--baseline would have as many molecules measured again; leave it out")
    return wanted


def with_ranges(goals: Sequence[Goal], texts: Sequence[str] | None) -> list[Goal]:
    """Give goals the ranges of ``--range``.

    Examples
    --------
    >>> from chemvae.design import Goal
    >>> with_ranges([Goal("pIC50"), Goal("qed")], ["pic50=4..9"])[0].high
    9.0
    """
    found = dict(_read_range(text) for text in texts or ())
    stray = sorted(found.keys() - {goal.name.lower() for goal in goals})
    if stray:
        raise SettingsError(f"--range {stray[0]} belongs to no goal; name it with --maximize, --minimize or --target")
    ranges = [found.get(goal.name.lower(), (goal.low, goal.high)) for goal in goals]
    return [replace(goal, low=low, high=high) for goal, (low, high) in zip(goals, ranges, strict=True)]


def _read_range(text: str) -> tuple[str, tuple[float, float]]:
    name, _, ends = text.rpartition("=")
    low, dots, high = ends.partition("..")
    try:
        if not (name.strip() and dots):
            raise ValueError
        return name.strip().lower(), (float(low), float(high))
    except ValueError:
        raise SettingsError(f"--range wants P=LOW..HIGH, such as pIC50=4..9; got '{text}'") from None


def check_sheet(path: Path, results: str | None) -> None:
    """Refuse to write over a table that somebody may have filled in.

    Raises
    ------
    SettingsError
        If the file's ending is no table's.
    ChemVAEError
        If the file is there, holds more than was written for this campaign, and is not what is read now.
    """
    from chemvae.tables import check_output

    check_output(path, overwrite=True)
    if str(path) == "-" or not path.exists() or (results is not None and Path(results).exists() and path.samefile(results)):
        return
    if not is_unfilled(path):
        raise ChemVAEError(
            f"'{path}' exists, and results may be filled in there. Tell them with --batch-in {path}, or choose another name."
        )


def is_unfilled(path: Path) -> bool:
    """Whether a file is a table as it is handed out, with a column that nobody has written in."""
    import pandas as pd

    from chemvae.data.files.reading import read_records

    try:
        table = pd.concat([chunk.frame for chunk in read_records(path)])
    except (ChemVAEError, ValueError):
        return False
    ours = list(table.columns[:3]) == ["id", "batch", "smiles"]
    return ours and bool((table == "").all().any())


def show_batch(result: Result, sheet: Path, results: str | None, output: Path) -> None:
    """Say what was taken in, how the campaign stands, and what to do with the batch."""
    if result.receipt is not None:
        console.say(f"{results}: {result.receipt.describe()}.")
    if result.best is not None:
        show_best(result)
    if not len(result.batch):
        console.say(f"Ended: {result.stopped}. Open {output / 'report.html'}; for more molecules: --budget N.")
        return
    sheet = Path("next.csv") if str(sheet) == "-" else sheet  # it is on stdout, and will be kept somewhere
    names = " and ".join(f"'{name}'" for name in empty_columns(result))
    old = int((result.batch["batch"] < result.batch["batch"].max()).sum())
    before = f" ({old} of them open since an earlier batch)" if old else ""
    console.say(
        f"{len(result.batch)} molecules to measure are in {sheet}{before}. Fill in {names}: a number, or a word such as failed "
        "where there is none; what is left empty stays open."
    )
    console.say(f"Then: chemvae optimize --batch-in {sheet} --batch-out {next_name(sheet)} -o {output}")


def empty_columns(result: Result) -> list[str]:
    """What is to be measured."""
    return [name for name in result.batch if (result.batch[name].astype(object) == "").all()]


def next_name(sheet: Path) -> Path:
    """The name after a name.

    Examples
    --------
    >>> str(next_name(Path("next.csv"))), str(next_name(Path("batch9.csv")))
    ('next2.csv', 'batch10.csv')
    """
    stem, number = re.fullmatch(r"(.*?)(\d*)", sheet.stem).groups()
    return sheet.with_name(f"{stem}{int(number or 1) + 1}{sheet.suffix}")
