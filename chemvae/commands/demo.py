"""chemvae demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.options import Folder, Model, Seed, command


@command
def demo(
    output: Folder = Path("demo"),
    model: Model = None,
    start: Annotated[
        str | None,
        typer.Option(metavar="SMILES", show_default=False, help="A molecule of yours to start from. Default: imatinib."),
    ] = None,
    train: Annotated[
        bool, typer.Option("--train", metavar="", help="Train a small model first, and show that one: minutes more.")
    ] = False,
    oled: Annotated[
        bool, typer.Option("--oled", metavar="", help="Emitters instead of drugs: random ones, one improved, a map.")
    ] = False,
    fast: Annotated[
        bool, typer.Option("--fast", metavar="", help="Seconds instead of minutes; the figures then say little.")
    ] = False,
    seed: Seed = 0,
) -> None:
    """Show on one page what a model can do, offline, in two or three minutes: write, read, predict, improve, search, map.

    Takes the shipped model, a run with -m, or one that it trains itself with --train. Open FOLDER/report.html when it is done;
    FOLDER/results.json holds its figures.
    """
    with console.working("Starting"):
        from chemvae.commands.shared import training_display
        from chemvae.demo import run_demo, run_emitters
        from chemvae.errors import SettingsError

    if oled and train:
        raise SettingsError("--train makes a small model of drug-like molecules; leave it out, or leave out --oled")
    if oled:
        run_emitters(out=output, model=model, start=start, seed=seed, fast=fast)
        return

    with training_display.progress(output / "run") as shown:
        run_demo(out=output, model=model, start=start, train=train, seed=seed, fast=fast, callbacks=shown)
