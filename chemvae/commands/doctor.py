"""chemvae doctor."""

from __future__ import annotations

from typing import Annotated

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.options import Json, command
from chemvae.errors import EXIT_FAILED

_MARKS = {"ok": ("ok", "green"), "note": ("note", "yellow"), "broken": ("BROKEN", "bold red")}


@command
def doctor(
    self_test: Annotated[
        bool,
        typer.Option(
            "--self-test/--no-self-test", metavar="", help="Also train, encode and decode with a tiny model (some seconds)."
        ),
    ] = True,
    json: Json = None,
) -> None:
    """Say what this installation has, what it lacks, and whether it works; exit code 1 if it does not."""
    from chemvae.doctor import examine

    with console.working("Examining"):
        findings = examine(self_test)
    console.write_json(json, [vars(finding) for finding in findings])
    console.show(_table(findings))
    if any(finding.state == "broken" for finding in findings):
        raise typer.Exit(EXIT_FAILED)


def _table(findings: list) -> object:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        word, style = _MARKS[finding.state]
        remedy = f"\n{finding.remedy}" if finding.remedy else ""
        table.add_row(Text(word, style=style), Text(finding.topic), Text(finding.text + remedy))
    return table
