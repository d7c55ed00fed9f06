"""chemvae complete."""

from __future__ import annotations

from typing import Annotated

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.options import Device, Model, Output, Overwrite, Seed, command


@command
def complete(
    pattern: Annotated[
        str,
        typer.Argument(
            metavar="PATTERN",
            show_default=False,
            help=r"A SMILES with gaps: _ is one missing symbol, _{3} three, _{1,6} one to six, __ any number.",
        ),
    ],
    model: Model = None,
    n: Annotated[int, typer.Option("-n", "--number", metavar="N", help="Molecules returned, at most.")] = 10,
    output: Output = "-",
    overwrite: Overwrite = False,
    like: Annotated[
        str | None, typer.Option(metavar="SMILES", show_default=False, help="A molecule whose code is the first guess.")
    ] = None,
    beam: Annotated[int, typer.Option(metavar="N", help="Fillings searched side by side at each point.")] = 6,
    draws: Annotated[int, typer.Option(metavar="N", help="Points drawn from the prior, where no molecule is named.")] = 8,
    rounds: Annotated[int, typer.Option(metavar="N", help="How often what was found is encoded and filled again.")] = 2,
    most: Annotated[int, typer.Option(metavar="N", help="Symbols that __ may stand for, at most.")] = 20,
    seed: Seed = 0,
    device: Device = "auto",
) -> None:
    """Fill the gaps of a partial SMILES with what the model finds most probable.

    A FILE that ends in .html shows the molecules drawn, .sdf holds their structures; otherwise it is a table.
    """
    from chemvae import api

    with console.working("Filling the gaps"):
        found = api.complete(
            pattern, model, out=output, overwrite=overwrite, device=device, n=n, like=like, beam=beam, n_draws=draws,
            rounds=rounds, most=most, seed=seed,
        )  # fmt: skip
    if output.lower().endswith((".html", ".sdf")):
        console.show(console.listing(found, most=len(found)))
    console.say(f"{len(found)} molecules fit the pattern: {'stdout' if output == '-' else output}")
