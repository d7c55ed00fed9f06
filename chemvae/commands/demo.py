"""chemvae demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chemvae.commands import screen
from chemvae.commands.options import Folder, Seed, command


@command
def demo(
    output: Folder = Path("demo"),
    train: Annotated[
        bool, typer.Option("--train/--no-train", metavar="", help="Train anew, or take the model of an earlier demo in FOLDER.")
    ] = True,
    fast: Annotated[
        bool, typer.Option("--fast", metavar="", help="Seconds instead of minutes; the figures then say little.")
    ] = False,
    seed: Seed = 0,
) -> None:
    """Walk the whole path offline in a few minutes: make data, train, evaluate, design, map, and write a report.

    Open FOLDER/report.html when it is done; FOLDER/results.json holds its figures.
    """
    with screen.working("Starting"):
        from chemvae.commands import callbacks
        from chemvae.demo import run_demo

    with callbacks.progress(output / "run") as shown:
        run_demo(out=output, train=train, seed=seed, fast=fast, callbacks=shown)
