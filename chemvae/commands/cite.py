"""chemvae cite."""

from __future__ import annotations

from typing import Annotated

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.options import command


@command
def cite(
    used: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="USED", show_default=False, help="Folders of runs or searches, commands, or names such as iaf; repeatable."
        ),
    ] = None,
    bibtex: Annotated[bool, typer.Option("--bibtex", metavar="", help="As entries for a bibliography.")] = False,
) -> None:
    """Print the papers behind what you used: a run, a search, a command, a method; without a name, the shipped model."""
    from chemvae import citing

    papers = citing.cite(*used or ())
    console.write_stdout("\n".join(paper.bibtex(key) if bibtex else str(paper) for key, paper in papers.items()))
