"""``chemvae optimize`` for those whose oracle is a laboratory: a table of molecules out, a table of results in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.optimize_display import show_best
from chemvae.errors import command_line

if TYPE_CHECKING:
    from chemvae.design import Result
    from chemvae.design.search import FolderSearch

PANEL = "When a laboratory is the oracle"

BatchOut = Annotated[
    Path | None,
    typer.Option(
        "--batch-out", metavar="FILE", rich_help_panel=PANEL, show_default=False,
        help="Write the molecules to measure there, 24 or as many as --batch says, and stop.",
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


def show_batch(found: FolderSearch, results: str | None) -> None:
    """Say what was taken in, how the campaign stands, and what to do with the batch."""
    result, folder, sheet = found.result, found.folder, found.sheet
    if result.receipt is not None:
        console.say(f"{results}: {result.receipt.describe()}.")
    if result.best is not None:
        show_best(result)
    if not len(result.batch):
        console.say(f"Ended: {result.stopped}. Open {folder.report}; for more molecules: --budget N.")
        return
    sheet = Path("next.csv") if sheet is None or str(sheet) == "-" else sheet  # it is on stdout, and will be kept somewhere
    names = " and ".join(f"'{name}'" for name in empty_columns(result))
    old = int((result.batch["batch"] < result.batch["batch"].max()).sum())
    before = f" ({old} of them open since an earlier batch)" if old else ""
    console.say(
        f"{len(result.batch)} molecules to measure are in {sheet}{before}. Fill in {names}: a number, or a word such as failed "
        "where there is none; what is left empty stays open."
    )
    then = command_line("optimize", "--batch-in", sheet, "--batch-out", next_name(sheet), "-o", folder.path)
    console.say(f"Then: {then}")


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
    stem = sheet.stem.rstrip("0123456789")
    return sheet.with_name(f"{stem}{int(sheet.stem[len(stem) :] or 1) + 1}{sheet.suffix}")
